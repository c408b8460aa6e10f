//! After which idle times flows are forgotten, by name.

use std::str::FromStr;

use netebpf_common::abi::Timeouts;

/// Where in [`Timeouts`] an idle time is.
type Field = fn(&mut Timeouts) -> &mut u32;

/// One idle time, as `NAME=SECONDS`.
#[derive(Debug, Clone, Copy)]
pub struct FlowTimeout {
    name: &'static str,
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

impl FlowTimeout {
    /// All idle times as they are in a set of them.
    pub fn all_of(mut timeouts: Timeouts) -> impl Iterator<Item = Self> {
        TIMEOUTS.into_iter().map(move |(name, field)| Self { name, field, seconds: *field(&mut timeouts) })
    }

    /// The idle time with this name.
    pub fn named(name: &str, seconds: u32) -> Result<Self, TimeoutError> {
        let known = TIMEOUTS.into_iter().find(|(known, _)| *known == name);
        let (name, field) = known.ok_or_else(|| TimeoutError::Name(name.to_owned()))?;
        if seconds == 0 {
            return Err(TimeoutError::Seconds(format!("{name}=0")));
        }
        Ok(Self { name, field, seconds })
    }

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.name
    }

    /// Its length in seconds.
    #[must_use]
    pub const fn seconds(self) -> u32 {
        self.seconds
    }

    /// Puts it among the others.
    pub(super) fn set(self, timeouts: &mut Timeouts) {
        *(self.field)(timeouts) = self.seconds;
    }
}

impl FromStr for FlowTimeout {
    type Err = TimeoutError;

    fn from_str(text: &str) -> Result<Self, TimeoutError> {
        let (name, seconds) = text.split_once('=').ok_or_else(|| TimeoutError::Pair(text.to_owned()))?;
        // The name first: with a wrong one, any number would be wrong.
        let timeout = Self::named(name, 1)?;
        match seconds.parse() {
            Ok(seconds @ 1..) => Ok(Self { seconds, ..timeout }),
            Ok(0) | Err(_) => Err(TimeoutError::Seconds(text.to_owned())),
        }
    }
}

fn names() -> String {
    TIMEOUTS.map(|(name, _)| name).join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::EngineOptions;

    #[test]
    fn a_timeout_is_changed_by_its_name() {
        let mut options = EngineOptions::default();
        for (number, (name, _)) in (1..).zip(TIMEOUTS) {
            options.set_timeout(format!("{name}={number}").parse().expect("a timeout"));
        }
        let Timeouts { tcp_unreplied, udp_stream, generic, .. } = options.timeouts;
        assert_eq!((tcp_unreplied, udp_stream, generic), (1, 6, 9));
        let all: Vec<_> = FlowTimeout::all_of(options.timeouts).map(FlowTimeout::seconds).collect();
        assert_eq!(all, [1, 2, 3, 4, 5, 6, 7, 8, 9]);
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
