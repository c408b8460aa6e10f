//! Which range, gateway and auxiliary addresses belong to which subnet: told by containment, as by Docker's command line.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::{
    cli::{Error, args::PoolArgs},
    frontend::api::wire::IpamConfig,
};

/// Addresses that do not fit together, in Docker's words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PoolError {
    /// A range or gateway is one too many.
    #[error("every ip-range or gateway must have a corresponding subnet")]
    TooFewSubnets,
    /// A subnet lies in another.
    #[error("multiple overlapping subnet configuration is not supported")]
    Overlapping,
    /// Nothing contains an address.
    #[error("no matching subnet for {kind} {value}")]
    NoSubnet {
        /// What it is.
        kind: &'static str,
        /// As it was given.
        value: String,
    },
    /// Two for one subnet.
    #[error("cannot configure multiple {kind}s ({value}, {first}) {preposition} the same subnet ({subnet})")]
    Several {
        /// What they are.
        kind: &'static str,
        /// The second one.
        value: String,
        /// The first one.
        first: String,
        /// How Docker puts it.
        preposition: &'static str,
        /// The subnet.
        subnet: String,
    },
    /// Text that is no subnet.
    #[error("netip.ParsePrefix({text:?}): {problem}")]
    Subnet {
        /// The text.
        text: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The same, beside other subnets.
    #[error("invalid subnet: invalid CIDR address: {0}")]
    AnotherSubnet(String),
    /// Text that is no address.
    #[error("ParseAddr({0:?}): unable to parse IP")]
    Address(String),
}

/// The pools that the arguments describe.
pub(super) fn join(args: &PoolArgs) -> Result<Vec<IpamConfig>, Error> {
    Ok(Pools::of(args)?.configs)
}

struct Pools {
    subnets: Vec<IpNet>,
    configs: Vec<IpamConfig>,
}

impl Pools {
    fn of(args: &PoolArgs) -> Result<Self, PoolError> {
        let subnets: Vec<_> = args.subnets.iter().filter(|text| !text.is_empty()).collect();
        let ip_ranges: Vec<_> = args.ip_ranges.iter().flatten().collect();
        let gateways: Vec<_> = args.gateways.iter().flatten().collect();
        if subnets.len() < ip_ranges.len().max(gateways.len()) {
            return Err(PoolError::TooFewSubnets);
        }
        let mut pools = Self { subnets: Vec::new(), configs: Vec::new() };
        subnets.into_iter().try_for_each(|subnet| pools.add(subnet))?;
        for range in ip_ranges {
            pools.place(range.addr(), "range", "on", range.to_string(), |config| &mut config.ip_range)?;
        }
        for gateway in gateways {
            pools.place(*gateway, "gateway", "for", gateway.to_string(), |config| &mut config.gateway)?;
        }
        for (name, text) in args.auxiliary.iter().filter(|(_, text)| !text.is_empty()) {
            let address: IpAddr = text.parse().map_err(|_| PoolError::Address(text.clone()))?;
            let place = pools.containing(address);
            let config =
                place.ok_or_else(|| PoolError::NoSubnet { kind: "aux-address", value: text.clone() })?;
            config.auxiliary.get_or_insert_default().insert(name.clone(), text.clone());
        }
        Ok(pools)
    }

    fn add(&mut self, text: &str) -> Result<(), PoolError> {
        let is_first = self.subnets.is_empty();
        let subnet = parse_subnet(text).map_err(|problem| {
            let text = text.to_owned();
            if is_first { PoolError::Subnet { text, problem } } else { PoolError::AnotherSubnet(text) }
        })?;
        let overlaps = |other: &IpNet| other.contains(&subnet.addr()) || subnet.contains(&other.addr());
        if self.subnets.iter().any(overlaps) {
            return Err(PoolError::Overlapping);
        }
        self.subnets.push(subnet);
        self.configs.push(IpamConfig { subnet: text.to_owned(), ..IpamConfig::default() });
        Ok(())
    }

    fn containing(&mut self, address: IpAddr) -> Option<&mut IpamConfig> {
        let place = self.subnets.iter().position(|subnet| subnet.contains(&address))?;
        self.configs.get_mut(place)
    }

    fn place(
        &mut self,
        address: IpAddr,
        kind: &'static str,
        preposition: &'static str,
        value: String,
        field: impl FnOnce(&mut IpamConfig) -> &mut String,
    ) -> Result<(), PoolError> {
        let Some(config) = self.containing(address) else { return Err(PoolError::NoSubnet { kind, value }) };
        let subnet = config.subnet.clone();
        let field = field(config);
        if !field.is_empty() {
            return Err(PoolError::Several { kind, value, first: field.clone(), preposition, subnet });
        }
        *field = value;
        Ok(())
    }
}

/// Reads a subnet; what is wrong is said in the words of Go.
fn parse_subnet(text: &str) -> Result<IpNet, String> {
    let (address, length) = text.rsplit_once('/').ok_or("no '/'")?;
    let address: IpAddr = address.parse().map_err(|_| PoolError::Address(address.to_owned()).to_string())?;
    let is_number = length.bytes().all(|byte| byte.is_ascii_digit()) && !length.is_empty();
    if !is_number || length.len() > 1 && length.starts_with('0') {
        return Err(format!("bad bits after slash: {length:?}"));
    }
    let subnet = length.parse().ok().and_then(|length| IpNet::new(address, length).ok());
    subnet.ok_or_else(|| "prefix length out of range".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(subnets: &[&str], ip_ranges: &[&str], gateways: &[&str], auxiliary: &[(&str, &str)]) -> PoolArgs {
        PoolArgs {
            subnets: subnets.iter().map(|text| (*text).to_owned()).collect(),
            ip_ranges: ip_ranges.iter().map(|text| text.parse().ok()).collect(),
            gateways: gateways.iter().map(|text| text.parse().ok()).collect(),
            auxiliary: auxiliary.iter().map(|&(name, text)| (name.to_owned(), text.to_owned())).collect(),
        }
    }

    #[test]
    fn every_address_finds_its_subnet() {
        let args = args(
            &["fd00:1::/64", "192.168.0.0/16"],
            &["192.168.5.0/24"],
            &["192.168.5.254", "fd00:1::fe"],
            &[("a", "192.168.1.5"), ("b", "fd00:1::5")],
        );
        let pools = join(&args).expect("pools");
        assert_eq!((&*pools[0].gateway, &*pools[0].ip_range), ("fd00:1::fe", ""));
        assert_eq!((&*pools[1].gateway, &*pools[1].ip_range), ("192.168.5.254", "192.168.5.0/24"));
        let names =
            |pool: &IpamConfig| pool.auxiliary.clone().unwrap_or_default().into_keys().collect::<Vec<_>>();
        assert_eq!((names(&pools[0]), names(&pools[1])), (vec!["b".to_owned()], vec!["a".to_owned()]));
    }

    #[test]
    fn what_does_not_fit_is_refused_in_dockers_words() {
        let subnet = "192.168.0.0/16";
        for (args, text) in [
            (
                args(&[], &[], &["10.0.0.1"], &[]),
                "every ip-range or gateway must have a corresponding subnet",
            ),
            (
                args(&[subnet, "192.168.1.0/24"], &[], &[], &[]),
                "multiple overlapping subnet configuration is not supported",
            ),
            (args(&[subnet], &["10.0.0.0/24"], &[], &[]), "no matching subnet for range 10.0.0.0/24"),
            (args(&[subnet], &[], &["10.0.0.1"], &[]), "no matching subnet for gateway 10.0.0.1"),
            (args(&[subnet], &[], &[], &[("a", "10.0.0.1")]), "no matching subnet for aux-address 10.0.0.1"),
            (
                args(&[subnet, "10.0.0.0/8"], &["192.168.1.0/24", "192.168.2.0/24"], &[], &[]),
                "cannot configure multiple ranges (192.168.2.0/24, 192.168.1.0/24) on the same subnet (192.168.0.0/16)",
            ),
            (
                args(&[subnet, "10.0.0.0/8"], &[], &["192.168.1.1", "192.168.1.2"], &[]),
                "cannot configure multiple gateways (192.168.1.2, 192.168.1.1) for the same subnet (192.168.0.0/16)",
            ),
            (args(&["x"], &[], &[], &[]), "netip.ParsePrefix(\"x\"): no '/'"),
            (
                args(&["x/24"], &[], &[], &[]),
                "netip.ParsePrefix(\"x/24\"): ParseAddr(\"x\"): unable to parse IP",
            ),
            (
                args(&["10.0.0.0/33"], &[], &[], &[]),
                "netip.ParsePrefix(\"10.0.0.0/33\"): prefix length out of range",
            ),
            (
                args(&["10.0.0.0/+8"], &[], &[], &[]),
                "netip.ParsePrefix(\"10.0.0.0/+8\"): bad bits after slash: \"+8\"",
            ),
            (args(&[subnet, "x"], &[], &[], &[]), "invalid subnet: invalid CIDR address: x"),
            (args(&[subnet], &[], &[], &[("a", "x")]), "ParseAddr(\"x\"): unable to parse IP"),
        ] {
            let error = Pools::of(&args).err().map(|error| error.to_string());
            assert_eq!(error.as_deref(), Some(text));
        }
    }
}
