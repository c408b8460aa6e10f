//! How often does a new endpoint tell its neighbours whose its addresses are?

use std::time::Duration;

use super::OptionError;

/// The most announcements that an endpoint may make: as many as probes (RFC 5227, 1.1) and advertisements (RFC 4861, 10).
const MAX_COUNT: u8 = 3;
/// The pauses that may lie between them, in milliseconds; the longest is that of RFC 5227.
const INTERVALS: std::ops::RangeInclusive<u16> = 100..=2000;

/// What a network says about announcements: gratuitous ARP and unsolicited neighbour advertisements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Announcements {
    /// How many there are, up to three; `None` for the default.
    pub count: Option<u8>,
    /// The pause between two; `None` for the default.
    pub interval: Option<Duration>,
}

/// A new address is wanted at once, so the default does not wait the second that Docker waits for the second time.
const SOON: [Duration; 2] = [Duration::from_millis(50), Duration::from_millis(250)];

impl Announcements {
    /// The pauses before the announcements, the first of which comes at once.
    #[must_use]
    pub fn pauses(self) -> Vec<Duration> {
        let later = SOON.map(|soon| self.interval.unwrap_or(soon));
        let all = [Duration::ZERO].into_iter().chain(later);
        all.take(self.count.unwrap_or(MAX_COUNT).into()).collect()
    }

    pub(super) fn parse_count(option: &str, value: &str) -> Result<u8, OptionError> {
        let refusal = || OptionError::Count { option: option.to_owned(), value: value.to_owned() };
        let count: i64 = value.parse().map_err(|_| refusal())?;
        let count = u8::try_from(count).ok().filter(|count| *count <= MAX_COUNT);
        let (first, last) = (0, MAX_COUNT.into());
        count.ok_or_else(|| OptionError::Range { option: option.to_owned(), first, last })
    }

    pub(super) fn parse_interval(option: &str, value: &str) -> Result<Duration, OptionError> {
        let refusal = || OptionError::Interval { option: option.to_owned(), value: value.to_owned() };
        let interval: i64 = value.parse().map_err(|_| refusal())?;
        let interval = u16::try_from(interval).ok().filter(|interval| INTERVALS.contains(interval));
        let (first, last) = (*INTERVALS.start(), *INTERVALS.end());
        let interval =
            interval.ok_or_else(|| OptionError::Range { option: option.to_owned(), first, last })?;
        Ok(Duration::from_millis(interval.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_announcements_as_wished_come_as_fast_as_wished() {
        let pauses = |count, interval: Option<u64>| {
            let wish = Announcements { count, interval: interval.map(Duration::from_millis) };
            wish.pauses().iter().map(Duration::as_millis).collect::<Vec<_>>()
        };
        assert_eq!(pauses(None, None), [0, 50, 250]);
        assert_eq!(pauses(Some(2), Some(700)), [0, 700]);
        assert_eq!(pauses(None, Some(2000)), [0, 2000, 2000]);
        assert_eq!(pauses(Some(0), Some(100)), [0_u128; 0]);
    }
}
