//! Creating and removing networks.

use std::{collections::BTreeMap, net::IpAddr};

use ipnet::IpNet;

use super::{Context, Error, find_network};
use crate::{
    ipam,
    model::{Name, Network, NetworkId, Pool, Spec},
};

const ENABLE_ICC: &str = "com.docker.network.bridge.enable_icc";

/// What a user wants of a new network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkRequest {
    /// Name.
    pub name: Name,
    /// Subnet; `None` for the next free one.
    pub subnet: Option<IpNet>,
    /// Gateway; `None` for the subnet's first address.
    pub gateway: Option<IpAddr>,
    /// Whether nothing leaves the network.
    pub internal: bool,
    /// Driver options by name.
    pub options: BTreeMap<String, String>,
    /// Labels.
    pub labels: BTreeMap<String, String>,
}

/// Adds a network.
pub fn create_network(
    spec: &mut Spec,
    request: NetworkRequest,
    context: &mut Context<'_>,
) -> Result<NetworkId, Error> {
    if spec.networks.values().any(|network| network.name == request.name) {
        return Err(Error::NetworkExists(request.name));
    }
    let icc = read_options(&request.options)?;
    let pool = choose_pool(spec, &request, context)?;
    let id = NetworkId::new(context.random());
    let network = Network {
        id,
        name: request.name,
        created: context.now,
        pools: vec![pool],
        icc,
        internal: request.internal,
        options: request.options,
        labels: request.labels,
    };
    spec.networks.insert(id, network);
    Ok(id)
}

/// Removes a network without active endpoints; exited sandboxes forget it.
pub fn remove_network(spec: &mut Spec, reference: &str) -> Result<NetworkId, Error> {
    let network = find_network(spec, reference)?;
    let id = network.id;
    let active =
        spec.sandboxes.values().filter(|sandbox| sandbox.is_active() && sandbox.endpoint_on(id).is_some());
    let endpoints: Vec<_> = active.map(|sandbox| (sandbox.name.clone(), sandbox.id)).collect();
    if !endpoints.is_empty() {
        return Err(Error::NetworkInUse { network: network.name.clone(), endpoints });
    }
    for sandbox in spec.sandboxes.values_mut() {
        sandbox.endpoints.retain(|endpoint| endpoint.network != id);
    }
    spec.networks.remove(&id);
    Ok(id)
}

/// Returns whether ICC is on. Options of other makers are kept as they are; Docker's must be understood.
fn read_options(options: &BTreeMap<String, String>) -> Result<bool, Error> {
    let mut icc = true;
    for (option, value) in options.iter().filter(|(option, _)| option.starts_with("com.docker.network.")) {
        if option != ENABLE_ICC {
            return Err(Error::OptionUnsupported(option.clone()));
        }
        icc = parse_bool(value)
            .ok_or_else(|| Error::OptionValue { option: option.clone(), value: value.clone() })?;
    }
    Ok(icc)
}

/// The spellings that Go's `strconv.ParseBool` takes.
fn parse_bool(value: &str) -> Option<bool> {
    match value {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}

fn choose_pool(spec: &Spec, request: &NetworkRequest, context: &Context<'_>) -> Result<Pool, Error> {
    let used: Vec<IpNet> =
        spec.networks.values().flat_map(|network| network.pools.iter().map(|pool| pool.subnet)).collect();
    let subnet = match request.subnet {
        Some(subnet) => {
            check_subnet(subnet)?;
            ipam::claim_subnet(subnet, &used)?
        }
        None => match request.gateway {
            Some(gateway) => return Err(Error::GatewayWithoutSubnet(gateway)),
            None => ipam::next_subnet(&used, context.host_routes)?,
        },
    };
    let gateway = match request.gateway {
        Some(gateway) if !subnet.contains(&gateway) => return Err(Error::GatewayOutside { gateway, subnet }),
        Some(gateway) if ipam::is_reserved(subnet, gateway) => return Err(Error::GatewayReserved(gateway)),
        Some(gateway) => gateway,
        None => ipam::first_address(subnet),
    };
    Ok(Pool { subnet, gateway })
}

fn check_subnet(subnet: IpNet) -> Result<(), Error> {
    let unusable = |reason| Err(Error::SubnetUnusable { subnet, reason });
    if subnet.trunc() != subnet {
        return Err(Error::SubnetHostBits { subnet });
    }
    match subnet.addr() {
        IpAddr::V6(_) => unusable("IPv6 networks are not supported yet, use an IPv4 subnet"),
        IpAddr::V4(first) if subnet.prefix_len() < 8 || first.octets()[0] == 0 => {
            unusable("the first octet must not be 0 and the prefix not shorter than /8")
        }
        IpAddr::V4(first) if first.is_loopback() => unusable("127.0.0.0/8 is for loopback only"),
        IpAddr::V4(first) if first.octets()[0] >= 224 => {
            unusable("addresses from 224.0.0.0 on are no host addresses")
        }
        IpAddr::V4(_) => Ok(()),
    }
}
