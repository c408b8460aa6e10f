//! Which subnets and gateways a new network gets.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv6Net};
use netebpf_common::abi::Family;

use super::{Error, HostView};
use crate::{
    ipam,
    model::{BridgeOptions, GatewayMode, Pool, Spec, family_of},
};

/// A subnet that a user names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SubnetRequest {
    /// The subnet.
    pub subnet: IpNet,
    /// Gateway; `None` for the subnet's first address.
    pub gateway: Option<IpAddr>,
}

/// IPv6 prefixes that hold no addresses for hosts, with the reason.
const UNUSABLE_V6: [(&str, &str); 3] = [
    ("::/8", "addresses up to ff:: are reserved, among them those that stand for IPv4"),
    ("fe80::/10", "link-local addresses are made by each host itself"),
    ("ff00::/8", "multicast addresses are no host addresses"),
];

/// Returns a pool for each of the IP versions.
pub(super) fn choose(
    spec: &Spec,
    families: &[Family],
    requests: &[SubnetRequest],
    bridge: &BridgeOptions,
    host: &HostView<'_>,
) -> Result<Vec<Pool>, Error> {
    let used: Vec<IpNet> =
        spec.networks.values().flat_map(|network| network.pools.iter().map(|pool| pool.subnet)).collect();
    let pools = families.iter().map(|&family| {
        let mut of_family = requests.iter().filter(|request| family_of(request.subnet.addr()) == family);
        let request = of_family.next();
        if of_family.next().is_some() {
            return Err(Error::SeveralSubnets);
        }
        let subnet = match request {
            Some(request) => {
                check_subnet(request.subnet)?;
                ipam::claim_subnet(request.subnet, &used)?
            }
            None if family == Family::V4 => ipam::next_subnet(&used, host.routes)?,
            None => ipam::next_subnet_v6(host.own_prefix, &used, host.routes)?,
        };
        let gateway = choose_gateway(subnet, request.and_then(|request| request.gateway))?;
        let is_isolated = bridge.mode(family) == GatewayMode::Isolated;
        Ok(Pool { subnet, gateway: Some(gateway).filter(|_| !is_isolated) })
    });
    pools.collect()
}

fn choose_gateway(subnet: IpNet, wish: Option<IpAddr>) -> Result<IpAddr, Error> {
    match wish {
        Some(gateway) if !subnet.contains(&gateway) => Err(Error::GatewayOutside { gateway, subnet }),
        Some(gateway) if ipam::is_reserved(subnet, gateway) => Err(Error::GatewayReserved(gateway)),
        Some(gateway) => Ok(gateway),
        None => Ok(ipam::first_address(subnet)),
    }
}

fn check_subnet(subnet: IpNet) -> Result<(), Error> {
    if subnet.trunc() != subnet {
        return Err(Error::SubnetHostBits { subnet });
    }
    let reason = match subnet {
        IpNet::V4(v4) if v4.prefix_len() < 8 || v4.addr().octets()[0] == 0 => {
            Some("the first octet must not be 0 and the prefix not shorter than /8")
        }
        IpNet::V4(v4) if v4.addr().is_loopback() => Some("127.0.0.0/8 is for loopback only"),
        IpNet::V4(v4) if v4.addr().octets()[0] >= 224 => {
            Some("addresses from 224.0.0.0 on are no host addresses")
        }
        IpNet::V4(_) => None,
        IpNet::V6(v6) => UNUSABLE_V6.into_iter().find_map(|(prefix, reason)| {
            let prefix: Ipv6Net = prefix.parse().expect("a constant");
            (prefix.contains(&v6) || v6.contains(&prefix)).then_some(reason)
        }),
    };
    reason.map_or(Ok(()), |reason| Err(Error::SubnetUnusable { subnet, reason }))
}
