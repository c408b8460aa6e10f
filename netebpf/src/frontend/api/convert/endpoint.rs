//! Wishes for endpoints.

use netebpf_common::abi::Mac;

use super::{
    super::{error::Error, wire::EndpointConfig},
    address,
};
use crate::model::{AddressWishes, EndpointOptions, EndpointSettings};

/// What a client wishes for an endpoint.
pub(in crate::frontend::api) fn endpoint_settings(config: EndpointConfig) -> Result<EndpointSettings, Error> {
    let wishes = config.ipam_config.unwrap_or_default();
    if wishes.link_local_ips.is_some_and(|addresses| !addresses.is_empty()) {
        return Err(Error::Unsupported("link-local-ip"));
    }
    let driver_options = config.driver_opts.unwrap_or_default();
    Ok(EndpointSettings {
        addresses: AddressWishes { v4: address(&wishes.ipv4_address)?, v6: address(&wishes.ipv6_address)? },
        aliases: config.aliases.unwrap_or_default(),
        links: config.links.iter().flatten().map(|link| link.parse()).collect::<Result<_, _>>()?,
        // What is wrong with them is told together with the rest.
        options: EndpointOptions::parse(&driver_options).unwrap_or_default(),
        driver_options,
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
