//! The incremental update agrees with the full computation.

use std::vec::Vec;

use proptest::prelude::*;

use super::{add, adjust, change};

/// The checksum field of data, computed in full (RFC 1071) over native-endian words.
fn full(words: &[u16]) -> u16 {
    let mut sum: u32 = words.iter().map(|word| u32::from(*word)).sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !u16::try_from(sum).expect("folded")
}

proptest! {
    #[test]
    fn an_adjusted_checksum_is_the_full_one(
        words in proptest::collection::vec(any::<u16>(), 2..40),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u16>()), 1..6),
    ) {
        // A packet's checksum never covers only zeroes: addresses and protocol are part of it.
        let mut words: Vec<u16> = [&[0x4500][..], &words].concat();
        let mut field = full(&words);
        let mut delta = 0;
        for (place, new) in changes {
            let place = 1 + place.index(words.len() - 1);
            delta = add(delta, change(u32::from(words[place]), u32::from(new)));
            words[place] = new;
        }
        field = adjust(field, delta);
        prop_assert_eq!(field, full(&words));
    }
}
