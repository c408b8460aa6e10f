//! SCTP's checksum is a CRC32c over the whole packet (RFC 9260, 6.8), updated here without reading the packet.
//!
//! A CRC is linear: what four changed bytes change in it depends on the change and on how many bytes follow, not on what
//! those are. Appending a zero byte multiplies the remainder by `x^8`, so many of them are a few multiplications.

use crate::{packet::Packet, parse::Frame};

const CHECKSUM: u32 = 8;
/// Castagnoli's polynomial, bit-reversed.
const POLYNOMIAL: u32 = 0x82f6_3b78;

/// `x^(8 · d · 16^n)` modulo the polynomial, bit-reversed: what as many zero bytes as the hexadecimal digit `d` at place `n`
/// says multiply a remainder by.
const ZERO_BYTES: [[u32; 16]; 4] = {
    let one = 1 << 31;
    let mut table = [[one; 16]; 4];
    let mut unit = one >> 8;
    let mut place = 0;
    while place < 4 {
        let mut digit = 1;
        while digit < 16 {
            table[place][digit] = multiply(table[place][digit - 1], unit);
            digit += 1;
        }
        unit = multiply(table[place][15], unit);
        place += 1;
    }
    table
};

/// Replaces both ports at `offset` and adjusts the checksum; false if the packet cannot be written.
///
/// A field of zero is one that the sending device has yet to fill in.
#[cfg_attr(target_arch = "bpf", inline(never))]
pub(super) fn rewrite(packet: &mut impl Packet, frame: &Frame, offset: u32, ports: [u16; 2]) -> bool {
    let mut header = [0_u8; 12];
    if !packet.read(offset, &mut header) {
        return false;
    }
    let [s0, s1, d0, d1, _, _, _, _, c0, c1, c2, c3] = header;
    let [n0, n1] = ports[0].to_ne_bytes();
    let [n2, n3] = ports[1].to_ne_bytes();
    let change = u32::from_le_bytes([s0 ^ n0, s1 ^ n1, d0 ^ n2, d1 ^ n3]);
    let old = u32::from_le_bytes([c0, c1, c2, c3]);
    let new = if old == 0 { 0 } else { old ^ effect(change, frame.payload_length) };
    packet.write(offset, &[n0, n1, n2, n3]) && packet.write(offset + CHECKSUM, &new.to_le_bytes())
}

/// What a change of the first four of `length` bytes changes in their CRC.
///
/// Factors are looked up, not chosen: the verifier follows each choice, but takes what is loaded at an index as unknown.
#[inline(always)]
fn effect(change: u32, length: u32) -> u32 {
    let mut remainder = change;
    for (place, powers) in ZERO_BYTES.iter().enumerate() {
        let digit = (length >> (4 * place) & 15) as usize;
        remainder = multiply(remainder, powers[digit]);
    }
    remainder
}

/// The product of two remainders, modulo the polynomial.
#[inline(always)]
const fn multiply(a: u32, b: u32) -> u32 {
    let (mut product, mut a) = (0, a);
    let mut bit = 32;
    while bit > 0 {
        bit -= 1;
        product ^= a & (b >> bit & 1).wrapping_neg();
        a = a >> 1 ^ POLYNOMIAL & (a & 1).wrapping_neg();
    }
    product
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The CRC by the book, bit by bit.
    fn crc32c(bytes: &[u8]) -> u32 {
        let step = |crc: u32| crc >> 1 ^ POLYNOMIAL & (crc & 1).wrapping_neg();
        !bytes.iter().fold(u32::MAX, |crc, &byte| (0..8).fold(crc ^ u32::from(byte), |crc, _| step(crc)))
    }

    #[test]
    fn the_crc_is_that_of_rfc_3720() {
        assert_eq!(crc32c(&[0; 32]), 0x8a91_36aa);
        assert_eq!(crc32c(b"123456789"), 0xe306_9283);
    }

    proptest! {
        #[test]
        fn an_adjusted_checksum_is_a_computed_one(
            mut bytes in proptest::collection::vec(any::<u8>(), 4..65_536), ports: [u8; 4],
        ) {
            let old = crc32c(&bytes);
            let change: std::vec::Vec<u8> = bytes.iter().zip(ports).map(|(a, b)| a ^ b).collect();
            bytes[..4].copy_from_slice(&ports);
            let change = u32::from_le_bytes([change[0], change[1], change[2], change[3]]);
            let length = u32::try_from(bytes.len()).expect("short");
            prop_assert_eq!(old ^ effect(change, length), crc32c(&bytes));
        }
    }
}
