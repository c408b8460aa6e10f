//! What a client asks: bytes that nobody has checked become a question, or are refused.

use hickory_proto::{
    op::{Edns, Message, Metadata, OpCode, Query as Question, ResponseCode},
    rr::{DNSClass, Name, RecordType},
};

/// Bytes of a message's header (RFC 1035, 4.1.1).
pub(super) const HEADER: usize = 12;
/// Bytes of a question behind its name.
const TYPE_AND_CLASS: usize = 4;
/// Bytes of the longest label; what is above is a pointer or nothing.
const MAX_LABEL: u8 = 63;
/// A message over UDP may always have as many bytes (RFC 1035, 2.3.4).
const UDP_LIMIT: u16 = 512;

/// The bit of an answer, in the first byte of flags.
pub(super) const RESPONSE: u8 = 0x80;

/// How a message comes and goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// In datagrams.
    Udp,
    /// In a stream.
    Tcp,
}

/// A query that can be answered.
#[derive(Debug)]
pub(super) struct Query<'a> {
    /// As it came.
    pub(super) bytes: &'a [u8],
    /// Where the question ends in it.
    pub(super) question_end: usize,
    pub(super) transport: Transport,
    /// What is asked.
    pub(super) question: Question,
    pub(super) metadata: Metadata,
    pub(super) edns: Option<Edns>,
}

/// A query that cannot.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Invalid {
    /// It is no query at all; an answer to it might be answered as well.
    Silent,
    /// It is answered by this code alone.
    Code(ResponseCode),
}

impl<'a> Query<'a> {
    /// Reads a message. One question is allowed, and none of its name's parts may be a pointer.
    pub(super) fn read(bytes: &'a [u8], transport: Transport) -> Result<Self, Invalid> {
        let header = bytes.first_chunk().ok_or(Invalid::Silent)?;
        check(header)?;
        let malformed = Invalid::Code(ResponseCode::FormErr);
        let Some(question_end) = question_end(bytes) else { return Err(malformed) };
        let Ok(Message { metadata, mut queries, edns, .. }) = Message::from_vec(bytes) else {
            return Err(malformed);
        };
        let question = queries.pop().ok_or(malformed)?;
        Ok(Self { bytes, question_end, transport, question, metadata, edns })
    }

    /// Bytes of the longest answer that the client takes.
    pub(super) fn limit(&self) -> u16 {
        match (self.transport, &self.edns) {
            (Transport::Udp, Some(edns)) => edns.max_payload().max(UDP_LIMIT),
            (Transport::Udp, None) => UDP_LIMIT,
            (Transport::Tcp, _) => u16::MAX,
        }
    }

    /// The name asked for.
    pub(super) fn name(&self) -> &Name {
        &self.question.name
    }

    /// What is asked about it, if that is about the internet.
    pub(super) fn kind(&self) -> Option<RecordType> {
        (self.question.query_class == DNSClass::IN).then_some(self.question.query_type)
    }
}

/// A name in lower case, its parts with dots between them; none if a part has a dot in it, or what no name of ours has.
pub(super) fn text(name: &Name) -> Option<String> {
    let mut text = String::with_capacity(name.len());
    for label in name {
        if !text.is_empty() {
            text.push('.');
        }
        for byte in label {
            if !byte.is_ascii_graphic() || *byte == b'.' {
                return None;
            }
            text.push(char::from(byte.to_ascii_lowercase()));
        }
    }
    Some(text)
}

/// Looks at the header alone, so that nothing is made room for that the message does not have.
fn check(header: &[u8; HEADER]) -> Result<(), Invalid> {
    let [_, _, flags, _, q0, q1, an0, an1, ns0, ns1, ar0, ar1] = *header;
    let count = |high, low| u16::from_be_bytes([high, low]);
    if flags & RESPONSE != 0 {
        return Err(Invalid::Silent);
    }
    if OpCode::from_u8(flags >> 3 & 15) != OpCode::Query {
        return Err(Invalid::Code(ResponseCode::NotImp));
    }
    let is_plain = count(q0, q1) == 1 && count(an0, an1) == 0 && count(ns0, ns1) == 0 && count(ar0, ar1) <= 2;
    if is_plain { Ok(()) } else { Err(Invalid::Code(ResponseCode::FormErr)) }
}

/// Where the first question ends.
fn question_end(bytes: &[u8]) -> Option<usize> {
    let mut at = HEADER;
    loop {
        match *bytes.get(at)? {
            0 => break,
            length @ 1..=MAX_LABEL => at += 1 + usize::from(length),
            _ => return None,
        }
    }
    let end = at + 1 + TYPE_AND_CLASS;
    (end <= bytes.len()).then_some(end)
}
