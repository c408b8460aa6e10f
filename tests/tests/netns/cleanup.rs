//! `netebpf cleanup` removes every trace, whatever state it finds.

use std::{fs, sync::Arc};

use anyhow::Result;
use netebpf_tests::{
    engine::Engine,
    probe::Service,
    residue::{Footprint, assert_nothing_left},
    scenario::{Sandbox, reach},
    topology::World,
};

use crate::stage;

#[test]
fn cleanup_after_an_orderly_end_leaves_nothing() -> Result<()> {
    stage::alone("orderly").strike()
}

#[test]
fn cleanup_after_a_crash_leaves_nothing() -> Result<()> {
    let mut stage = stage::alone("crashed");
    stage.engine.kill()?;
    stage.strike()
}

#[test]
fn cleanup_with_lost_state_leaves_nothing() -> Result<()> {
    let mut stage = stage::alone("lost-state");
    stage.engine.kill()?;
    fs::remove_dir_all(stage.world.state_dir())?;
    stage.strike()
}

#[test]
fn what_cleanup_must_remove_is_seen_before() -> Result<()> {
    let world = Arc::new(World::new("before-cleanup")?);
    let before = Footprint::of(&world)?;
    let engine = Engine::start(Arc::clone(&world))?;
    engine.ok(&["network", "create", "seen"])?;
    Sandbox::run(&world, &engine, ("one", "seen"), &[], &[Service::Tcp(80)])?;
    engine.kill()?;
    let found = assert_nothing_left(&world, &before).expect_err("all is still there").to_string();
    for kind in
        ["link br-", "link neb", "the pin ", "the attached program ", "the mount ", "process ", "the file "]
    {
        assert!(found.contains(kind), "no `{kind}` in {found}");
    }
    Ok(())
}

#[test]
fn cleanup_twice_is_fine() -> Result<()> {
    let mut stage = stage::alone("twice");
    stage.strike()?;
    stage.strike()
}

#[test]
fn cleanup_is_refused_while_the_daemon_runs() -> Result<()> {
    let stage = stage::shared();
    let said = stage.engine.cli(&["cleanup", "--yes"])?;
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.stderr.contains("daemon"), "{said:?}");
    stage::holds(reach::containers_of_one_network_reach_each_other(&stage));
    Ok(())
}

#[test]
fn cleanup_asks_before_it_acts() -> Result<()> {
    let stage = stage::alone("asks");
    stage.engine.terminate()?;
    let said = stage.engine.cli(&["cleanup"])?;
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.stderr.contains("--yes"), "{said:?}");
    stage.engine.launch()?;
    assert_eq!(stage.engine.ok(&["plan"])?.trim(), "nothing to do");
    Ok(())
}
