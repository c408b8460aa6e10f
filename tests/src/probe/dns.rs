//! As much DNS (RFC 1035) as a resolver and a server of addresses speak, over UDP and TCP.

use std::{
    io::{Read as _, Write as _},
    net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, UdpSocket},
    process,
    sync::atomic::{AtomicU16, Ordering},
};

use anyhow::{Context as _, Result, ensure};

use super::PATIENT;

const RESPONSE: u8 = 0x80;
const TRUNCATED: u8 = 0x02;
const HEADER: usize = 12;
/// Type A, class IN.
const ADDRESS: [u8; 4] = [0, 1, 0, 1];
/// What an answer holds before the address: a pointer to the name, type and class, a lifetime and a length.
const RECORD: [u8; 12] = [0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4];
/// Names with this beginning have more addresses than fit a datagram.
const LARGE: &str = "large";
const ADDRESSES_OF_LARGE: u16 = 200;

/// Asks a server for the addresses of a name; first by UDP, and by TCP if the answer says that it was cut.
pub fn resolve(server: SocketAddr, name: &str) -> Result<Vec<Ipv4Addr>> {
    let query = query(name);
    let any: SocketAddr =
        if server.is_ipv4() { (Ipv4Addr::UNSPECIFIED, 0).into() } else { (Ipv6Addr::UNSPECIFIED, 0).into() };
    let socket = UdpSocket::bind(any)?;
    socket.connect(server)?;
    socket.set_read_timeout(Some(PATIENT))?;
    socket.send(&query)?;
    let mut answer = vec![0; 512];
    let length =
        socket.recv(&mut answer).with_context(|| format!("no answer about {name} from {server}/udp"))?;
    answer.truncate(length);
    if answer.get(2).is_some_and(|flags| flags & TRUNCATED != 0) {
        let mut stream = TcpStream::connect_timeout(&server, PATIENT)?;
        stream.set_read_timeout(Some(PATIENT))?;
        stream.write_all(&framed(&query)?)?;
        answer =
            read_framed(&mut stream).with_context(|| format!("no answer about {name} from {server}/tcp"))?;
    }
    addresses(&query, &answer).with_context(|| format!("an odd answer about {name}: {answer:02x?}"))
}

/// The addresses that a server gives for a name.
#[must_use]
pub fn addresses_of(name: &str) -> Vec<Ipv4Addr> {
    let sum = name.bytes().fold(0_u16, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
    let [high, low] = sum.to_be_bytes();
    let count = if name.starts_with(LARGE) { ADDRESSES_OF_LARGE } else { 1 };
    (0..count).map(|number| Ipv4Addr::new(192, high, low, number.to_le_bytes()[0])).collect()
}

/// The server's side by UDP: the answer to a query, or its beginning with a remark.
pub(super) fn answer_datagram(query: &[u8]) -> Option<Vec<u8>> {
    let mut answer = answer(query)?;
    if answer.len() > 512 {
        answer.truncate(query.len());
        *answer.get_mut(2)? |= TRUNCATED;
        answer.get_mut(6..8)?.fill(0);
    }
    Some(answer)
}

/// The server's side by TCP: answers until the client hangs up.
pub(super) fn serve(mut stream: TcpStream) -> Result<()> {
    while let Ok(query) = read_framed(&mut stream) {
        let answer = answer(&query).context("no query")?;
        stream.write_all(&framed(&answer)?)?;
    }
    Ok(())
}

fn query(name: &str) -> Vec<u8> {
    static COUNT: AtomicU16 = AtomicU16::new(0);
    let [low, high, ..] = process::id().to_le_bytes();
    let id = u16::from_le_bytes([low, high]).wrapping_add(COUNT.fetch_add(1, Ordering::Relaxed));
    let mut query = id.to_be_bytes().to_vec();
    query.extend([1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    for label in name.split('.') {
        query.extend(u8::try_from(label.len()));
        query.extend(label.bytes());
    }
    query.push(0);
    query.extend(ADDRESS);
    query
}

fn answer(query: &[u8]) -> Option<Vec<u8>> {
    let mut labels = Vec::new();
    let mut rest = query.get(HEADER..)?;
    while let Some((length, tail)) = rest.split_first().filter(|(length, _)| **length > 0) {
        let (label, tail) = tail.split_at_checked(usize::from(*length))?;
        labels.push(String::from_utf8_lossy(label).into_owned());
        rest = tail;
    }
    let addresses = addresses_of(&labels.join("."));
    let mut answer = query.to_vec();
    *answer.get_mut(2)? |= RESPONSE;
    let count = u16::try_from(addresses.len()).ok()?.to_be_bytes();
    answer.get_mut(6..8)?.copy_from_slice(&count);
    for address in addresses {
        answer.extend(RECORD);
        answer.extend(address.octets());
    }
    Some(answer)
}

fn addresses(query: &[u8], answer: &[u8]) -> Result<Vec<Ipv4Addr>> {
    let (head, records) = answer.split_at_checked(query.len()).context("it is too short")?;
    ensure!(head.get(..2) == query.get(..2), "it answers another query");
    ensure!(head.get(HEADER..) == query.get(HEADER..), "it is about another name");
    ensure!(head.get(2).is_some_and(|flags| flags & RESPONSE != 0), "it is no answer");
    let found = records.chunks(RECORD.len() + 4).map(|record| {
        let octets: &[u8; 4] = record.last_chunk().context("half a record")?;
        Ok(Ipv4Addr::from(*octets))
    });
    found.collect()
}

fn framed(message: &[u8]) -> Result<Vec<u8>> {
    Ok([&u16::try_from(message.len())?.to_be_bytes(), message].concat())
}

fn read_framed(stream: &mut TcpStream) -> Result<Vec<u8>> {
    let mut length = [0; 2];
    stream.read_exact(&mut length)?;
    let mut message = vec![0; u16::from_be_bytes(length).into()];
    stream.read_exact(&mut message)?;
    Ok(message)
}
