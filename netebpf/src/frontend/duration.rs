//! Times as people say them: `3 minutes ago`, `Up 2 hours`.

use std::{
    fmt::{self, Display, Formatter},
    time::Duration,
};

/// A duration in its largest unit, as Docker says it: `About a minute`, `47 hours`, `2 weeks`.
#[must_use]
pub fn human_duration(duration: Duration) -> String {
    const HOUR: u64 = 3_600;
    let seconds = duration.as_secs();
    let minutes = seconds / 60;
    // Hours are rounded, everything else is cut off.
    let hours = (duration + Duration::from_secs(HOUR / 2)).as_secs() / HOUR;
    match (seconds, minutes, hours) {
        (0, ..) => "Less than a second".to_owned(),
        (1, ..) => "1 second".to_owned(),
        (2..60, ..) => format!("{seconds} seconds"),
        (_, 1, _) => "About a minute".to_owned(),
        (_, 2..60, _) => format!("{minutes} minutes"),
        (.., 1) => "About an hour".to_owned(),
        (.., 2..48) => format!("{hours} hours"),
        (.., 48..336) => format!("{} days", hours / 24),
        (.., 336..1_440) => format!("{} weeks", hours / 24 / 7),
        (.., 1_440..17_520) => format!("{} months", hours / 24 / 30),
        _ => format!("{} years", seconds / HOUR / 24 / 365),
    }
}

/// The state of a container in words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It was never started.
    Created,
    /// It has been running for so long.
    Up(Duration),
    /// It ended with this code so long ago.
    Exited(i32, Duration),
}

impl Display for Status {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Created => write!(f, "Created"),
            Self::Up(duration) => write!(f, "Up {}", human_duration(*duration)),
            Self::Exited(code, duration) => write!(f, "Exited ({code}) {} ago", human_duration(*duration)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_dockers() {
        let (minute, hour, day) = (60, 3_600, 86_400);
        for (seconds, text) in [
            (0, "Less than a second"),
            (1, "1 second"),
            (59, "59 seconds"),
            (minute, "About a minute"),
            (2 * minute, "2 minutes"),
            (hour - 1, "59 minutes"),
            (hour, "About an hour"),
            (hour + hour / 2 - 1, "About an hour"),
            (hour + hour / 2, "2 hours"),
            (47 * hour, "47 hours"),
            (48 * hour - 1, "2 days"),
            (13 * day, "13 days"),
            (14 * day, "2 weeks"),
            (59 * day, "8 weeks"),
            (60 * day, "2 months"),
            (729 * day, "24 months"),
            (730 * day, "2 years"),
        ] {
            assert_eq!(human_duration(Duration::from_secs(seconds)), text, "{seconds} s");
        }
    }

    #[test]
    fn states_are_dockers() {
        let texts = [
            Status::Created,
            Status::Up(Duration::from_hours(2)),
            Status::Exited(137, Duration::from_secs(5)),
        ]
        .map(|status| status.to_string());
        assert_eq!(texts, ["Created", "Up 2 hours", "Exited (137) 5 seconds ago"]);
    }
}
