//! `netebpf start`: the daemon starts the commands of sandboxes.

use crate::cli::{Client, Error, Output, args::StartArgs, client::segment};

pub(in crate::cli) async fn run(args: &StartArgs, client: &Client, output: &mut Output) -> Result<(), Error> {
    let (mut errors, mut failed) = (Vec::new(), Vec::new());
    // One after the other, because one may share the network of another.
    for reference in &args.sandboxes {
        match client.post(&format!("/containers/{}/start", segment(reference)), &()).await {
            Ok(()) => output.line(reference)?,
            Err(error) => {
                errors.push(error.into());
                failed.push(reference.as_str());
            }
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(Error::NotStarted { errors, sandboxes: failed.join(", ") }) }
}
