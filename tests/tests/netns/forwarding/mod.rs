//! Names that no network knows: who is asked for them, from where, and how; and what a sandbox cannot do to the server.

mod boundary;
mod chosen_servers;
mod consumption;
mod counters;
mod explained;
mod flood;
mod hookless;
mod host;
mod host_servers;
mod malformed;
mod secrets;
mod transport;

use anyhow::{Result, ensure};
use hickory_proto::rr::RecordType;
use netebpf_tests::{
    dns::{DOCKERS, Transport, ask, query, told},
    probe::Service,
    scenario::Sandbox,
};

use crate::scene::{NET, Scene};

/// Starts a sandbox that does nothing of its own.
fn idle_in(scene: &Scene, network: &str, name: &str, options: &[&str]) -> Result<Sandbox> {
    scene.run_in(network, name, options, &[Service::Udp(9)])
}

fn idle(scene: &Scene, name: &str, options: &[&str]) -> Result<Sandbox> {
    idle_in(scene, NET, name, options)
}

/// What a sandbox is told about the address of a name, as `CODE ADDRESSES`.
fn resolve(sandbox: &Sandbox, name: &str) -> Result<String> {
    resolve_by(sandbox, Transport::Udp, name)
}

fn resolve_by(sandbox: &Sandbox, transport: Transport, name: &str) -> Result<String> {
    Ok(told(&ask(&sandbox.namespace, DOCKERS, transport, &query(name, RecordType::A)?)?))
}

/// Fails unless a sandbox is told this about the address of a name.
fn resolves(sandbox: &Sandbox, name: &str, expected: &str) -> Result<()> {
    let told = resolve(sandbox, name)?;
    ensure!(
        told == expected,
        "{} is told about {name}: {told:?}, not {expected:?}",
        sandbox.namespace.name()
    );
    Ok(())
}
