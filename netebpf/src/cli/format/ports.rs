//! Published ports: the column of `ps` and the lines of `port`.

use std::{collections::BTreeMap, net::IpAddr};

use serde::{Deserialize, Serialize};

use super::{Error, compare_naturally, quote::quote};

/// A port of a container, as `GET /containers/json` lists it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(in crate::cli) struct PortMapping {
    /// The container's port.
    #[serde(rename = "PrivatePort")]
    pub(in crate::cli) private_port: u16,
    /// The host's address, if the port is published.
    #[serde(rename = "IP", default, skip_serializing_if = "Option::is_none")]
    pub(in crate::cli) ip: Option<IpAddr>,
    /// The host's port, if the port is published.
    #[serde(rename = "PublicPort", default, skip_serializing_if = "Option::is_none")]
    pub(in crate::cli) public_port: Option<u16>,
    /// `tcp`, `udp` or `sctp`.
    #[serde(rename = "Type")]
    pub(in crate::cli) protocol: String,
}

/// Where a port is published, as `NetworkSettings.Ports` tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::cli) struct Binding {
    /// The host's address.
    pub(in crate::cli) host_ip: String,
    /// The host's port.
    pub(in crate::cli) host_port: String,
}

/// Ports that follow each other and are the same on host and container, or not published.
struct Range<'a> {
    ip: Option<IpAddr>,
    protocol: &'a str,
    first: u16,
    last: u16,
}

/// The column `PORTS`: ranges first, then the ports that have another number on the host.
pub(in crate::cli) fn displayable_ports(ports: &[PortMapping]) -> String {
    let mut ports = ports.to_vec();
    ports.sort();
    let (mut ended, mut open): (Vec<Range<'_>>, Vec<Range<'_>>) = (Vec::new(), Vec::new());
    let mut translated = Vec::new();
    for PortMapping { private_port, ip, public_port, protocol } in &ports {
        if let Some(ip) = ip
            && *public_port != Some(*private_port)
        {
            let host = host_port(&ip.to_string(), &public_port.unwrap_or(0).to_string());
            translated.push(format!("{host}->{private_port}/{protocol}"));
            continue;
        }
        let range = Range { ip: *ip, protocol, first: *private_port, last: *private_port };
        match open.iter_mut().find(|open| open.ip == *ip && open.protocol == protocol) {
            Some(open) if open.last.checked_add(1) == Some(*private_port) => open.last = *private_port,
            Some(open) => ended.push(std::mem::replace(open, range)),
            None => open.push(range),
        }
    }
    let ranges = ended.iter().chain(&open).map(Range::to_text);
    ranges.chain(translated).collect::<Vec<_>>().join(", ")
}

impl Range<'_> {
    fn to_text(&self) -> String {
        let numbers = match (self.first, self.last) {
            (first, last) if first == last => first.to_string(),
            (first, last) => format!("{first}-{last}"),
        };
        let host = self.ip.map(|ip| host_port(&ip.to_string(), &numbers) + "->").unwrap_or_default();
        format!("{host}{numbers}/{}", self.protocol)
    }
}

/// `192.0.2.1:80`, `[2001:db8::1]:80`.
fn host_port(ip: &str, port: &str) -> String {
    if ip.contains(':') { format!("[{ip}]:{port}") } else { format!("{ip}:{port}") }
}

/// The lines of `port`: all published ports (`80/tcp -> 0.0.0.0:8080`), or where one of them (`80`, `80/udp`) is
/// published.
///
/// # Errors
///
/// The port asked for is no port, or not published.
pub(in crate::cli) fn port_lines(
    ports: &BTreeMap<String, Option<Vec<Binding>>>,
    wanted: Option<&str>,
    container: &str,
) -> Result<Vec<String>, Error> {
    let address = |binding: &Binding| host_port(&binding.host_ip, &binding.host_port);
    let mut lines: Vec<String> = match wanted {
        None => {
            let all = ports
                .iter()
                .flat_map(|(port, bindings)| bindings.iter().flatten().map(move |one| (port, one)));
            all.map(|(port, binding)| format!("{port} -> {}", address(binding))).collect()
        }
        Some(wanted) => {
            let bindings = ports.get(&port_key(wanted)?).and_then(Option::as_ref);
            bindings.into_iter().flatten().map(address).collect()
        }
    };
    match wanted {
        Some(port) if lines.is_empty() => {
            Err(Error::NotPublished { port: port.to_owned(), container: container.to_owned() })
        }
        _ => {
            lines.sort_by(|one, other| compare_naturally(one, other));
            Ok(lines)
        }
    }
}

/// `80` as `80/tcp`.
fn port_key(typed: &str) -> Result<String, Error> {
    let (port, protocol) = typed.split_once('/').unwrap_or((typed, ""));
    if port.is_empty() || !port.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(invalid(port, "invalid syntax"));
    }
    port.parse::<u16>().map_err(|_| invalid(port, "value out of range"))?;
    Ok(format!("{port}/{}", if protocol.is_empty() { "tcp" } else { protocol }))
}

fn invalid(port: &str, problem: &'static str) -> Error {
    Error::Port { port: port.to_owned(), quoted: quote(port), problem }
}
