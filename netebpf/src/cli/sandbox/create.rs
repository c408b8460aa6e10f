//! `netebpf create`: a sandbox to be started later; prints its id.

use super::{request, warn_of};
use crate::{
    cli::{Client, Error, Output, args::CreateSandboxArgs},
    frontend::api::wire::CreatedSandbox,
};

pub(in crate::cli) async fn run(
    args: CreateSandboxArgs,
    client: &Client,
    output: &mut Output,
) -> Result<(), Error> {
    let body = request::with_command(args.sandbox).map_err(Error::options("create"))?;
    let created: CreatedSandbox = client.create("/netebpf/sandboxes", &body).await?;
    warn_of(&created)?;
    Ok(output.line(created.id)?)
}
