//! "Disconnecting containers".

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::{Basic, NAMED, basic};
use crate::{desk::Desk, named, shown};

#[test]
fn a_sandbox_that_has_left_a_network_reaches_nobody_there() -> Result<()> {
    let desk = Desk::new("disconnect")?;
    let Basic { container2, container3 } = basic(&desk)?;
    // Step 1.
    desk.does("network disconnect isolated_nw container2")?;
    let bridge = shown::endpoint(&Value::Null, "172.17.0.1", ("172.17.0.3", 16));
    desk.shows_networks_of("container2", &json!({ "bridge": bridge }))?;
    let members = shown::members(&[(&container3, "container3", "172.25.3.3/16")]);
    let isolated_nw = shown::network("isolated_nw", "172.25.0.0/16", "172.25.0.1");
    desk.shows_network("isolated_nw", &shown::with(&isolated_nw, "/Containers", members))?;
    // Step 2.
    let interfaces = desk.interfaces("container2")?;
    let left: Vec<_> = interfaces.iter().map(|interface| interface.name.as_str()).collect();
    ensure!(left == ["lo", "eth0"] && interfaces[1].addresses == ["172.17.0.3/16"], "{interfaces:?}");
    named::follow(&desk, NAMED, "disconnect 2")?;
    desk.pings_in_vain("container2", "172.25.3.3")?;
    // Step 3. By address: on the default network there are no names today.
    named::follow(&desk, NAMED, "disconnect 3")?;
    desk.pings("container2", "172.17.0.2")?;
    // Twice is an error; today's Docker names the sandbox by its id.
    desk.is_refused(
        "network disconnect isolated_nw container2",
        &format!("container {container2} is not connected to network isolated_nw"),
    )
}

#[test]
fn several_sandboxes_are_stopped_and_removed_at_once() -> Result<()> {
    let desk = Desk::new("several")?;
    let names = ["container4", "container5", "container6", "container7"];
    desk.makes("network create -d bridge --subnet 172.25.0.0/16 isolated_nw")?;
    for name in names {
        desk.runs(&format!("run --network=isolated_nw -itd --name={name}"))?;
    }
    // Step 4.
    let told = names.map(|name| format!("{name}\n")).concat();
    ensure!(desk.says(&format!("stop {}", names.join(" ")))? == told);
    desk.shows_network("isolated_nw", &shown::network("isolated_nw", "172.25.0.0/16", "172.25.0.1"))?;
    ensure!(desk.says(&format!("rm {}", names.join(" ")))? == told);
    ensure!(desk.rows("ps -a")?.is_empty());
    Ok(())
}
