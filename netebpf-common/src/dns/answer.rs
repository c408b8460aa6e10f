//! Makes a query its own answer.
//!
//! The answer is never longer than 512 bytes, so that nothing has to be cut off: the bounds of the table see to that.

use zerocopy::IntoBytes as _;

use super::{
    TTL, UDP_SIZE,
    message::HEADERS,
    question::{LONGEST_OPT, OPT_LENGTH, Question},
};
use crate::{
    abi::{Family, NAME_LENGTH, Name, View},
    checksum::{self, Change},
    packet::{ChecksumChange, Packet},
    parse::{ETHERNET_LENGTH, Frame},
    run::Run,
    tables::Tables,
};

const IPV4_LENGTH: u32 = 20;
const UDP_OFFSET: u32 = ETHERNET_LENGTH + IPV4_LENGTH;
const UDP_CHECKSUM: u32 = UDP_OFFSET + 6;

/// Bytes of the records of an IPv4 and an IPv6 address.
const A_LENGTH: u32 = 16;
const AAAA_LENGTH: u32 = 28;

const LONGEST_RECORDS: u32 = Name::ADDRESSES * AAAA_LENGTH;
const _: () = assert!(HEADERS - 8 + NAME_LENGTH + 5 + LONGEST_RECORDS + OPT_LENGTH <= 512);

/// What became of a query.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
#[must_use]
pub enum Reply {
    /// The packet is the answer.
    Made = 0,
    /// The packet is as it was: the name server is to have it.
    AskServer = 1,
    /// The kernel refused to change the packet.
    Failed = 2,
}

/// Looks up what [`read`](super::read) has left in the workspace, and makes the packet the answer.
#[cfg_attr(target_arch = "bpf", inline(never))]
pub fn answer(run: &mut Run<'_, impl Packet, impl Tables>) -> Reply {
    let Some(view) = run.tables.view(run.arrival.ifindex) else { return Reply::AskServer };
    let question = &mut run.workspace.question;
    for place in 0..View::SCOPES {
        let Some(scope) = view.scope(place) else { return Reply::AskServer };
        question.key.scope = scope;
        if let Some(name) = run.tables.name(&question.key) {
            return make(run.packet, &mut run.workspace.frame, question, name);
        }
    }
    Reply::AskServer
}

#[inline(always)]
fn make(packet: &mut impl Packet, frame: &mut Frame, question: &mut Question, name: &Name) -> Reply {
    let count = match question.family() {
        Some(family) => name.count(family),
        None => name.count(Family::V4).map(|_| 0),
    };
    match count {
        Some(count) => write(packet, frame, question, name, count),
        None => Reply::AskServer,
    }
}

#[inline(always)]
fn write(
    packet: &mut impl Packet,
    frame: &mut Frame,
    question: &mut Question,
    name: &Name,
    count: u32,
) -> Reply {
    let tail = UDP_OFFSET + HEADERS + question.end;
    let Some(removed) = removed(packet, question, tail) else { return Reply::Failed };
    let record_length = question.family().map_or(0, record_length);
    let opt_length = if question.opt_length == 0 { 0 } else { OPT_LENGTH };
    let records_end = tail + count * record_length;
    let (length, old_length) = (records_end + opt_length - UDP_OFFSET, frame.payload_length);
    if !packet.resize(UDP_OFFSET + length) {
        return Reply::AskServer;
    }
    frame.turn_round(length + IPV4_LENGTH);
    let message = &mut question.message;
    let headers = header_words(message.flags, message.answers, message.udp_length);
    let first = first_place(message.id, message.source_port, count);
    #[expect(clippy::cast_possible_truncation, reason = "there are at most eight addresses")]
    message.turn_round(length, count as u16);
    let headers = change_of_words(headers, header_words(message.flags, message.answers, message.udp_length));
    if !frame.write(packet, false) || !message.write_headers(packet, UDP_OFFSET) {
        return Reply::Failed;
    }
    let Some(added) = write_records(packet, question.family(), name, (first, count), tail) else {
        return Reply::Failed;
    };
    let Some(opt) = write_opt(packet, question, records_end) else { return Reply::Failed };
    let tail_sum = Change::NONE.add(added).add(opt).remove(removed).sum();
    let tail_sum = if question.end.is_multiple_of(2) { tail_sum } else { checksum::at_odd_place(tail_sum) };
    let length_change = checksum::change(wire_length(old_length), wire_length(length));
    let change = |delta, pseudo_header| ChecksumChange { delta, pseudo_header, zero_is_none: true };
    let done = packet.adjust_checksum(UDP_CHECKSUM, change(checksum::add(headers, tail_sum), false))
        && packet.adjust_checksum(UDP_CHECKSUM, change(length_change, true));
    if done { Reply::Made } else { Reply::Failed }
}

#[inline(always)]
const fn record_length(family: Family) -> u32 {
    match family {
        Family::V4 => A_LENGTH,
        Family::V6 => AAAA_LENGTH,
    }
}

/// The half-words of the headers that an answer changes.
#[inline(always)]
const fn header_words(flags: [u8; 2], answers: u16, length: u16) -> [u16; 3] {
    [u16::from_ne_bytes(flags), answers, length]
}

#[inline(always)]
const fn change_of_words(old: [u16; 3], new: [u16; 3]) -> u32 {
    Change::NONE
        .replace(old[0] as u32, new[0] as u32)
        .replace(old[1] as u32, new[1] as u32)
        .replace(old[2] as u32, new[2] as u32)
        .sum()
}

/// A length as the pseudo header has it.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "messages are a few hundred bytes")]
const fn wire_length(length: u32) -> u32 {
    (length as u16).to_be() as u32
}

/// The sum of the record behind the question, which gives way to the answer; `None` if it cannot be read.
#[inline(always)]
fn removed(packet: &impl Packet, question: &mut Question, at: u32) -> Option<u32> {
    let length = question.opt_length;
    if length == 0 {
        return Some(0);
    }
    if length > LONGEST_OPT {
        return None;
    }
    question.removed = [0; LONGEST_OPT as usize / 4];
    let place = question.removed.as_mut_bytes().get_mut(..length as usize)?;
    if !packet.read_counted(at, place) {
        return None;
    }
    Some(question.removed.iter().fold(Change::NONE, |sum, word| sum.add(*word)).sum())
}

/// Where the first address goes: to another place for each query, without anything to remember.
#[inline(always)]
const fn first_place(id: u16, port: u16, count: u32) -> u32 {
    let mixed = ((id ^ port.rotate_left(5)) as u32).wrapping_mul(0x9e37_79b1) >> 16;
    (mixed * count) >> 16
}

/// Writes the record of each address, the first one's to place `first`, counted round; returns their sum.
///
/// It is the places in the packet that are counted round, because the verifier has to be shown the bounds of all others.
#[inline(always)]
fn write_records(
    packet: &mut impl Packet,
    family: Option<Family>,
    name: &Name,
    (first, count): (u32, u32),
    offset: u32,
) -> Option<u32> {
    let Some(family) = family else { return Some(0) };
    let mut sum = Change::NONE;
    for number in 0..Name::ADDRESSES {
        if number >= count {
            break;
        }
        let place = first + number;
        let place = if place < count { place } else { place - count };
        let at = offset + place * record_length(family);
        let record = record(family, name, number as usize);
        let done = match family {
            Family::V4 => packet.write(at, record.as_bytes().get(..A_LENGTH as usize)?),
            Family::V6 => packet.write(at, record.as_bytes()),
        };
        if !done {
            return None;
        }
        sum = record.iter().fold(sum, |sum, word| sum.add(*word));
    }
    Some(sum.sum())
}

/// The record of an address: of an IPv4 one the first four words.
#[inline(always)]
const fn record(family: Family, name: &Name, place: usize) -> [u32; 7] {
    const NAME_OF_QUESTION: u32 = 0xc00c_0000;
    const CLASS_IN: u32 = 0x0001_0000;
    const fn head(kind: u32, length: u32) -> [u32; 3] {
        [(NAME_OF_QUESTION | kind).to_be(), (CLASS_IN | TTL >> 16).to_be(), (TTL << 16 | length).to_be()]
    }
    match family {
        Family::V4 => {
            let [a, b, c] = head(1, 4);
            [a, b, c, name.v4[place], 0, 0, 0]
        }
        Family::V6 => {
            let ([a, b, c], address) = (head(28, 16), name.v6[place]);
            [a, b, c, address[0], address[1], address[2], address[3]]
        }
    }
}

/// Writes an OPT record if the query had one; returns its sum.
#[inline(always)]
fn write_opt(packet: &mut impl Packet, question: &Question, at: u32) -> Option<u32> {
    if question.opt_length == 0 {
        return Some(0);
    }
    let [high, low] = UDP_SIZE.to_be_bytes();
    let [flags, ..] = question.edns_flags.to_le_bytes();
    let record = [0, 0, 41, high, low, 0, 0, flags, 0, 0, 0];
    if !packet.write(at, &record) {
        return None;
    }
    let words = [u32::from_ne_bytes([0, 0, 41, high]), u32::from_ne_bytes([low, 0, 0, flags])];
    Some(Change::NONE.add(words[0]).add(words[1]).sum())
}
