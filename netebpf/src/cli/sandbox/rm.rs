//! `netebpf rm`: removes sandboxes and prints what was removed.

use crate::cli::{Client, Error, Output, args::RmSandboxArgs, client::segment};

pub(in crate::cli) async fn run(
    args: &RmSandboxArgs,
    client: &Client,
    output: &mut Output,
) -> Result<(), Error> {
    let mut errors = Vec::new();
    for reference in &args.sandboxes {
        let path = format!("/netebpf/sandboxes/{}?force={}", segment(reference), args.force);
        match client.delete(&path).await {
            Ok(()) => output.line(reference)?,
            Err(error) if args.force && error.is_not_found() => {}
            Err(error) => errors.push(error.into()),
        }
    }
    Error::gather(errors)
}
