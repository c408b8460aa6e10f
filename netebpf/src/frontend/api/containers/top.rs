//! The processes of a sandbox, in the columns of `ps -ef`.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::{Json, extract::State};
use serde::Deserialize;

use crate::{
    daemon::Listed,
    frontend::api::{
        Context, Error,
        body::{Id, Parameters},
        timestamp,
        wire::Processes,
    },
};

/// Parameters of `GET /containers/{id}/top`.
#[derive(Deserialize)]
pub(in crate::frontend::api) struct TopParameters {
    ps_args: Option<String>,
}

const TITLES: [&str; 8] = ["UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD"];

pub(in crate::frontend::api) async fn top(
    State(context): State<Context>,
    Id(id): Id,
    Parameters(TopParameters { ps_args }): Parameters<TopParameters>,
) -> Result<Json<Processes>, Error> {
    if !matches!(ps_args.as_deref().unwrap_or_default(), "" | "-ef") {
        return Err(Error::NotHere(
            "processes of sandboxes are listed in the columns of ps -ef, without other options of ps",
        ));
    }
    let listed = context.daemon.top(&id, &context.settings)?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let titles = TITLES.map(str::to_owned).into();
    Ok(Json(Processes { titles, processes: listed.iter().map(|process| row(process, now).into()).collect() }))
}

fn row(process: &Listed, now: Duration) -> [String; 8] {
    let lived = now.saturating_sub(process.started).as_secs().max(1);
    [
        shortened(&process.user),
        process.pid.to_string(),
        process.parent.to_string(),
        (process.computing.as_secs() * 100 / lived).min(99).to_string(),
        timestamp::when(process.started, now),
        process.terminal.clone().unwrap_or_else(|| "?".to_owned()),
        clock(process.computing.as_secs()),
        process.command.clone(),
    ]
}

/// A long name as ps(1) cuts it.
fn shortened(user: &str) -> String {
    if user.chars().count() <= 8 { user.to_owned() } else { user.chars().take(7).chain(['+']).collect() }
}

/// `[DD-]HH:MM:SS`.
fn clock(seconds: u64) -> String {
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    let time = format!("{hours:02}:{minutes:02}:{:02}", seconds % 60);
    if days == 0 { time } else { format!("{days}-{time}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_written_as_by_ps() {
        let process = Listed {
            pid: 7,
            parent: 1,
            user: "systemd-network".to_owned(),
            computing: Duration::from_secs(90_061),
            started: Duration::from_secs(1_000_003),
            terminal: None,
            command: "sleep 1d".to_owned(),
        };
        let [user, pid, parent, busy, _, terminal, time, command] =
            row(&process, Duration::from_secs(1_200_003));
        assert_eq!([user, pid, parent, busy], ["systemd+", "7", "1", "45"]);
        assert_eq!([terminal, time, command], ["?", "1-01:01:01", "sleep 1d"]);
    }
}
