//! The two IP versions.

use std::net::IpAddr;

use netebpf_common::abi::Family;

/// Both IP versions, the older one first.
pub const FAMILIES: [Family; 2] = [Family::V4, Family::V6];

/// The IP version of an address.
#[must_use]
pub const fn family_of(address: IpAddr) -> Family {
    match address {
        IpAddr::V4(_) => Family::V4,
        IpAddr::V6(_) => Family::V6,
    }
}
