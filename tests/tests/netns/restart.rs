//! What does a new daemon make of what it finds?

use anyhow::{Context as _, Result};
use aya::maps::{Array, Map, MapData};
use netebpf_common::abi::{ABI_VERSION, Config, map_name};
use netebpf_tests::{
    probe::Answer,
    scenario::{reach, stage::WEB},
    topology::{CLIENT, HOST, World},
    wait,
};

use crate::stage;

type RawConfig = [u8; size_of::<Config>()];

#[test]
fn a_link_removed_while_the_daemon_was_dead_is_made_again() -> Result<()> {
    let stage = stage::alone("repair");
    stage.engine.kill()?;
    let links = stage.world.host.links()?;
    let bridge = links.iter().find(|name| name.starts_with("br-")).context("no bridge")?;
    stage.world.host.remove_link(bridge)?;
    stage.engine.launch()?;
    assert_eq!(stage.engine.ok(&["plan"])?.trim(), "nothing to do");
    stage::holds(reach::the_host_reaches_a_container(&stage));
    stage::holds(reach::containers_of_one_network_reach_each_other(&stage));
    Ok(())
}

#[test]
fn a_running_daemon_repairs_a_link_that_somebody_removed() -> Result<()> {
    let stage = stage::alone("self-repair");
    let links = stage.world.host.links()?;
    for bridge in links.iter().filter(|name| name.starts_with("br-")) {
        stage.world.host.remove_link(bridge)?;
    }
    wait::until("the bridges are back and nothing is to do", wait::LONG, || {
        let same = stage.world.host.links().ok()? == links;
        (same && stage.engine.ok(&["plan"]).ok()?.trim() == "nothing to do").then_some(())
    })?;
    stage::holds(reach::containers_of_one_network_reach_each_other(&stage));
    Ok(())
}

#[test]
fn a_command_that_ended_while_the_daemon_was_dead_is_seen_to_have_ended() -> Result<()> {
    let stage = stage::alone("ended");
    let is_app = |line: &str| line.ends_with(" app");
    stage.engine.kill()?;
    stage.app.kill_processes()?;
    stage.engine.launch()?;
    wait::until("app is no longer listed as running", wait::LONG, || {
        let running = stage.engine.ok(&["ps"]).ok()?;
        (!running.lines().any(is_app)).then_some(())
    })?;
    assert!(stage.engine.ok(&["ps", "-a"])?.lines().any(is_app));
    Ok(())
}

#[test]
fn maps_of_another_abi_version_are_refused_and_go_on_working() -> Result<()> {
    let stage = stage::alone("abi");
    stage.engine.terminate()?;
    write_abi_version(&stage.world, ABI_VERSION + 1)?;

    let said = stage.engine.cli(&["daemon"])?;
    assert_eq!(said.code, Some(1), "{said:?}");
    for version in [ABI_VERSION, ABI_VERSION + 1] {
        assert!(said.stderr.contains(&version.to_string()), "{said:?}");
    }
    let reached = stage.client().tcp(HOST, WEB, &Answer::seen("web", CLIENT))?;
    assert!(reached.holds(), "{reached}");

    write_abi_version(&stage.world, ABI_VERSION)?;
    stage.engine.launch()
}

/// Writes the first field of the pinned `CONFIG`, which keeps its place in every version.
fn write_abi_version(world: &World, version: u32) -> Result<()> {
    let pin = world.bpffs().join("maps").join(map_name::CONFIG);
    let mut config = Array::<_, RawConfig>::try_from(Map::Array(MapData::from_pin(&pin)?))?;
    let mut value = config.get(&0, 0)?;
    let field = value.first_chunk_mut().context("the configuration is empty")?;
    *field = version.to_ne_bytes();
    Ok(config.set(0, value, 0)?)
}
