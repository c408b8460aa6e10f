//! `netebpf network inspect`: networks in detail, as an array even of one or none.

use crate::{
    cli::{Client, Error, Output, args::InspectArgs, client::segment, format::Inspection},
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
        let path = format!("/networks/{}?verbose={}", segment(reference), args.verbose);
        match client.get::<Network>(&path).await {
            Ok(network) => errors.extend(inspection.add(&network).err().map(Error::from)),
            Err(error) => errors.push(error.into()),
        }
    }
    output.text(&inspection.into_text()?)?;
    Error::gather(errors)
}
