//! Signals, as `stop --signal` names them.

use std::{fmt, str::FromStr};

/// A signal that a process can be sent, by its number on Linux.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Signal(i32);

/// Text that names no signal; the words are Docker's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid signal: {0}")]
pub struct SignalError(String);

/// Names without `SIG`. The first name of a number is the usual one.
const NAMES: [(&str, i32); 34] = [
    ("HUP", 1),
    ("INT", 2),
    ("QUIT", 3),
    ("ILL", 4),
    ("TRAP", 5),
    ("ABRT", 6),
    ("IOT", 6),
    ("BUS", 7),
    ("FPE", 8),
    ("KILL", 9),
    ("USR1", 10),
    ("SEGV", 11),
    ("USR2", 12),
    ("PIPE", 13),
    ("ALRM", 14),
    ("TERM", 15),
    ("STKFLT", 16),
    ("CHLD", 17),
    ("CLD", 17),
    ("CONT", 18),
    ("STOP", 19),
    ("TSTP", 20),
    ("TTIN", 21),
    ("TTOU", 22),
    ("URG", 23),
    ("XCPU", 24),
    ("XFSZ", 25),
    ("VTALRM", 26),
    ("PROF", 27),
    ("WINCH", 28),
    ("IO", 29),
    ("POLL", 29),
    ("PWR", 30),
    ("SYS", 31),
];

/// The first and last real-time signal; the C library keeps the two before the first for itself.
const REAL_TIME: (i32, i32) = (34, 64);

impl Signal {
    /// What Ctrl-C on a terminal sends.
    pub const INT: Self = Self(2);
    /// Asks a process to end.
    pub const TERM: Self = Self(15);
    /// Ends a process.
    pub const KILL: Self = Self(9);

    /// Its number.
    #[must_use]
    pub const fn number(self) -> i32 {
        self.0
    }

    /// The signal with this number, if Linux has one that programs may use.
    #[must_use]
    pub fn from_number(number: i32) -> Option<Self> {
        let (first, last) = REAL_TIME;
        (matches!(number, 1..=31) || (first..=last).contains(&number)).then_some(Self(number))
    }

    fn from_name(name: &str) -> Option<Self> {
        let name = name.to_ascii_uppercase();
        let name = name.strip_prefix("SIG").unwrap_or(&name);
        let named = NAMES.iter().find(|(known, _)| *known == name);
        named.map(|(_, number)| *number).or_else(|| real_time(name)).map(Self)
    }
}

/// The number of `RTMIN`, `RTMIN+1` to `RTMIN+15`, `RTMAX-14` to `RTMAX-1`, `RTMAX`.
fn real_time(name: &str) -> Option<i32> {
    let (first, last) = REAL_TIME;
    let distance = |text: &str, longest| {
        let plain = !text.starts_with(['0', '+']);
        text.parse().ok().filter(|distance| plain && (1..=longest).contains(distance))
    };
    match name {
        "RTMIN" => Some(first),
        "RTMAX" => Some(last),
        _ => {
            let above = name.strip_prefix("RTMIN+").and_then(|text| distance(text, 15));
            let below = name.strip_prefix("RTMAX-").and_then(|text| distance(text, 14));
            above.map(|above: i32| first + above).or(below.map(|below: i32| last - below))
        }
    }
}

impl FromStr for Signal {
    type Err = SignalError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = match text.parse() {
            Ok(number) => Self::from_number(number),
            Err(_) => Self::from_name(text),
        };
        found.ok_or_else(|| SignalError(text.to_owned()))
    }
}

/// Prints the name with `SIG`, or the number of a real-time signal.
impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match NAMES.iter().find(|(_, number)| *number == self.0) {
            Some((name, _)) => write!(f, "SIG{name}"),
            None => write!(f, "{}", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Signal;

    #[test]
    fn a_signal_is_known_by_name_and_number() {
        let number = |text: &str| text.parse().map(Signal::number).ok();
        for text in ["SIGTERM", "TERM", "sigterm", "Term", "15", "+15"] {
            assert_eq!(number(text), Some(15), "{text}");
        }
        assert_eq!(number("CLD"), number("SIGCHLD"));
        assert_eq!((number("RTMIN"), number("RTMIN+15")), (Some(34), Some(49)));
        assert_eq!((number("SIGRTMAX"), number("RTMAX-14")), (Some(64), Some(50)));
    }

    #[test]
    fn what_is_no_signal_is_refused_with_dockers_text() {
        for text in ["", "0", "-1", "32", "65", "SIG", "TERMINATE", "RTMIN+16", "RTMAX-0", "RTMIN+01", "15 "]
        {
            let error = text.parse::<Signal>().expect_err(text);
            assert_eq!(error.to_string(), format!("invalid signal: {text}"));
        }
    }

    #[test]
    fn every_number_prints_as_something_that_names_it() {
        for signal in (0..=70).filter_map(Signal::from_number) {
            assert_eq!(signal.to_string().parse(), Ok(signal));
        }
        assert_eq!(Signal::TERM.to_string(), "SIGTERM");
    }
}
