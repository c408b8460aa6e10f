//! Writes points in time as Go's `time.Time` prints itself.

/// `2026-11-21T06:30:00.5Z` as `2026-11-21 06:30:00.5 +0000 UTC`; anything but RFC 3339 in UTC stays as it is.
pub(super) fn printed(rfc3339: &str) -> String {
    let parts = rfc3339.strip_suffix('Z').and_then(|utc| utc.split_once('T'));
    parts.map_or(rfc3339.to_owned(), |(date, time)| {
        let time = time.split_once('.').map_or(time.to_owned(), |(seconds, fraction)| {
            let fraction = fraction.trim_end_matches('0');
            if fraction.is_empty() { seconds.to_owned() } else { format!("{seconds}.{fraction}") }
        });
        format!("{date} {time} +0000 UTC")
    })
}

#[cfg(test)]
mod tests {
    use super::printed;

    #[test]
    fn times_look_like_gos() {
        for (time, text) in [
            ("2026-11-21T06:30:00.123456789Z", "2026-11-21 06:30:00.123456789 +0000 UTC"),
            ("2026-11-21T06:30:00.500Z", "2026-11-21 06:30:00.5 +0000 UTC"),
            ("2026-11-21T06:30:00.000Z", "2026-11-21 06:30:00 +0000 UTC"),
            ("2026-11-21T06:30:00+01:00", "2026-11-21T06:30:00+01:00"),
        ] {
            assert_eq!(printed(time), text);
        }
    }
}
