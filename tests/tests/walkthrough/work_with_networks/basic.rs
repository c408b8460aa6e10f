//! "Connect containers", "Basic container networking example".

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::{NAMED, basic};
use crate::{desk::Desk, named, shown};

#[test]
fn a_running_sandbox_joins_a_second_network() -> Result<()> {
    let desk = Desk::new("connect")?;
    // Steps 1 and 2.
    desk.runs("run -itd --name=container1")?;
    let container2 = desk.runs("run -itd --name=container2")?;
    let id = desk.makes("network create -d bridge --subnet 172.25.0.0/16 isolated_nw")?;
    // Step 3. Today's gateway is shown without the length of the prefix.
    desk.does("network connect isolated_nw container2")?;
    let isolated_nw = shown::with(
        &shown::network("isolated_nw", "172.25.0.0/16", "172.25.0.1"),
        "/Containers",
        shown::members(&[(&container2, "container2", "172.25.0.2/16")]),
    );
    desk.shows_network("isolated_nw", &shown::with(&isolated_nw, "/Id", json!(id)))?;
    // Step 4.
    let container3 = desk.runs("run --network=isolated_nw --ip=172.25.3.3 -itd --name=container3")?;
    let both = [
        (container2.as_str(), "container2", "172.25.0.2/16"),
        (container3.as_str(), "container3", "172.25.3.3/16"),
    ];
    desk.shows_network("isolated_nw", &shown::with(&isolated_nw, "/Containers", shown::members(&both)))?;

    // What was asked for is remembered when the sandbox is started again.
    desk.says("restart -t 0 container3")?;
    desk.shows_networks_of("container3", &json!({ "isolated_nw": in_isolated_nw(&asked(), "172.25.3.3") }))
}

#[test]
fn a_sandbox_shows_its_addresses_outside_and_inside() -> Result<()> {
    let desk = Desk::new("addresses")?;
    basic(&desk)?;
    // Step 5.
    desk.shows_networks_of("container3", &json!({ "isolated_nw": in_isolated_nw(&asked(), "172.25.3.3") }))?;
    // Step 6. What was not wished when joining later is an empty object by now.
    let networks = json!({
        "bridge": shown::endpoint(&Value::Null, "172.17.0.1", ("172.17.0.3", 16)),
        "isolated_nw": in_isolated_nw(&json!({}), "172.25.0.2"),
    });
    desk.shows_networks_of("container2", &networks)?;
    // Step 7. Interfaces of networks without IPv6 have no link-local address any more.
    let interfaces = desk.interfaces("container2")?;
    let shown: Vec<_> = interfaces
        .iter()
        .map(|interface| (interface.name.as_str(), interface.mtu, interface.addresses.join(" ")))
        .collect();
    let expected = [
        ("lo", 65536, "127.0.0.1/8 ::1/128".to_owned()),
        ("eth0", 1500, "172.17.0.3/16".to_owned()),
        ("eth1", 1500, "172.25.0.2/16".to_owned()),
    ];
    ensure!(shown == expected, "{interfaces:?}");
    for (interface, network) in [(1, "bridge"), (2, "isolated_nw")] {
        let mac =
            desk.formatted(&format!("{{{{.NetworkSettings.Networks.{network}.MacAddress}}}}"), "container2")?;
        ensure!(interfaces[interface].mac == mac, "{interfaces:?} instead of {mac}");
    }
    Ok(())
}

#[test]
fn sandboxes_reach_those_with_whom_they_share_a_network() -> Result<()> {
    let desk = Desk::new("reach")?;
    basic(&desk)?;
    // Step 8.
    named::follow(&desk, NAMED, "basic 8")?;
    desk.pings("container2", "172.17.0.2")?;
    // Step 9.
    desk.pings_in_vain("container3", "172.17.0.2")
}

#[test]
fn a_sandbox_that_does_not_run_joins_but_is_not_shown() -> Result<()> {
    let desk = Desk::new("stopped")?;
    desk.makes("network create -d bridge --subnet 172.25.0.0/16 isolated_nw")?;
    let id = desk.makes("create --name=idle -- sleep infinity")?;
    desk.does("network connect isolated_nw idle")?;
    let empty = shown::network("isolated_nw", "172.25.0.0/16", "172.25.0.1");
    desk.shows_network("isolated_nw", &empty)?;
    desk.says("start idle")?;
    let members = shown::members(&[(&id, "idle", "172.25.0.2/16")]);
    desk.shows_network("isolated_nw", &shown::with(&empty, "/Containers", members))
}

/// What the user asked for with `--ip`.
fn asked() -> Value {
    json!({ "IPv4Address": "172.25.3.3" })
}

fn in_isolated_nw(asked: &Value, address: &str) -> Value {
    shown::endpoint(asked, "172.25.0.1", (address, 16))
}
