//! The MACs that we give to links of ours.

use netebpf_common::abi::Mac;

/// A locally administered unicast MAC made of these bytes (IEEE 802, U/L bit set and I/G bit cleared).
#[must_use]
pub const fn local_mac(bytes: [u8; 6]) -> Mac {
    let [first, rest @ ..] = bytes;
    let [b, c, d, e, f] = rest;
    Mac([first & 0b1111_1100 | 0b10, b, c, d, e, f])
}

/// The MAC that a bridge of ours with this name has; Docker's bridges have the same names but random MACs.
#[must_use]
pub fn bridge_mac_of(name: &str) -> Option<Mac> {
    let digits = name.strip_prefix("br-").filter(|digits| digits.len() == 12 && digits.is_ascii())?;
    let number = u64::from_str_radix(digits, 16).ok()?;
    let [_, _, bytes @ ..] = number.to_be_bytes();
    Some(local_mac(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bridge_is_known_by_name_and_mac() {
        assert_eq!(bridge_mac_of("br-ff0102030405"), Some(Mac([0xfe, 1, 2, 3, 4, 5])));
        assert_eq!(bridge_mac_of("br-ff01020304"), None);
        assert_eq!(bridge_mac_of("docker0"), None);
        assert!(!local_mac([0xff; 6]).is_group());
    }
}
