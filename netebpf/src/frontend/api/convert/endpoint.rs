//! Wishes for endpoints.

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
    let wishes = config.ipam_config;
    let link_local = wishes.as_ref().and_then(|wishes| wishes.link_local_ips.as_ref());
    if link_local.is_some_and(|addresses| !addresses.is_empty()) {
        return Err(Error::Unsupported("link-local-ip"));
    }
    let read = |wishes: EndpointIpamConfig| {
        Ok::<_, Error>(AddressWishes {
            v4: address(&wishes.ipv4_address)?,
            v6: address(&wishes.ipv6_address)?,
        })
    };
    // What is wrong with them is told together with the rest.
    let options = config.driver_opts.as_ref().and_then(|options| EndpointOptions::parse(options).ok());
    Ok(EndpointSettings {
        addresses: wishes.map(read).transpose()?,
        aliases: config.aliases,
        links: config.links.iter().flatten().map(|link| link.parse()).collect::<Result<_, _>>()?,
        options: options.unwrap_or_default(),
        driver_options: config.driver_opts,
        gateway_priority: config.gw_priority,
        mac: mac(&config.mac_address)?,
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
