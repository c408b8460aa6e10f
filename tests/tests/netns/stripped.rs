//! What becomes of sandboxes whose veths have lost their programs? Nothing worse than the slow way, until a daemon looks.

use std::{fs, path::PathBuf};

use anyhow::{Context as _, Result, ensure};
use netebpf_tests::scenario::{Stage, masquerade, publish, reach};

use crate::stage;

/// What keeps the programs on veths.
fn pins(stage: &Stage) -> Result<Vec<PathBuf>> {
    let pins = fs::read_dir(stage.world.bpffs().join("links"))?.collect::<Result<Vec<_>, _>>()?;
    let is_of_veth = |pin: &fs::DirEntry| {
        let name = pin.file_name();
        let name = name.to_string_lossy();
        name.starts_with("from_container-") || name.starts_with("to_container-")
    };
    Ok(pins.iter().filter(|pin| is_of_veth(pin)).map(fs::DirEntry::path).collect())
}

/// Takes the programs from all veths, as somebody does who removes pins; the number of programs.
fn strip(stage: &Stage) -> Result<usize> {
    let pins = pins(stage)?;
    for pin in &pins {
        fs::remove_file(pin).with_context(|| format!("remove {}", pin.display()))?;
    }
    Ok(pins.len())
}

#[test]
fn veths_without_programs_are_slower_and_no_less_isolated_and_get_them_back() -> Result<()> {
    let stage = stage::alone("stripped");
    // A daemon would look as soon as anything happens.
    stage.engine.kill()?;
    let removed = strip(&stage)?;
    ensure!(removed == 8, "{removed} programs of four sandboxes");
    stage::holds(reach::another_network_is_out_of_reach(&stage));
    stage::holds(reach::another_network_cannot_be_pinged(&stage));
    stage::holds(reach::the_outside_cannot_reach_a_container_directly(&stage));
    stage::holds(publish::a_port_published_on_loopback_stays_on_the_host(&stage));
    stage::holds(reach::containers_of_one_network_reach_each_other(&stage));
    stage::holds(reach::the_host_reaches_a_container(&stage));
    stage::holds(publish::a_published_port_keeps_the_address_of_the_client(&stage));
    stage::holds(masquerade::tcp_leaves_with_the_address_of_the_host(&stage));

    stage.engine.launch()?;
    ensure!(stage.engine.ok(&["plan"])?.trim() == "nothing to do", "something is still missing");
    ensure!(pins(&stage)?.len() == removed, "not all programs are back");
    stage::holds(publish::a_container_reaches_its_own_published_port(&stage));
    Ok(())
}
