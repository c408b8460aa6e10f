//! With which address do containers appear outside?

use super::{Phase, Stage, StepResult, seen, stage::SERVICE};
use crate::{
    probe::{Answer::Echoed, EchoWatch, PATIENT},
    topology::{CLIENT, HOST, HOST_BY_SERVER, SERVER},
};

/// The server outside answers a connection of the host.
pub fn tcp_leaves_with_the_address_of_the_host(stage: &Stage) -> StepResult {
    Ok(vec![stage.app.tries().tcp(CLIENT, SERVICE, &seen("client", HOST))?])
}

/// The server outside answers a datagram of the host.
pub fn udp_leaves_with_the_address_of_the_host(stage: &Stage) -> StepResult {
    let expected = seen("client", HOST);
    Ok(vec![
        stage.app.tries().udp(CLIENT, SERVICE, &expected)?,
        stage.db.tries().udp_unconnected(CLIENT, SERVICE, &expected)?,
    ])
}

/// The echo comes back, and the machine outside has seen the host ask.
pub fn ping_leaves_with_the_address_of_the_host(stage: &Stage) -> StepResult {
    let watch = stage.world.server.run(|| EchoWatch::start(SERVER))?;
    let ping = stage.app.tries().ping(SERVER, &Echoed)?;
    let source = watch.next_source(PATIENT)?;
    let source = source.map_or_else(|| "no request".to_owned(), |source| source.to_string());
    Ok(vec![ping, Phase::new("server", "source of the request", HOST_BY_SERVER, source)])
}

/// The address is that of the device that the packet leaves by.
pub fn each_uplink_lends_its_own_address(stage: &Stage) -> StepResult {
    Ok(vec![
        stage.db.tries().tcp(CLIENT, SERVICE, &seen("client", HOST))?,
        stage.db.tries().tcp(SERVER, SERVICE, &seen("server", HOST_BY_SERVER))?,
    ])
}
