//! A short DNS message over UDP as it lies in a packet (RFC 768, RFC 1035, RFC 6891).

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::packet::Packet;

/// Bytes of the UDP header and the message's own.
pub(super) const HEADERS: u32 = 20;

/// Bytes behind the headers that are read: a name with its type and class, and an OPT record with a cookie.
const REST: u32 = 208;

/// Bytes of the longest message that is looked at, UDP header included.
const LONGEST: u32 = HEADERS + REST;

/// Bytes of the shortest query: a name of one letter.
const SHORTEST: u32 = HEADERS + 3 + 4;

/// The first byte of flags: RD.
pub(super) const RECURSION_DESIRED: u8 = 0x01;
/// The first byte of flags: QR.
pub(super) const RESPONSE: u8 = 0x80;
/// The second byte of flags: RA.
pub(super) const RECURSION_AVAILABLE: u8 = 0x80;
/// The second byte of flags: AD, which a query sets if it understands it (RFC 6840, 5.7).
const AUTHENTIC: u8 = 0x20;
/// The second byte of flags: CD.
pub(super) const CHECKING_DISABLED: u8 = 0x10;

const NONE: u16 = 0;
const ONE: u16 = 1_u16.to_be();

/// The UDP header and the message, shifted so that the name is aligned. Fields are in network byte order.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Message {
    shift: u32,
    pub(super) source_port: u16,
    pub(super) destination_port: u16,
    pub(super) udp_length: u16,
    pub(super) checksum: u16,
    pub(super) id: u16,
    pub(super) flags: [u8; 2],
    questions: u16,
    pub(super) answers: u16,
    authorities: u16,
    additional: u16,
    pub(super) rest: [u64; REST as usize / 8],
}

impl Message {
    /// Reads `length` bytes at `offset`; false if they are more or fewer than a query has that is looked at.
    #[inline(always)]
    pub(super) fn read(&mut self, packet: &impl Packet, offset: u32, length: u32) -> bool {
        const START: usize = 4;
        if !(SHORTEST..=LONGEST).contains(&length) {
            return false;
        }
        let place = self.as_mut_bytes().get_mut(START..START + length as usize);
        place.is_some_and(|place| packet.read_counted(offset, place)) && self.udp_length == udp_length(length)
    }

    /// Whether the header is that of a plain query: one question, and at most one record, behind it.
    #[inline(always)]
    pub(super) const fn is_plain_query(&self) -> bool {
        let [first, second] = self.flags;
        first & !RECURSION_DESIRED == 0
            && second & !(AUTHENTIC | CHECKING_DISABLED) == 0
            && self.questions == ONE
            && self.answers == NONE
            && self.authorities == NONE
            && (self.additional == NONE || self.additional == ONE)
    }

    /// Whether there is a record behind the question.
    #[inline(always)]
    pub(super) const fn has_record(&self) -> bool {
        self.additional != NONE
    }

    /// Makes the headers those of the answer.
    #[inline(always)]
    pub(super) const fn turn_round(&mut self, length: u32, answers: u16) {
        (self.source_port, self.destination_port) = (self.destination_port, self.source_port);
        let [first, second] = self.flags;
        self.flags = [first & RECURSION_DESIRED | RESPONSE, second & CHECKING_DISABLED | RECURSION_AVAILABLE];
        self.udp_length = udp_length(length);
        self.answers = answers.to_be();
    }

    /// Writes the headers as they are here; false if the packet cannot be written.
    #[inline(always)]
    pub(super) fn write_headers(&self, packet: &mut impl Packet, offset: u32) -> bool {
        self.as_bytes().get(4..24).is_some_and(|headers| packet.write(offset, headers))
    }

    /// A byte behind the headers.
    #[inline(always)]
    pub(super) fn byte(&self, at: u32) -> u8 {
        self.rest.as_bytes().get(at as usize).copied().unwrap_or(0)
    }

    /// Two bytes behind the headers, in host byte order.
    #[inline(always)]
    pub(super) fn half(&self, at: u32) -> u16 {
        u16::from_be_bytes([self.byte(at), self.byte(at + 1)])
    }
}

#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "messages are a few hundred bytes")]
const fn udp_length(length: u32) -> u16 {
    (length as u16).to_be()
}
