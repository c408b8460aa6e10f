//! The MACs that we give to links of ours.

use std::net::IpAddr;

use netebpf_common::abi::Mac;

/// A locally administered unicast MAC made of the first six bytes (IEEE 802, U/L bit set and I/G bit cleared).
#[must_use]
pub fn local_mac(bytes: &[u8; 32]) -> Mac {
    let mut mac = [0; 6];
    mac.copy_from_slice(&bytes[..6]);
    mac[0] = mac[0] & 0b1111_1100 | 0b10;
    Mac(mac)
}

/// The MAC of an endpoint: the end of its address behind two bytes of the network's identifier.
///
/// An address that is given to another sandbox keeps its MAC, so what neighbours remember of it stays right.
#[must_use]
pub fn mac_of(network: &[u8; 32], address: IpAddr) -> Mac {
    let mut bytes = *network;
    match address {
        IpAddr::V4(v4) => bytes[2..6].copy_from_slice(&v4.octets()),
        IpAddr::V6(v6) => bytes[2..6].copy_from_slice(&v6.octets()[12..]),
    }
    local_mac(&bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mac_of_ours_is_unicast_and_locally_administered() {
        assert_eq!(local_mac(&[0xff; 32]), Mac([0xfe, 0xff, 0xff, 0xff, 0xff, 0xff]));
        assert_eq!(local_mac(&[0; 32]), Mac([2, 0, 0, 0, 0, 0]));
    }

    #[test]
    fn an_address_of_a_network_always_has_the_same_mac() {
        let mac = |address: &str| mac_of(&[0x57; 32], address.parse().expect("the test gives an address"));
        assert_eq!(mac("172.17.0.2"), Mac([0x56, 0x57, 172, 17, 0, 2]));
        assert_eq!(mac("fd00::1:2"), Mac([0x56, 0x57, 0, 1, 0, 2]));
    }
}
