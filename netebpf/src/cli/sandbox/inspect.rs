//! `netebpf inspect`: sandboxes and networks in detail, as an array even of one or none.

use super::OptionError;
use crate::{
    cli::{
        Client, Error, Output,
        args::InspectAnyArgs,
        client::{self, segment},
        format::Inspection,
    },
    frontend::api::wire::{Container, Network},
};

pub(in crate::cli) async fn run(
    args: &InspectAnyArgs,
    client: &Client,
    output: &mut Output,
) -> Result<(), Error> {
    let (containers, networks) = match args.kind.as_deref() {
        None => (true, true),
        Some("container") => (true, false),
        Some("network") => (false, true),
        Some(kind) => return Err(Error::Usage(OptionError::Kind(kind.to_owned()))),
    };
    let mut inspection = Inspection::new(&args.format)?;
    let mut errors = Vec::new();
    for reference in &args.references {
        let added = match (containers, networks) {
            (true, true) => add_either(reference, client, &mut inspection).await,
            (true, false) => add_container(reference, client, &mut inspection).await,
            (false, _) => add_network(reference, client, &mut inspection).await,
        };
        errors.extend(added.err());
    }
    output.text(&inspection.into_text()?)?;
    Error::gather(errors)
}

async fn add_either(reference: &str, client: &Client, inspection: &mut Inspection) -> Result<(), Error> {
    match add_container(reference, client, inspection).await {
        Err(error) if error.is_not_found() => {}
        done => return done,
    }
    match add_network(reference, client, inspection).await {
        Err(error) if error.is_not_found() => Err(Error::NoObject(reference.to_owned())),
        done => done,
    }
}

async fn add_container(reference: &str, client: &Client, inspection: &mut Inspection) -> Result<(), Error> {
    if reference.trim().is_empty() {
        return Err(Error::NoReference("container"));
    }
    let container: Container = client.get(&format!("/containers/{}/json", segment(reference))).await?;
    Ok(inspection.add(&container)?)
}

async fn add_network(reference: &str, client: &Client, inspection: &mut Inspection) -> Result<(), Error> {
    let network: Network = client.get(&client::network(reference)?).await?;
    Ok(inspection.add(&network)?)
}
