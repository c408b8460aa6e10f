//! `netebpf cleanup`: removes every trace of an engine whose daemon has ended.

use super::{Error, Output, args::CleanupArgs, confirm};
use crate::{
    frontend::Socket,
    kernel::{self, Settings, cleanup::cleanup},
};

pub(super) async fn run(args: &CleanupArgs, settings: &Settings, output: &mut Output) -> Result<(), Error> {
    let socket = settings.socket();
    if Socket::answers(&socket) {
        return Err(kernel::Error::DaemonRunning { socket }.into());
    }
    if !args.yes && !confirm::confirmed(&warning(settings))? {
        return Ok(output.line("nothing was removed")?);
    }
    let removed = cleanup(settings).await?;
    if removed.is_empty() {
        return Ok(output.line("nothing to remove")?);
    }
    Ok(removed.iter().try_for_each(|thing| output.line(format_args!("removed {thing}")))?)
}

fn warning(settings: &Settings) -> String {
    let Settings { run_dir, state_dir, bpffs } = settings;
    format!(
        "This ends all sandboxes and removes the networks, programs and state of the engine in\n  {}\n  {}\n  {}",
        run_dir.display(),
        state_dir.display(),
        bpffs.display()
    )
}
