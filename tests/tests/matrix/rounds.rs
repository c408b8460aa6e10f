//! Tries all cells on one stage: those that must be reached, then those that must not, then the first ones again.
//!
//! Silence proves something only if the same target would have answered, before and after. What must not
//! arrive carries its cell's number, and a tap at every server looks for it.

use std::{
    net::{IpAddr, SocketAddr},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use anyhow::{Context as _, Result};
use netebpf_tests::{
    frame::protocol,
    probe::{self, Answer, BRIEF, Connected},
    wire::Wire,
};

use crate::{
    hall::Hall,
    table::{Cell, Expected, Version},
};

/// How long a client waits for an answer that must come: two retransmissions of TCP.
const PATIENCE: Duration = Duration::from_millis(3500);
/// How long a tap is asked for what it has already received.
const DRAIN: Duration = Duration::from_millis(20);
/// Tries that wait at the same time.
const CROWD: usize = 48;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    Tcp,
    Udp,
    Echo,
}

/// One test: a cell by one protocol.
#[derive(Debug, Clone)]
pub(crate) struct Try {
    pub(crate) cell: Cell,
    pub(crate) protocol: Protocol,
}

/// What came of a test.
pub(crate) type Outcome = Result<(), String>;

impl Try {
    /// The tests of a cell.
    pub(crate) fn of(cell: &Cell) -> Vec<Self> {
        let protocols: &[_] =
            if cell.port == "ping" { &[Protocol::Echo] } else { &[Protocol::Tcp, Protocol::Udp] };
        protocols.iter().map(|protocol| Self { cell: cell.clone(), protocol: *protocol }).collect()
    }

    /// The cell's place in the document.
    pub(crate) fn name(&self) -> String {
        let Cell { network, client, port, address, version, .. } = &self.cell;
        let protocol = match self.protocol {
            Protocol::Tcp => "/tcp",
            Protocol::Udp => "/udp",
            Protocol::Echo => "",
        };
        let version = match version {
            Version::V4 => "IPv4",
            Version::V6 => "IPv6",
        };
        format!("{network}/{client}/{port}@{address}/{version}{protocol}")
    }
}

/// Tries everything; one outcome for each test.
pub(crate) fn play(hall: &Hall, tries: &[Try]) -> Vec<Outcome> {
    let numbered = || tries.iter().enumerate();
    let positive: Vec<_> = numbered().filter(|(_, tried)| tried.cell.expected.is_positive()).collect();
    let negative: Vec<_> = numbered().filter(|(_, tried)| !tried.cell.expected.is_positive()).collect();
    let mut outcomes = vec![Ok(()); tries.len()];
    let mut note = |number: usize, outcome: Outcome| {
        if let Some(place) = outcomes.get_mut(number)
            && place.is_ok()
        {
            *place = outcome;
        }
    };

    for (number, outcome) in crowd(hall, &positive) {
        note(number, outcome);
    }
    let taps: Vec<_> = hall.places.values().map(|place| Wire::tap(&place.server.namespace, "eth0")).collect();
    for (number, outcome) in crowd(hall, &negative) {
        note(number, outcome);
    }
    for tap in taps {
        match tap.and_then(|tap| arrived(&tap, &negative)) {
            Ok(leaked) => {
                for number in leaked {
                    note(number, Err("the client got no answer, but its packet arrived".to_owned()));
                }
            }
            Err(error) => note(0, Err(format!("the tap failed: {error:#}"))),
        }
    }
    for (number, outcome) in crowd(hall, &positive) {
        note(number, outcome.map_err(|wrong| format!("{wrong}, after all other cells were tried")));
    }
    outcomes
}

/// Many at once: each client waits most of the time.
fn crowd(hall: &Hall, tries: &[(usize, &Try)]) -> Vec<(usize, Outcome)> {
    let (next, outcomes) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..CROWD {
            scope.spawn(|| {
                while let Some((number, tried)) = tries.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let outcome =
                        attempt(hall, *number, tried).unwrap_or_else(|error| Err(format!("{error:#}")));
                    outcomes.lock().unwrap_or_else(PoisonError::into_inner).push((*number, outcome));
                }
            });
        }
    });
    outcomes.into_inner().unwrap_or_else(PoisonError::into_inner)
}

fn attempt(hall: &Hall, number: usize, tried: &Try) -> Result<Outcome> {
    let Cell { network, client, port, address, version, expected } = &tried.cell;
    let mut to = hall.address(network, client, address, *version)?;
    if let (IpAddr::V4(v4), "host mapped") = (to, client.as_str()) {
        to = v4.to_ipv6_mapped().into();
    }
    let target = SocketAddr::new(to, hall.port(network, port)?);
    let patience = if *expected == Expected::Silence { BRIEF } else { PATIENCE };
    let patience = if *expected == Expected::Lost { BRIEF } else { patience };
    let words = mark(number);
    let seen = hall.client(network, client)?.run(|| match tried.protocol {
        Protocol::Tcp => probe::tcp(target, patience),
        Protocol::Udp => probe::udp_saying(words.as_bytes(), target, Connected::Yes, patience),
        Protocol::Echo => probe::ping_with(to, words.as_bytes(), patience),
    });
    let seen = seen.with_context(|| format!("try {target}"))?;
    let holds = match expected {
        Expected::Reached(role) => {
            let server = server_at(&tried.cell);
            seen == Answer::seen(&server, hall.address(network, client, role, *version)?)
        }
        Expected::Echo => seen == Answer::Echoed,
        Expected::Silence => seen == Answer::TimedOut,
        Expected::Refused => seen == Answer::Refused,
        Expected::Unreachable => seen == Answer::Unreachable,
        Expected::Lost => matches!(seen, Answer::TimedOut | Answer::Refused | Answer::Unreachable),
    };
    Ok(if holds {
        Ok(())
    } else {
        Err(format!("{client} tried {target}: expected {expected:?}, seen `{seen}`"))
    })
}

/// The name that the server behind a target goes by.
fn server_at(Cell { network, port, address, .. }: &Cell) -> String {
    match (port.as_str(), address.as_str()) {
        ("service", "client" | "server") => address.clone(),
        ("service", _) => "host".to_owned(),
        _ => format!("{network}-server"),
    }
}

/// Of a width that makes no mark a part of another one.
fn mark(number: usize) -> String {
    format!("cell {number:06}")
}

/// The numbers of the cells whose packets came to a tap.
fn arrived(tap: &Wire, tries: &[(usize, &Try)]) -> Result<Vec<usize>> {
    let mut frames = Vec::new();
    while let Some(frame) = tap.receive(DRAIN, asks)? {
        frames.push(frame);
    }
    let came = |number: usize| {
        let mark = mark(number);
        frames.iter().any(|frame| frame.windows(mark.len()).any(|part| part == mark.as_bytes()))
    };
    Ok(tries.iter().map(|(number, _)| *number).filter(|number| came(*number)).collect())
}

/// Whether a frame is a datagram or an echo request, rather than an error that quotes one.
fn asks(frame: &[u8]) -> bool {
    let Some((_, packet)) = frame.split_at_checked(14) else { return false };
    let (protocol, header) = match packet.first().map(|first| first >> 4) {
        Some(4) => (packet.get(9), 20),
        Some(6) => (packet.get(6), 40),
        _ => return false,
    };
    matches!((protocol.copied(), packet.get(header)), (Some(protocol::UDP), _) | (Some(_), Some(8 | 128)))
}
