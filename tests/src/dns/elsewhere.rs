//! A name server of elsewhere, in any manner, which remembers who asked it.

use std::{
    net::{IpAddr, SocketAddr, TcpListener, UdpSocket},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use anyhow::{Context as _, Result};
use hickory_proto::op::{Edns, Message};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net,
    runtime::{Builder, Runtime},
};

use super::{
    Lie, Manner, Transport, framed,
    manner::{answer, told_falsely},
};
use crate::{netns::Namespace, wait};

/// Of name servers.
const PORT: u16 = 53;
/// Bytes of a datagram to those who say nothing about it (RFC 1035, 2.3.4).
const USUAL: u16 = 512;

/// How a server was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// By UDP or TCP.
    pub by: Transport,
    /// Address and port of who asked.
    pub from: SocketAddr,
    /// What was asked.
    pub query: Message,
    /// When.
    pub at: Instant,
}

/// A running name server; it ends when it is dropped.
#[derive(Debug)]
pub struct Elsewhere {
    book: Arc<Book>,
    runtime: Option<Runtime>,
}

/// What the server shares with the tasks that answer.
#[derive(Debug)]
struct Book {
    manner: Mutex<Manner>,
    asked: Mutex<Vec<Asked>>,
}

impl Elsewhere {
    /// Starts a server on an address of a namespace.
    pub fn start(place: &Namespace, address: impl Into<IpAddr>, manner: Manner) -> Result<Self> {
        let address = SocketAddr::new(address.into(), PORT);
        let (udp, other, tcp) = place.run(|| {
            let other = UdpSocket::bind((address.ip(), 0))?;
            let (udp, tcp) = (UdpSocket::bind(address)?, TcpListener::bind(address)?);
            for socket in [&udp, &other] {
                socket.set_nonblocking(true)?;
            }
            tcp.set_nonblocking(true)?;
            Ok((udp, other, tcp))
        })?;
        let book = Arc::new(Book { manner: Mutex::new(manner), asked: Mutex::default() });
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let _inside = runtime.enter();
        let [udp, other] = [udp, other].map(net::UdpSocket::from_std);
        let (udp, other, tcp) = (udp?, other?, net::TcpListener::from_std(tcp)?);
        runtime.spawn(datagrams(udp, other, Arc::clone(&book)));
        runtime.spawn(streams(tcp, Arc::clone(&book)));
        Ok(Self { book, runtime: Some(runtime) })
    }

    /// Changes its manner.
    pub fn behave(&self, manner: Manner) {
        *locked(&self.book.manner) = manner;
    }

    /// Everything that it was asked so far.
    #[must_use]
    pub fn asked(&self) -> Vec<Asked> {
        locked(&self.book.asked).clone()
    }

    /// How often it was asked about a name so far.
    #[must_use]
    pub fn times_asked_about(&self, name: &str) -> usize {
        self.asked().iter().filter(|asked| asked.is_about(name)).count()
    }

    /// What it was asked about a name first, as soon as it was.
    pub fn asked_about(&self, name: &str) -> Result<Asked> {
        wait::until(&format!("the server is asked about {name}"), wait::LONG, || {
            self.asked().into_iter().find(|asked| asked.is_about(name))
        })
    }
}

impl Drop for Elsewhere {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Asked {
    fn is_about(&self, name: &str) -> bool {
        self.query.queries.first().is_some_and(|query| query.name().to_ascii() == name)
    }
}

impl Book {
    fn manner(&self) -> Manner {
        *locked(&self.manner)
    }

    /// Writes down who has asked what; the query, if it is one.
    fn note(&self, by: Transport, from: SocketAddr, bytes: &[u8]) -> Option<Message> {
        let query = Message::from_vec(bytes).ok()?;
        locked(&self.asked).push(Asked { by, from, query: query.clone(), at: Instant::now() });
        Some(query)
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn datagrams(udp: net::UdpSocket, other: net::UdpSocket, book: Arc<Book>) -> Result<()> {
    let mut buffer = vec![0; usize::from(u16::MAX)];
    loop {
        let (length, from) = udp.recv_from(&mut buffer).await?;
        let Some(query) = book.note(Transport::Udp, from, &buffer[..length]) else { continue };
        let manner = book.manner();
        if let Manner::Lies(lie, _) = manner {
            let socket = if lie == Lie::Port { &other } else { &udp };
            for message in told_falsely(&query, lie)? {
                socket.send_to(&message, from).await?;
            }
        }
        if let Some(mut answer) = answer(&query, manner) {
            let room = query.edns.as_ref().map_or(USUAL, Edns::max_payload);
            if answer.to_vec()?.len() > usize::from(room) {
                answer = answer.truncate();
            }
            udp.send_to(&answer.to_vec()?, from).await?;
        }
    }
}

async fn streams(listener: net::TcpListener, book: Arc<Book>) -> Result<()> {
    loop {
        let (mut stream, from) = listener.accept().await?;
        let book = Arc::clone(&book);
        tokio::spawn(async move {
            while let Ok(length) = stream.read_u16().await {
                let mut message = vec![0; length.into()];
                stream.read_exact(&mut message).await?;
                let query = book.note(Transport::Tcp, from, &message).context("no query")?;
                if let Some(answer) = answer(&query, book.manner()) {
                    stream.write_all(&framed(&answer.to_vec()?)?).await?;
                }
            }
            anyhow::Ok(())
        });
    }
}
