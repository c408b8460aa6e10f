//! What is asked? Reads a query that may be answered, and refuses whatever is odd.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use super::message::{HEADERS, Message};
use crate::{
    abi::{Family, NAME_LENGTH, NameKey},
    packet::Packet,
    parse::{Fragment, Frame},
    run::Run,
};

const TYPE_A: u16 = 1;
const TYPE_MX: u16 = 15;
const TYPE_AAAA: u16 = 28;
const TYPE_OPT: u16 = 41;
const CLASS_IN: u16 = 1;

/// Bytes of a question behind its name: type and class.
const TYPE_AND_CLASS: u32 = 4;

/// Bytes of an OPT record without options.
pub(super) const OPT_LENGTH: u32 = 11;

/// Bytes of the longest OPT record that is looked at: it holds a cookie of a client and a server (RFC 7873).
pub(super) const LONGEST_OPT: u32 = OPT_LENGTH + OPTION_HEAD + 40 + 1;

/// Bytes of an option's code and length.
const OPTION_HEAD: u32 = 4;
const OPTION_COOKIE: u16 = 10;

/// Bytes of the longest name that is looked at, the root's zero included.
const LONGEST_NAME: u32 = NAME_LENGTH + 1;

/// Labels of a name that are looked through.
const MAX_LABELS: u32 = 16;

/// Bytes of the longest label (RFC 1035, 2.3.4); larger numbers are pointers.
const LABEL_LENGTH: u8 = 63;

/// EDNS flags: the one who asks wants signatures (RFC 3225).
pub(super) const DNSSEC_OK: u8 = 0x80;

/// A query that is being answered.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Question {
    /// The message, as far as it was read.
    pub(super) message: Message,
    /// The name that is asked for; its scope is set by who looks it up.
    pub(super) key: NameKey,
    /// The record that was behind the question, while it is summed up.
    pub(super) removed: [u32; LONGEST_OPT as usize / 4],
    /// Bytes from the message's headers to the end of the question; while it is read, to that of the name.
    pub(super) end: u32,
    /// Bytes of the record behind the question; zero if there is none.
    pub(super) opt_length: u32,
    /// Its EDNS flags that count.
    pub(super) edns_flags: u32,
    /// A [`Family`]: whose addresses are asked for; zero for records that a name that is known has none of.
    wanted: u32,
}

impl Question {
    /// The IP version of the addresses that are asked for; `None` for other records, of which there are none.
    #[inline(always)]
    pub(super) const fn family(&self) -> Option<Family> {
        const V4: u32 = Family::V4 as u32;
        const V6: u32 = Family::V6 as u32;
        match self.wanted {
            V4 => Some(Family::V4),
            V6 => Some(Family::V6),
            _ => None,
        }
    }
}

/// Reads the query that a packet carries into the workspace; false if it is none, or one that the name server is to have.
#[cfg_attr(target_arch = "bpf", inline(never))]
pub fn read<T>(run: &mut Run<'_, impl Packet, T>) -> bool {
    let workspace = &mut *run.workspace;
    let (frame, question) = (&workspace.frame, &mut workspace.question);
    if !is_simple(frame) || run.packet.segment_size() != 0 {
        return false;
    }
    let length = frame.payload_length;
    if !question.message.read(run.packet, frame.transport_offset, length)
        || !question.message.is_plain_query()
    {
        return false;
    }
    question.find_name() && question.set_name() && question.find_rest(length - HEADERS)
}

/// Whether an IP header can be turned round: a whole IPv4 packet without options.
#[inline(always)]
fn is_simple(frame: &Frame) -> bool {
    matches!(frame.family(), Family::V4)
        && matches!(frame.fragment(), Fragment::Whole)
        && !frame.has_options()
}

impl Question {
    /// Looks through the labels of the name, and leaves its length in the key.
    #[inline(always)]
    fn find_name(&mut self) -> bool {
        let mut at = 0;
        for _ in 0..=MAX_LABELS {
            if at > NAME_LENGTH {
                return false;
            }
            let label = self.message.byte(at);
            if label > LABEL_LENGTH {
                return false;
            }
            if label == 0 {
                // In memory it is like every other length to the verifier, which goes on from here but once.
                self.key.length = at;
                return true;
            }
            at += u32::from(label) + 1;
        }
        false
    }

    /// Leaves the name in lower case in the key; the root has none.
    #[cfg_attr(target_arch = "bpf", inline(never))]
    fn set_name(&mut self) -> bool {
        let (length, mut start) = (self.key.length, 0);
        for (lower, word) in self.key.labels.iter_mut().zip(&self.message.rest) {
            let word = if start < length { lower_case(*word & first_bytes(length - start)) } else { 0 };
            *lower = word;
            start += 8;
        }
        self.end = length + 1;
        length != 0
    }

    /// Reads what is behind the name of a message of `length` bytes.
    ///
    /// A function of its own, in which the verifier sees a bound of the place from the beginning.
    #[cfg_attr(target_arch = "bpf", inline(never))]
    fn find_rest(&mut self, length: u32) -> bool {
        let at = self.end;
        at <= LONGEST_NAME && self.find_type(at) && self.find_opt(at + TYPE_AND_CLASS, length)
    }

    #[inline(always)]
    fn find_type(&mut self, at: u32) -> bool {
        let wanted = match self.message.half(at) {
            TYPE_A => Family::V4 as u32,
            TYPE_AAAA => Family::V6 as u32,
            TYPE_MX => 0,
            _ => return false,
        };
        self.wanted = wanted;
        self.message.half(at + 2) == CLASS_IN
    }

    /// Whether the message of `length` bytes ends with the question, or with an OPT record of EDNS's version 0.
    #[inline(always)]
    fn find_opt(&mut self, at: u32, length: u32) -> bool {
        self.end = at;
        if at > length {
            return false;
        }
        let opt = length - at;
        self.opt_length = opt;
        self.edns_flags = 0;
        if !self.message.has_record() {
            return opt == 0;
        }
        if !(OPT_LENGTH..=LONGEST_OPT).contains(&opt) {
            return false;
        }
        let [root, extended_code, version, flags] = [0, 5, 6, 7].map(|offset| self.message.byte(at + offset));
        self.edns_flags = u32::from(flags & DNSSEC_OK);
        (root | extended_code | version) == 0
            && self.message.half(at + 1) == TYPE_OPT
            && u32::from(self.message.half(at + 9)) == opt - OPT_LENGTH
            && (opt == OPT_LENGTH || self.is_cookie(at + OPT_LENGTH, opt - OPT_LENGTH))
    }

    /// Whether a cookie is all that an OPT record holds. Nobody but the server has to know one.
    #[inline(always)]
    fn is_cookie(&self, at: u32, length: u32) -> bool {
        self.message.half(at) == OPTION_COOKIE && u32::from(self.message.half(at + 2)) + OPTION_HEAD == length
    }
}

/// A mask of a word's first bytes as they lie in memory.
#[inline(always)]
const fn first_bytes(count: u32) -> u64 {
    if count >= 8 { u64::MAX } else { ((1_u64 << (count * 8)) - 1).to_le() }
}

/// Eight bytes with their capital letters made small. Lengths of labels are smaller than any letter.
#[inline(always)]
const fn lower_case(word: u64) -> u64 {
    const EACH: u64 = 0x0101_0101_0101_0101;
    const HIGHEST: u64 = 0x80 * EACH;
    let low = word & !HIGHEST;
    let from_a = low + (0x80 - b'A' as u64) * EACH;
    let beyond_z = low + (0x7f - b'Z' as u64) * EACH;
    let capital = from_a & !beyond_z & !word & HIGHEST;
    word | capital >> 2
}

#[cfg(test)]
mod tests {
    use super::lower_case;

    #[test]
    fn capital_letters_become_small_and_nothing_else_changes() {
        for byte in 0..=u8::MAX {
            let bytes = [byte, b'A', 0, byte, 0xff, b'z', b'Z', byte];
            let expected = bytes.map(|byte| byte.to_ascii_lowercase());
            assert_eq!(lower_case(u64::from_ne_bytes(bytes)).to_ne_bytes(), expected);
        }
    }
}
