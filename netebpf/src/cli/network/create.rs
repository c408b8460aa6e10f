//! `netebpf network create`: makes a network and prints its id.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::{
    cli::{Client, Error, Output, args::CreateArgs},
    frontend::api::wire::{CreateNetwork, CreatedNetwork, Ipam, IpamConfig},
};

pub(in crate::cli) async fn run(args: CreateArgs, client: &Client, output: &mut Output) -> Result<(), Error> {
    let config = pools(&args.subnets, &args.gateways)?;
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

/// Brings subnets and gateways together, as Docker's command line does.
fn pools(subnets: &[IpNet], gateways: &[IpAddr]) -> Result<Vec<IpamConfig>, Error> {
    let is_of = |gateway: &IpAddr, subnet: &IpNet| gateway.is_ipv4() == subnet.addr().is_ipv4();
    let stray = |gateway: &&IpAddr| !subnets.iter().any(|subnet| is_of(gateway, subnet));
    if let Some(gateway) = gateways.iter().find(stray) {
        return Err(Error::GatewayWithoutSubnet(*gateway));
    }
    let pools = subnets.iter().map(|subnet| {
        let mut of_subnet = gateways.iter().filter(|gateway| is_of(gateway, subnet));
        match (of_subnet.next(), of_subnet.next()) {
            (_, Some(_)) => Err(Error::SeveralGateways(*subnet)),
            (gateway, None) => Ok(IpamConfig {
                subnet: subnet.to_string(),
                gateway: gateway.map(ToString::to_string).unwrap_or_default(),
                ip_range: String::new(),
            }),
        }
    });
    pools.collect()
}
