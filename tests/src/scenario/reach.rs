//! Who reaches a container by its own address, and whom does a container reach?

use super::{Stage, StepResult, seen, stage::SERVICE};
use crate::{
    probe::Answer::{Echoed, TimedOut},
    topology::HOST,
};

/// By TCP, with the container's own address as source.
pub fn containers_of_one_network_reach_each_other(stage: &Stage) -> StepResult {
    Ok(vec![stage.app.tries().tcp(stage.web.address, 80, &seen("web", stage.app.address))?])
}

/// By ICMP echo.
pub fn containers_of_one_network_ping_each_other(stage: &Stage) -> StepResult {
    Ok(vec![stage.app.tries().ping(stage.web.address, &Echoed)?])
}

/// Silently, in both directions, also on a published port.
pub fn another_network_is_out_of_reach(stage: &Stage) -> StepResult {
    Ok(vec![
        stage.db.tries().tcp(stage.web.address, 80, &TimedOut)?,
        stage.app.tries().tcp(stage.db.address, 80, &TimedOut)?,
    ])
}

/// Silently.
pub fn another_network_cannot_be_pinged(stage: &Stage) -> StepResult {
    Ok(vec![stage.db.tries().ping(stage.web.address, &TimedOut)?])
}

/// On every port, published or not, with the gateway's address as source.
pub fn the_host_reaches_a_container(stage: &Stage) -> StepResult {
    Ok(vec![
        stage.host().tcp(stage.web.address, 80, &seen("web", stage.front.gateway))?,
        stage.host().tcp(stage.web.address, 81, &seen("web", stage.front.gateway))?,
        stage.host().ping(stage.web.address, &Echoed)?,
    ])
}

/// By the gateway's address and by any other of the host.
pub fn a_container_reaches_a_host_service_with_its_own_address(stage: &Stage) -> StepResult {
    let expected = seen("host", stage.app.address);
    Ok(vec![
        stage.app.tries().tcp(stage.front.gateway, SERVICE, &expected)?,
        stage.app.tries().tcp(HOST, SERVICE, &expected)?,
        stage.app.tries().udp(stage.front.gateway, SERVICE, &expected)?,
        stage.app.tries().ping(stage.front.gateway, &Echoed)?,
    ])
}

/// The client has a route to the containers; published port, other port and echo are dropped all the same.
pub fn the_outside_cannot_reach_a_container_directly(stage: &Stage) -> StepResult {
    Ok(vec![
        stage.client().tcp(stage.web.address, 80, &TimedOut)?,
        stage.client().tcp(stage.web.address, 81, &TimedOut)?,
        stage.client().ping(stage.web.address, &TimedOut)?,
    ])
}
