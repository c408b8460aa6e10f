//! The bridge between the shared types and aya: the one place that vouches for their bytes.

use zerocopy::{FromBytes, Immutable, IntoBytes};

/// A shared type as a key or value of a BPF map.
#[derive(Debug, Clone, Copy)]
#[repr(transparent)]
pub struct Abi<T>(pub T);

#[expect(unsafe_code, reason = "aya's trait is unsafe; this is its only implementation here")]
// SAFETY: `IntoBytes` excludes padding and `FromBytes` makes every bit pattern valid; `Abi` is transparent.
unsafe impl<T: IntoBytes + FromBytes + Immutable + Copy + 'static> aya::Pod for Abi<T> {}
