//! How are the driver options written? As Docker names, reads and refuses them.

use std::{
    collections::BTreeMap,
    net::IpAddr,
    num::{IntErrorKind, ParseIntError},
    str::FromStr,
};

use super::{Announcements, BridgeOptions, OptionError};

/// Start of every option of Docker's; all others are the user's own and are only kept.
pub(super) const PREFIX: &str = "com.docker.network.";

/// The options that are no driver's.
const GENERAL: [&str; 4] = ["enable_ipv4", "enable_ipv6", "advertise_addr_nmsgs", "advertise_addr_ms"];

/// The longest name of a link, in bytes (`IFNAMSIZ` without the final zero).
const MAX_DEVICE: usize = 15;
/// Digits that an interface's number may have.
const MAX_DIGITS: usize = 4;

impl BridgeOptions {
    /// Reads the options of a network. What nobody knows is passed over, as by Docker.
    pub fn parse(options: &BTreeMap<String, String>) -> Result<Self, OptionError> {
        let mut parsed = Self::default();
        for (option, value) in options {
            let Some(name) = option.strip_prefix(PREFIX) else { continue };
            parsed.set(name, Given { option, value })?;
        }
        Ok(parsed)
    }

    /// Reads what is said to the engine, whatever the driver is.
    pub fn parse_general(options: &BTreeMap<String, String>) -> Result<Self, OptionError> {
        let is_general = |option: &str| {
            let name = option.strip_prefix(PREFIX).unwrap_or_default();
            GENERAL.contains(&name)
        };
        let general = options.iter().filter(|(option, _)| is_general(option));
        Self::parse(&general.map(|(option, value)| (option.clone(), value.clone())).collect())
    }

    fn set(&mut self, name: &str, given: Given<'_>) -> Result<(), OptionError> {
        let Given { option, value } = given;
        match name {
            "enable_ipv4" => self.ipv4 = Some(given.switch()?),
            "enable_ipv6" => self.ipv6 = Some(given.switch()?),
            "advertise_addr_nmsgs" => {
                self.announcements.count = Some(Announcements::parse_count(option, value)?);
            }
            "advertise_addr_ms" => {
                self.announcements.interval = Some(Announcements::parse_interval(option, value)?);
            }
            "bridge.enable_icc" => self.icc = given.read(parse_bool)?,
            "bridge.enable_ip_masquerade" => self.masquerade = given.read(parse_bool)?,
            "bridge.gateway_mode_ipv4" => self.mode_v4 = given.read(str::parse)?,
            "bridge.gateway_mode_ipv6" => self.mode_v6 = given.read(str::parse)?,
            "bridge.inhibit_ipv4" => self.inhibits_ipv4 = given.read(parse_bool)?,
            "bridge.host_binding_ipv4" => self.host_binding = given.read(parse_ip::<IpAddr>)?,
            "bridge.trusted_host_interfaces" => {
                let names = value.split(':').filter(|name| !name.is_empty());
                self.trusted_interfaces = names.map(str::to_owned).collect();
            }
            "host_ipv4" => self.source_v4 = Some(given.read(parse_ip)?),
            "host_ipv6" => self.source_v6 = Some(given.read(parse_ip)?),
            "driver.mtu" => self.mtu = given.mtu()?,
            "bridge.name" => self.device = given.name(MAX_DEVICE)?,
            "bridge.default_bridge" => self.is_default = given.read(parse_bool)?,
            "container_iface_prefix" => self.interface_prefix = given.name(MAX_DEVICE - MAX_DIGITS)?,
            _ => {}
        }
        Ok(())
    }
}

/// An option with its value, as given.
#[derive(Clone, Copy)]
struct Given<'a> {
    option: &'a str,
    value: &'a str,
}

impl Given<'_> {
    fn read<T>(self, parse: impl FnOnce(&str) -> Result<T, String>) -> Result<T, OptionError> {
        let Self { option, value } = self;
        let refused =
            |reason| OptionError::Value { option: option.to_owned(), value: value.to_owned(), reason };
        parse(value).map_err(refused)
    }

    fn switch(self) -> Result<bool, OptionError> {
        parse_bool(self.value).map_err(|_| OptionError::Switch(self.option.to_owned()))
    }

    /// Zero asks for the default.
    fn mtu(self) -> Result<Option<u32>, OptionError> {
        let number: i64 = self.read(parse_number)?;
        match u32::try_from(number) {
            Ok(0) => Ok(None),
            Ok(mtu @ 68..=65_535) => Ok(Some(mtu)),
            Err(_) if number < 0 => Err(OptionError::NegativeMtu(number)),
            Ok(_) | Err(_) => Err(OptionError::Mtu(number)),
        }
    }

    /// A link's name, or the beginning of one, as the kernel takes it; empty for none.
    fn name(self, longest: usize) -> Result<Option<String>, OptionError> {
        let name = self.read(|value| check_name(value, longest))?;
        Ok((!name.is_empty()).then_some(name))
    }
}

/// Reads `true`, `1`, `f` and the other spellings of Go's `strconv.ParseBool`, or complains as that does.
pub fn parse_bool(value: &str) -> Result<bool, String> {
    match value {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err(format!("strconv.ParseBool: parsing {value:?}: invalid syntax")),
    }
}

/// The complaint is that of Go's `strconv.Atoi`.
fn parse_number(value: &str) -> Result<i64, String> {
    let complaint = |error: ParseIntError| {
        let is_number = matches!(error.kind(), IntErrorKind::PosOverflow | IntErrorKind::NegOverflow);
        if is_number { "value out of range" } else { "invalid syntax" }
    };
    value.parse().map_err(|error| format!("strconv.Atoi: parsing {value:?}: {}", complaint(error)))
}

/// An address of the wanted kind; the complaint is Docker's.
fn parse_ip<T: FromStr>(value: &str) -> Result<T, String> {
    value.parse().map_err(|_| "nil ip".to_owned())
}

fn check_name(value: &str, longest: usize) -> Result<String, String> {
    let is_plain = |c: char| c.is_ascii_graphic() && !matches!(c, '/' | ':');
    if value.len() > longest || !value.chars().all(is_plain) || matches!(value, "." | "..") {
        return Err(format!(
            "a link's name has at most {longest} characters, without space, slash and colon"
        ));
    }
    Ok(value.to_owned())
}
