//! "Getting started with Docker Networking", as far as it is about bridges, `host` and `none`, on one host.
//!
//! Left out: overlay, macvlan and ipvlan, swarm services; forwarding, which the engine sees to itself.

use std::fs;

use anyhow::{Result, ensure};
use netebpf_tests::{
    probe::{Answer, PATIENT, Service, tcp},
    topology::{CLIENT, HOST, SERVER},
    wait,
};

use crate::{
    desk::Desk,
    named::{self, Named},
    shown,
};

/// The pings by name.
const NAMED: &[Named] = &[
    Named { step: "users' networks", from: "web", name: "db", leads_to: &["172.18.0.2"] },
    // The machine outside stands for google.com.
    Named { step: "default bridge 5", from: "alpine1", name: "google.com", leads_to: &["203.0.113.9"] },
    Named { step: "default bridge 6", from: "alpine1", name: "alpine2", leads_to: &[] },
    Named { step: "default bridge 7", from: "alpine2", name: "alpine1", leads_to: &[] },
];

#[test]
fn sandboxes_of_a_users_network_open_all_ports_to_each_other_and_none_to_others() -> Result<()> {
    let desk = Desk::fresh("my-net")?;
    desk.makes("network create my-net")?;
    let db = desk.serves(("db", "my-net"), &[], &[Service::Tcp(80)])?;
    let web = desk.serves(("web", "my-net"), &[], &[Service::Tcp(80)])?;
    named::follow(&desk, NAMED, "users' networks")?;
    let seen = web.namespace.run(|| tcp((db.address, 80).into(), PATIENT))?;
    ensure!(seen == Answer::seen("db", web.address), "{seen}");
    desk.runs("run -d --name=unrelated")?;
    desk.pings_in_vain("unrelated", &db.address.to_string())?;
    desk.does("network disconnect my-net web")?;
    let endpoint = desk.formatted("{{(index .NetworkSettings.Networks \"my-net\").EndpointID}}", "db")?;
    desk.is_refused(
        "network rm my-net",
        &format!(
            "error while removing network: network my-net has active endpoints (name:\"db\" id:\"{}\")",
            &endpoint[..12]
        ),
    )?;
    desk.does("network disconnect my-net db")?;
    ensure!(desk.says("network rm my-net")? == "my-net\n");
    Ok(())
}

#[test]
fn a_sandbox_is_connected_and_disconnected_on_the_fly() -> Result<()> {
    let desk = Desk::fresh("nginx")?;
    desk.makes("network create my-net")?;
    let probe = desk.world.probe();
    let id = desk.makes(&format!(
        "create --name my-nginx --network my-net --publish 8080:80 -- {} serve --name my-nginx tcp:80",
        probe.display()
    ))?;
    ensure!(desk.formatted("{{.State.Status}}", "my-nginx")? == "created");
    ensure!(desk.says("start my-nginx")? == "my-nginx\n");
    reaches(&desk, 8080, "my-nginx")?;

    desk.does("network disconnect my-net my-nginx")?;
    let empty = shown::network("my-net", "172.18.0.0/16", "172.18.0.1");
    desk.shows_network("my-net", &empty)?;
    desk.does("network connect my-net my-nginx")?;
    let members = shown::members(&[(&id, "my-nginx", "172.18.0.2/16")]);
    desk.shows_network("my-net", &shown::with(&empty, "/Containers", members))?;
    // The port is published again.
    reaches(&desk, 8080, "my-nginx")
}

#[test]
fn the_default_network_is_configured_by_a_file() -> Result<()> {
    let file = tempfile::NamedTempFile::new()?;
    let option = format!("--config-file={}", file.path().display());
    // In the document the gateways are outside of the subnets, and there is no IPv6 otherwise: Docker does not start.
    fs::write(
        file.path(),
        r#"{
            "bip": "192.168.1.5/24",
            "fixed-cidr": "192.168.1.0/25",
            "ipv6": true,
            "fixed-cidr-v6": "2001:db8:5::/64",
            "mtu": 1400,
            "default-gateway": "192.168.1.200",
            "dns": ["10.20.1.2", "10.20.1.3"]
        }"#,
    )?;
    let desk = Desk::with("configured", 0, &[&option])?;
    desk.runs("run -dit --name alpine1")?;
    desk.runs("run -dit --name alpine2")?;
    let interfaces = desk.interfaces("alpine1")?;
    let eth0 = &interfaces[1];
    ensure!(eth0.mtu == 1400, "{interfaces:?}");
    for address in ["192.168.1.1/24", "2001:db8:5::2/64"] {
        ensure!(eth0.addresses.iter().any(|found| found == address), "{interfaces:?}");
    }
    let route = desk.inside("alpine1", "ip route show default")?;
    ensure!(route.starts_with("default via 192.168.1.200 "), "{route}");
    let resolver = desk.inside("alpine1", "cat /etc/resolv.conf")?;
    let servers: Vec<_> = resolver.lines().filter_map(|line| line.strip_prefix("nameserver ")).collect();
    ensure!(servers == ["10.20.1.2", "10.20.1.3"], "{resolver}");
    desk.pings("alpine1", "192.168.1.2")?;
    desk.pings("alpine1", "192.168.1.5")
}

#[test]
fn a_gateway_outside_of_the_default_network_is_refused_as_the_file_is_read() -> Result<()> {
    let file = tempfile::NamedTempFile::new()?;
    fs::write(
        file.path(),
        r#"{
            "bip": "192.168.1.5/24",
            "fixed-cidr": "192.168.1.5/25",
            "fixed-cidr-v6": "2001:db8::/64",
            "mtu": 1500,
            "default-gateway": "10.20.1.1",
            "default-gateway-v6": "2001:db8:abcd::89",
            "dns": ["10.20.1.2", "10.20.1.3"]
        }"#,
    )?;
    let desk = Desk::fresh("gateway")?;
    let said = desk.typed(&format!("daemon --validate --config-file {}", file.path().display()))?;
    let words = "invalid default-gateway: 10.20.1.1: default gateway ip must be part of the network";
    ensure!(said.code == Some(1) && said.stderr.contains(words), "{said:?}");
    Ok(())
}

#[test]
fn published_ports_are_discarded_in_host_with_a_warning() -> Result<()> {
    let desk = Desk::fresh("discarded")?;
    let probe = desk.world.probe();
    let said = desk.typed(&format!(
        "run -d --network host --publish 8080:80 --name web -- {} serve --name web tcp:80",
        probe.display()
    ))?;
    reaches(&desk, 80, "web")?;
    let seen = desk.world.client.run(|| tcp((HOST, 8080).into(), PATIENT))?;
    ensure!(seen == Answer::Refused, "{seen}");
    ensure!(desk.formatted("{{range .NetworkSettings.Networks}}[{{.IPAddress}}]{{end}}", "web")? == "[]");
    ensure!(desk.says("rm -f web")? == "web\n");
    let warning = "WARNING: Published ports are discarded when using host network mode\n";
    ensure!(said.code == Some(0) && said.stderr == warning, "{said:?}");
    Ok(())
}

#[test]
fn two_sandboxes_on_the_default_network_call_each_other_by_address_only() -> Result<()> {
    let desk = Desk::fresh("alpine")?;
    // Steps 1 and 2.
    let rows = desk.rows("network ls")?;
    let shown: Vec<_> = rows.iter().map(|row| row[1..].join(" ")).collect();
    ensure!(shown == ["bridge bridge local", "host host local", "none null local"], "{rows:?}");
    let alpine1 = desk.runs("run -dit --name alpine1")?;
    let alpine2 = desk.runs("run -dit --name alpine2")?;
    let rows = desk.says("ps --format '{{.ID}} {{.Command}} {{.Ports}} {{.Names}}'")?;
    let row = |id: &str, name: &str| format!("{} \"sleep infinity\"  {name}\n", &id[..12]);
    ensure!(rows == row(&alpine2, "alpine2") + &row(&alpine1, "alpine1"), "{rows}");
    // Step 3.
    let members = desk.formatted("{{range .Containers}}{{.Name}} {{.IPv4Address}} {{end}}", "bridge")?;
    let mut members: Vec<_> = members.split_whitespace().collect();
    members.sort_unstable();
    ensure!(members == ["172.17.0.2/16", "172.17.0.3/16", "alpine1", "alpine2"], "{members:?}");
    // Steps 4 to 7.
    ensure!(desk.interfaces("alpine1")?[1].addresses == ["172.17.0.2/16"]);
    ensure!(desk.interfaces("alpine2")?[1].addresses == ["172.17.0.3/16"]);
    named::follow(&desk, NAMED, "default bridge 5")?;
    desk.pings("alpine2", &SERVER.to_string())?;
    desk.pings("alpine1", "172.17.0.3")?;
    named::follow(&desk, NAMED, "default bridge 6")?;
    desk.pings("alpine2", "172.17.0.2")?;
    named::follow(&desk, NAMED, "default bridge 7")?;
    // Step 8.
    ensure!(desk.says("stop alpine1 alpine2")? == "alpine1\nalpine2\n");
    ensure!(desk.says("rm alpine1 alpine2")? == "alpine1\nalpine2\n");
    Ok(())
}

/// The client outside reaches a port of the host, with its own address.
fn reaches(desk: &Desk, port: u16, by: &str) -> Result<()> {
    let seen = wait::until(&format!("{by} listens"), PATIENT, || {
        let seen = desk.world.client.run(|| tcp((HOST, port).into(), PATIENT)).ok()?;
        (seen != Answer::Refused).then_some(seen)
    })?;
    ensure!(seen == Answer::seen(by, CLIENT), "{seen}");
    Ok(())
}
