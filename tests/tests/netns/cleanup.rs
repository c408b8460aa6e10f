//! `netebpf cleanup` removes every trace, whatever state it finds.

use std::fs;

use anyhow::Result;

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
    stage::holds(netebpf_tests::scenario::reach::containers_of_one_network_reach_each_other(&stage));
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
