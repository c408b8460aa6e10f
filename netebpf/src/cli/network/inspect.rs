//! `netebpf network inspect`: networks in detail, as an array even of one or none.

use crate::{
    cli::{Client, Error, Output, args::InspectArgs, client, format::Inspection},
    frontend::api::wire::Network,
};

pub(in crate::cli) async fn run(
    args: &InspectArgs,
    client: &Client,
    output: &mut Output,
) -> Result<(), Error> {
    let mut inspection = Inspection::new(&args.format)?;
    let mut errors = Vec::new();
    for reference in &args.networks {
        match look(reference, args.verbose, client).await {
            Ok(network) => errors.extend(inspection.add(&network).err().map(Error::from)),
            Err(error) => errors.push(error),
        }
    }
    output.text(&inspection.into_text()?)?;
    Error::gather(errors)
}

async fn look(reference: &str, verbose: bool, client: &Client) -> Result<Network, Error> {
    Ok(client.get(&format!("{}?verbose={verbose}", client::network(reference)?)).await?)
}
