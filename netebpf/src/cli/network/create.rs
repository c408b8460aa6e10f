//! `netebpf network create`: makes a network and prints its id.

use crate::{
    cli::{Client, Error, Output, args::CreateArgs},
    frontend::api::wire::{CreateNetwork, CreatedNetwork, Ipam},
};

use super::pools;

pub(in crate::cli) async fn run(args: CreateArgs, client: &Client, output: &mut Output) -> Result<(), Error> {
    let config = pools::join(&args.pools)?;
    let body = CreateNetwork {
        name: args.name,
        driver: args.driver,
        enable_ipv4: args.ipv4,
        enable_ipv6: args.ipv6,
        ipam: Some(Ipam { driver: Some("default".to_owned()), options: None, config: Some(config) }),
        internal: args.internal,
        options: Some(args.options.into_iter().collect()),
        labels: Some(args.labels.into_iter().collect()),
    };
    let created: CreatedNetwork = client.create("/networks/create", &body).await?;
    Ok(output.line(created.id)?)
}
