//! Endpoints: whether the wishes for one make sense, and what it is given.

use std::{collections::BTreeSet, net::IpAddr};

use netebpf_common::abi::{Family, Mac};

use super::{Context, Error, NetworkError};
use crate::{
    ipam,
    model::{
        AddressWishes, Driver, Endpoint, EndpointId, EndpointOptionError, EndpointOptions, EndpointSettings,
        Network, Pool, Sandbox, Spec, family_of, joined, local_mac, mac_of,
    },
};

/// All that is wrong with the wishes for an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid endpoint settings:\n{}", joined(.0))]
pub struct InvalidSettings(Vec<InvalidSetting>);

/// One thing that is wrong with the wishes for an endpoint, in Docker's words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
enum InvalidSetting {
    #[error("user-specified IP address is supported on user-defined networks only")]
    AddressOnPredefined,
    #[error("network-scoped aliases are only supported for user-defined networks")]
    AliasOnPredefined,
    #[error("invalid {version} address: {address}")]
    Address { version: &'static str, address: IpAddr },
    #[error("invalid link-local IP address: {0}")]
    NoLinkLocal(IpAddr),
    #[error("no configured subnet contains IP address {0}")]
    Outside(IpAddr),
    #[error("invalid MAC address: {0}, an endpoint needs a unicast address other than 00:00:00:00:00:00")]
    Mac(Mac),
    #[error(transparent)]
    Option(EndpointOptionError),
}

/// Refuses wishes that the network cannot fulfil.
pub(super) fn check(network: &Network, settings: &EndpointSettings) -> Result<(), Error> {
    if network.template.is_some() {
        return Err(NetworkError::JoinConfiguration.into());
    }
    let mut faults = Vec::new();
    if super::is_predefined(&network.name) {
        if settings.wished_addresses().next().is_some() {
            faults.push(InvalidSetting::AddressOnPredefined);
        }
        if settings.aliases.iter().flatten().next().is_some() {
            faults.push(InvalidSetting::AliasOnPredefined);
        }
    }
    faults.extend(settings.addresses.iter().flat_map(|wishes| wrong_addresses(network, wishes)));
    if let Some(mac) = settings.mac.filter(|mac| mac.0[0] & 1 == 1 || mac.0 == [0; 6]) {
        faults.push(InvalidSetting::Mac(mac));
    }
    let options = settings.driver_options.as_ref().map(EndpointOptions::parse);
    if let Some(Err(options)) = options {
        faults.extend(options.into_iter().map(InvalidSetting::Option));
    }
    if faults.is_empty() { Ok(()) } else { Err(InvalidSettings(faults).into()) }
}

/// What is wrong with addresses in themselves, then for the network.
fn wrong_addresses(network: &Network, wishes: &AddressWishes) -> Vec<InvalidSetting> {
    let each = [(Family::V4, "IPv4", wishes.v4), (Family::V6, "IPv6", wishes.v6)];
    let each = each.into_iter().filter_map(|(family, version, wish)| Some((family, version, wish?)));
    let invalid = each.clone().filter_map(|(family, version, address)| {
        let is_wrong = family_of(address) != family || address.is_unspecified();
        is_wrong.then_some(InvalidSetting::Address { version, address })
    });
    let nowhere = wishes.link_local.iter().filter(|address| address.is_unspecified());
    let outside = each.clone().filter_map(|(family, _, address)| {
        let is_inside = network.pool(family).is_some_and(|pool| pool.subnet.contains(&address));
        (!is_inside).then_some(InvalidSetting::Outside(address))
    });
    invalid.chain(nowhere.map(|address| InvalidSetting::NoLinkLocal(*address))).chain(outside).collect()
}

/// An endpoint on a network for a sandbox, with what it wishes or else what is free.
pub(super) fn make(
    spec: &Spec,
    network: &Network,
    settings: &EndpointSettings,
    sandbox: &Sandbox,
    context: &mut Context<'_>,
) -> Result<Endpoint, Error> {
    let id = EndpointId::new(context.random());
    let nothing = Endpoint {
        id,
        network: network.id,
        addresses: Vec::new(),
        mac: Mac([0; 6]),
        interface: String::new(),
    };
    match network.driver {
        Driver::Host | Driver::Null => return Ok(nothing),
        Driver::Bridge => {}
    }
    settings.link_local().iter().try_for_each(|&address| check_link_local(network, address))?;
    let taken = taken(spec, network);
    let addresses = network.pools.iter().map(|pool| {
        match settings.wished_addresses().find(|address| pool.subnet.contains(address)) {
            Some(address) => claim(pool, address, &taken),
            None => ipam::lowest_free(pool, &taken).ok_or_else(|| Error::AddressesExhausted {
                family: pool.family(),
                network: network.name.clone(),
                id: network.id,
            }),
        }
    });
    let addresses = addresses.collect::<Result<Vec<_>, _>>()?;
    let mac = choose_mac(spec, network, settings.mac, &addresses, context)?;
    let interface = choose_interface(network, settings, sandbox)?;
    Ok(Endpoint { addresses, mac, interface, ..nothing })
}

/// An interface has link-local addresses, and those of IPv6 only on a network that speaks it.
fn check_link_local(network: &Network, address: IpAddr) -> Result<(), Error> {
    match address {
        IpAddr::V4(v4) if v4.is_link_local() => Ok(()),
        IpAddr::V6(v6) if v6.is_unicast_link_local() => match network.pool(Family::V6) {
            Some(_) => Ok(()),
            None => Err(Error::NoIpv6 { address, network: network.name.clone() }),
        },
        IpAddr::V4(_) | IpAddr::V6(_) => Err(Error::LinkLocal(address)),
    }
}

/// The wished MAC, or the one that belongs to the first address, or a random one if another endpoint of the network
/// has that already.
fn choose_mac(
    spec: &Spec,
    network: &Network,
    wish: Option<Mac>,
    addresses: &[IpAddr],
    context: &mut Context<'_>,
) -> Result<Mac, Error> {
    let is_taken = |mac: Mac| spec.active_on(network.id).any(|(_, endpoint)| endpoint.mac == mac);
    match (wish, addresses.first().map(|&address| mac_of(network.id.as_bytes(), address))) {
        (Some(mac), _) if is_taken(mac) => Err(Error::MacInUse { mac, network: network.name.clone() }),
        (Some(mac), _) => Ok(mac),
        (None, Some(mac)) if !is_taken(mac) => Ok(mac),
        (None, Some(_) | None) => Ok(local_mac(&context.random())),
    }
}

fn claim(pool: &Pool, address: IpAddr, taken: &BTreeSet<IpAddr>) -> Result<IpAddr, Error> {
    if pool.is_kept(address) || ipam::is_reserved(pool.subnet, address) || taken.contains(&address) {
        return Err(Error::AddressInUse);
    }
    Ok(address)
}

/// The addresses that active sandboxes have on a network.
fn taken(spec: &Spec, network: &Network) -> BTreeSet<IpAddr> {
    spec.active_on(network.id).flat_map(|(_, endpoint)| endpoint.addresses.iter().copied()).collect()
}

/// The wished name, or `eth<n>` with the lowest free n, as Docker names interfaces; a network may have another prefix.
fn choose_interface(
    network: &Network,
    settings: &EndpointSettings,
    sandbox: &Sandbox,
) -> Result<String, Error> {
    let is_free = |name: &String| sandbox.endpoints().all(|other| other.interface != *name);
    if let Some(name) = &settings.options.interface {
        return if is_free(name) { Ok(name.clone()) } else { Err(Error::InterfaceInUse(name.clone())) };
    }
    let mut names =
        (0..=sandbox.attachments.len()).map(|n| format!("{}{n}", network.bridge.interface_prefix()));
    Ok(names.find(is_free).expect("n endpoints cannot take n + 1 names"))
}
