//! `netebpf rm`: removes sandboxes and prints what was removed.

use super::{Client, Error, Output, args::RmSandboxArgs, client::segment};

pub(super) async fn run(args: &RmSandboxArgs, client: &Client, output: &mut Output) -> Result<(), Error> {
    let mut errors = Vec::new();
    for reference in &args.sandboxes {
        let path = format!("/netebpf/sandboxes/{}?force={}", segment(reference), args.force);
        match client.delete(&path).await {
            Ok(()) => output.line(reference)?,
            Err(error) => errors.push(error.into()),
        }
    }
    Error::gather(errors)
}
