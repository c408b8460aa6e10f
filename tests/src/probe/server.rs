//! The servers of `netebpf-probe`, and how the harness starts them.

use std::{
    convert::Infallible,
    fmt,
    io::{BufRead as _, BufReader, Read as _, Write},
    net::{Ipv6Addr, SocketAddr, TcpListener, TcpStream},
    path::Path,
    process::{Command, Stdio},
    str::FromStr,
    thread,
};

use anyhow::{Context as _, Error, Result, bail};

use super::{
    bulk,
    datagrams::{Datagrams, Reaction},
    dns, http,
    processor::{Processor, pin},
    sctp, stream,
};
use crate::{netns::Namespace, process::Process};

/// What a probe says on standard output once all its ports are open.
pub const READY: &str = "ready";

/// A port that a probe serves, written `tcp:80`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// Says who connected.
    Tcp(u16),
    /// Answers each datagram with its source.
    Udp(u16),
    /// Takes part in a [`Transfer`](super::Transfer).
    Stream(u16),
    /// Sends back what it receives over TCP.
    Echo(u16),
    /// Swallows a TCP stream and answers its end with the number of bytes.
    Sink(u16),
    /// Sends each datagram back as it came.
    Reflect(u16),
    /// Takes part in [`bulk`](super::bulk()).
    Bulk(u16),
    /// Serves pages to [`browse`](super::browse).
    Http(u16),
    /// Answers [`resolve`](super::resolve) by TCP.
    DnsTcp(u16),
    /// Answers [`resolve`](super::resolve) by UDP.
    DnsUdp(u16),
    /// Says who made an association.
    Sctp(u16),
}

impl FromStr for Service {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (kind, port) = text.split_once(':').context("expected KIND:PORT")?;
        let port = port.parse().with_context(|| format!("{port} is no port"))?;
        Ok(match kind {
            "tcp" => Self::Tcp(port),
            "udp" => Self::Udp(port),
            "stream" => Self::Stream(port),
            "echo" => Self::Echo(port),
            "sink" => Self::Sink(port),
            "reflect" => Self::Reflect(port),
            "bulk" => Self::Bulk(port),
            "http" => Self::Http(port),
            "dnstcp" => Self::DnsTcp(port),
            "dnsudp" => Self::DnsUdp(port),
            "sctp" => Self::Sctp(port),
            _ => bail!("{kind} is none of tcp, udp, stream, echo, sink"),
        })
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(port) => write!(f, "tcp:{port}"),
            Self::Udp(port) => write!(f, "udp:{port}"),
            Self::Stream(port) => write!(f, "stream:{port}"),
            Self::Echo(port) => write!(f, "echo:{port}"),
            Self::Sink(port) => write!(f, "sink:{port}"),
            Self::Reflect(port) => write!(f, "reflect:{port}"),
            Self::Bulk(port) => write!(f, "bulk:{port}"),
            Self::Http(port) => write!(f, "http:{port}"),
            Self::DnsTcp(port) => write!(f, "dnstcp:{port}"),
            Self::DnsUdp(port) => write!(f, "dnsudp:{port}"),
            Self::Sctp(port) => write!(f, "sctp:{port}"),
        }
    }
}

/// A set of services under one name, all on one process.
#[derive(Debug)]
pub struct Serve {
    /// The name in the answers.
    pub name: String,
    /// The open ports.
    pub services: Vec<Service>,
}

impl Serve {
    /// Opens all ports, says [`READY`] to `out` and serves for ever.
    pub fn run(self, mut out: impl Write) -> Result<Infallible> {
        let doors = self.services.iter().map(|service| Door::open(*service)).collect::<Result<Vec<_>>>()?;
        writeln!(out, "{READY}")?;
        out.flush()?;
        thread::scope(|scope| {
            for door in &doors {
                scope.spawn(|| door.serve(&self.name));
            }
        });
        bail!("no service is left")
    }
}

enum Door {
    Datagrams(Datagrams, Reaction),
    Streams(TcpListener, Service),
}

impl Door {
    /// Opens one socket for both IP versions.
    fn open(service: Service) -> Result<Self> {
        let any = Ipv6Addr::UNSPECIFIED;
        let datagrams =
            |port, reaction| Datagrams::open(port).map(|socket| Self::Datagrams(socket, reaction));
        let door = match service {
            Service::Udp(port) => datagrams(port, Reaction::Tell),
            Service::Reflect(port) => datagrams(port, Reaction::Reflect),
            Service::DnsUdp(port) => datagrams(port, Reaction::Resolve),
            Service::Sctp(port) => sctp::listener(port).map(|listener| Self::Streams(listener, service)),
            Service::Tcp(port)
            | Service::Stream(port)
            | Service::Echo(port)
            | Service::Sink(port)
            | Service::Bulk(port)
            | Service::Http(port)
            | Service::DnsTcp(port) => {
                let listener = TcpListener::bind((any, port)).map_err(Error::from);
                listener.map(|listener| Self::Streams(listener, service))
            }
        };
        door.with_context(|| format!("serve {service}"))
    }

    fn serve(&self, name: &str) {
        match self {
            Self::Datagrams(socket, reaction) => socket.serve(name, *reaction),
            Self::Streams(listener, service) => thread::scope(|scope| {
                for stream in listener.incoming().flatten() {
                    scope.spawn(move || attend(stream, *service, name));
                }
            }),
        }
    }
}

/// Serves one connection; its failure is for the client to notice.
fn attend(stream: TcpStream, service: Service, name: &str) {
    drop(match service {
        Service::Tcp(_) | Service::Sctp(_) | Service::Udp(_) | Service::Reflect(_) | Service::DnsUdp(_) => {
            answer(stream, name)
        }
        Service::Stream(_) => stream::acknowledge(stream).map_err(Error::from),
        Service::Echo(_) => echo(stream),
        Service::Sink(_) => swallow(stream),
        Service::Bulk(_) => bulk::serve(stream),
        Service::Http(_) => http::serve(stream),
        Service::DnsTcp(_) => dns::serve(stream),
    });
}

fn answer(mut stream: TcpStream, name: &str) -> Result<()> {
    let peer = stream.peer_addr()?;
    let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
    Ok(writeln!(stream, "{name} saw {peer}")?)
}

fn echo(mut stream: TcpStream) -> Result<()> {
    pin(Processor::Last)?;
    stream.set_nodelay(true)?;
    let mut buffer = [0; 4096];
    loop {
        match stream.read(&mut buffer)? {
            0 => return Ok(()),
            length => stream.write_all(buffer.get(..length).unwrap_or_default())?,
        }
    }
}

fn swallow(mut stream: TcpStream) -> Result<()> {
    pin(Processor::Last)?;
    let mut buffer = vec![0; 1 << 18];
    let mut total = 0_u64;
    loop {
        match stream.read(&mut buffer)? {
            0 => return Ok(stream.write_all(&total.to_be_bytes())?),
            length => total += length as u64,
        }
    }
}

/// A running `netebpf-probe serve`; ends when dropped.
#[derive(Debug)]
pub struct Server(#[expect(dead_code, reason = "held for its drop")] Process);

impl Server {
    /// Starts the program at `probe` in a namespace and waits until its ports are open.
    pub fn start(probe: &Path, namespace: &Namespace, services: &[Service]) -> Result<Self> {
        let mut command = Command::new(probe);
        command.args(["serve", "--name", namespace.name()]).args(services.iter().map(ToString::to_string));
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut process = namespace.spawn(command)?;
        let output = process.child().stdout.take().context("the probe has no output")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        if line.trim_end() != READY {
            bail!("the probe on {} did not start: {line}", namespace.name());
        }
        Ok(Self(process))
    }
}
