//! What changes while containers run?

use super::{Network, Sandbox, Stage, StepResult, seen, stage::address_in};
use crate::probe::{Answer::TimedOut, Service};

/// `network connect` gives reach at once, `network disconnect` takes it away.
pub fn a_running_container_joins_and_leaves_a_network(stage: &Stage) -> StepResult {
    let try_it = |expected| stage.worker.tries().tcp(stage.web.address, 80, &expected);
    let before = try_it(TimedOut)?;
    stage.engine.ok(&["network", "connect", "front", "worker"])?;
    let address = address_in(&stage.engine, "front", &stage.worker.id)?;
    let joined = try_it(seen("web", address))?;
    let back = stage.db.tries().tcp(address, 80, &TimedOut)?;
    stage.engine.ok(&["network", "disconnect", "front", "worker"])?;
    let left = try_it(TimedOut)?;
    let home = stage.db.tries().tcp(stage.worker.address, 80, &seen("worker", stage.db.address))?;
    Ok(vec![before, joined, back, left, home])
}

/// `-o com.docker.network.bridge.enable_icc=false`; the host still reaches both.
pub fn containers_without_icc_do_not_reach_each_other(stage: &Stage) -> StepResult {
    let engine = &stage.engine;
    let option = "com.docker.network.bridge.enable_icc=false";
    engine.ok(&["network", "create", "-o", option, "quiet"])?;
    let sandbox = |name| Sandbox::run(&stage.world, engine, (name, "quiet"), &[], &[Service::Tcp(80)]);
    let (left, right) = (sandbox("left")?, sandbox("right")?);
    let gateway = Network::inspect(engine, "quiet")?.gateway;
    let phases = vec![
        left.tries().tcp(right.address, 80, &TimedOut)?,
        right.tries().ping(left.address, &TimedOut)?,
        stage.host().tcp(left.address, 80, &seen("left", gateway))?,
    ];
    engine.ok(&["rm", "-f", "left", "right"])?;
    engine.ok(&["network", "rm", "quiet"])?;
    Ok(phases)
}
