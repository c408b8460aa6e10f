//! The default network as directives describe it.

use std::{
    fmt::Display,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use ipnet::IpNet;
use netebpf_common::abi::Family;

use super::{Directives, Fault};
use crate::{
    ipam::{self, PoolRequest},
    model::{AddressChoice, BridgeOptions, DefaultBridge},
};

/// Stands for no default network.
const NO_DEVICE: &str = "none";

/// The shortest MTU that IPv6 can do with, in bytes (RFC 8200, 5).
const MIN_MTU_V6: i64 = 1280;

/// The directives about addresses of one IP version.
struct Names {
    address: &'static str,
    range: &'static str,
    gateway: &'static str,
}

const fn names(family: Family) -> Names {
    match family {
        Family::V4 => Names { address: "bip", range: "fixed-cidr", gateway: "default-gateway" },
        Family::V6 => Names { address: "bip6", range: "fixed-cidr-v6", gateway: "default-gateway-v6" },
    }
}

impl Directives {
    /// The default network; `None` if there is to be none.
    pub(super) fn default_bridge(&self) -> Result<Option<DefaultBridge>, Fault> {
        let choices = self.choices();
        for (family, choice) in &choices {
            if !self.bridge.is_empty() && choice.address.is_some() {
                return Err(Fault::BridgeAndAddress(names(*family).address));
            }
        }
        if self.bridge == NO_DEVICE {
            return Ok(None);
        }
        let [v4, v6] = choices;
        check_addresses(v4)?;
        check_link_local(v6.1)?;
        // As with Docker, addresses of IPv6 are passed over where there is to be none.
        if self.ipv6 {
            check_addresses(v6)?;
        }
        Ok(Some(DefaultBridge {
            v4: v4.1,
            v6: self.ipv6.then_some(v6.1),
            mtu: self.checked_mtu()?,
            icc: self.icc,
            masquerade: self.ip_masq,
            host_binding: self.ip.0.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
            is_users: !self.bridge.is_empty(),
            ..DefaultBridge::on(self.device()?)
        }))
    }

    fn choices(&self) -> [(Family, AddressChoice); 2] {
        let v4 = AddressChoice {
            address: self.bip.0.map(IpNet::V4),
            range: self.fixed_cidr.0.map(|range| IpNet::V4(range.trunc())),
            gateway: self.default_gateway.0.map(IpAddr::V4),
        };
        let v6 = AddressChoice {
            address: self.bip6.0.map(IpNet::V6),
            range: self.fixed_cidr_v6.0.map(|range| IpNet::V6(range.trunc())),
            gateway: self.default_gateway_v6.0.map(IpAddr::V6),
        };
        [(Family::V4, v4), (Family::V6, v6)]
    }

    fn device(&self) -> Result<String, Fault> {
        if self.bridge.is_empty() {
            return Ok(DefaultBridge::OWN_DEVICE.to_owned());
        }
        let option = ("com.docker.network.bridge.name".to_owned(), self.bridge.clone());
        BridgeOptions::parse(&[option].into()).map(|_| self.bridge.clone()).map_err(|_| {
            let reason = "a device's name has 1 to 15 characters, without space, slash and colon; none stands for no \
                          default network";
            refused("bridge", &self.bridge, reason)
        })
    }

    fn checked_mtu(&self) -> Result<u32, Fault> {
        match u32::try_from(self.mtu) {
            Ok(1..68 | 65_536..) | Err(_) => Err(Fault::Mtu(self.mtu)),
            Ok(1..) if self.ipv6 && self.mtu < MIN_MTU_V6 => Err(Fault::MtuV6(self.mtu)),
            Ok(mtu) => Ok(mtu),
        }
    }
}

/// Refuses addresses that do not fit together, as far as that can be told before the subnet is chosen.
fn check_addresses((family, choice): (Family, AddressChoice)) -> Result<(), Fault> {
    let names = names(family);
    let Some(subnet) = choice.subnet() else { return Ok(()) };
    let (said_by, said) = match (choice.address, choice.range) {
        (Some(address), _) => (names.address, address),
        (None, range) => (names.range, range.unwrap_or(subnet)),
    };
    let request = PoolRequest { subnet: subnet.to_string(), ..PoolRequest::default() };
    ipam::read_pools(&[request], true).map_err(|invalid| refused(said_by, said, &invalid.reasons()))?;
    if said.addr().is_multicast() {
        return Err(refused(said_by, said, &format!("multicast subnet '{said}' is not allowed")));
    }
    if let Some(address) = choice.address
        && ipam::is_reserved(subnet, address.addr())
    {
        let reason = "this address stands for the subnet itself, the bridge needs another one of it";
        return Err(refused(names.address, address, reason));
    }
    if let Some(range) = choice.range
        && !subnet.contains(&range)
    {
        let reason = format!("it must lie within {subnet}, the subnet of {}", names.address);
        return Err(refused(names.range, range, &reason));
    }
    match choice.gateway {
        Some(gateway) if !subnet.contains(&gateway) => {
            Err(Fault::GatewayOutside { directive: names.gateway, gateway, subnet })
        }
        Some(gateway) if choice.address.is_some_and(|address| address.addr() == gateway) => {
            let reason = "the bridge has this address; leave it out, or name another host's";
            Err(refused(names.gateway, gateway, reason))
        }
        Some(gateway) if ipam::is_reserved(subnet, gateway) => {
            Err(refused(names.gateway, gateway, "no host can have this address"))
        }
        Some(_) | None => Ok(()),
    }
}

/// Refuses part of the subnet that every link has by itself: its addresses would have two prefix lengths. All of it may
/// be shared.
fn check_link_local(choice: AddressChoice) -> Result<(), Fault> {
    let link_local = IpNet::new_assert(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0).into(), 64);
    let names = names(Family::V6);
    for (directive, net) in [(names.address, choice.address), (names.range, choice.range)] {
        if let Some(net) = net
            && net.trunc() != link_local
            && ipam::overlap(net, link_local)
        {
            let reason = format!("'{net}' clashes with the Link-Local prefix '{link_local}'");
            return Err(refused(directive, net, &reason));
        }
    }
    Ok(())
}

fn refused(directive: &'static str, value: impl Display, reason: &str) -> Fault {
    Fault::Refused { directive, value: value.to_string(), reason: reason.to_owned() }
}
