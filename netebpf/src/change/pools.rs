//! Which subnets and gateways a new network gets.

use std::net::IpAddr;

use ipnet::IpNet;
use netebpf_common::abi::Family;

use super::{Error, HostView};
use crate::{
    ipam::{self, PoolWish},
    model::{BridgeOptions, GatewayMode, Pool, Spec, family_of},
};

/// Returns a pool for each of the IP versions.
pub(super) fn choose(
    spec: &Spec,
    families: &[Family],
    wishes: &[PoolWish],
    bridge: &BridgeOptions,
    host: &HostView<'_>,
) -> Result<Vec<Pool>, Error> {
    let used: Vec<IpNet> =
        spec.networks.values().flat_map(|network| network.pools.iter().map(|pool| pool.subnet)).collect();
    let pools = families.iter().map(|&family| {
        let mut of_family = wishes.iter().filter(|wish| family_of(wish.subnet.addr()) == family);
        let wish = of_family.next();
        if of_family.next().is_some() {
            return Err(Error::SeveralSubnets);
        }
        let subnet = choose_subnet(family, wish, host, &used)?;
        let is_isolated = bridge.mode(family) == GatewayMode::Isolated;
        make_pool(subnet, wish, is_isolated)
    });
    pools.collect()
}

fn choose_subnet(
    family: Family,
    wish: Option<&PoolWish>,
    host: &HostView<'_>,
    used: &[IpNet],
) -> Result<IpNet, ipam::PoolError> {
    match wish.map(|wish| wish.subnet) {
        Some(subnet) if !ipam::is_any(subnet) => ipam::claim_subnet(subnet, used),
        any => ipam::next_subnet(family, any.map(|any| any.prefix_len()), &host.subnets, used),
    }
}

/// Gives out the addresses of the host and of names; the host comes first.
fn make_pool(subnet: IpNet, wish: Option<&PoolWish>, is_isolated: bool) -> Result<Pool, Error> {
    let Some(wish) = wish else {
        let gateway = choose_gateway(subnet, None, None)?;
        return Ok(Pool::new(subnet, Some(gateway).filter(|_| !is_isolated)));
    };
    let gateway = choose_gateway(subnet, wish.ip_range, wish.gateway)?;
    let mut pool =
        Pool { ip_range: wish.ip_range, ..Pool::new(subnet, Some(gateway).filter(|_| !is_isolated)) };
    for (name, &address) in &wish.auxiliary {
        if ipam::is_reserved(subnet, address) || pool.is_kept(address) {
            return Err(Error::AuxiliaryInUse { name: name.clone(), address });
        }
        pool.auxiliary.insert(name.clone(), address);
    }
    Ok(pool)
}

fn choose_gateway(subnet: IpNet, range: Option<IpNet>, wish: Option<IpAddr>) -> Result<IpAddr, Error> {
    match wish {
        Some(gateway) if ipam::is_reserved(subnet, gateway) => Err(Error::GatewayReserved(gateway)),
        Some(gateway) => Ok(gateway),
        None => Ok(ipam::first_address(subnet, range)),
    }
}
