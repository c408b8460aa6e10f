//! `netebpf network rm`: removes networks and prints what was removed.

use crate::cli::{Client, Error, Output, args::RmArgs, client};

pub(in crate::cli) async fn run(args: &RmArgs, client: &Client, output: &mut Output) -> Result<(), Error> {
    let mut errors = Vec::new();
    for reference in &args.networks {
        match remove(reference, client).await {
            Ok(()) => output.line(reference)?,
            Err(error) if args.force && error.is_not_found() => {}
            Err(error) => errors.push(error),
        }
    }
    Error::gather(errors)
}

async fn remove(reference: &str, client: &Client) -> Result<(), Error> {
    Ok(client.delete(&client::network(reference)?).await?)
}
