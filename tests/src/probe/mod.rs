//! Who reaches whom, and what does the other side see? Real sockets on both ends.
//!
//! Clients are functions, to be run inside a [`Namespace`](crate::netns::Namespace); servers are the program
//! `netebpf-probe`, so that they can be the command of a sandbox.

use std::{
    fmt,
    io::{Error, ErrorKind},
    net::IpAddr,
    time::Duration,
};

mod bulk;
mod client;
mod datagrams;
mod dns;
mod http;
mod icmp;
mod measure;
mod ping;
mod processor;
mod sctp;
mod server;
mod stream;
mod talk;

pub use bulk::{Direction, bulk};
pub use client::{Connected, tcp, udp, udp_saying};
pub use dns::{addresses_of, resolve};
pub use http::browse;
pub use icmp::{Icmp, Kind, Mark, Message};
pub use measure::{Latency, ping_pong, throughput};
pub use ping::{EchoWatch, hop_limit_of_reply, ping, ping_with, who_answers};
pub use sctp::{has_sctp, sctp};
pub use server::{READY, Serve, Server, Service};
pub use stream::{Summary, Transfer};
pub use talk::Talk;

/// How long a client waits for an answer that it expects.
pub const PATIENT: Duration = Duration::from_secs(5);
/// How long a client waits where it expects a silent drop; below the first TCP retransmission (1 s, RFC
/// 6298).
pub const BRIEF: Duration = Duration::from_millis(300);

/// What a client learned from one attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The server answered.
    Reached {
        /// The name the server goes by.
        by: String,
        /// The address from which the server saw the client.
        seen_source: IpAddr,
    },
    /// An ICMP echo came back.
    Echoed,
    /// Somebody said that nothing listens there.
    Refused,
    /// Silence.
    TimedOut,
    /// There is no way to that address.
    Unreachable,
}

impl Answer {
    /// The named server sees this source address.
    #[must_use]
    pub fn seen(by: &str, source: impl Into<IpAddr>) -> Self {
        Self::Reached { by: by.to_owned(), seen_source: source.into() }
    }

    /// How long a client should wait for this answer.
    #[must_use]
    pub fn patience(&self) -> Duration {
        match self {
            Self::TimedOut => BRIEF,
            Self::Reached { .. } | Self::Echoed | Self::Refused | Self::Unreachable => PATIENT,
        }
    }

    /// What a failed system call tells about the way to the server; other errors are the caller's own.
    fn from_error(error: Error) -> Result<Self, Error> {
        use ErrorKind::{
            ConnectionRefused, ConnectionReset, HostUnreachable, NetworkUnreachable, TimedOut, WouldBlock,
        };
        let kind = error.kind();
        let kinds = [
            (Self::Refused, [ConnectionRefused, ConnectionReset]),
            (Self::TimedOut, [TimedOut, WouldBlock]),
            (Self::Unreachable, [NetworkUnreachable, HostUnreachable]),
        ];
        kinds.into_iter().find_map(|(answer, kinds)| kinds.contains(&kind).then_some(answer)).ok_or(error)
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reached { by, seen_source } => write!(f, "{by} saw {seen_source}"),
            Self::Echoed => f.write_str("echo"),
            Self::Refused => f.write_str("refused"),
            Self::TimedOut => f.write_str("no answer"),
            Self::Unreachable => f.write_str("unreachable"),
        }
    }
}
