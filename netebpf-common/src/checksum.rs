//! Internet checksums, updated incrementally (RFC 1624, equation 3).
//!
//! Sums are taken over native-endian words as they lie in memory, as the kernel does; the result is the same in memory.

/// Adds two one's complement sums.
#[inline(always)]
#[must_use]
pub const fn add(a: u32, b: u32) -> u32 {
    let sum = a.wrapping_add(b);
    if sum < a { sum.wrapping_add(1) } else { sum }
}

/// The change of a sum when one word takes the place of another.
#[inline(always)]
#[must_use]
pub const fn change(old: u32, new: u32) -> u32 {
    Change::NONE.replace(old, new).sum()
}

/// A change of a sum, collected word by word.
///
/// Carries are folded in once, at the end: as many words as a packet has cannot overflow, and the BPF target has no carry
/// flag.
#[derive(Clone, Copy, Debug)]
pub struct Change(u64);

impl Change {
    /// No change.
    pub const NONE: Self = Self(0);

    /// One word takes the place of another.
    #[inline(always)]
    #[must_use]
    pub const fn replace(self, old: u32, new: u32) -> Self {
        self.remove(old).add(new)
    }

    /// A word comes in where zeroes were.
    #[inline(always)]
    #[must_use]
    pub const fn add(self, new: u32) -> Self {
        Self(self.0 + new as u64)
    }

    /// Zeroes take the place of a word.
    #[inline(always)]
    #[must_use]
    pub const fn remove(self, old: u32) -> Self {
        Self(self.0 + !old as u64)
    }

    /// The change as a one's complement sum; zero if nothing has changed.
    #[inline(always)]
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "two folds leave 32 bits")]
    pub const fn sum(self) -> u32 {
        let sum = (self.0 & 0xffff_ffff) + (self.0 >> 32);
        let sum = (sum & 0xffff_ffff) + (sum >> 32);
        if sum == 0xffff_ffff { 0 } else { sum as u32 }
    }
}

/// The sum of data that begins at an odd place, from its sum as if at an even one.
#[inline(always)]
#[must_use]
pub const fn at_odd_place(sum: u32) -> u32 {
    sum.rotate_left(8)
}

/// The checksum field of data with this sum, the field itself counted as zero.
#[inline(always)]
#[must_use]
pub const fn field(sum: u32) -> u16 {
    !fold(sum)
}

/// A checksum field after the data that it covers has changed by `delta`.
#[inline(always)]
#[must_use]
pub const fn adjust(field: u16, delta: u32) -> u16 {
    !fold(add(!(field as u32), delta))
}

#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "two folds leave 16 bits")]
const fn fold(sum: u32) -> u16 {
    let sum = (sum & 0xffff) + (sum >> 16);
    let sum = (sum & 0xffff) + (sum >> 16);
    sum as u16
}

#[cfg(test)]
mod tests;
