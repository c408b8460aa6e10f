//! Answers as bytes, never longer than the client takes.

use hickory_proto::{
    op::{Edns, Message, Metadata, ResponseCode},
    rr::{
        Name, RData, Record,
        rdata::{A, AAAA, PTR},
    },
};
use netebpf_common::abi::Family;

use super::query::{HEADER, Query, RESPONSE};
use crate::compile::names::Addresses;

/// How long an answer may be kept, in seconds.
const TTL: u32 = 600;
/// Bytes of the longest query over UDP that clients are told to send (RFC 6891, 6.2.5).
const UDP_SIZE: u16 = 1232;
/// Bytes of an OPT record without options.
const OPT: usize = 11;
/// Bytes of a record without its data, its name being a pointer to the question's.
const RECORD: usize = 12;

/// The addresses of a name, of one IP version; maybe none.
pub(super) fn addresses(query: &Query<'_>, addresses: &Addresses, family: Family) -> Vec<u8> {
    let name = query.name();
    let record = |data| Record::from_rdata(name.clone(), TTL, data);
    let (size, mut records): (_, Vec<_>) = match family {
        Family::V4 => (4, addresses.v4.iter().map(|address| record(RData::A(A(*address)))).collect()),
        Family::V6 => (16, addresses.v6.iter().map(|address| record(RData::AAAA(AAAA(*address)))).collect()),
    };
    shuffle(&mut records);
    write(query, ResponseCode::NoError, records, RECORD + size)
}

/// The name of an address.
pub(super) fn pointer(query: &Query<'_>, name: &str, network: &str) -> Vec<u8> {
    let labels = name.split('.').chain(network.split('.')).map(str::as_bytes);
    let Ok(target) = Name::from_labels(labels) else { return empty(query, ResponseCode::ServFail) };
    let size = RECORD + target.len() + 1;
    let record = Record::from_rdata(query.name().clone(), TTL, RData::PTR(PTR(target)));
    write(query, ResponseCode::NoError, vec![record], size)
}

/// An answer without records.
pub(super) fn empty(query: &Query<'_>, code: ResponseCode) -> Vec<u8> {
    write(query, code, Vec::new(), 0)
}

/// An answer to what is no query: a header alone.
pub(super) fn header(bytes: &[u8], code: ResponseCode) -> Vec<u8> {
    const OPCODE_AND_RECURSION_DESIRED: u8 = 0x79;
    const RECURSION_AVAILABLE: u8 = 0x80;
    let mut header = [0; HEADER];
    if let Some([first, second, flags]) = bytes.first_chunk() {
        header[..3].copy_from_slice(&[*first, *second, RESPONSE | flags & OPCODE_AND_RECURSION_DESIRED]);
    }
    header[3] = RECURSION_AVAILABLE | code.low();
    header.to_vec()
}

/// Writes as many of the records, which are `size` bytes long at most, as the client takes.
fn write(query: &Query<'_>, code: ResponseCode, mut records: Vec<Record>, size: usize) -> Vec<u8> {
    let opt = if query.edns.is_some() { OPT } else { 0 };
    let room = usize::from(query.limit()).saturating_sub(query.question_end + opt);
    let fitting = room.checked_div(size).unwrap_or(0);
    let mut metadata = Metadata::response_from_request(&query.metadata);
    metadata.recursion_available = true;
    metadata.response_code = code;
    metadata.truncation = records.len() > fitting;
    records.truncate(fitting);
    let mut message = Message::response(metadata.id, metadata.op_code);
    message.metadata = metadata;
    message.add_query(query.question.clone()).add_answers(records);
    message.edns = query.edns.as_ref().map(edns);
    let failed = |_| header(query.bytes, ResponseCode::ServFail);
    message.to_vec().unwrap_or_else(failed)
}

fn edns(of_query: &Edns) -> Edns {
    let mut edns = Edns::new();
    edns.set_max_payload(UDP_SIZE).set_dnssec_ok(of_query.flags().dnssec_ok);
    edns
}

/// Each address is to be the first one equally often.
fn shuffle(records: &mut [Record]) {
    use rand::seq::SliceRandom as _;
    if records.len() > 1 {
        records.shuffle(&mut rand::rng());
    }
}
