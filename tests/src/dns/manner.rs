//! How a name server behaves, and what it says then.

use std::net::Ipv4Addr;

use anyhow::Result;
use hickory_proto::{
    op::{Message, MessageType, Metadata, ResponseCode},
    rr::{Name, RData, Record, rdata::A},
};

/// What a server makes of every question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// Every name has this address.
    Knows(Ipv4Addr),
    /// Each of these names in its manner; no other name is there.
    ByName(&'static [(&'static str, Manner)]),
    /// Every name has as many addresses; in a datagram that has no room for all there are none, and a remark.
    KnowsMany(u8),
    /// It says this code and nothing more.
    Says(ResponseCode),
    /// It says nothing.
    Silent,
    /// It says something false before it says this address.
    Lies(Lie, Ipv4Addr),
}

/// What comes before the truth, with an address that is nobody's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lie {
    /// The number is another query's.
    Number,
    /// It is about another name.
    Question,
    /// It comes from another port.
    Port,
    /// It is marked as a query.
    Mark,
    /// These are no DNS messages.
    Noise,
}

impl Lie {
    /// The address in every lie.
    pub const ADDRESS: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 66);
}

/// What it says; nothing, if it is silent.
pub(super) fn answer(query: &Message, manner: Manner) -> Option<Message> {
    let (code, addresses) = match manner {
        Manner::Silent => return None,
        Manner::Says(code) => (code, Vec::new()),
        Manner::ByName(known) => {
            let asked = query.queries.first()?.name.to_ascii();
            match known.iter().find(|(name, _)| *name == asked.trim_end_matches('.')) {
                Some((_, manner)) => return answer(query, *manner),
                None => (ResponseCode::NXDomain, Vec::new()),
            }
        }
        Manner::Knows(address) | Manner::Lies(_, address) => (ResponseCode::NoError, vec![address]),
        Manner::KnowsMany(count) => {
            (ResponseCode::NoError, (0..count).map(|last| Ipv4Addr::new(192, 0, 2, last)).collect())
        }
    };
    Some(reply(query, code, &addresses))
}

fn reply(query: &Message, code: ResponseCode, addresses: &[Ipv4Addr]) -> Message {
    let mut metadata = Metadata::response_from_request(&query.metadata);
    metadata.recursion_available = true;
    metadata.response_code = code;
    let mut reply = Message::response(metadata.id, metadata.op_code);
    reply.metadata = metadata;
    reply.add_queries(query.queries.iter().cloned());
    if let Some(asked) = query.queries.first() {
        let record = |address: &Ipv4Addr| Record::from_rdata(asked.name.clone(), 60, RData::A(A(*address)));
        reply.add_answers(addresses.iter().map(record));
    }
    reply.edns.clone_from(&query.edns);
    reply
}

/// What it says before.
pub(super) fn told_falsely(query: &Message, lie: Lie) -> Result<Vec<Vec<u8>>> {
    let mut reply = reply(query, ResponseCode::NoError, &[Lie::ADDRESS]);
    match lie {
        Lie::Number => reply.metadata.id ^= 1,
        Lie::Question => {
            for query in &mut reply.queries {
                query.name = Name::from_ascii("another.example.")?;
            }
        }
        Lie::Mark => reply.metadata.message_type = MessageType::Query,
        Lie::Port => {}
        Lie::Noise => {
            let whole = reply.to_vec()?;
            return Ok([0, 1, 11, 12, 20].map(|length| whole[..length].to_vec()).to_vec());
        }
    }
    Ok(vec![reply.to_vec()?])
}
