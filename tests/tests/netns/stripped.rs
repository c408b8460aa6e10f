//! What becomes of sandboxes whose veths have lost their programs? Nothing worse than the slow way, until the daemon looks.

use std::fs;

use anyhow::{Context as _, Result, ensure};
use netebpf_tests::scenario::{Stage, masquerade, publish, reach};

use crate::stage;

/// Takes the programs from all veths, as somebody does who removes pins; the number of programs.
fn strip(stage: &Stage) -> Result<usize> {
    let pins = fs::read_dir(stage.world.bpffs().join("links"))?.collect::<Result<Vec<_>, _>>()?;
    let of_veths = pins.iter().map(fs::DirEntry::path).filter(|pin| {
        let name = pin.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("from_container-") || name.starts_with("to_container-")
    });
    let mut removed = 0;
    for pin in of_veths {
        fs::remove_file(&pin).with_context(|| format!("remove {}", pin.display()))?;
        removed += 1;
    }
    Ok(removed)
}

#[test]
fn veths_without_programs_are_slower_and_no_less_isolated_and_get_them_back() -> Result<()> {
    let stage = stage::alone("stripped");
    let removed = strip(&stage)?;
    ensure!(removed == 8, "{removed} programs of four sandboxes");
    ensure!(stage.engine.ok(&["plan"])?.contains("attach"), "nobody misses them");

    stage::holds(reach::another_network_is_out_of_reach(&stage));
    stage::holds(reach::another_network_cannot_be_pinged(&stage));
    stage::holds(reach::the_outside_cannot_reach_a_container_directly(&stage));
    stage::holds(publish::a_port_published_on_loopback_stays_on_the_host(&stage));
    stage::holds(reach::containers_of_one_network_reach_each_other(&stage));
    stage::holds(reach::the_host_reaches_a_container(&stage));
    stage::holds(publish::a_published_port_keeps_the_address_of_the_client(&stage));
    stage::holds(masquerade::tcp_leaves_with_the_address_of_the_host(&stage));

    // Any request leads to a look at everything.
    stage.engine.ok(&["network", "create", "any"])?;
    ensure!(stage.engine.ok(&["plan"])?.trim() == "nothing to do", "something is still missing");
    ensure!(strip(&stage)? == removed, "not all programs are back");
    stage.engine.ok(&["network", "rm", "any"])?;
    stage::holds(publish::a_container_reaches_its_own_published_port(&stage));
    Ok(())
}
