//! How a network's bridge behaves: the driver options, as Docker names, reads and refuses them.

use std::{
    collections::BTreeMap,
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

use netebpf_common::abi::Family;

/// Start of every option of Docker's; others are labels that the engine only keeps.
const PREFIX: &str = "com.docker.network.";

/// The options of a network, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BridgeOptions {
    /// Whether it has IPv4 addresses; a request's own flag comes before it.
    pub ipv4: Option<bool>,
    /// Whether it has IPv6 addresses; a request's own flag comes before it.
    pub ipv6: Option<bool>,
    /// Whether endpoints may talk to each other.
    pub icc: bool,
    /// Whether what leaves the network comes as an address of the host.
    pub masquerade: bool,
    /// How the outside is reached, and reaches in, by IPv4.
    pub mode_v4: GatewayMode,
    /// The same by IPv6.
    pub mode_v6: GatewayMode,
    /// The host address of ports that are published without one; the IPv4 wildcard stands for both IP versions.
    pub host_binding: IpAddr,
    /// Names of the host's devices whose packets may go to endpoints directly.
    pub trusted_interfaces: Vec<String>,
    /// The host address that the network's IPv4 packets leave with.
    pub source_v4: Option<Ipv4Addr>,
    /// The same for IPv6.
    pub source_v6: Option<Ipv6Addr>,
    /// The longest packet, in bytes; `None` for the kernel's default.
    pub mtu: Option<u32>,
    /// The name of the bridge device, if the user chose one.
    pub device: Option<String>,
    /// What interfaces in sandboxes are called before their number.
    pub interface_prefix: String,
    /// Whether it is the network that sandboxes join when nobody says which.
    pub is_default: bool,
}

/// What stands between a network and the outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum GatewayMode {
    /// Address translation; only published ports are open.
    #[default]
    Nat,
    /// Address translation; every port is open at the endpoint's own address.
    NatUnprotected,
    /// No address translation; published ports are open at the endpoint's own address.
    Routed,
    /// The host has no address in the network.
    Isolated,
}

/// An option that cannot be had, in Docker's words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OptionError {
    /// An option of Docker's that is not implemented.
    #[error("invalid network option {0}: it is not supported yet, remove it or use Docker for this network")]
    Unsupported(String),
    /// The value is not of the option's kind.
    #[error("failed to parse {option} value: {value} ({reason})")]
    Value {
        /// The option.
        option: String,
        /// The value as given.
        value: String,
        /// What is wrong with it.
        reason: String,
    },
    /// No packet has this length.
    #[error("invalid MTU number: {0}, it must be 0 for the default, or from 68 to 65535")]
    Mtu(i64),
    /// IPv6 needs longer packets (RFC 8200, 5).
    #[error("invalid MTU number: {0}, a network with IPv6 needs at least 1280")]
    MtuV6(u32),
    /// The mode would cut off a network that is not to be.
    #[error("gateway mode 'isolated' can only be used for an internal network")]
    Isolated,
}

impl Default for BridgeOptions {
    fn default() -> Self {
        Self {
            ipv4: None,
            ipv6: None,
            icc: true,
            masquerade: true,
            mode_v4: GatewayMode::Nat,
            mode_v6: GatewayMode::Nat,
            host_binding: Ipv4Addr::UNSPECIFIED.into(),
            trusted_interfaces: Vec::new(),
            source_v4: None,
            source_v6: None,
            mtu: None,
            device: None,
            interface_prefix: "eth".to_owned(),
            is_default: false,
        }
    }
}

impl BridgeOptions {
    /// Reads the options of a network. Those of other makers are passed over; Docker's must be understood.
    pub fn parse(options: &BTreeMap<String, String>) -> Result<Self, OptionError> {
        let mut parsed = Self::default();
        for (option, value) in options {
            if let Some(name) = option.strip_prefix(PREFIX) {
                parsed.set(name, value).map_err(|refusal| match refusal {
                    Refusal::Unknown => OptionError::Unsupported(option.clone()),
                    Refusal::Mtu(number) => OptionError::Mtu(number),
                    Refusal::Value(reason) => {
                        OptionError::Value { option: option.clone(), value: value.clone(), reason }
                    }
                })?;
            }
        }
        Ok(parsed)
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), Refusal> {
        match name {
            "enable_ipv4" => self.ipv4 = Some(parse_bool(value)?),
            "enable_ipv6" => self.ipv6 = Some(parse_bool(value)?),
            "bridge.enable_icc" => self.icc = parse_bool(value)?,
            "bridge.enable_ip_masquerade" => self.masquerade = parse_bool(value)?,
            "bridge.gateway_mode_ipv4" => self.mode_v4 = value.parse().map_err(Refusal::Value)?,
            "bridge.gateway_mode_ipv6" => self.mode_v6 = value.parse().map_err(Refusal::Value)?,
            "bridge.host_binding_ipv4" => self.host_binding = parse_ip(value)?,
            "bridge.trusted_host_interfaces" => {
                let names = value.split(':').filter(|name| !name.is_empty());
                self.trusted_interfaces = names.map(str::to_owned).collect();
            }
            "host_ipv4" => self.source_v4 = Some(parse_ip(value)?),
            "host_ipv6" => self.source_v6 = Some(parse_ip(value)?),
            "driver.mtu" => self.mtu = parse_mtu(value)?,
            "bridge.name" => self.device = Some(parse_device(value)?).filter(|name| !name.is_empty()),
            "bridge.default_bridge" => self.is_default = parse_bool(value)?,
            "container_iface_prefix" => self.interface_prefix = parse_prefix(value)?,
            _ => return Err(Refusal::Unknown),
        }
        Ok(())
    }

    /// The gateway mode for an IP version.
    #[must_use]
    pub const fn mode(&self, family: Family) -> GatewayMode {
        match family {
            Family::V4 => self.mode_v4,
            Family::V6 => self.mode_v6,
        }
    }

    /// The fixed host address that packets of an IP version leave with.
    #[must_use]
    pub fn source(&self, family: Family) -> Option<IpAddr> {
        match family {
            Family::V4 => self.source_v4.map(IpAddr::V4),
            Family::V6 => self.source_v6.map(IpAddr::V6),
        }
    }
}

/// Why a value is refused; the option is known to the caller.
enum Refusal {
    Unknown,
    Mtu(i64),
    Value(String),
}

impl FromStr for GatewayMode {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "" | "nat" => Ok(Self::Nat),
            "nat-unprotected" => Ok(Self::NatUnprotected),
            "routed" => Ok(Self::Routed),
            "isolated" => Ok(Self::Isolated),
            _ => Err(format!("unknown gateway mode {text}")),
        }
    }
}

impl fmt::Display for GatewayMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nat => "nat",
            Self::NatUnprotected => "nat-unprotected",
            Self::Routed => "routed",
            Self::Isolated => "isolated",
        })
    }
}

/// The spellings, and the complaint, of Go's `strconv.ParseBool`.
fn parse_bool(value: &str) -> Result<bool, Refusal> {
    match value {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err(Refusal::Value(format!("strconv.ParseBool: parsing {value:?}: invalid syntax"))),
    }
}

/// An address of the wanted kind; the complaint is Docker's.
fn parse_ip<T: FromStr>(value: &str) -> Result<T, Refusal> {
    value.parse().map_err(|_| Refusal::Value("nil ip".to_owned()))
}

/// Zero asks for the default; the complaint is that of Go's `strconv.Atoi`.
fn parse_mtu(value: &str) -> Result<Option<u32>, Refusal> {
    let complaint = |_| Refusal::Value(format!("strconv.Atoi: parsing {value:?}: invalid syntax"));
    let number: i64 = value.parse().map_err(complaint)?;
    match u32::try_from(number) {
        Ok(0) => Ok(None),
        Ok(mtu @ 68..=65_535) => Ok(Some(mtu)),
        Ok(_) | Err(_) => Err(Refusal::Mtu(number)),
    }
}

/// A link's name as the kernel takes it, at most 15 bytes (`IFNAMSIZ`); empty for none.
fn parse_device(value: &str) -> Result<String, Refusal> {
    check_device(value, MAX_DEVICE)
}

/// The beginning of a link's name, with room for a number.
fn parse_prefix(value: &str) -> Result<String, Refusal> {
    if value.is_empty() {
        return Err(Refusal::Value("a prefix has at least one character".to_owned()));
    }
    check_device(value, MAX_DEVICE - MAX_DIGITS)
}

const MAX_DEVICE: usize = 15;
const MAX_DIGITS: usize = 4;

fn check_device(value: &str, longest: usize) -> Result<String, Refusal> {
    let is_plain = |c: char| c.is_ascii_graphic() && !matches!(c, '/' | ':');
    if value.len() > longest || !value.chars().all(is_plain) || matches!(value, "." | "..") {
        let reason =
            format!("a link's name has at most {longest} characters, without space, slash and colon");
        return Err(Refusal::Value(reason));
    }
    Ok(value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(option: &str, value: &str) -> Result<BridgeOptions, String> {
        let options = BTreeMap::from([(format!("{PREFIX}{option}"), value.to_owned())]);
        BridgeOptions::parse(&options).map_err(|error| error.to_string())
    }

    #[test]
    fn every_option_is_understood() {
        let none = BridgeOptions::default();
        for (option, value, wanted) in [
            ("bridge.enable_icc", "false", BridgeOptions { icc: false, ..none.clone() }),
            ("bridge.enable_ip_masquerade", "0", BridgeOptions { masquerade: false, ..none.clone() }),
            ("bridge.gateway_mode_ipv4", "", none.clone()),
            (
                "bridge.gateway_mode_ipv4",
                "routed",
                BridgeOptions { mode_v4: GatewayMode::Routed, ..none.clone() },
            ),
            (
                "bridge.gateway_mode_ipv6",
                "nat-unprotected",
                BridgeOptions { mode_v6: GatewayMode::NatUnprotected, ..none.clone() },
            ),
            (
                "bridge.host_binding_ipv4",
                "::",
                BridgeOptions { host_binding: Ipv6Addr::UNSPECIFIED.into(), ..none.clone() },
            ),
            (
                "bridge.trusted_host_interfaces",
                "eth1::wg0",
                BridgeOptions {
                    trusted_interfaces: vec!["eth1".to_owned(), "wg0".to_owned()],
                    ..none.clone()
                },
            ),
            (
                "host_ipv4",
                "192.0.2.7",
                BridgeOptions { source_v4: Some([192, 0, 2, 7].into()), ..none.clone() },
            ),
            ("driver.mtu", "1400", BridgeOptions { mtu: Some(1400), ..none.clone() }),
            ("driver.mtu", "0", none.clone()),
            ("enable_ipv6", "true", BridgeOptions { ipv6: Some(true), ..none.clone() }),
            ("bridge.name", "lan0", BridgeOptions { device: Some("lan0".to_owned()), ..none.clone() }),
            ("bridge.name", "", none.clone()),
            (
                "container_iface_prefix",
                "net",
                BridgeOptions { interface_prefix: "net".to_owned(), ..none.clone() },
            ),
        ] {
            assert_eq!(parse(option, value), Ok(wanted), "{option}={value}");
        }
        let theirs = BTreeMap::from([("org.example.key".to_owned(), "any".to_owned())]);
        assert_eq!(BridgeOptions::parse(&theirs), Ok(none));
    }

    #[test]
    fn nonsense_is_refused_with_dockers_text() {
        for (option, value, text) in [
            (
                "bridge.enable_icc",
                "no",
                "failed to parse com.docker.network.bridge.enable_icc value: no \
                 (strconv.ParseBool: parsing \"no\": invalid syntax)",
            ),
            ("bridge.gateway_mode_ipv4", "x", "unknown gateway mode x"),
            ("bridge.host_binding_ipv4", "x", "(nil ip)"),
            ("host_ipv4", "::1", "(nil ip)"),
            ("host_ipv6", "192.0.2.1", "(nil ip)"),
            (
                "driver.mtu",
                "x",
                "failed to parse com.docker.network.driver.mtu value: x (strconv.Atoi: parsing \"x\"",
            ),
            ("driver.mtu", "-1", "invalid MTU number: -1"),
            ("driver.mtu", "65536", "invalid MTU number: 65536"),
            ("bridge.name", "sixteen-letters-", "at most 15 characters"),
            ("bridge.name", "a/b", "without space, slash and colon"),
            ("container_iface_prefix", "", "at least one character"),
            ("container_iface_prefix", "twelve-chars", "at most 11 characters"),
            ("bridge.inhibit_ipv4", "true", "invalid network option com.docker.network.bridge.inhibit_ipv4"),
        ] {
            let error = parse(option, value).expect_err(text);
            assert!(error.contains(text), "{option}={value} gave {error:?}");
        }
    }
}
