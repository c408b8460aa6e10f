//! What a client asks: bytes that nobody has checked become a question, or are refused.

use std::net::SocketAddr;

use hickory_server::{
    net::xfer::Protocol,
    proto::{
        op::{LowerQuery, OpCode, ResponseCode},
        rr::{DNSClass, RecordType},
    },
    server::Request,
};

/// Bytes of a message's header (RFC 1035, 4.1.1).
pub(super) const HEADER: usize = 12;
/// Bytes of a question behind its name.
const TYPE_AND_CLASS: usize = 4;
/// Bytes of the longest label; what is above is a pointer or nothing.
const MAX_LABEL: u8 = 63;
/// Bytes of the longest query that is read; Docker's engine reads 512.
pub(super) const LONGEST: usize = 4096;

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

/// A query that can be answered: it has one question.
#[derive(Debug)]
pub(super) struct Query {
    pub(super) request: Request,
    pub(super) transport: Transport,
    /// Where the question ends in it.
    pub(super) question_end: usize,
}

/// A query that cannot.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Invalid {
    /// It is no query at all; an answer to it might be answered as well.
    Silent,
    /// It is answered by this code alone.
    Code(ResponseCode),
}

impl Query {
    /// Reads a message. One question is allowed, and none of its name's parts may be a pointer.
    pub(super) fn read(client: SocketAddr, transport: Transport, bytes: &[u8]) -> Result<Self, Invalid> {
        let header = bytes.first_chunk().ok_or(Invalid::Silent)?;
        check(header)?;
        let malformed = Invalid::Code(ResponseCode::FormErr);
        let Some(question_end) = question_end(bytes) else { return Err(malformed) };
        let protocol = match transport {
            Transport::Udp => Protocol::Udp,
            Transport::Tcp => Protocol::Tcp,
        };
        let request = Request::from_bytes(bytes.to_vec(), client, protocol).map_err(|_| malformed)?;
        Ok(Self { request, transport, question_end })
    }

    /// Bytes of the longest answer that the client takes.
    pub(super) fn limit(&self) -> u16 {
        match self.transport {
            Transport::Udp => self.request.max_payload(),
            Transport::Tcp => u16::MAX,
        }
    }

    /// What is asked.
    pub(super) fn question(&self) -> &LowerQuery {
        &self.request.queries.queries()[0]
    }

    /// What is asked about the name, if that is about the internet.
    pub(super) fn kind(&self) -> Option<RecordType> {
        let question = self.question();
        (question.query_class() == DNSClass::IN).then_some(question.query_type())
    }

    /// The name in lower case, its parts with dots between them; none if a part has a dot in it, or what no name of ours has.
    pub(super) fn name(&self) -> Option<String> {
        let name = self.question().name();
        let mut text = String::with_capacity(name.len());
        for label in name.iter() {
            if !text.is_empty() {
                text.push('.');
            }
            let is_plain = label.iter().all(|byte| byte.is_ascii_graphic() && *byte != b'.');
            text.push_str(str::from_utf8(label).ok().filter(|_| is_plain)?);
        }
        Some(text)
    }
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
