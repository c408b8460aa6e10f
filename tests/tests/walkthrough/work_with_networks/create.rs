//! "Create networks".

use anyhow::{Result, ensure};
use netebpf_tests::{
    probe::{Answer, BRIEF, PATIENT, Service, tcp},
    topology::{CLIENT, HOST},
};
use serde_json::json;

use crate::{desk::Desk, shown};

#[test]
fn a_network_with_nothing_but_a_name_gets_a_subnet_of_its_own() -> Result<()> {
    let desk = Desk::new("simple")?;
    let id = desk.makes("network create simple-network")?;
    desk.shows_network(
        "simple-network",
        &shown::with(&shown::network("simple-network", "172.22.0.0/16", "172.22.0.1"), "/Id", json!(id)),
    )?;
    ensure!(
        desk.world.host.links()?.contains(&format!("br-{}", &id[..12])),
        "{:?}",
        desk.world.host.links()?
    );

    desk.is_refused(
        "network create --subnet=172.22.128.0/17 overlapping",
        "invalid pool request: Pool overlaps with other one on this address space",
    )?;
    desk.is_refused(
        "network create --subnet=192.168.0.0/16 --subnet=192.170.0.0/16 several",
        "bridge driver doesn't support multiple subnets",
    )
}

#[test]
fn a_bridge_takes_what_the_document_gives_an_overlay() -> Result<()> {
    let desk = Desk::new("pool")?;
    // An engine in a swarm would make it.
    desk.is_refused(
        "network create -d overlay --subnet=192.168.0.0/16 --gateway=192.168.0.100 my-multihost-network",
        "This node is not a swarm manager. Use \"docker swarm init\" or \"docker swarm join\" to connect this node to \
         swarm and try again.",
    )?;
    desk.makes(
        "network create --subnet=192.168.0.0/16 --gateway=192.168.0.100 --ip-range=192.168.1.0/24 \
         --aux-address=my-router=192.168.1.5 --aux-address=my-switch=192.168.1.6 my-network",
    )?;
    let config = json!([{
        "Subnet": "192.168.0.0/16",
        "IPRange": "192.168.1.0/24",
        "Gateway": "192.168.0.100",
        "AuxiliaryAddresses": { "my-router": "192.168.1.5", "my-switch": "192.168.1.6" },
    }]);
    let expected = shown::network("my-network", "", "");
    desk.shows_network("my-network", &shown::with(&expected, "/IPAM/Config", config))?;
    // One after the other from the range, which the auxiliary addresses are not in.
    for (name, address) in [
        ("host-a", "192.168.1.0/16"),
        ("host-b", "192.168.1.1/16"),
        ("host-c", "192.168.1.2/16"),
        ("host-d", "192.168.1.3/16"),
        ("host-e", "192.168.1.4/16"),
        ("host-f", "192.168.1.7/16"),
    ] {
        desk.runs(&format!("run -itd --name={name} --network=my-network"))?;
        ensure!(desk.interfaces(name)?[1].addresses == [address], "{:?}", desk.interfaces(name)?);
    }
    desk.pings("host-f", "192.168.1.0")
}

#[test]
fn each_option_of_the_bridge_driver_is_taken_and_shown() -> Result<()> {
    let desk = Desk::new("options")?;
    let options = [
        ("com.docker.network.bridge.name", "bridge-name"),
        ("com.docker.network.bridge.enable_ip_masquerade", "false"),
        ("com.docker.network.bridge.enable_icc", "false"),
        ("com.docker.network.bridge.host_binding_ipv4", "127.0.0.1"),
        ("com.docker.network.driver.mtu", "1400"),
    ];
    let typed: Vec<_> = options.iter().map(|(option, value)| format!("-o {option}={value}")).collect();
    desk.makes(&format!("network create {} optioned", typed.join(" ")))?;
    let expected = shown::network("optioned", "172.22.0.0/16", "172.22.0.1");
    let options: serde_json::Map<_, _> =
        options.into_iter().map(|(option, value)| (option.to_owned(), json!(value))).collect();
    desk.shows_network("optioned", &shown::with(&expected, "/Options", options.into()))?;

    ensure!(desk.world.host.links()?.contains(&"bridge-name".to_owned()));
    desk.runs("run -itd --name=one --network=optioned -p 80")?;
    desk.runs("run -itd --name=two --network=optioned")?;
    ensure!(desk.interfaces("one")?[1].mtu == 1400, "{:?}", desk.interfaces("one")?);
    ensure!(desk.says("port one")? == "80/tcp -> 127.0.0.1:32768\n", "{}", desk.says("port one")?);
    desk.pings_in_vain("one", "172.22.0.3")?;
    // The machine outside knows no way back to an address that is not masqueraded.
    desk.pings_in_vain("one", &CLIENT.to_string())
}

#[test]
fn arguments_for_any_driver_are_taken_by_a_bridge() -> Result<()> {
    let desk = Desk::new("arguments")?;
    desk.makes("network create --internal inside")?;
    desk.makes("network create --ipv6 both")?;
    ensure!(desk.formatted("{{.Internal}} {{.EnableIPv6}}", "inside")? == "true false");
    ensure!(desk.formatted("{{.Internal}} {{.EnableIPv6}}", "both")? == "false true");
    desk.runs("run -itd --name=shut --network=inside")?;
    desk.runs("run -itd --name=open --network=both")?;
    desk.runs("run -itd --name=other --network=both")?;

    let unreachable = desk.typed(&format!("exec shut ping -c 1 -w 1 {CLIENT}"))?;
    ensure!(unreachable.stderr.contains("Network is unreachable"), "{unreachable:?}");
    desk.pings("open", &CLIENT.to_string())?;
    let address = desk.formatted("{{.NetworkSettings.Networks.both.GlobalIPv6Address}}", "other")?;
    desk.pings("open", &address)
}

#[test]
fn ports_are_published_at_the_address_that_a_network_names() -> Result<()> {
    let desk = Desk::new("binding")?;
    desk.makes("network create simple-network")?;
    let id =
        desk.makes("network create -o com.docker.network.bridge.host_binding_ipv4=172.23.0.1 my-network")?;
    let expected = shown::network("my-network", "172.23.0.0/16", "172.23.0.1");
    let option = json!({ "com.docker.network.bridge.host_binding_ipv4": "172.23.0.1" });
    desk.shows_network(
        "my-network",
        &shown::with(&shown::with(&expected, "/Id", json!(id)), "/Options", option),
    )?;

    // No image says which ports are exposed.
    let redis = desk.serves(("redis", "my-network"), &["-P", "--expose", "6379"], &[Service::Tcp(6379)])?;
    let table = desk.says("ps")?;
    let head: Vec<_> =
        table.lines().next().unwrap_or_default().split("  ").filter(|head| !head.is_empty()).collect();
    ensure!(
        head.iter().map(|head| head.trim()).eq([
            "CONTAINER ID",
            "IMAGE",
            "COMMAND",
            "CREATED",
            "STATUS",
            "PORTS",
            "NAMES"
        ]),
        "{table}"
    );
    let row = table.lines().nth(1).unwrap_or_default();
    ensure!(row.starts_with(&redis.id[..12]) && row.ends_with(" redis"), "{table}");
    // The first free port of a fresh engine; in the document it is the third.
    ensure!(row.contains(" 172.23.0.1:32768->6379/tcp "), "{table}");

    let seen = desk.world.host.run(|| tcp(([172, 23, 0, 1], 32768).into(), PATIENT))?;
    ensure!(matches!(&seen, Answer::Reached { by, .. } if by == "redis"), "{seen}");
    let elsewhere = desk.world.client.run(|| tcp((HOST, 32768).into(), BRIEF))?;
    ensure!(elsewhere == Answer::Refused, "{elsewhere}");
    Ok(())
}
