//! A command on this terminal: started by us, because only a parent can hand its terminal on and learn the exit code.

use std::{io, iter};

use super::relay::Relay;
use crate::{
    cli::Error,
    daemon,
    kernel::{
        self,
        launch::{self, Launch, Stdio},
        process,
    },
    model::Process,
};

/// Starts a command.
pub(super) fn start(launch: &Launch, stdio: Stdio<'_>) -> Result<Process, Error> {
    launch::start(launch, stdio).map_err(|error| {
        if matches!(error, kernel::Error::Command { .. }) {
            Error::Command(daemon::Error::command(error))
        } else if is_denied(&error) {
            Error::NoRights(error)
        } else {
            Error::Kernel(error)
        }
    })
}

/// Passes signals on to a command until it ends; its exit code, or 128 + n after signal n.
pub(super) async fn attend(process: Process, mut relay: Relay) -> Result<u8, Error> {
    let end = process::exited(process);
    tokio::pin!(end);
    loop {
        tokio::select! {
            code = &mut end => return Ok(u8::try_from(code?).unwrap_or(u8::MAX)),
            signal = relay.next() => process::signal(process, signal)?,
        }
    }
}

fn is_denied(error: &kernel::Error) -> bool {
    let error: &dyn std::error::Error = error;
    iter::successors(Some(error), |error| error.source())
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|cause| cause.kind() == io::ErrorKind::PermissionDenied)
}
