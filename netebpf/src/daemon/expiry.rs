//! Forgets flows that have been idle for too long, so that the tables do not fill up with them.

use std::time::Duration;

use tokio::{task::spawn_blocking, time::sleep};
use tracing::{debug, warn};

use super::{Settings, with_causes};
use crate::kernel::flows::{self, Sweep};

/// Between two searches when many flows end; the shortest idle time of any flow is twice as long.
const SHORTEST: Duration = Duration::from_secs(5);
/// Between two searches when none do.
const LONGEST: Duration = Duration::from_mins(5);

/// Removes expired flows for ever. It works on the tables alone, beside the loop: a full table takes a while.
pub(super) async fn run(settings: Settings) {
    let mut pause = SHORTEST;
    loop {
        sleep(pause).await;
        let settings = settings.clone();
        match spawn_blocking(move || flows::remove_expired(&settings)).await {
            Ok(Ok(sweep)) => {
                pause = next_pause(pause, sweep);
                let Sweep { entries, removed, fill } = sweep;
                debug!(entries, removed, fill, ?pause, "looked for flows that are over");
            }
            Ok(Err(error)) => warn!(error = with_causes(&error), "cannot forget idle flows"),
            Err(error) => warn!(%error, "cannot forget idle flows"),
        }
    }
}

/// How long to wait after a search: less when it found much or there is little room, more when it found nearly nothing.
fn next_pause(pause: Duration, sweep: Sweep) -> Duration {
    let Sweep { entries, removed, fill } = sweep;
    // A flow has two entries.
    let found = removed * 2;
    let pause = if fill > 75 {
        SHORTEST
    } else if found > entries / 4 {
        pause / 2
    } else if found <= entries / 20 {
        pause * 3 / 2
    } else {
        pause
    };
    pause.clamp(SHORTEST, LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(sweeps: impl IntoIterator<Item = Sweep>) -> Duration {
        sweeps.into_iter().fold(SHORTEST, next_pause)
    }

    #[test]
    fn a_quiet_host_is_searched_ever_more_seldom() {
        let nothing = Sweep { entries: 1000, removed: 10, fill: 1 };
        assert_eq!(after([nothing]), Duration::from_millis(7500));
        assert_eq!(after([nothing; 20]), LONGEST);
        assert_eq!(after([Sweep::default(); 20]), LONGEST);
    }

    #[test]
    fn many_ended_flows_or_little_room_bring_the_searches_together() {
        let (quiet, busy) = (Sweep::default(), Sweep { entries: 1000, removed: 300, fill: 1 });
        assert_eq!(after([quiet; 20].into_iter().chain([busy])), LONGEST / 2);
        assert_eq!(after([quiet; 20].into_iter().chain([busy; 9])), SHORTEST);
        let full = Sweep { entries: 1000, removed: 0, fill: 80 };
        assert_eq!(after([quiet; 20].into_iter().chain([full])), SHORTEST);
    }

    #[test]
    fn a_steady_rate_keeps_the_pace() {
        let steady = Sweep { entries: 1000, removed: 100, fill: 1 };
        assert_eq!(after([Sweep::default(), steady, steady]), Duration::from_millis(7500));
    }
}
