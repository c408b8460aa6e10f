//! Names: what sandboxes resolve, asked for by resolvers that programs bring along and over sockets of every kind.
//!
//! Datagrams about names that are known are answered by the data path, all else by the daemon's server. So most questions
//! are asked both ways, and must be answered alike.

mod answers;
mod changes;
mod counters;
mod daemon_down;
mod dig;
mod files;
mod links;
mod networks;
mod programs;
mod resolver;
mod sockets;
mod turn;
mod upkeep;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use anyhow::{Context as _, Result, ensure};
use hickory_proto::{op::Message, rr::RecordType};
use netebpf_tests::{
    dns::{self, DOCKERS, Transport},
    engine::{Engine, Said},
    installed::Program,
    netns::Namespace,
    probe::Service,
    scenario::{Sandbox, stage},
};

use crate::scene::Scene;

/// Nothing depends on what the machine that the tests run on searches, or on what its resolver is told.
const OPTIONS: [&str; 3] = ["--bridge=none", "--dns-search=.", "--dns-opt=timeout:5"];

/// The answer about a name that nobody knows: there is no other server in these worlds that could be asked.
const UNKNOWN: &str = "ServFail";

/// Starts a sandbox that nobody speaks to.
fn idle(scene: &Scene, network: &str, name: &str, options: &[&str]) -> Result<Sandbox> {
    scene.run_in(network, name, options, &[Service::Udp(9)])
}

/// Runs a program that a package has, in a sandbox, as `netebpf exec` does.
fn run_in(engine: &Engine, sandbox: &str, program: Program, arguments: &[&str]) -> Result<Said> {
    let path = program.command()?.get_program().display().to_string();
    engine.cli(&[&["exec", sandbox, &path], arguments].concat())
}

/// A question for a name that needs no search domain.
fn question(kind: RecordType, name: &str) -> Result<Message> {
    dns::query(&format!("{}.", name.trim_end_matches('.')), kind)
}

/// What `127.0.0.11` says about a name, as [`dns::told`] puts it; fails unless it says the same by UDP and by TCP.
fn told(asker: &Namespace, kind: RecordType, name: &str) -> Result<String> {
    let query = question(kind, name)?;
    let [udp, tcp] = [Transport::Udp, Transport::Tcp]
        .map(|transport| Ok::<_, anyhow::Error>(dns::told(&dns::ask(asker, DOCKERS, transport, &query)?)));
    let (udp, tcp) = (udp?, tcp?);
    ensure!(udp == tcp, "{} asks for {kind} {name}: `{udp}` by UDP, `{tcp}` by TCP", asker.name());
    Ok(udp)
}

/// Fails unless a name has just these IPv4 addresses; none of them means that it is not known.
#[track_caller]
fn expect(asker: &Namespace, name: &str, addresses: &[Ipv4Addr]) {
    let mut records: Vec<_> = addresses.iter().map(ToString::to_string).collect();
    records.sort();
    let expected = match records.as_slice() {
        [] => UNKNOWN.to_owned(),
        records => format!("NoError {}", records.join(" ")),
    };
    let seen = told(asker, RecordType::A, name).unwrap_or_else(|error| format!("{error:#}"));
    assert_eq!(seen, expected, "{} asks for {name}", asker.name());
}

/// The question for the name of an address (RFC 1035, 3.5; RFC 3596, 2.5).
fn reversed(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => {
            let [a, b, c, d] = address.octets();
            format!("{d}.{c}.{b}.{a}.in-addr.arpa.")
        }
        IpAddr::V6(address) => {
            let digits = format!("{:032x}", address.to_bits());
            digits.chars().rev().flat_map(|digit| [digit, '.']).chain("ip6.arpa.".chars()).collect()
        }
    }
}

/// The address of a sandbox in a network that it has joined later.
fn address_in(scene: &Scene, network: &str, sandbox: &Sandbox) -> Result<Ipv4Addr> {
    stage::address_in(&scene.engine, network, &sandbox.id)
}

/// The IPv6 address of a sandbox in the network it was started in.
fn v6(sandbox: &Sandbox) -> Result<Ipv6Addr> {
    sandbox.address6.with_context(|| format!("{} has no IPv6 address", sandbox.namespace.name()))
}

/// What a sandbox is called without being given a name: the beginning of its id.
fn short_id(sandbox: &Sandbox) -> &str {
    &sandbox.id[..12]
}
