//! What is known about a name, and what becomes of one that is not: Docker's table.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use hickory_server::proto::rr::RecordType;
use netebpf_common::abi::Family;

use super::directory::Client;
use crate::compile::names::{Found, View, Zone};

/// What the server says to a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decision<'a> {
    /// The addresses of a name, of one IP version; there may be none of it.
    Addresses(Found<'a>, Family),
    /// The name is known; there are no records of the type.
    Nothing(Found<'a>),
    /// The name of an address, and its network.
    Pointer(&'a str, &'a Zone),
    /// A name of one part that no network knows, and nobody else is asked about.
    SingleLabel,
    /// Other servers are asked.
    Elsewhere,
}

/// Decides about a name in lower case without a dot at its end; `None` if it cannot be one of ours. The type is none if the
/// question is not about the internet.
pub(super) fn decide<'a>(
    view: Option<&'a View>,
    client: &Client,
    name: Option<&str>,
    kind: Option<RecordType>,
) -> Decision<'a> {
    let known = || view?.resolve(name?);
    let family = match kind {
        Some(RecordType::A) => Family::V4,
        Some(RecordType::AAAA) => Family::V6,
        Some(RecordType::MX) => return known().map_or(Decision::Elsewhere, Decision::Nothing),
        Some(RecordType::PTR) => {
            let found = || view?.name_of(address(name?)?);
            return found().map_or(Decision::Elsewhere, |(name, zone)| Decision::Pointer(name, zone));
        }
        _ => return Decision::Elsewhere,
    };
    match known() {
        Some(found) => Decision::Addresses(found, family),
        None if client.keeps_single_labels && name.is_some_and(|name| !name.contains('.')) => {
            Decision::SingleLabel
        }
        None => Decision::Elsewhere,
    }
}

/// The address whose name is asked for (RFC 1035, 3.5; RFC 3596, 2.5).
fn address(name: &str) -> Option<IpAddr> {
    if let Some(reversed) = name.strip_suffix(".in-addr.arpa") {
        let parts: Vec<_> = reversed.split('.').rev().collect();
        return parts.join(".").parse::<Ipv4Addr>().ok().map(IpAddr::V4);
    }
    let reversed = name.strip_suffix(".ip6.arpa")?;
    let mut bits = 0_u128;
    for (place, digit) in reversed.split('.').enumerate() {
        let value = u128::from_str_radix(digit, 16).ok().filter(|_| digit.len() == 1)?;
        bits |= value.checked_shl(u32::try_from(4 * place).ok()?)?;
    }
    (reversed.len() == 2 * 32 - 1).then(|| IpAddr::V6(Ipv6Addr::from_bits(bits)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_backwards() {
        let read = |name: &str| address(name).map(|address| address.to_string());
        assert_eq!(read("2.0.18.172.in-addr.arpa").as_deref(), Some("172.18.0.2"));
        let v6 = "2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa";
        assert_eq!(read(v6).as_deref(), Some("fd00::2"));
        for name in [
            "0.18.172.in-addr.arpa",
            "1.2.0.18.172.in-addr.arpa",
            "02.0.18.172.in-addr.arpa",
            "256.0.18.172.in-addr.arpa",
            "in-addr.arpa",
            "172.18.0.2",
            &v6[2..],
            &format!("0.{v6}"),
            &v6.replacen("2.0", "20", 1),
            &v6.replacen('2', "+", 1),
            &v6.replacen('2', "g", 1),
        ] {
            assert_eq!(read(name), None, "{name}");
        }
    }
}
