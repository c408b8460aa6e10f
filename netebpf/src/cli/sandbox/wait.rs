//! `netebpf wait`: waits for the end of commands, and prints their exit codes.

use crate::{
    cli::{Client, Error, Output, args::WaitArgs, client::segment},
    frontend::api::wire::Waited,
};

pub(in crate::cli) async fn run(args: &WaitArgs, client: &Client, output: &mut Output) -> Result<(), Error> {
    let mut errors = Vec::new();
    for reference in &args.sandboxes {
        let path = format!("/containers/{}/wait", segment(reference));
        match client.create::<Waited>(&path, &()).await {
            Ok(waited) => {
                output.line(waited.status_code)?;
                output.flush()?;
            }
            Err(error) => errors.push(error.into()),
        }
    }
    Error::gather(errors)
}
