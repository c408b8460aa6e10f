//! Messages that are no queries, or odd ones: the server says what is wrong with them, or nothing, and lives on.

use std::{
    io::{ErrorKind, Read as _, Write as _},
    net::{Ipv4Addr, SocketAddr, TcpStream, UdpSocket},
    time::Duration,
};

use anyhow::{Result, ensure};
use hickory_proto::{op::ResponseCode, rr::RecordType};
use netebpf_tests::{
    dns::{DOCKERS, Elsewhere, Manner, OURS, Transport, exchange, framed, next, query},
    probe::PATIENT,
    scenario::Sandbox,
    wait,
};

use super::{consumption::Consumption, host::on_host, idle, resolve, resolve_by, resolves};
use crate::scene::Scene;

/// Both ways to the server.
const SERVERS: [SocketAddr; 2] = [DOCKERS, OURS];
/// How long an answer is waited for that is not to come.
const BRIEF: Duration = Duration::from_millis(100);

/// A name of 255 bytes, which is as many as there may be, and one of 256.
fn longest(parts: usize, last: usize) -> Vec<u8> {
    let mut name = [&[63][..], &[b'a'; 63]].concat().repeat(parts);
    name.push(u8::try_from(last).expect("it is a label"));
    name.extend(vec![b'b'; last]);
    name.push(0);
    name
}

/// A message with this name, as it is in bytes, type A and class IN.
fn about(name: &[u8]) -> Vec<u8> {
    [b"\x12\x34\x01\0\0\x01\0\0\0\0\0\0", name, b"\0\x01\0\x01"].concat()
}

/// A proper query about a sandbox with bytes at a place changed.
fn changed(place: usize, bytes: &[u8]) -> Vec<u8> {
    let mut message = about(b"\x02db\0");
    message.splice(place..place + bytes.len(), bytes.iter().copied());
    message
}

/// The response code of an answer.
fn code(answer: &[u8]) -> u8 {
    answer[3] & 15
}

/// Messages and the response code to them; none if there is no answer.
fn cases() -> Vec<(&'static str, Vec<u8>, Option<u8>)> {
    const FORMAT: Option<u8> = Some(1);
    let whole = about(b"\x02db\0");
    vec![
        ("a query", whole.clone(), Some(0)),
        ("nothing", Vec::new(), None),
        ("half a header", whole[..6].to_vec(), None),
        ("an answer", changed(2, &[0x81]), None),
        ("an answer of another kind", changed(2, &[0xa8]), None),
        ("a header alone", whole[..12].to_vec(), FORMAT),
        ("a question without an end", whole[..whole.len() - 1].to_vec(), FORMAT),
        ("a name without an end", about(&[63; 40]), FORMAT),
        ("a name that points to itself", about(b"\xc0\x0c"), FORMAT),
        ("names that point to each other", about(b"\xc0\x0e\xc0\x0c"), FORMAT),
        ("a name that points past the end", about(b"\x02db\xff\xff"), FORMAT),
        ("a label of a kind that is none", about(b"\x80db\0"), FORMAT),
        ("no question", changed(4, &[0, 0]), FORMAT),
        ("two questions", changed(4, &[0, 2]), FORMAT),
        ("65535 questions", changed(4, &[0xff, 0xff]), FORMAT),
        ("65535 records", changed(6, &[0xff, 0xff]), FORMAT),
        ("65535 records behind the answer", changed(10, &[0xff, 0xff]), FORMAT),
        ("a record that is not there", changed(11, &[1]), FORMAT),
        ("a name of 256 bytes", about(&longest(3, 62)), FORMAT),
        ("a notification", changed(2, &[0x21]), Some(4)),
        ("an update", changed(2, &[0x29]), Some(4)),
        ("an operation that is none", changed(2, &[0x79]), Some(4)),
        ("a name of 255 bytes", about(&longest(3, 61)), Some(3)),
        ("the root", about(b"\0"), Some(3)),
        ("a name with zeros and dots in it", about(b"\x04a\0.\xff\0"), Some(3)),
    ]
}

/// A sandbox that misbehaves beside one that is known, on a host whose server knows no name.
fn with_villain(name: &str, scenario: impl FnOnce(&Scene, &Sandbox) -> Result<()> + Send) -> Result<()> {
    on_host(name, &[], "nameserver 127.0.0.1\n", |scene| {
        let server = Manner::Says(ResponseCode::NXDomain);
        let _server = Elsewhere::start(&scene.world.host, Ipv4Addr::LOCALHOST, server)?;
        let db = idle(scene, "db", &[])?;
        let villain = idle(scene, "villain", &[])?;
        let before = Consumption::of_daemon(scene)?;
        scenario(scene, &villain)?;
        for sandbox in [&villain, &db] {
            resolves(sandbox, "db.", &format!("NoError {}", db.address))?;
            ensure!(resolve(sandbox, "far.example.")? == "NXDomain");
        }
        before.has_not_grown(scene)
    })
}

#[test]
fn what_is_no_query_is_refused_by_its_fault_or_ignored() -> Result<()> {
    with_villain("malformed", |_, villain| {
        for server in SERVERS {
            for transport in [Transport::Udp, Transport::Tcp] {
                for (what, message, expected) in cases() {
                    let patience = if expected.is_some() { PATIENT } else { BRIEF };
                    let said = villain.namespace.run(|| exchange(server, transport, &message, patience))?;
                    let seen = said.as_ref().map(|answer| code(answer));
                    ensure!(seen == expected, "{what} to {server} by {transport:?}: {said:02x?}");
                    let is_answer = |answer: &Vec<u8>| answer[..2] == message[..2] && answer[2] & 0x80 != 0;
                    ensure!(said.as_ref().is_none_or(is_answer), "{what}: {said:02x?}");
                }
            }
        }
        Ok(())
    })
}

#[test]
fn noise_harms_nobody() -> Result<()> {
    const MESSAGES: u64 = 3000;
    const AGAIN: Duration = Duration::from_millis(300);
    with_villain("noise", |_, villain| {
        let whole: Vec<_> = cases().into_iter().map(|(_, message, _)| message).collect();
        let mut seed = 5_u64;
        let mut random = move || {
            // A linear congruential generator (Knuth): the same noise each time.
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(seed >> 40).expect("it is small")
        };
        villain.namespace.run(|| {
            let socket = UdpSocket::bind("0.0.0.0:0")?;
            for number in 0..MESSAGES {
                let mut message = whole[random() % whole.len()].clone();
                if number % 4 == 0 {
                    message = (0..random() % 1400).map(|_| random().to_le_bytes()[0]).collect();
                }
                for _ in 0..random() % 4 {
                    let place = random() % message.len().max(1);
                    message.iter_mut().skip(place).take(1).for_each(|byte| *byte = random().to_le_bytes()[0]);
                }
                socket.send_to(&message, SERVERS[random() % 2])?;
            }
            // What nobody has answered counts for a while, so the first queries behind it may be too many.
            let unknown = query("far.example.", RecordType::A)?.to_vec()?;
            let again = || exchange(DOCKERS, Transport::Udp, &unknown, AGAIN).ok().flatten();
            wait::until("there is an answer again", PATIENT, again).map(drop)
        })
    })
}

#[test]
fn streams_of_any_length_and_pace_harm_nobody() -> Result<()> {
    with_villain("streams", |_, villain| {
        villain.namespace.run(|| {
            let connect = || -> Result<TcpStream> {
                let stream = TcpStream::connect(DOCKERS)?;
                stream.set_read_timeout(Some(PATIENT))?;
                Ok(stream)
            };
            // No query is as long as the longest message there is: who sends that is not listened to, maybe before its end.
            let mut longest = about(b"\x02db\0");
            longest.resize(usize::from(u16::MAX), 0xff);
            let mut stream = connect()?;
            drop(stream.write_all(&framed(&longest)?));
            ensure!(next(&mut stream).is_none(), "it was answered");
            let mut stream = connect()?;
            // Byte by byte, and two at once.
            let query = framed(&about(b"\x02db\0"))?;
            for byte in &query {
                stream.write_all(&[*byte])?;
            }
            ensure!(next(&mut stream).map(|answer| code(&answer)) == Some(0), "no answer");
            stream.write_all(&query.repeat(2))?;
            ensure!(next(&mut stream).is_some() && next(&mut stream).is_some(), "not two answers");
            // A length and nothing behind it does not hold a connection for ever.
            let mut stalling = connect()?;
            stalling.write_all(&[1, 0, 1, 2, 3])?;
            ensure!(stalling.read(&mut [0])? == 0, "it was answered");
            Ok(())
        })
    })
}

#[test]
fn idle_connections_are_few_and_hold_up_nobody() -> Result<()> {
    const CONNECTIONS: usize = 300;
    /// Of one sandbox.
    const ALLOWED: usize = 16;
    with_villain("idle", |scene, villain| {
        let other = idle(scene, "other", &[])?;
        let connections: Vec<_> = villain
            .namespace
            .run(|| (0..CONNECTIONS).map(|_| Ok(TcpStream::connect(DOCKERS)?)).collect::<Result<_>>())?;
        let told = resolve_by(&other, Transport::Tcp, "far.example.")?;
        ensure!(told == "NXDomain", "{told}");
        let is_open = |stream: &&TcpStream| {
            let nonblocking = stream.set_nonblocking(true);
            nonblocking.is_ok()
                && (&**stream).read(&mut [0]).is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
        };
        wait::until("connections above the limit are closed", PATIENT, || {
            (connections.iter().filter(is_open).count() <= ALLOWED).then_some(())
        })
    })
}
