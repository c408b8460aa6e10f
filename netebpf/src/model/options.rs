//! What holds for the whole engine, as the daemon was started; it is not stored.

use std::str::FromStr;

use netebpf_common::abi::Timeouts;

use super::DefaultPool;

/// How the daemon was started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineOptions {
    /// Whether sandboxes may be reached at their own addresses, at published ports (Docker's `allow-direct-routing`).
    pub direct_routing: bool,
    /// Idle times after which flows are forgotten.
    pub timeouts: Timeouts,
    /// Where subnets come from that nobody names (Docker's `default-address-pools`).
    pub default_pools: Vec<DefaultPool>,
    /// The device of the network that sandboxes join when nobody says which; `None` if there is to be none.
    pub default_bridge: Option<String>,
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self {
            direct_routing: false,
            timeouts: Timeouts::default(),
            default_pools: DefaultPool::dockers(),
            default_bridge: None,
        }
    }
}

/// Where in [`Timeouts`] an idle time is.
type Field = fn(&mut Timeouts) -> &mut u32;

/// One idle time, as `NAME=SECONDS`.
#[derive(Debug, Clone, Copy)]
pub struct FlowTimeout {
    field: Field,
    seconds: u32,
}

/// Text that is no idle time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TimeoutError {
    /// There is no equals sign.
    #[error("invalid flow timeout {0:?}: write it as NAME=SECONDS, such as udp_stream=300")]
    Pair(String),
    /// No flow has such an idle time.
    #[error("invalid flow timeout {0:?}: the names are {names}", names = names())]
    Name(String),
    /// The number is none, or nothing would live for it.
    #[error("invalid flow timeout {0:?}: seconds are a whole number from 1 to 4294967295")]
    Seconds(String),
}

/// The fields of [`Timeouts`] by name.
const TIMEOUTS: [(&str, Field); 9] = [
    ("tcp_unreplied", |timeouts| &mut timeouts.tcp_unreplied),
    ("tcp_established", |timeouts| &mut timeouts.tcp_established),
    ("tcp_closing", |timeouts| &mut timeouts.tcp_closing),
    ("tcp_closed", |timeouts| &mut timeouts.tcp_closed),
    ("udp_unreplied", |timeouts| &mut timeouts.udp_unreplied),
    ("udp_stream", |timeouts| &mut timeouts.udp_stream),
    ("icmp", |timeouts| &mut timeouts.icmp),
    ("sctp", |timeouts| &mut timeouts.sctp),
    ("generic", |timeouts| &mut timeouts.generic),
];

impl EngineOptions {
    /// Changes one idle time.
    pub fn set_timeout(&mut self, timeout: FlowTimeout) {
        *(timeout.field)(&mut self.timeouts) = timeout.seconds;
    }
}

impl FromStr for FlowTimeout {
    type Err = TimeoutError;

    fn from_str(text: &str) -> Result<Self, TimeoutError> {
        let (name, seconds) = text.split_once('=').ok_or_else(|| TimeoutError::Pair(text.to_owned()))?;
        let known = TIMEOUTS.into_iter().find(|(known, _)| *known == name);
        let (_, field) = known.ok_or_else(|| TimeoutError::Name(name.to_owned()))?;
        let seconds = seconds.parse().ok().filter(|&seconds| seconds > 0);
        Ok(Self { field, seconds: seconds.ok_or_else(|| TimeoutError::Seconds(text.to_owned()))? })
    }
}

fn names() -> String {
    TIMEOUTS.map(|(name, _)| name).join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_is_changed_by_its_name() {
        let mut options = EngineOptions::default();
        for (number, (name, _)) in (1..).zip(TIMEOUTS) {
            options.set_timeout(format!("{name}={number}").parse().expect("a timeout"));
        }
        let Timeouts { tcp_unreplied, udp_stream, generic, .. } = options.timeouts;
        assert_eq!((tcp_unreplied, udp_stream, generic), (1, 6, 9));
    }

    #[test]
    fn other_timeouts_are_refused_with_what_would_be_valid() {
        for (text, part) in [
            ("udp", "NAME=SECONDS"),
            ("dccp=5", "the names are tcp_unreplied, tcp_established"),
            ("icmp=0", "from 1"),
            ("icmp=x", "from 1"),
        ] {
            let error = text.parse::<FlowTimeout>().expect_err(text).to_string();
            assert!(error.contains(part), "{text} gave {error}");
        }
    }
}
