//! "Docker container networking", as far as it is about bridges, on one host.
//!
//! Left out: overlay networks, plugins, and the rules of iptables, of which there are none.

use std::{fs, net::Ipv4Addr};

use anyhow::{Result, ensure};
use ipnet::Ipv4Net;
use netebpf_tests::{
    probe::{Answer, BRIEF, PATIENT, Service, ping, tcp},
    topology::{CLIENT, HOST, SERVER},
    wait,
};
use regex::Regex;
use serde_json::{Value, json};

use crate::{
    desk::{DEFAULT_NETWORK, Desk},
    named::{self, Named},
    shown,
};

/// The pings by name; the document says that there are names on users' networks, and shows none.
const NAMED: &[Named] = &[
    Named { step: "default", from: "container1", name: "container2", leads_to: &[] },
    Named { step: "bridge", from: "container3", name: "container4", leads_to: &["172.21.0.3"] },
];

/// What every hosts file begins with. Before version 27 two of the addresses were written `fe00::0` and `ff00::0`.
const HOSTS: &str = "127.0.0.1\tlocalhost\n\
    ::1\tlocalhost ip6-localhost ip6-loopback\n\
    fe00::\tip6-localnet\n\
    ff00::\tip6-mcastprefix\n\
    ff02::1\tip6-allnodes\n\
    ff02::2\tip6-allrouters\n";

#[test]
fn three_networks_are_there_and_the_bridge_is_a_link_of_the_host() -> Result<()> {
    let desk = Desk::fresh("defaults")?;
    // Today's Docker sorts them by name and shows how far they reach.
    ensure!(networks(&desk)? == ["bridge bridge local", "host host local", "none null local"]);
    let link = desk.world.host.link_of([172, 17, 0, 1].into())?;
    ensure!(link == "netebpf0", "{link}");
    Ok(())
}

#[test]
fn a_sandbox_in_none_has_a_loopback_device_alone() -> Result<()> {
    let desk = Desk::fresh("none")?;
    desk.runs("run -itd --network=none --name=nonenetcontainer")?;
    let hosts = desk.inside("nonenetcontainer", "cat /etc/hosts")?;
    ensure!(hosts == HOSTS, "{hosts}");
    let interfaces = desk.interfaces("nonenetcontainer")?;
    ensure!(interfaces.len() == 1 && interfaces[0].name == "lo", "{interfaces:?}");
    ensure!(interfaces[0].addresses.first().is_some_and(|first| first == "127.0.0.1/8"), "{interfaces:?}");
    Ok(())
}

#[test]
fn a_server_in_host_is_found_at_the_hosts_own_port() -> Result<()> {
    let desk = Desk::fresh("host")?;
    let probe = desk.world.probe();
    desk.makes(&format!("run -d --network=host --name=web -- {} serve --name web tcp:80", probe.display()))?;
    let seen = wait::until("the server listens", PATIENT, || {
        let seen = desk.world.client.run(|| tcp((HOST, 80).into(), PATIENT)).ok()?;
        (seen != Answer::Refused).then_some(seen)
    })?;
    ensure!(seen == Answer::seen("web", CLIENT), "{seen}");
    let members = desk.formatted("{{range .Containers}}{{.Name}} {{.IPv4Address}}{{end}}", "host")?;
    ensure!(members == "web ", "{members}");
    ensure!(desk.says("rm -f web")? == "web\n");
    Ok(())
}

#[test]
fn sandboxes_join_the_default_network_by_themselves() -> Result<()> {
    let desk = Desk::fresh("default")?;
    let bridge = default_network();
    desk.shows_network("bridge", &bridge)?;
    let container1 = desk.runs("run -itd --name=container1")?;
    let container2 = desk.runs("run -itd --name=container2")?;
    // Today members are shown with their names.
    let members = shown::members(&[
        (&container1, "container1", "172.17.0.2/16"),
        (&container2, "container2", "172.17.0.3/16"),
    ]);
    desk.shows_network("bridge", &shown::with(&bridge, "/Containers", members))?;

    let interfaces = desk.interfaces("container1")?;
    ensure!(interfaces.len() == 2 && interfaces[0].name == "lo", "{interfaces:?}");
    let eth0 = &interfaces[1];
    ensure!(eth0.name == "eth0" && eth0.mtu == 1500 && eth0.addresses == ["172.17.0.2/16"], "{interfaces:?}");
    desk.pings("container1", "172.17.0.3")?;
    desk.pings("container2", "172.17.0.2")?;
    named::follow(&desk, NAMED, "default")?;
    // The document's engine wrote the own address first.
    let hosts = desk.inside("container1", "cat /etc/hosts")?;
    ensure!(hosts == format!("{HOSTS}172.17.0.2\t{}\n", &container1[..12]), "{hosts}");
    let outside = desk.inside("container1", "hostname")?;
    ensure!(outside.trim_end() == &container1[..12], "{outside}");
    Ok(())
}

#[test]
fn the_default_network_is_disabled_by_the_configuration_file() -> Result<()> {
    let file = tempfile::NamedTempFile::new()?;
    // The other directive there is for an engine with iptables.
    fs::write(file.path(), r#"{ "bridge": "none" }"#)?;
    let desk = Desk::with("disabled", 0, &[&format!("--config-file={}", file.path().display())])?;
    ensure!(networks(&desk)? == ["host host local", "none null local"]);
    ensure!(!desk.world.host.links()?.contains(&"netebpf0".to_owned()));
    let refused = "failed to set up container networking: network bridge not found";
    desk.is_refused("run -itd --name=container1 -- sleep infinity", refused)?;
    desk.makes("network create --driver bridge isolated_nw")?;
    desk.runs("run --network=isolated_nw -itd --name=container3")?;
    Ok(())
}

#[test]
fn a_users_network_connects_its_sandboxes_at_once() -> Result<()> {
    let desk = Desk::with("bridge", 3, &[DEFAULT_NETWORK])?;
    let id = desk.makes("network create --driver bridge isolated_nw")?;
    let isolated_nw =
        shown::with(&shown::network("isolated_nw", "172.21.0.0/16", "172.21.0.1"), "/Id", json!(id));
    desk.shows_network("isolated_nw", &isolated_nw)?;
    let expected = ["bridge bridge local", "host host local", "isolated_nw bridge local", "none null local"];
    ensure!(networks(&desk)? == expected);

    let container3 = desk.runs("run --network=isolated_nw -itd --name=container3")?;
    let members = shown::members(&[(&container3, "container3", "172.21.0.2/16")]);
    desk.shows_network("isolated_nw", &shown::with(&isolated_nw, "/Containers", members))?;
    desk.runs("run --network=isolated_nw -itd --name=container4")?;
    desk.runs("run -itd --name=elsewhere")?;
    desk.pings("container3", "172.21.0.3")?;
    named::follow(&desk, NAMED, "bridge")?;
    desk.pings_in_vain("elsewhere", "172.21.0.3")?;
    // What the document calls isolation holds from outside: nobody begins a connection to a sandbox, ...
    desk.world.client.route(Ipv4Net::new(Ipv4Addr::new(172, 21, 0, 0), 16)?, HOST)?;
    let seen = desk.world.client.run(|| ping(Ipv4Addr::new(172, 21, 0, 2), BRIEF))?;
    ensure!(seen == Answer::TimedOut, "{seen}");
    // ... but sandboxes reach the outside.
    desk.pings("container3", &CLIENT.to_string())
}

#[test]
fn of_several_networks_the_first_that_is_not_internal_leads_out() -> Result<()> {
    let desk = Desk::fresh("way-out")?;
    for line in ["network create --internal a", "network create c", "network create b"] {
        desk.makes(line)?;
    }
    desk.runs("run -itd --network=c --name=container1")?;
    for (line, device) in [
        ("network connect a container1", "172.19.0.1"),
        ("network connect b container1", "172.20.0.1"),
        ("network disconnect b container1", "172.19.0.1"),
    ] {
        desk.does(line)?;
        let route = desk.inside("container1", "ip route show default")?;
        ensure!(route.starts_with(&format!("default via {device} ")), "after `{line}`: {route}");
        desk.pings("container1", &SERVER.to_string())?;
    }
    desk.does("network disconnect c container1")?;
    let route = desk.inside("container1", "ip route show default")?;
    ensure!(route.is_empty(), "{route}");
    Ok(())
}

#[test]
fn docker_gwbridge_can_be_made_ahead_of_time() -> Result<()> {
    let desk = Desk::fresh("gwbridge")?;
    desk.makes(
        "network create --subnet 172.30.0.0/16 --opt com.docker.network.bridge.name=docker_gwbridge \
         --opt com.docker.network.bridge.enable_icc=false docker_gwbridge",
    )?;
    let options = json!({
        "com.docker.network.bridge.name": "docker_gwbridge",
        "com.docker.network.bridge.enable_icc": "false",
    });
    let expected = shown::network("docker_gwbridge", "172.30.0.0/16", "172.30.0.1");
    desk.shows_network("docker_gwbridge", &shown::with(&expected, "/Options", options))?;
    let link = desk.world.host.link_of([172, 30, 0, 1].into())?;
    ensure!(link == "docker_gwbridge", "{link}");
    desk.runs("run -itd --network=docker_gwbridge --name=container1")?;
    desk.runs("run -itd --network=docker_gwbridge --name=container2")?;
    desk.pings_in_vain("container1", "172.30.0.3")?;
    desk.pings("container1", "172.30.0.1")?;
    desk.pings("container1", &SERVER.to_string())
}

#[test]
fn drivers_that_are_not_here_are_refused() -> Result<()> {
    let desk = Desk::fresh("drivers")?;
    desk.is_refused(
        "network create --driver overlay --subnet 10.0.9.0/24 my-multi-host-network",
        "This node is not a swarm manager. Use \"docker swarm init\" or \"docker swarm join\" to connect this node to \
         swarm and try again.",
    )?;
    desk.is_refused("network create --driver weave mynet", "plugin \"weave\" not found")
}

#[test]
fn published_ports_are_shown_with_those_that_are_only_exposed() -> Result<()> {
    let desk = Desk::fresh("ports")?;
    let probe = desk.world.probe();
    // The image `nginx` exposes these. A port is published at addresses of both IP versions today.
    let nginx = |options: &str| {
        let probe = probe.display();
        desk.makes(&format!(
            "run -it -d {options} --expose 80 --expose 443 -- {probe} serve --name nginx tcp:80"
        ))
    };
    for (options, ports, port) in [
        ("-p 80", "443/tcp, 0.0.0.0:32768->80/tcp, [::]:32768->80/tcp", 32768),
        ("-p 8080:80", "443/tcp, 0.0.0.0:8080->80/tcp, [::]:8080->80/tcp", 8080),
    ] {
        let id = nginx(options)?;
        let row = desk.says("ps --latest --format '{{.ID}} {{.Names}} {{.Ports}}'")?;
        let expected = format!("^{} [a-z]+_[a-z]+ {}\n$", &id[..12], regex::escape(ports));
        ensure!(Regex::new(&expected)?.is_match(&row), "{row} instead of {expected}");
        let seen = wait::until("the server listens", PATIENT, || {
            let seen = desk.world.client.run(|| tcp((HOST, port).into(), PATIENT)).ok()?;
            (seen != Answer::Refused).then_some(seen)
        })?;
        ensure!(seen == Answer::seen("nginx", CLIENT), "{seen}");
    }
    let again = desk.typed("run -it -d -p 8080:80 -- sleep infinity")?;
    let is_taken = again.stderr.ends_with("Bind for 0.0.0.0:8080 failed: port is already allocated\n");
    ensure!(again.code == Some(125) && is_taken, "{again:?}");
    Ok(())
}

#[test]
fn exposing_a_port_opens_nothing() -> Result<()> {
    let desk = Desk::fresh("expose")?;
    desk.serves(("quiet", "bridge"), &["--expose", "80"], &[Service::Tcp(80)])?;
    ensure!(desk.says("ps --format '{{.Ports}}'")? == "80/tcp\n");
    ensure!(desk.says("port quiet")?.is_empty());
    let seen = desk.world.client.run(|| tcp((HOST, 80).into(), PATIENT))?;
    ensure!(seen == Answer::Refused, "{seen}");
    Ok(())
}

#[test]
fn variables_for_a_proxy_are_set_by_hand() -> Result<()> {
    let desk = Desk::fresh("proxy")?;
    let variables = [
        "HTTP_PROXY=http://127.0.0.1:3001",
        "HTTPS_PROXY=https://127.0.0.1:3001",
        "FTP_PROXY=ftp://127.0.0.1:3001",
        "NO_PROXY=*.test.example.com,.example2.com",
    ];
    let options = variables.map(|variable| format!("--env {variable}")).join(" ");
    let said = desk.says(&format!("run --rm {options} -- env"))?;
    for variable in variables {
        ensure!(said.lines().any(|line| line == variable), "no {variable} in:\n{said}");
    }
    Ok(())
}

/// The default network, with our name of its bridge and the kernel's MTU; the documented host was a machine of Amazon's.
fn default_network() -> Value {
    let options = json!({
        "com.docker.network.bridge.default_bridge": "true",
        "com.docker.network.bridge.enable_icc": "true",
        "com.docker.network.bridge.enable_ip_masquerade": "true",
        "com.docker.network.bridge.host_binding_ipv4": "0.0.0.0",
        "com.docker.network.bridge.name": "netebpf0",
        "com.docker.network.driver.mtu": "1500",
    });
    let network = shown::network("bridge", "172.17.0.0/16", "172.17.0.1");
    shown::with(&shown::with(&network, "/Options", options), "/IPAM/Options", Value::Null)
}

/// Name, driver and scope of every network that is listed.
fn networks(desk: &Desk) -> Result<Vec<String>> {
    let rows = desk.rows("network ls")?;
    Ok(rows.iter().map(|row| row[1..].join(" ")).collect())
}
