//! `netebpf network connect`: joins a sandbox to a further network, while it runs.

use std::net::IpAddr;

use crate::{
    cli::{Client, Error, args::ConnectArgs, client::segment},
    frontend::api::wire::{Connect, EndpointConfig, EndpointIpamConfig},
};

pub(in crate::cli) async fn run(args: ConnectArgs, client: &Client) -> Result<(), Error> {
    let path = format!("/networks/{}/connect", segment(&args.network));
    let body = Connect { container: args.sandbox, endpoint_config: args.ip.map(wish) };
    Ok(client.post(&path, &body).await?)
}

fn wish(address: IpAddr) -> EndpointConfig {
    let mut wishes = EndpointIpamConfig::default();
    match address {
        IpAddr::V4(address) => wishes.ipv4_address = address.to_string(),
        IpAddr::V6(address) => wishes.ipv6_address = address.to_string(),
    }
    EndpointConfig { ipam_config: Some(wishes) }
}
