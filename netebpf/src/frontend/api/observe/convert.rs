//! From what the programs wrote to what is said on the socket.

use std::{
    net::IpAddr,
    time::{SystemTime, UNIX_EPOCH},
};

use netebpf_common::{
    abi::{Address, DropKey, EventKind, Flow, FlowState, Port, Translation, Tuple, protocol},
    tables::Tier,
    verdict::Outcome,
};
use nix::time::{ClockId, clock_gettime};

use super::{
    super::{timestamp::rfc3339, wire},
    names::{Names, Place},
};
use crate::daemon::{Connection, News};

const NANOS: u64 = 1_000_000_000;

/// Names of the flags in a TCP header, from the lowest bit (RFC 9293, 3.1).
const TCP_FLAGS: [&str; 8] = ["fin", "syn", "rst", "psh", "ack", "urg", "ece", "cwr"];

pub(super) fn drops(key: DropKey, packets: u64, names: &Names) -> wire::Drops {
    let Place { device, sandbox, network } = names.place(key.ifindex);
    let (reason, meaning) = match Outcome::from_code(key.outcome) {
        Some(Outcome::Dropped(reason)) => (reason.as_str().to_owned(), reason.explain()),
        Some(outcome) => (outcome.as_str().to_owned(), ""),
        None => (key.outcome.to_string(), "A reason that this version does not know."),
    };
    let direction = key.hook().map_or("?", |hook| hook.as_str()).to_owned();
    wire::Drops { device, sandbox, network, direction, reason, packets, meaning: meaning.to_owned() }
}

pub(super) fn flow(flow: &Connection, now: u64, names: &Names) -> wire::Flow {
    let entries = [flow.forward, flow.backward];
    let last_seen = entries.iter().flatten().map(|entry| entry.last_seen).max().unwrap_or(now);
    let state = entries.iter().flatten().next().map_or(FlowState::Closed, Flow::state);
    let traffic = |entry: Option<Flow>| {
        entry.map(|entry| wire::Traffic { packets: entry.packets, bytes: entry.bytes }).unwrap_or_default()
    };
    // Packets go on as the mirror image of those that answer them.
    let translated =
        flow.forward.map_or(flow.reply.mirrored(), |entry| after(&entry.translation, &flow.original));
    wire::Flow {
        protocol: protocol_name(flow.original.protocol),
        state: state_name(state).to_owned(),
        assured: flow.tier == Tier::Assured,
        idle: now.saturating_sub(last_seen) / NANOS,
        original: ends(&flow.original, names),
        translated: ends(&translated, names),
        sent: traffic(flow.forward),
        received: traffic(flow.backward),
    }
}

pub(super) fn event(news: &News, names: &Names) -> wire::Event {
    let event = &news.event;
    let hook = event.hook();
    let place = hook.map(|_| names.place(event.ifindex));
    let outcome = hook.map(|_| {
        Outcome::from_code(event.outcome)
            .map_or_else(|| event.outcome.to_string(), |outcome| outcome.as_str().to_owned())
    });
    let has_addresses = event.tuple.source != Address::UNSPECIFIED_V6 || event.tuple.protocol != 0;
    let (sandbox, network) =
        place.as_ref().map(|place| (place.sandbox.clone(), place.network.clone())).unwrap_or_default();
    wire::Event {
        time: wall_time(event.time),
        kind: match event.kind() {
            Some(EventKind::FlowNew) => wire::Kind::FlowNew,
            Some(EventKind::FlowEnd) => wire::Kind::FlowEnd,
            Some(EventKind::Drop) | None => wire::Kind::Drop,
        },
        direction: hook.map(|hook| hook.as_str().to_owned()),
        device: place.map(|place| place.device),
        sandbox,
        network,
        outcome,
        protocol: has_addresses.then(|| protocol_name(event.tuple.protocol)),
        ends: has_addresses.then(|| ends(&event.tuple, names)),
        tcp_flags: tcp_flags(event.tcp_flags),
        source_mac: hook.map(|_| event.source_mac.to_string()),
        destination_mac: hook.map(|_| event.destination_mac.to_string()),
        ethertype: hook.map(|_| format!("{:#06x}", u16::from_be(event.ethertype))),
        length: event.length,
        missed: news.missed,
    }
}

/// The name of an IP protocol, or its number.
pub(super) fn protocol_name(number: u32) -> String {
    match u8::try_from(number) {
        Ok(protocol::TCP) => "tcp".to_owned(),
        Ok(protocol::UDP) => "udp".to_owned(),
        Ok(protocol::ICMP) => "icmp".to_owned(),
        Ok(protocol::ICMPV6) => "icmpv6".to_owned(),
        Ok(protocol::SCTP) => "sctp".to_owned(),
        _ => number.to_string(),
    }
}

const fn state_name(state: FlowState) -> &'static str {
    match state {
        FlowState::Unreplied => "unreplied",
        FlowState::Established => "established",
        FlowState::OriginalClosed => "original_closed",
        FlowState::ReplyClosed => "reply_closed",
        FlowState::Closed => "closed",
        FlowState::Reset => "reset",
    }
}

const fn after(translation: &Translation, before: &Tuple) -> Tuple {
    Tuple {
        source: translation.source,
        destination: translation.destination,
        source_port: translation.source_port,
        destination_port: translation.destination_port,
        protocol: before.protocol,
    }
}

fn ends(tuple: &Tuple, names: &Names) -> wire::Ends {
    let end = |address: Address, port: Port| wire::End {
        address: IpAddr::from(address).to_string(),
        port: port.number(),
        sandbox: names.sandbox_at(address).map(str::to_owned),
    };
    wire::Ends {
        source: end(tuple.source, tuple.source_port),
        destination: end(tuple.destination, tuple.destination_port),
    }
}

fn tcp_flags(bits: u8) -> String {
    let set = TCP_FLAGS.iter().enumerate().filter(|(bit, _)| bits >> bit & 1 == 1);
    set.map(|(_, name)| *name).collect::<Vec<_>>().join(",")
}

/// A point of `CLOCK_MONOTONIC` as a date with milliseconds.
fn wall_time(monotonic: u64) -> String {
    let now = clock_gettime(ClockId::CLOCK_MONOTONIC)
        .map_or(0, |now| now.tv_sec().cast_unsigned() * NANOS + now.tv_nsec().cast_unsigned());
    let age = now.saturating_sub(monotonic);
    let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let then = wall.saturating_sub(std::time::Duration::from_nanos(age));
    let date = rfc3339(then.as_secs());
    format!("{}.{:03}Z", date.trim_end_matches('Z'), then.subsec_millis())
}
