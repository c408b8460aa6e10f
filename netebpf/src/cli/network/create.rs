//! `netebpf network create`: makes a network and prints its id.

use crate::{
    cli::{Client, Error, Output, args::CreateArgs},
    frontend::api::wire::{CreateNetwork, CreatedNetwork, Ipam, NetworkReference},
};

use super::pools;

pub(in crate::cli) async fn run(args: CreateArgs, client: &Client, output: &mut Output) -> Result<(), Error> {
    let config = pools::join(&args.pools)?;
    let body = CreateNetwork {
        name: args.name,
        driver: args.driver,
        enable_ipv4: args.ipv4,
        enable_ipv6: args.ipv6,
        ipam: Some(Ipam {
            driver: Some(args.ipam_driver),
            options: Some(args.ipam_options.into_iter().collect()),
            config: Some(config),
        }),
        internal: args.internal,
        attachable: args.attachable,
        ingress: args.ingress,
        config_only: args.config_only,
        config_from: args.config_from.map(|network| NetworkReference { network }),
        scope: args.scope,
        options: Some(args.options.into_iter().collect()),
        labels: Some(args.labels.into_iter().collect()),
    };
    let created: CreatedNetwork = client.create("/networks/create", &body).await?;
    Ok(output.line(created.id)?)
}
