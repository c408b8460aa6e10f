//! Wishes for endpoints.

use std::net::IpAddr;

use netebpf_common::abi::Mac;

use super::{
    super::{
        error::Error,
        wire::{EndpointConfig, EndpointIpamConfig},
    },
    address,
};
use crate::model::{AddressWishes, EndpointOptions, EndpointSettings};

/// What a client wishes for an endpoint.
pub(in crate::frontend::api) fn endpoint_settings(config: EndpointConfig) -> Result<EndpointSettings, Error> {
    // What is wrong with them is told together with the rest.
    let options = config.driver_opts.as_ref().and_then(|options| EndpointOptions::parse(options).ok());
    Ok(EndpointSettings {
        addresses: config.ipam_config.as_ref().map(address_wishes).transpose()?,
        aliases: config.aliases,
        links: config.links.iter().flatten().map(|link| link.parse()).collect::<Result<_, _>>()?,
        options: options.unwrap_or_default(),
        driver_options: config.driver_opts,
        gateway_priority: config.gw_priority,
        mac: mac(&config.mac_address)?,
    })
}

fn address_wishes(wishes: &EndpointIpamConfig) -> Result<AddressWishes, Error> {
    let link_local = wishes.link_local_ips.iter().flatten();
    let link_local = link_local.filter_map(|text| address::<IpAddr>(text).transpose());
    Ok(AddressWishes {
        v4: address(&wishes.ipv4_address)?,
        v6: address(&wishes.ipv6_address)?,
        link_local: link_local.map(|address| Ok(address?.to_canonical())).collect::<Result<_, Error>>()?,
    })
}

/// Six bytes in hexadecimal with colons or dashes between them; nothing stands for none.
fn mac(text: &str) -> Result<Option<Mac>, Error> {
    if text.is_empty() {
        return Ok(None);
    }
    let mut mac = [0; 6];
    let mut parts = text.split([':', '-']);
    for byte in &mut mac {
        let part = parts.next().filter(|part| part.len() == 2);
        let read = part.and_then(|part| u8::from_str_radix(part, 16).ok());
        *byte = read.ok_or_else(|| Error::Mac(text.to_owned()))?;
    }
    if parts.next().is_some() { Err(Error::Mac(text.to_owned())) } else { Ok(Some(Mac(mac))) }
}
