//! Forgets flows that have been idle for too long, so that the table of flows does not fill up with them.

use std::time::Duration;

use tokio::{
    task::spawn_blocking,
    time::{MissedTickBehavior, interval},
};
use tracing::{debug, warn};

use super::{Settings, with_causes};
use crate::kernel::flows;

/// How often; the shortest idle time of any flow is of this order.
const PERIOD: Duration = Duration::from_secs(10);

/// Removes expired flows for ever. It works on the table alone, beside the loop: a full table takes a while.
pub(super) async fn run(settings: Settings) {
    let mut period = interval(PERIOD);
    period.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        period.tick().await;
        let settings = settings.clone();
        match spawn_blocking(move || flows::remove_expired(&settings)).await {
            Ok(Ok(0)) => {}
            Ok(Ok(removed)) => debug!(removed, "forgot idle flows"),
            Ok(Err(error)) => warn!(error = with_causes(&error), "cannot forget idle flows"),
            Err(error) => warn!(%error, "cannot forget idle flows"),
        }
    }
}
