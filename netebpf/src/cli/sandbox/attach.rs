//! `netebpf attach`: a sandbox around a network namespace that others made; prints its id.

use std::path::{self, PathBuf};

use super::{request, warn_of};
use crate::{
    cli::{Client, Error, Output, args::AttachArgs},
    frontend::api::wire::{CreatedSandbox, Start},
};

pub(in crate::cli) async fn run(args: AttachArgs, client: &Client, output: &mut Output) -> Result<(), Error> {
    let pid = args.pid;
    let namespace = match (&args.netns, pid) {
        // The daemon is somewhere else. Of no path it says what is wrong.
        (Some(path), _) => path::absolute(path).unwrap_or_default(),
        (None, pid) => PathBuf::from(format!("/proc/{}/ns/net", pid.unwrap_or_default())),
    };
    let mut body = request::around(&namespace, args).map_err(Error::options("attach"))?;
    body.start = Some(Start::Nobody(pid));
    let created: CreatedSandbox = client.create("/netebpf/sandboxes", &body).await?;
    warn_of(&created)?;
    Ok(output.line(created.id)?)
}
