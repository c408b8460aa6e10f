//! The MACs that we give to links of ours.

use netebpf_common::abi::Mac;

/// A locally administered unicast MAC made of the first six bytes (IEEE 802, U/L bit set and I/G bit cleared).
#[must_use]
pub fn local_mac(bytes: &[u8; 32]) -> Mac {
    let mut mac = [0; 6];
    mac.copy_from_slice(&bytes[..6]);
    mac[0] = mac[0] & 0b1111_1100 | 0b10;
    Mac(mac)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mac_of_ours_is_unicast_and_locally_administered() {
        assert_eq!(local_mac(&[0xff; 32]), Mac([0xfe, 0xff, 0xff, 0xff, 0xff, 0xff]));
        assert_eq!(local_mac(&[0; 32]), Mac([2, 0, 0, 0, 0, 0]));
    }
}
