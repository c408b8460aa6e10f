//! Answers as bytes, never longer than the client takes.

use hickory_server::{
    proto::{
        ProtoError,
        op::{Edns, Metadata, ResponseCode},
        rr::{
            Name, RData, Record,
            rdata::{A, AAAA, PTR},
        },
        serialize::binary::BinEncoder,
    },
    zone_handler::MessageResponseBuilder,
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
/// Bytes of a question behind the parts of its name: the end of the name, the type and the class.
const BEHIND_PARTS: usize = 5;

/// The addresses of a name, of one IP version; maybe none.
pub(super) fn addresses(query: &Query, addresses: &Addresses, family: Family) -> Vec<u8> {
    match family {
        Family::V4 => in_any_order(query, &addresses.v4, |address| RData::A(A(address))),
        Family::V6 => in_any_order(query, &addresses.v6, |address| RData::AAAA(AAAA(address))),
    }
}

/// Each address is to be the first one equally often.
fn in_any_order<T: Copy>(query: &Query, addresses: &[T], data: impl Fn(T) -> RData) -> Vec<u8> {
    use rand::seq::SliceRandom as _;
    let mut addresses = addresses.to_vec();
    if addresses.len() > 1 {
        addresses.shuffle(&mut rand::rng());
    }
    let all = addresses.into_iter().map(data);
    write(query, ResponseCode::NoError, all, RECORD + size_of::<T>())
}

/// The name of an address.
pub(super) fn pointer(query: &Query, name: &str, network: &str) -> Vec<u8> {
    let labels = name.split('.').chain(network.split('.')).map(str::as_bytes);
    let Ok(target) = Name::from_labels(labels) else { return empty(query, ResponseCode::ServFail) };
    let size = RECORD + target.len() + 1;
    write(query, ResponseCode::NoError, [RData::PTR(PTR(target))].into_iter(), size)
}

/// An answer without records.
pub(super) fn empty(query: &Query, code: ResponseCode) -> Vec<u8> {
    write(query, code, [].into_iter(), 0)
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
///
/// Hickory's encoder also stops in time, but it leaves out the OPT record rather than an address.
fn write(
    query: &Query,
    code: ResponseCode,
    data: impl ExactSizeIterator<Item = RData>,
    size: usize,
) -> Vec<u8> {
    let Query { request, question_end, .. } = query;
    let edns = request.edns.as_ref().map(edns);
    let opt = if edns.is_some() { OPT } else { 0 };
    let room = usize::from(query.limit()).saturating_sub(question_end + opt);
    let fitting = room.checked_div(size).unwrap_or(0);
    let mut metadata = Metadata::response_from_request(&request.metadata);
    metadata.recursion_available = true;
    metadata.response_code = code;
    metadata.truncation = data.len() > fitting;
    let name = query.question().original().name();
    let record = |data| Record::from_rdata(name.clone(), TTL, data);
    let records: Vec<_> = data.take(fitting).map(record).collect();
    let response = MessageResponseBuilder::new(&request.queries, edns.as_ref());
    let response = response.build(metadata, &records, [], [], []);
    let mut bytes = Vec::new();
    let mut encoder = BinEncoder::new(&mut bytes);
    encoder.set_max_size(query.limit());
    let written =
        point_to_question(&mut encoder, query).and_then(|()| response.destructive_emit(&mut encoder));
    match written {
        Ok(_) => bytes,
        Err(_) => header(request.as_slice(), ResponseCode::ServFail),
    }
}

/// Lets records have a pointer to the question for a name. Left to itself, a `MessageResponse` takes the question's type for a
/// part of the name, and writes the name once more.
fn point_to_question(encoder: &mut BinEncoder<'_>, query: &Query) -> Result<(), ProtoError> {
    let end = query.question_end - BEHIND_PARTS;
    if end > HEADER {
        encoder.emit_vec(&query.request.as_slice()[..end])?;
        encoder.store_label_pointer(HEADER, end);
        encoder.set_offset(0);
    }
    Ok(())
}

fn edns(of_query: &Edns) -> Edns {
    let mut edns = Edns::new();
    edns.set_max_payload(UDP_SIZE).set_dnssec_ok(of_query.flags().dnssec_ok);
    edns
}
