//! "Docker container networking" as it was in experimental builds, on one host.
//!
//! Left out: networks of several hosts. Then, names were lines of every hosts file; since 1.10 a resolver knows them, on
//! users' networks alone. Output had other fields, and the gateway's address was given to sandboxes.

use anyhow::{Result, ensure};
use serde_json::json;

use crate::{
    desk::{DEFAULT_NETWORK, Desk},
    named::{self, Named},
    shown,
};

/// The pings by name.
const NAMED: &[Named] = &[
    Named { step: "default", from: "container1", name: "container2", leads_to: &[] },
    Named { step: "default", from: "container2", name: "container1", leads_to: &[] },
    Named { step: "several", from: "container3", name: "container2.isolated_nw", leads_to: &["172.20.0.3"] },
    Named { step: "several", from: "container3", name: "container2", leads_to: &["172.20.0.3"] },
    Named { step: "several", from: "container3", name: "container1", leads_to: &[] },
    Named { step: "several", from: "container2", name: "container3", leads_to: &["172.20.0.2"] },
    Named { step: "several", from: "container2", name: "container1", leads_to: &[] },
    Named { step: "left", from: "container2", name: "container3", leads_to: &[] },
];

/// Two sandboxes on the default network, and a third on `isolated_nw`.
fn three(name: &str) -> Result<(Desk, [String; 3])> {
    let desk = Desk::with(name, 2, &[DEFAULT_NETWORK])?;
    let container1 = desk.runs("run -itd --name=container1")?;
    let container2 = desk.runs("run -itd --name=container2")?;
    desk.makes("network create -d bridge isolated_nw")?;
    let container3 = desk.runs("run --net=isolated_nw -itd --name=container3")?;
    Ok((desk, [container1, container2, container3]))
}

#[test]
fn default_networks() -> Result<()> {
    let (desk, [container1, container2, _]) = three("early-default")?;
    let members = desk.formatted("{{json .Containers}}", "bridge")?;
    let expected = shown::members(&[
        (&container1, "container1", "172.17.0.2/16"),
        (&container2, "container2", "172.17.0.3/16"),
    ]);
    shown::same(&serde_json::from_str(&members)?, &expected)?;
    for (sandbox, address, other) in
        [("container1", "172.17.0.2", "172.17.0.3"), ("container2", "172.17.0.3", "172.17.0.2")]
    {
        let interfaces = desk.interfaces(sandbox)?;
        ensure!(
            interfaces.len() == 2 && interfaces[1].addresses == [format!("{address}/16")],
            "{interfaces:?}"
        );
        desk.pings(sandbox, other)?;
    }
    named::follow(&desk, NAMED, "default")
}

#[test]
fn user_defined_networks() -> Result<()> {
    let (desk, [.., container3]) = three("early-users")?;
    let rows = desk.rows("network ls")?;
    let shown: Vec<_> = rows.iter().map(|row| row[1..].join(" ")).collect();
    let expected = ["bridge bridge local", "host host local", "isolated_nw bridge local", "none null local"];
    ensure!(shown == expected, "{rows:?}");
    let members = shown::members(&[(&container3, "container3", "172.20.0.2/16")]);
    let network = shown::network("isolated_nw", "172.20.0.0/16", "172.20.0.1");
    desk.shows_network("isolated_nw", &shown::with(&network, "/Containers", members))
}

#[test]
fn connecting_to_multiple_networks() -> Result<()> {
    let (desk, [_, container2, container3]) = three("early-several")?;
    desk.does("network connect isolated_nw container2")?;
    let members = shown::members(&[
        (&container3, "container3", "172.20.0.2/16"),
        (&container2, "container2", "172.20.0.3/16"),
    ]);
    let network = shown::network("isolated_nw", "172.20.0.0/16", "172.20.0.1");
    desk.shows_network("isolated_nw", &shown::with(&network, "/Containers", members))?;
    ensure!(networks_of(&desk, "container2")? == "bridge isolated_nw ");
    let interfaces = desk.interfaces("container2")?;
    let shown: Vec<_> = interfaces
        .iter()
        .map(|interface| (interface.name.as_str(), interface.mtu, interface.addresses.join(" ")))
        .collect();
    let expected = [
        ("lo", 65536, "127.0.0.1/8 ::1/128".to_owned()),
        ("eth0", 1500, "172.17.0.3/16".to_owned()),
        ("eth1", 1500, "172.20.0.3/16".to_owned()),
    ];
    ensure!(shown == expected, "{interfaces:?}");

    named::follow(&desk, NAMED, "several")?;
    desk.pings_in_vain("container3", "172.17.0.2")?;
    desk.pings_in_vain("container3", "172.17.0.3")?;
    desk.pings("container2", "172.20.0.2")?;
    desk.pings("container2", "172.17.0.2")
}

#[test]
fn disconnecting_and_removing() -> Result<()> {
    let (desk, [.., container3]) = three("early-left")?;
    desk.does("network connect isolated_nw container2")?;
    desk.does("network disconnect isolated_nw container2")?;
    ensure!(networks_of(&desk, "container2")? == "bridge ");
    let members = json!(shown::members(&[(&container3, "container3", "172.20.0.2/16")]));
    let network = shown::network("isolated_nw", "172.20.0.0/16", "172.20.0.1");
    desk.shows_network("isolated_nw", &shown::with(&network, "/Containers", members))?;
    let interfaces = desk.interfaces("container2")?;
    ensure!(interfaces.len() == 2 && interfaces[1].addresses == ["172.17.0.3/16"], "{interfaces:?}");
    named::follow(&desk, NAMED, "left")?;
    desk.pings_in_vain("container2", "172.20.0.2")?;
    desk.pings("container2", "172.17.0.2")?;

    // A network is free as soon as the last sandbox in it has stopped.
    desk.says("stop -t 0 container3")?;
    desk.shows_network("isolated_nw", &network)?;
    ensure!(desk.says("network rm isolated_nw")? == "isolated_nw\n");
    let rows = desk.rows("network ls")?;
    ensure!(rows.iter().map(|row| row[1].as_str()).eq(["bridge", "host", "none"]), "{rows:?}");
    Ok(())
}

/// The names of a sandbox's networks.
fn networks_of(desk: &Desk, sandbox: &str) -> Result<String> {
    desk.formatted("{{range $name, $_ := .NetworkSettings.Networks}}{{$name}} {{end}}", sandbox)
}
