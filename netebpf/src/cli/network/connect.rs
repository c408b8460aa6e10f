//! `netebpf network connect`: joins a sandbox to a further network, while it runs.

use crate::{
    cli::{Client, Error, args::ConnectArgs, client::segment},
    frontend::api::wire::{Connect, EndpointConfig, EndpointIpamConfig},
};

pub(in crate::cli) async fn run(args: ConnectArgs, client: &Client) -> Result<(), Error> {
    let path = format!("/networks/{}/connect", segment(&args.network));
    let wishes = EndpointIpamConfig {
        ipv4_address: args.ip.map(|address| address.to_string()).unwrap_or_default(),
        ipv6_address: args.ip6.map(|address| address.to_string()).unwrap_or_default(),
        link_local_ips: None,
    };
    let body = Connect {
        container: args.sandbox,
        endpoint_config: Some(EndpointConfig { ipam_config: Some(wishes), ..EndpointConfig::default() }),
    };
    Ok(client.post(&path, &body).await?)
}
