//! `netebpf network inspect`: networks in detail, as an array even of one or none.

use crate::{
    cli::{Client, Error, Output, args::InspectArgs, client::segment},
    frontend::api::wire::Network,
};

pub(in crate::cli) async fn run(
    args: &InspectArgs,
    client: &Client,
    output: &mut Output,
) -> Result<(), Error> {
    let (mut networks, mut errors) = (Vec::<Network>::new(), Vec::new());
    for reference in &args.networks {
        match client.get(&format!("/networks/{}", segment(reference))).await {
            Ok(network) => networks.push(network),
            Err(error) => errors.push(error.into()),
        }
    }
    output.json(&networks)?;
    Error::gather(errors)
}
