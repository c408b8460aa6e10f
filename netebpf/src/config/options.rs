//! From directives to the engine's options, with what contradicts itself or makes no sense refused.

use std::{collections::BTreeMap, net::IpAddr};

use netebpf_common::abi::Timeouts;

use super::{Directives, Fault};
use crate::model::{
    BridgeOptions, DefaultPool, Driver, EngineOptions, FAMILIES, FlowTimeout, ResolverDefaults, family_of,
};

/// The longest name of a domain, in characters (RFC 1035, 2.3.4).
const MAX_DOMAIN: usize = 254;

impl Directives {
    /// The options of an engine that is configured so.
    pub(super) fn options(&self) -> Result<EngineOptions, Fault> {
        let mut options = EngineOptions {
            direct_routing: self.allow_direct_routing,
            timeouts: Timeouts::default(),
            default_pools: self.pools(),
            default_bridge: self.default_bridge()?,
            network_options: self.network_options()?,
            resolver: self.resolver()?,
            host_gateways: self.host_gateways()?,
        };
        for (name, &seconds) in &self.flow_timeouts {
            options.set_timeout(FlowTimeout::named(name, seconds)?);
        }
        Ok(options)
    }

    /// As with Docker, no pools are all of Docker's.
    fn pools(&self) -> Vec<DefaultPool> {
        let pools: Vec<_> = self.default_address_pools.iter().map(|pool| pool.0).collect();
        if pools.is_empty() { DefaultPool::dockers() } else { pools }
    }

    fn network_options(&self) -> Result<BTreeMap<Driver, BTreeMap<String, String>>, Fault> {
        let of_driver = self.default_network_opts.iter().map(|(name, options)| {
            let driver = Driver::named(name).map_err(|_| Fault::Driver { driver: name.clone() })?;
            BridgeOptions::parse(options)?;
            Ok((driver, options.clone()))
        });
        of_driver.collect()
    }

    fn resolver(&self) -> Result<ResolverDefaults, Fault> {
        let search = self.dns_search.iter().map(|domain| check_domain(domain));
        Ok(ResolverDefaults {
            servers: self.dns.clone(),
            search: search.collect::<Result<_, _>>()?,
            options: self.dns_opts.clone(),
        })
    }

    fn host_gateways(&self) -> Result<Vec<IpAddr>, Fault> {
        let addresses: Vec<_> =
            self.host_gateway_ip.0.into_iter().chain(self.host_gateway_ips.clone()).collect();
        for family in FAMILIES {
            if addresses.iter().filter(|address| family_of(**address) == family).count() > 1 {
                return Err(Fault::HostGateways(family));
            }
        }
        Ok(addresses)
    }
}

/// A domain as Docker takes it, without the dot at its end; a dot alone stands for none.
fn check_domain(text: &str) -> Result<String, Fault> {
    let domain = text.trim_matches(' ');
    if domain == "." {
        return Ok(domain.to_owned());
    }
    let domain = domain.strip_suffix('.').unwrap_or(domain);
    let is_label = |label: &str| {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
        !label.is_empty() && label.chars().all(is_plain) && !label.starts_with('-') && !label.ends_with('-')
    };
    let has_letter = domain.contains(|c: char| c.is_ascii_alphabetic());
    if has_letter && domain.len() <= MAX_DOMAIN && domain.split('.').all(is_label) {
        Ok(domain.to_owned())
    } else {
        Err(Fault::Domain(text.to_owned()))
    }
}
