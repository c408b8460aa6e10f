//! One query to one server. What comes back is checked and else left as it is.

use std::{io, net};

use hickory_server::proto::op::ResponseCode;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, UdpSocket},
};

use super::{
    Dialer, Transport, Upstream,
    query::{HEADER, Query, RESPONSE},
};

/// Bytes of type and class, at the end of a question.
const TYPE_AND_CLASS: usize = 4;

/// A query on its way, with a number of our own choice.
#[derive(Debug)]
pub(super) struct Sent {
    bytes: Vec<u8>,
    question_end: usize,
}

/// What a server's message is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// It answers something else.
    Foreign,
    /// The server cannot or will not answer.
    Failure,
    /// It is the answer.
    Answer,
}

impl Sent {
    /// Prepares the client's query for a server. The client's number is of no use to those who guess ours.
    pub(super) fn new(query: &Query) -> Self {
        let mut bytes = query.request.as_slice().to_vec();
        bytes[..2].copy_from_slice(&rand::random::<[u8; 2]>());
        Self { bytes, question_end: query.question_end }
    }

    /// Asks a server; the answer is none if it will not tell. Sockets are used once, so that each has another port.
    pub(super) async fn ask(
        &self,
        dialer: &Dialer,
        upstream: Upstream,
        transport: Transport,
    ) -> io::Result<Option<Vec<u8>>> {
        let socket = dialer.socket(upstream, transport).await?;
        match transport {
            Transport::Udp => self.ask_udp(socket.into(), upstream).await,
            Transport::Tcp => self.ask_tcp(socket.into(), upstream).await,
        }
    }

    async fn ask_udp(&self, socket: net::UdpSocket, upstream: Upstream) -> io::Result<Option<Vec<u8>>> {
        socket.set_nonblocking(true)?;
        let socket = UdpSocket::from_std(socket)?;
        socket.connect(upstream.address).await?;
        socket.send(&self.bytes).await?;
        loop {
            socket.readable().await?;
            // Made when there is something to read: many queries wait at a time.
            let mut answer = vec![0; usize::from(u16::MAX)];
            let length = match socket.try_recv(&mut answer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
                length => length?,
            };
            answer.truncate(length);
            answer.shrink_to_fit();
            match self.judge(&answer) {
                Verdict::Foreign => {}
                Verdict::Failure => return Ok(None),
                Verdict::Answer => return Ok(Some(answer)),
            }
        }
    }

    async fn ask_tcp(&self, socket: net::TcpStream, upstream: Upstream) -> io::Result<Option<Vec<u8>>> {
        socket.set_nonblocking(true)?;
        let mut stream = TcpSocket::from_std_stream(socket).connect(upstream.address).await?;
        let length = u16::try_from(self.bytes.len()).map_err(io::Error::other)?;
        stream.write_all(&[&length.to_be_bytes(), self.bytes.as_slice()].concat()).await?;
        let mut answer = vec![0; usize::from(stream.read_u16().await?)];
        stream.read_exact(&mut answer).await?;
        match self.judge(&answer) {
            Verdict::Foreign => Err(io::Error::from(io::ErrorKind::InvalidData)),
            Verdict::Failure => Ok(None),
            Verdict::Answer => Ok(Some(answer)),
        }
    }

    /// Whether a message answers this query: its number, and the question again but for letter case.
    fn judge(&self, answer: &[u8]) -> Verdict {
        let Some([n0, n1, flags, more_flags, q0, q1]) = answer.first_chunk() else { return Verdict::Foreign };
        if [*n0, *n1] != self.bytes[..2] || flags & RESPONSE == 0 || flags & 0x78 != 0 {
            return Verdict::Foreign;
        }
        let code = ResponseCode::from(0, more_flags & 15);
        let is_failure = matches!(code, ResponseCode::ServFail | ResponseCode::Refused);
        match u16::from_be_bytes([*q0, *q1]) {
            1 if !self.is_repeated_in(answer) => Verdict::Foreign,
            1 if is_failure => Verdict::Failure,
            1 => Verdict::Answer,
            // Some leave the question away when they do not understand it, and when they refuse.
            0 if matches!(code, ResponseCode::FormErr | ResponseCode::NotImp) => Verdict::Answer,
            0 if code != ResponseCode::NoError => Verdict::Failure,
            _ => Verdict::Foreign,
        }
    }

    fn is_repeated_in(&self, answer: &[u8]) -> bool {
        let type_at = self.question_end - TYPE_AND_CLASS;
        let parts = |bytes: &[u8]| {
            let name = bytes.get(HEADER..type_at)?.to_ascii_lowercase();
            Some((name, bytes.get(type_at..self.question_end)?.to_owned()))
        };
        parts(answer) == parts(&self.bytes)
    }
}

/// Makes a server's answer the client's: with its number and its spelling of the name.
pub(super) fn hand_on(mut answer: Vec<u8>, query: &Query) -> Vec<u8> {
    let asked = query.request.as_slice();
    answer[..2].copy_from_slice(&asked[..2]);
    let repeats_question = answer[4..6] != [0, 0];
    if repeats_question {
        answer[HEADER..query.question_end].copy_from_slice(&asked[HEADER..query.question_end]);
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A query for `Web.`, type A.
    const QUERY: &[u8] = b"\x12\x34\x01\x00\0\x01\0\0\0\0\0\0\x03Web\0\0\x01\0\x01";

    fn query(bytes: &[u8]) -> Query {
        Query::read(([127, 0, 0, 1], 53).into(), Transport::Udp, bytes).expect("it is well-formed")
    }

    fn judge(change: impl FnOnce(&mut Vec<u8>)) -> Verdict {
        let sent = Sent::new(&query(QUERY));
        let mut answer = sent.bytes.clone();
        answer[2] |= RESPONSE;
        change(&mut answer);
        sent.judge(&answer)
    }

    #[test]
    fn an_answer_has_our_number_and_our_question() {
        assert_eq!(judge(|_| {}), Verdict::Answer);
        assert_eq!(judge(|answer| answer[13..16].make_ascii_lowercase()), Verdict::Answer);
        assert_eq!(judge(|answer| answer[3] = 0x83), Verdict::Answer, "NXDOMAIN is an answer");
        for (place, value) in [(2, 0x01), (2, 0x91), (5, 2), (12, 4), (13, b'x'), (18, 28), (20, 3)] {
            assert_eq!(judge(|answer| answer[place] = value), Verdict::Foreign, "{place}");
        }
        assert_eq!(judge(|answer| answer[0] ^= 1), Verdict::Foreign);
        assert_eq!(judge(|answer| answer.truncate(20)), Verdict::Foreign);
        assert_eq!(judge(|answer| answer.truncate(5)), Verdict::Foreign);
    }

    #[test]
    fn types_are_not_letters() {
        let mut asked = QUERY.to_vec();
        asked[18] = b'A';
        let sent = Sent::new(&query(&asked));
        let mut answer = sent.bytes.clone();
        answer[2] |= RESPONSE;
        assert_eq!(sent.judge(&answer), Verdict::Answer);
        answer[18] = b'a';
        assert_eq!(sent.judge(&answer), Verdict::Foreign);
    }

    #[test]
    fn a_server_that_will_not_answer_need_not_repeat_the_question() {
        for code in [2, 5] {
            assert_eq!(judge(|answer| answer[3] = code), Verdict::Failure);
        }
        let bare = |code: u8| {
            judge(|answer| {
                answer.truncate(HEADER);
                answer[3] = code;
                answer[5] = 0;
            })
        };
        assert_eq!([2, 3, 5].map(bare), [Verdict::Failure; 3]);
        assert_eq!([1, 4].map(bare), [Verdict::Answer; 2], "the client is to ask in another way");
        assert_eq!(bare(0), Verdict::Foreign);
    }

    #[test]
    fn the_client_gets_its_own_number_and_spelling_back() {
        let query = query(QUERY);
        let mut answer = Sent::new(&query).bytes;
        answer[13..16].make_ascii_uppercase();
        answer.extend(b"more");
        let handed = hand_on(answer, &query);
        assert_eq!((&handed[..QUERY.len()], &handed[QUERY.len()..]), (QUERY, b"more".as_slice()));
        let bare = b"\0\0\x81\x81\0\0\0\0\0\0\0\x01 an OPT record".to_vec();
        assert_eq!(hand_on(bare, &query), b"\x12\x34\x81\x81\0\0\0\0\0\0\0\x01 an OPT record");
    }
}
