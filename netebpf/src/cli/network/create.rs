//! `netebpf network create`: makes a network and prints its id.

use crate::{
    cli::{Client, Error, Output, args::CreateArgs},
    frontend::api::wire::{CreateNetwork, CreatedNetwork, Ipam, IpamConfig},
};

pub(in crate::cli) async fn run(args: CreateArgs, client: &Client, output: &mut Output) -> Result<(), Error> {
    let pool = args.subnet.map(|subnet| IpamConfig {
        subnet: subnet.to_string(),
        gateway: args.gateway.map(|gateway| gateway.to_string()).unwrap_or_default(),
        ..IpamConfig::default()
    });
    let body = CreateNetwork {
        name: args.name,
        driver: args.driver,
        ipam: Some(Ipam {
            driver: Some("default".to_owned()),
            options: None,
            config: Some(pool.into_iter().collect()),
        }),
        internal: args.internal,
        options: Some(args.options.into_iter().collect()),
        labels: Some(args.labels.into_iter().collect()),
        ..CreateNetwork::default()
    };
    let created: CreatedNetwork = client.create("/networks/create", &body).await?;
    Ok(output.line(created.id)?)
}
