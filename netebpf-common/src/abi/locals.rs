//! Every address of the host's namespace: what Docker's rules call `dst-type LOCAL`.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Where a local address lives.
#[derive(Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct LocalAddress {
    /// The link that has it.
    pub ifindex: u32,
}
