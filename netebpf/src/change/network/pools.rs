//! Which subnets and gateways a new network gets.

use std::net::{IpAddr, Ipv6Addr};

use ipnet::{IpNet, Ipv6Net};
use netebpf_common::abi::Family;

use super::NetworkError;
use crate::{
    change::{Error, HostView},
    ipam,
    model::{GatewayMode, Network, Pool, PoolWish, Spec, family_of},
};

/// Every link has addresses of this prefix (RFC 4291, 2.5.6).
const LINK_LOCAL: Ipv6Net = Ipv6Net::new_assert(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0), 64);

/// Returns a pool for each of the IP versions.
pub(super) fn choose(
    spec: &Spec,
    network: &Network,
    families: &[Family],
    wishes: &[PoolWish],
    host: &HostView<'_>,
) -> Result<Vec<Pool>, Error> {
    let used: Vec<&Pool> = spec.networks.values().flat_map(|network| &network.pools).collect();
    let pools = families.iter().map(|&family| {
        let mut of_family = wishes.iter().filter(|wish| family_of(wish.subnet.addr()) == family);
        let wish = of_family.next();
        if of_family.next().is_some() {
            return Err(NetworkError::SeveralSubnets.into());
        }
        let subnet = choose_subnet(family, wish, host, &used)?;
        Ok(make_pool(network, subnet, wish)?)
    });
    pools.collect()
}

fn choose_subnet(
    family: Family,
    wish: Option<&PoolWish>,
    host: &HostView<'_>,
    used: &[&Pool],
) -> Result<IpNet, Error> {
    let length = match wish {
        Some(wish) if !ipam::is_any(wish.subnet) => {
            return Ok(ipam::claim_subnet(wish.subnet, wish.ip_range, used)?);
        }
        Some(PoolWish { ip_range: Some(range), .. }) => return Err(NetworkError::RangeOfAny(*range).into()),
        Some(any) => Some(any.subnet.prefix_len()).filter(|length| *length > 0),
        None => None,
    };
    let used: Vec<_> = used.iter().map(|pool| pool.subnet).collect();
    Ok(ipam::next_subnet(family, length, &host.subnets, &used)?)
}

/// Gives out the addresses of the host and of names; the host comes first.
fn make_pool(network: &Network, subnet: IpNet, wish: Option<&PoolWish>) -> Result<Pool, NetworkError> {
    let ip_range = wish.and_then(|wish| wish.ip_range);
    let gateway = choose_gateway(network, subnet, ip_range, wish.and_then(|wish| wish.gateway))?;
    let mut pool = Pool { ip_range, is_named: wish.is_some(), ..Pool::new(subnet, gateway) };
    for (name, &address) in wish.into_iter().flat_map(|wish| &wish.auxiliary) {
        if !subnet.contains(&address) {
            return Err(NetworkError::AuxiliaryOutside { name: name.clone(), address, subnet });
        }
        if ipam::is_reserved(subnet, address) || pool.is_kept(address) {
            return Err(NetworkError::AuxiliaryInUse { name: name.clone(), address });
        }
        pool.auxiliary.insert(name.clone(), address);
    }
    if network.internal && pool.family() == Family::V4 && pool.chosen_gateway().is_some() {
        return Err(NetworkError::InternalGateway);
    }
    check_v6(&pool)?;
    Ok(pool)
}

/// The host's address. Where the host keeps out of the network, none is kept for it unless the user names one.
fn choose_gateway(
    network: &Network,
    subnet: IpNet,
    range: Option<IpNet>,
    wish: Option<IpAddr>,
) -> Result<Option<IpAddr>, NetworkError> {
    let family = family_of(subnet.addr());
    let is_inhibited = family == Family::V4 && network.bridge.inhibits_ipv4 && network.internal;
    match wish {
        Some(gateway) if !subnet.contains(&gateway) => Err(NetworkError::GatewayOutside(gateway)),
        Some(gateway) if ipam::is_reserved(subnet, gateway) => Err(NetworkError::GatewayReserved(gateway)),
        Some(gateway) => Ok(Some(gateway)),
        None if is_inhibited || network.bridge.mode(family) == GatewayMode::Isolated => Ok(None),
        None => ipam::first_address(subnet, range).map(Some).ok_or(NetworkError::NoGateway),
    }
}

/// Refuses what is no subnet for a bridge.
fn check_v6(pool: &Pool) -> Result<(), NetworkError> {
    let IpNet::V6(subnet) = pool.subnet else { return Ok(()) };
    let address = pool.with_prefix(pool.gateway.unwrap_or(subnet.addr().into()));
    if subnet.addr().is_multicast() {
        Err(NetworkError::Multicast(address))
    } else if subnet != LINK_LOCAL && ipam::overlap(subnet.into(), LINK_LOCAL.into()) {
        Err(NetworkError::LinkLocal(address))
    } else {
        Ok(())
    }
}
