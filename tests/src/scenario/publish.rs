//! Who reaches a published port, by which address, and whom does the server see?

use std::net::Ipv4Addr;

use super::{
    Stage, StepResult, seen,
    stage::{WEB, WEB_LOOPBACK, WEB_UDP},
};
use crate::{
    probe::Answer::Refused,
    topology::{CLIENT, HOST, HOST_BY_SERVER},
};

/// By the address on the client's side.
pub fn a_published_port_keeps_the_address_of_the_client(stage: &Stage) -> StepResult {
    Ok(vec![stage.client().tcp(HOST, WEB, &seen("web", CLIENT))?])
}

/// The answer comes from the address that was asked.
pub fn a_published_udp_port_keeps_the_address_of_the_client(stage: &Stage) -> StepResult {
    let expected = seen("web", CLIENT);
    Ok(vec![
        stage.client().udp(HOST, WEB_UDP, &expected)?,
        stage.client().udp_unconnected(HOST, WEB_UDP, &expected)?,
    ])
}

/// The socket is translated at `connect`; the server sees the gateway.
pub fn the_host_reaches_a_published_port_by_loopback(stage: &Stage) -> StepResult {
    Ok(vec![stage.host().tcp(Ipv4Addr::LOCALHOST, WEB, &seen("web", stage.front.gateway))?])
}

/// Any of the host's addresses will do.
pub fn the_host_reaches_a_published_port_by_its_own_address(stage: &Stage) -> StepResult {
    let expected = seen("web", stage.front.gateway);
    Ok(vec![
        stage.host().tcp(HOST, WEB, &expected)?,
        stage.host().tcp(HOST_BY_SERVER, WEB, &expected)?,
        stage.host().tcp(stage.front.gateway, WEB, &expected)?,
    ])
}

/// Each datagram is translated, and its answer seems to come from the address that was asked.
pub fn the_host_reaches_a_published_udp_port_without_connecting(stage: &Stage) -> StepResult {
    let expected = seen("web", stage.front.gateway);
    Ok(vec![
        stage.host().udp_unconnected(Ipv4Addr::LOCALHOST, WEB_UDP, &expected)?,
        stage.host().udp_unconnected(HOST, WEB_UDP, &expected)?,
    ])
}

/// Programs that open IPv6 sockets for both versions say `::ffff:127.0.0.1`, and are told just that.
pub fn the_host_reaches_a_published_port_from_ipv6_sockets(stage: &Stage) -> StepResult {
    let expected = seen("web", stage.front.gateway);
    let mapped = |address: Ipv4Addr| address.to_ipv6_mapped();
    Ok(vec![
        stage.host().tcp(mapped(Ipv4Addr::LOCALHOST), WEB, &expected)?,
        stage.host().udp(mapped(Ipv4Addr::LOCALHOST), WEB_UDP, &expected)?,
        stage.host().udp_unconnected(mapped(HOST), WEB_UDP, &expected)?,
    ])
}

/// The server sees the gateway of its own network.
pub fn a_container_of_another_network_reaches_a_published_port(stage: &Stage) -> StepResult {
    let expected = seen("web", stage.front.gateway);
    Ok(vec![
        stage.db.tries().tcp(HOST, WEB, &expected)?,
        stage.db.tries().udp(HOST, WEB_UDP, &expected)?,
        stage.db.tries().tcp(stage.back.gateway, WEB, &expected)?,
    ])
}

/// Hairpin: the packet comes back to where it left, from the gateway; the same for a neighbour's packet.
pub fn a_container_reaches_its_own_published_port(stage: &Stage) -> StepResult {
    let expected = seen("web", stage.front.gateway);
    Ok(vec![stage.web.tries().tcp(HOST, WEB, &expected)?, stage.app.tries().tcp(HOST, WEB, &expected)?])
}

/// `-p 127.0.0.1:…`: the outside is refused, the host is served.
pub fn a_port_published_on_loopback_stays_on_the_host(stage: &Stage) -> StepResult {
    Ok(vec![
        stage.client().tcp(HOST, WEB_LOOPBACK, &Refused)?,
        stage.host().tcp(Ipv4Addr::LOCALHOST, WEB_LOOPBACK, &seen("web", stage.front.gateway))?,
    ])
}

/// The container listens on it, but the host's port is the host's own.
pub fn a_port_that_is_not_published_is_refused_by_the_host(stage: &Stage) -> StepResult {
    Ok(vec![stage.client().tcp(HOST, 81, &Refused)?])
}
