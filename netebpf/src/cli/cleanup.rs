//! `netebpf cleanup`: removes every trace of an engine whose daemon has ended.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use super::{Error, Output, args::CleanupArgs};
use crate::{
    frontend::Socket,
    kernel::{self, Settings, cleanup::cleanup},
};

pub(super) async fn run(args: &CleanupArgs, settings: &Settings, output: &mut Output) -> Result<(), Error> {
    let socket = settings.socket();
    if Socket::answers(&socket) {
        return Err(kernel::Error::DaemonRunning { socket }.into());
    }
    if !args.yes && !confirmed(settings)? {
        return Ok(output.line("nothing was removed")?);
    }
    let removed = cleanup(settings).await?;
    if removed.is_empty() {
        return Ok(output.line("nothing to remove")?);
    }
    Ok(removed.iter().try_for_each(|thing| output.line(format_args!("removed {thing}")))?)
}

fn confirmed(settings: &Settings) -> Result<bool, Error> {
    if !io::stdin().is_terminal() {
        return Err(Error::NotConfirmed);
    }
    let Settings { run_dir, state_dir, bpffs } = settings;
    write!(
        io::stderr(),
        "This ends all sandboxes and removes the networks, programs and state of the engine in\n  {}\n  {}\n  {}\n\
         Are you sure you want to continue? [y/N] ",
        run_dir.display(),
        state_dir.display(),
        bpffs.display()
    )?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
