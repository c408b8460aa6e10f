//! Points in time as the API writes them, and as filters name them.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp, civil::DateTime, tz::TimeZone};

/// Writes nanoseconds since the Unix epoch in UTC, as RFC 3339 wants it: `2026-11-21T06:30:00.123456789Z`.
pub(super) fn rfc3339(nanoseconds: u64) -> String {
    Timestamp::from_nanosecond(nanoseconds.into()).unwrap_or_default().to_string()
}

/// The same with all nine digits of the fraction.
pub(super) fn rfc3339_fixed(nanoseconds: u64) -> String {
    let time = Timestamp::from_nanosecond(nanoseconds.into()).unwrap_or_default();
    format!("{time:.9}")
}

/// The present time, in nanoseconds since the Unix epoch.
pub(super) fn now() -> u64 {
    u64::try_from(Timestamp::now().as_nanosecond()).unwrap_or_default()
}

/// Reads what a filter `until` may be: seconds since the Unix epoch, a time with or without its zone, or how long ago.
/// Returns nanoseconds since the Unix epoch; `None` if it is none of these.
pub(super) fn until(text: &str) -> Option<u64> {
    until_at(text, Timestamp::now())
}

/// Reads what an option `--since` or `--until` may be, and writes it as the API wants it: seconds since the Unix epoch, with a
/// fraction. `None` if it is no time and no duration.
#[must_use]
pub fn in_seconds(text: &str) -> Option<String> {
    let time = seconds(text).or_else(|| until(text))?;
    Some(format!("{}.{:09}", time / 1_000_000_000, time % 1_000_000_000))
}

/// Reads seconds since the Unix epoch, with up to nine digits of a fraction that count; returns nanoseconds.
pub(super) fn seconds(text: &str) -> Option<u64> {
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let nanoseconds = format!("{fraction:0<9.9}");
    let seconds: u64 = seconds.parse().ok().filter(|_| is_number(fraction))?;
    seconds.checked_mul(1_000_000_000)?.checked_add(nanoseconds.parse().ok()?)
}

/// A time since the Unix epoch as ps(1) writes it: of today the time, of this year the day, else the year.
pub(super) fn when(time: Duration, now: Duration) -> String {
    let local = |time: Duration| {
        let time = Timestamp::from_second(time.as_secs().cast_signed()).unwrap_or_default();
        time.to_zoned(TimeZone::system())
    };
    let (time, now) = (local(time), local(now));
    let format = if time.year() != now.year() {
        "%Y"
    } else if time.day_of_year() != now.day_of_year() {
        "%b%d"
    } else {
        "%H:%M"
    };
    time.strftime(format).to_string()
}

fn until_at(text: &str, now: Timestamp) -> Option<u64> {
    let local = |time: DateTime| time.to_zoned(TimeZone::system()).ok().map(|zoned| zoned.timestamp());
    // Docker counts back from the present second.
    let ago =
        |duration: SignedDuration| Timestamp::from_second(now.checked_sub(duration).ok()?.as_second()).ok();
    let seconds = || Timestamp::from_second(text.split('.').next()?.parse().ok()?).ok();
    let time = text
        .parse::<Timestamp>()
        .ok()
        .or_else(seconds)
        .or_else(|| text.parse().ok().and_then(local))
        .or_else(|| text.parse().ok().and_then(ago))?;
    u64::try_from(time.as_nanosecond()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_in_utc() {
        for (nanoseconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400_000_000_000, "2000-02-29T00:00:00Z"),
            (1_795_242_600_123_456_789, "2026-11-21T06:30:00.123456789Z"),
        ] {
            assert_eq!(rfc3339(nanoseconds), text);
        }
    }

    #[test]
    fn seconds_have_a_fraction_or_not() {
        for (text, nanoseconds) in [
            ("0", Some(0)),
            ("1795242600", Some(1_795_242_600_000_000_000)),
            ("1.5", Some(1_500_000_000)),
            ("1.", Some(1_000_000_000)),
            ("1.0000000019", Some(1_000_000_001)),
            ("", None),
            ("x", None),
            ("1.x", None),
            ("99999999999999999999", None),
        ] {
            assert_eq!(seconds(text), nanoseconds, "{text}");
        }
    }

    #[test]
    fn a_time_is_sent_in_seconds() {
        assert_eq!(in_seconds("1.5").as_deref(), Some("1.500000000"));
        assert_eq!(in_seconds("2000-02-29T00:00:00Z").as_deref(), Some("951782400.000000000"));
        assert_eq!(in_seconds("soon"), None);
        assert_eq!(rfc3339_fixed(951_782_400_500_000_000), "2000-02-29T00:00:00.500000000Z");
    }

    #[test]
    fn every_way_to_name_a_time_is_read() {
        let now = Timestamp::new(1_795_242_600, 500_000_000).expect("a time");
        for (text, seconds) in [
            ("1795242000", Some(1_795_242_000)),
            ("1795242000.123456789", Some(1_795_242_000)),
            ("2026-11-21T06:30:00Z", Some(1_795_242_600)),
            ("2026-11-21T06:30:00+01:00", Some(1_795_239_000)),
            ("10m", Some(1_795_242_000)),
            ("1h30m", Some(1_795_237_200)),
            ("yesterday", None),
            ("", None),
        ] {
            assert_eq!(until_at(text, now), seconds.map(|seconds| seconds * 1_000_000_000), "{text}");
        }
        assert!(until_at("2026-11-21", now).is_some() && until_at("2026-11-21T06:30:00", now).is_some());
    }
}
