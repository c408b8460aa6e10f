//! Questions and answers as lines of text, for programs in containers: `A db size=1232`.
//!
//! After the type and the name come words that make the query odd:
//!
//! | word | the query |
//! |---|---|
//! | `tcp` | goes by TCP |
//! | `size=N` | tells by EDNS that the client takes N bytes |
//! | `edns=N` | has EDNS of version N |
//! | `do` | asks for signatures by EDNS |
//! | `cookie` | has an EDNS option that nobody needs to know |
//! | `class=N` | is about this class, not the internet |
//! | `alone` | does not ask for other servers to be asked |
//! | `opcode=N` | is another operation |
//! | `answer` | says that it is an answer |
//! | `questions=N` | says how many questions it has; it has one |
//! | `cut=N` | ends after N bytes |
//! | `more=N` | has N bytes behind its end |
//! | `times=N` | is asked N times; the answers that came are told in the order of their records, each once |

use std::{collections::BTreeSet, fmt, net::SocketAddr, str::FromStr, time::Duration};

use anyhow::{Context as _, Error, Result, bail, ensure};
use hickory_proto::{
    op::{Edns, Message, Metadata, ResponseCode},
    rr::{
        DNSClass, Record, RecordType,
        rdata::opt::{EdnsCode, EdnsOption},
    },
};

use super::{Transport, exchange, query, with_room};

/// How long an answer is waited for; longer than a name server waits for another one.
const PATIENT: Duration = Duration::from_secs(15);
/// How long one is waited for that is not to come.
const BRIEF: Duration = Duration::from_secs(2);
/// Answers with more records are told by their number.
const FEW: usize = 4;
/// Bytes of a message's header (RFC 1035, 4.1.1).
const HEADER: usize = 12;
const RESPONSE: u8 = 0x80;

/// A question as text, with the message that asks it.
#[derive(Debug, Clone)]
pub struct Question {
    text: String,
    message: Vec<u8>,
    transport: Transport,
    patience: Duration,
    times: usize,
}

impl FromStr for Question {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let mut words = text.split_whitespace();
        let kind = words.next().context("expected TYPE NAME")?;
        let kind = match kind.strip_prefix("TYPE") {
            Some(number) => RecordType::from(number.parse::<u16>()?),
            None => kind.parse()?,
        };
        let mut message = query(words.next().context("expected TYPE NAME")?, kind)?;
        message.metadata.id = 0x4e45;
        let mut question = Self {
            text: text.to_owned(),
            message: Vec::new(),
            transport: Transport::Udp,
            patience: PATIENT,
            times: 1,
        };
        let words: Vec<_> = words.collect();
        for word in &words {
            ask_by(&mut message, word)?;
        }
        question.message = message.to_vec()?;
        for word in words {
            question.spoil(word)?;
        }
        Ok(question)
    }
}

/// What a word says about the message.
fn ask_by(message: &mut Message, word: &str) -> Result<()> {
    let edns = message.edns.clone().unwrap_or_else(|| Edns::new().set_max_payload(1232).clone());
    let with = |edns: &mut Edns| Some(edns.clone());
    match word.split_once('=').unwrap_or((word, "")) {
        ("size", bytes) => *message = with_room(message.clone(), bytes.parse()?),
        ("edns", version) => message.edns = with(edns.clone().set_version(version.parse()?)),
        ("do", _) => message.edns = with(edns.clone().set_dnssec_ok(true)),
        ("cookie", _) => {
            let mut edns = edns;
            edns.options_mut().insert(EdnsOption::Unknown(EdnsCode::Cookie.into(), vec![7; 8]));
            message.edns = Some(edns);
        }
        ("class", class) => {
            for query in &mut message.queries {
                query.query_class = DNSClass::from(class.parse::<u16>()?);
            }
        }
        ("alone", _) => message.metadata.recursion_desired = false,
        _ => {}
    }
    Ok(())
}

impl Question {
    /// What a word says about the bytes and about how they go.
    fn spoil(&mut self, word: &str) -> Result<()> {
        let (word, value) = word.split_once('=').unwrap_or((word, ""));
        match word {
            "size" | "edns" | "do" | "cookie" | "class" | "alone" => {}
            "tcp" => self.transport = Transport::Tcp,
            "opcode" => *self.byte(2)? |= value.parse::<u8>()? << 3,
            "answer" => {
                *self.byte(2)? |= RESPONSE;
                self.patience = BRIEF;
            }
            "questions" => *self.byte(5)? = value.parse()?,
            "cut" => {
                let length = value.parse()?;
                self.message.truncate(length);
                if length < HEADER {
                    self.patience = BRIEF;
                }
            }
            "more" => self.message.resize(self.message.len() + value.parse::<usize>()?, 0),
            "times" => self.times = value.parse()?,
            _ => bail!("{word} is no word of a question"),
        }
        Ok(())
    }

    fn byte(&mut self, place: usize) -> Result<&mut u8> {
        self.message.get_mut(place).context("the message is too short")
    }

    /// Asks a server and tells what it says.
    pub fn ask(&self, server: SocketAddr) -> Result<String> {
        let once = || exchange(server, self.transport, &self.message, self.patience);
        if self.times == 1 {
            return Ok(match once()? {
                Some(answer) => self.told(&answer),
                None => "no answer".to_owned(),
            });
        }
        let mut seen = BTreeSet::new();
        for _ in 0..self.times {
            let answer = Message::from_vec(&once()?.context("no answer")?)?;
            let data: Vec<_> = answer.answers.iter().map(|record| record.data.to_string()).collect();
            ensure!(data.len() <= FEW, "too many records");
            seen.insert(data.join(" "));
        }
        Ok(seen.into_iter().collect::<Vec<_>>().join(" or "))
    }

    /// The code, the flags, the records and what else there is to see.
    fn told(&self, bytes: &[u8]) -> String {
        let Ok(answer) = Message::from_vec(bytes) else { return format!("{} odd bytes", bytes.len()) };
        let mut told = head(&answer.metadata);
        if answer.queries.is_empty() {
            told.push_str(", no question");
        } else if question(bytes) != question(&self.message) {
            told.push_str(", another question");
        }
        for (section, records) in
            [("", &answer.answers), (" authority", &answer.authorities), (" additional", &answer.additionals)]
        {
            told.push_str(&listed(section, records));
        }
        if let Some(edns) = &answer.edns {
            let wants = if edns.flags().dnssec_ok { " do" } else { "" };
            told.extend([", edns ", &edns.version().to_string(), wants]);
        }
        told
    }
}

/// The code and the flags of an answer.
fn head(metadata: &Metadata) -> String {
    // The same number is a failure of a signature; none is asked for.
    let is_version = metadata.response_code == ResponseCode::BADSIG;
    let code = if is_version { ResponseCode::BADVERS } else { metadata.response_code };
    let flags = [
        (" aa", metadata.authoritative),
        (" tc", metadata.truncation),
        (" rd", metadata.recursion_desired),
        (" ra", metadata.recursion_available),
        (" ad", metadata.authentic_data),
        (" cd", metadata.checking_disabled),
    ];
    let flags = flags.into_iter().filter_map(|(flag, is_set)| is_set.then_some(flag));
    format!("{code:?}").to_uppercase() + &flags.collect::<String>()
}

/// The first question of a message, byte for byte: name, type and class.
fn question(message: &[u8]) -> Option<&[u8]> {
    let question = message.get(HEADER..)?;
    let end = question.iter().position(|byte| *byte == 0)?;
    question.get(..end + 5)
}

/// The records of a section, sorted, or their number; nothing of none.
fn listed(section: &str, records: &[Record]) -> String {
    if records.len() > FEW {
        return format!(",{section} {} records", records.len());
    }
    let record = |record: &Record| {
        let name = record.name.to_ascii();
        let name = name.trim_end_matches('.');
        format!(",{section} {name} {} {} {}", record.ttl, record.record_type(), record.data)
    };
    let mut listed: Vec<_> = records.iter().map(record).collect();
    listed.sort();
    listed.concat()
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use hickory_proto::rr::{Name, RData, rdata::A};

    use super::*;

    #[test]
    fn words_make_a_query_odd() {
        let bytes = |text: &str| text.parse::<Question>().expect("it is a question").message;
        let plain = bytes("A db");
        assert_eq!(plain.len(), HEADER + 8);
        assert_eq!(bytes("A db cut=5"), plain[..5]);
        assert_eq!(bytes("A db more=2").len(), plain.len() + 2);
        assert_eq!(bytes("A db answer")[2], plain[2] | RESPONSE);
        assert_eq!(bytes("A db opcode=2")[2], plain[2] | 2 << 3);
        assert_eq!(bytes("A db alone")[2], 0);
        assert_eq!(bytes("A db class=3").last(), Some(&3));
        assert_eq!(bytes("TYPE65535 db")[16..18], [0xff, 0xff]);
        assert_eq!(bytes("A db size=512").len(), plain.len() + 11);
        for odd in ["A", "X db", "A db twice", "A db cut=x"] {
            assert!(odd.parse::<Question>().is_err(), "{odd}");
        }
    }

    #[test]
    fn an_answer_is_told_with_all_that_matters() {
        let question: Question = "A Db size=1232".parse().expect("it is a question");
        let mut answer = Message::from_vec(&question.message).expect("it is a message");
        answer.metadata.message_type = hickory_proto::op::MessageType::Response;
        answer.metadata.truncation = true;
        let name = Name::from_ascii("Db.").expect("it is a name");
        answer.add_answer(Record::from_rdata(name, 600, RData::A(A(Ipv4Addr::new(10, 0, 0, 2)))));
        let told = |answer: &Message| question.told(&answer.to_vec().expect("it can be written"));
        assert_eq!(told(&answer), "NOERROR tc rd, Db 600 A 10.0.0.2, edns 0");
        answer.queries[0].name = Name::from_ascii("db.").expect("it is a name");
        assert!(told(&answer).contains("another question"), "{}", told(&answer));
        answer.queries.clear();
        assert!(told(&answer).contains("no question"), "{}", told(&answer));
    }
}
