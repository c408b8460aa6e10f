//! The MACs that we give to links of ours.

use netebpf_common::abi::Mac;

/// A locally administered unicast MAC made of these bytes (IEEE 802, U/L bit set and I/G bit cleared).
#[must_use]
pub const fn local_mac(bytes: [u8; 6]) -> Mac {
    let [first, rest @ ..] = bytes;
    let [b, c, d, e, f] = rest;
    Mac([first & 0b1111_1100 | 0b10, b, c, d, e, f])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mac_of_ours_is_unicast_and_locally_administered() {
        assert_eq!(local_mac([0xff, 1, 2, 3, 4, 5]), Mac([0xfe, 1, 2, 3, 4, 5]));
        assert_eq!(local_mac([0; 6]), Mac([2, 0, 0, 0, 0, 0]));
    }
}
