//! Names that the kernel answers itself, and who is answered from which of them.

use core::net::{Ipv4Addr, Ipv6Addr};

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use super::{Address, Family};

/// Bytes of the longest name in the table, as it stands in a message (RFC 1035, 3.1), without the root's zero.
pub const NAME_LENGTH: u32 = 120;

const NAME_WORDS: usize = NAME_LENGTH as usize / 8;

/// Bytes of the longest label (RFC 1035, 2.3.4).
const LABEL_LENGTH: usize = 63;

/// A name in a scope: labels in lower case, each behind its length, zeroes behind the last one.
///
/// Kept as words because the BPF target handles words, not byte arrays, cheaply.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub struct NameKey {
    /// The network or the sandbox that knows the name, by a number of the daemon's choice.
    pub scope: u32,
    pub(crate) length: u32,
    pub(crate) labels: [u64; NAME_WORDS],
}

impl NameKey {
    /// The key of a name, with its labels between dots and without one at its end; `None` if no query can ask for it, or if
    /// it is too long for the table.
    #[must_use]
    pub fn new(scope: u32, name: &str) -> Option<Self> {
        let mut key = Self { scope, length: 0, labels: [0; NAME_WORDS] };
        let mut at = 0;
        for label in name.split('.') {
            if label.is_empty() || label.len() > LABEL_LENGTH {
                return None;
            }
            let end = at + 1 + label.len();
            let (length, place) = key.labels.as_mut_bytes().get_mut(at..end)?.split_first_mut()?;
            *length = u8::try_from(label.len()).ok()?;
            place.copy_from_slice(label.as_bytes());
            place.make_ascii_lowercase();
            at = end;
        }
        key.length = u32::try_from(at).ok()?;
        Some(key)
    }
}

/// What a name means in its scope.
#[derive(Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Name {
    v4_count: u32,
    v6_count: u32,
    ask_server: u32,
    pub(crate) v4: [u32; Self::ADDRESSES as usize],
    pub(crate) v6: [[u32; 4]; Self::ADDRESSES as usize],
}

impl Name {
    /// How many addresses of each IP version fit in.
    pub const ADDRESSES: u32 = 8;

    /// A name that the name server alone can answer for.
    pub const ASK_SERVER: Self = Self {
        v4_count: 0,
        v6_count: 0,
        ask_server: 1,
        v4: [0; Self::ADDRESSES as usize],
        v6: [[0; 4]; Self::ADDRESSES as usize],
    };

    /// A name with these addresses, possibly none; [`Name::ASK_SERVER`] if there are more than fit in.
    #[must_use]
    pub fn new(v4: impl IntoIterator<Item = Ipv4Addr>, v6: impl IntoIterator<Item = Ipv6Addr>) -> Self {
        Self::collect(v4, v6).unwrap_or(Self::ASK_SERVER)
    }

    fn collect(
        v4: impl IntoIterator<Item = Ipv4Addr>,
        v6: impl IntoIterator<Item = Ipv6Addr>,
    ) -> Option<Self> {
        let mut name = Self { ask_server: 0, ..Self::ASK_SERVER };
        for address in v4 {
            *name.v4.get_mut(name.v4_count as usize)? = Address::from(address).v4_wire();
            name.v4_count += 1;
        }
        for address in v6 {
            *name.v6.get_mut(name.v6_count as usize)? = Address::from(address).words();
            name.v6_count += 1;
        }
        Some(name)
    }

    /// How many addresses of an IP version there are; `None` if only the name server knows.
    #[inline(always)]
    #[must_use]
    pub const fn count(&self, family: Family) -> Option<u32> {
        let count = match family {
            Family::V4 => self.v4_count,
            Family::V6 => self.v6_count,
        };
        if self.ask_server == 0 && count <= Self::ADDRESSES { Some(count) } else { None }
    }
}

/// Whose names a sandbox is told, by the host-side link of each of its endpoints.
#[derive(Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct View {
    count: u32,
    pub(crate) scopes: [u32; Self::SCOPES],
}

impl View {
    /// How many scopes fit in.
    pub const SCOPES: usize = 4;

    /// A view in which only the name server finds anything.
    pub const ASK_SERVER: Self = Self { count: 0, scopes: [0; Self::SCOPES] };

    /// The scopes in the order in which they are asked: the first that has a name says what it means.
    /// [`View::ASK_SERVER`] if there are more than fit in.
    #[must_use]
    pub fn new(scopes: &[u32]) -> Self {
        let mut view = Self::ASK_SERVER;
        let (Some(place), Ok(count)) = (view.scopes.get_mut(..scopes.len()), u32::try_from(scopes.len()))
        else {
            return Self::ASK_SERVER;
        };
        place.copy_from_slice(scopes);
        view.count = count;
        view
    }

    /// The scope that is asked at this place; `None` behind the last one.
    #[inline(always)]
    #[must_use]
    pub const fn scope(&self, place: usize) -> Option<u32> {
        if place < self.count as usize && place < Self::SCOPES { Some(self.scopes[place]) } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::{NAME_LENGTH, Name, NameKey, View};
    use crate::abi::Family;
    use core::net::{Ipv4Addr, Ipv6Addr};
    use zerocopy::IntoBytes as _;

    #[test]
    fn names_lie_as_in_a_message_and_in_lower_case() {
        let key = NameKey::new(7, "Web.Front_1").unwrap();
        assert_eq!((key.scope, key.length), (7, 12));
        assert_eq!(key.labels.as_bytes()[..13], *b"\x03web\x07front_1\0");
    }

    #[test]
    fn names_that_no_query_can_ask_for_and_too_long_ones_have_no_key() {
        let label = core::str::from_utf8(&[b'a'; 64]).unwrap();
        for name in ["", ".", "a.", ".a", "a..b", label] {
            assert_eq!(NameKey::new(1, name), None, "{name:?}");
        }
        let two = |second: usize| {
            let text = std::format!("{}.{}", &label[..63], &label[..second]);
            NameKey::new(1, &text)
        };
        assert!(two(NAME_LENGTH as usize - 65).is_some());
        assert_eq!(two(NAME_LENGTH as usize - 64), None);
    }

    #[test]
    fn what_does_not_fit_is_left_to_the_server() {
        let v4 = |count| (0..count).map(|last| Ipv4Addr::new(10, 0, 0, last));
        let v6 = |count: u128| (0..count).map(Ipv6Addr::from);
        let name = Name::new(v4(8), v6(3));
        assert_eq!((name.count(Family::V4), name.count(Family::V6)), (Some(8), Some(3)));
        assert_eq!(Name::new(v4(9), v6(0)), Name::ASK_SERVER);
        assert_eq!(Name::new(v4(0), v6(9)).count(Family::V4), None);
        assert_eq!(View::new(&[1, 2, 3, 4, 5]), View::ASK_SERVER);
        let view = View::new(&[5, 0]);
        assert_eq!([0, 1, 2].map(|place| view.scope(place)), [Some(5), Some(0), None]);
    }
}
