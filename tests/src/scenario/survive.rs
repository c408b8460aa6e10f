//! What goes on when the daemon does not?

use std::{fmt, net::SocketAddr};

use anyhow::{Result, ensure};

use super::{
    Phase, Stage, StepResult, seen,
    stage::{SERVICE, TRANSFER, WEB},
};
use crate::{
    engine::Engine,
    probe::Transfer,
    topology::{CLIENT, HOST},
};

/// Enough of the transfer to show that it moves, in bytes.
const STRETCH: u64 = 1 << 20;

/// SIGKILL under a running transfer; a new daemon finds everything as it should be.
pub fn connections_outlive_a_killed_daemon(stage: &Stage) -> StepResult {
    outlive(stage, "SIGKILL", Engine::kill)
}

/// SIGTERM under a running transfer; a new daemon finds everything as it should be.
pub fn connections_outlive_a_restarted_daemon(stage: &Stage) -> StepResult {
    outlive(stage, "SIGTERM", Engine::terminate)
}

fn outlive(stage: &Stage, how: &str, end: fn(&Engine) -> Result<()>) -> StepResult {
    let engine = &stage.engine;
    let known = || -> Result<_> {
        Ok((engine.ok(&["ps", "-q"])?, engine.json(&["network", "inspect", "front", "back"])?))
    };
    let before = known()?;

    let transfer = Transfer::start(&stage.world.client, SocketAddr::from((HOST, TRANSFER)))?;
    transfer.advance(STRETCH)?;
    end(engine)?;
    let mut phases = vec![
        went_on(&transfer, format_args!("transfer after {how}")),
        stage.client().tcp(HOST, WEB, &seen("web", CLIENT))?,
        stage.app.tries().tcp(CLIENT, SERVICE, &seen("client", HOST))?,
        stage.app.tries().tcp(stage.web.address, 80, &seen("web", stage.app.address))?,
    ];

    engine.launch()?;
    let plan = engine.ok(&["plan"])?;
    phases.push(went_on(&transfer, "transfer with a new daemon"));
    phases.push(Phase::new("host", "netebpf plan", "nothing to do", plan.trim()));
    let owned = if known()? == before { "as before" } else { "changed" };
    phases.push(Phase::new("host", "netebpf ps, network inspect", "as before", owned));
    phases.push(stage.client().tcp(HOST, WEB, &seen("web", CLIENT))?);

    let summary = transfer.finish()?;
    ensure!(summary.bytes >= 3 * STRETCH, "the transfer ended after {} bytes", summary.bytes);
    let tried = format!("{} MiB, longest pause {:.1?}", summary.bytes >> 20, summary.longest_pause);
    phases.push(Phase::new("client", tried, "checksum right", "checksum right"));
    Ok(phases)
}

/// Waits for more of the transfer to be acknowledged.
fn went_on(transfer: &Transfer, when: impl fmt::Display) -> Phase {
    let expected = "goes on";
    let seen = transfer.advance(STRETCH).map_or_else(|error| error.to_string(), |()| expected.to_owned());
    Phase::new("client", when, expected, seen)
}
