//! Sockets of every kind that ask `127.0.0.11`: each is led to the name server and told nothing of it, and nothing else of a
//! sandbox is touched.

use std::{
    fs,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream, UdpSocket},
    process::Command,
};

use anyhow::{Context as _, Result, ensure};
use hickory_proto::{op::Message, rr::RecordType};
use netebpf_tests::{
    dns::{self, DOCKERS},
    probe::{PATIENT, Service, addresses_of, resolve},
};

use super::{expect, idle, question, turn::Turn};
use crate::scene::NET;

/// How a program asks by UDP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// `connect`, `send`, `recvfrom`, as glibc.
    Connected,
    /// `sendto`, `recvfrom`, as musl.
    Unconnected,
    /// First the one, then the other on the same socket.
    Both,
}

/// The addresses of the name server as sockets of both IP versions have it.
fn servers() -> [SocketAddr; 2] {
    let mapped = |address: IpAddr| match address {
        IpAddr::V4(address) => IpAddr::V6(address.to_ipv6_mapped()),
        IpAddr::V6(_) => address,
    };
    [DOCKERS, SocketAddr::new(mapped(DOCKERS.ip()), DOCKERS.port())]
}

fn any(like: SocketAddr) -> SocketAddr {
    let address =
        if like.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { IpAddr::from(Ipv6Addr::UNSPECIFIED) };
    SocketAddr::new(address, 0)
}

/// Asks by UDP; fails unless peer and sender are the server that was asked.
fn ask(server: SocketAddr, way: Way, query: &[u8]) -> Result<Vec<u8>> {
    let socket = UdpSocket::bind(any(server))?;
    socket.set_read_timeout(Some(PATIENT))?;
    if way != Way::Connected {
        socket.send_to(query, server)?;
    }
    let mut answer = vec![0; 512];
    if way == Way::Both {
        let (_, from) = socket.recv_from(&mut answer)?;
        ensure!(from == server, "before `connect` it is {from} that answers");
    }
    if way != Way::Unconnected {
        socket.connect(server)?;
        ensure!(socket.peer_addr()? == server, "the peer is {}", socket.peer_addr()?);
        socket.send(query)?;
    }
    let (length, from) = socket.recv_from(&mut answer)?;
    ensure!(from == server, "it is {from} that answers");
    answer.truncate(length);
    Ok(answer)
}

fn ask_by_tcp(server: SocketAddr, query: &[u8]) -> Result<Vec<u8>> {
    use std::io::Write as _;
    let mut stream = TcpStream::connect_timeout(&server, PATIENT)?;
    stream.set_read_timeout(Some(PATIENT))?;
    ensure!(stream.peer_addr()? == server, "the peer is {}", stream.peer_addr()?);
    stream.write_all(&dns::framed(query)?)?;
    dns::next(&mut stream).context("no answer")
}

#[test]
fn a_socket_of_any_kind_is_answered_by_whom_it_has_asked() -> Result<()> {
    let scene = Turn::wait()?;
    let asker = idle(&scene, NET, "asker", &[])?;
    let server = idle(&scene, NET, "server", &[])?;
    // The kernel answers about the one, the server about the other.
    for (kind, name, expected) in [
        (RecordType::A, "server.".to_owned(), format!("NoError {}", server.address)),
        (RecordType::PTR, super::reversed(server.address.into()), "NoError server.net.".to_owned()),
    ] {
        let query = question(kind, &name)?.to_vec()?;
        for to in servers() {
            for way in [Way::Connected, Way::Unconnected, Way::Both] {
                let answer = asker.namespace.run(|| ask(to, way, &query));
                let answer = answer.with_context(|| format!("{name} from {to}, {way:?}"))?;
                assert_eq!(dns::told(&Message::from_vec(&answer)?), expected, "{to}, {way:?}");
            }
            let answer = asker.namespace.run(|| ask_by_tcp(to, &query));
            let answer = answer.with_context(|| format!("{name} from {to} by TCP"))?;
            assert_eq!(dns::told(&Message::from_vec(&answer)?), expected, "{to} by TCP");
        }
    }
    Ok(())
}

#[test]
fn other_ports_and_name_servers_of_a_sandbox_are_its_own() -> Result<()> {
    let scene = Turn::wait()?;
    let services = [Service::DnsUdp(53), Service::DnsTcp(53), Service::DnsUdp(5353), Service::DnsTcp(5353)];
    let own = scene.run("own", &[], &services)?;
    let server = idle(&scene, NET, "server", &[])?;
    let loopback = |last, port| SocketAddr::from(([127, 0, 0, last], port));
    for to in [loopback(1, 53), loopback(53, 53), loopback(11, 5353), (Ipv6Addr::LOCALHOST, 53).into()] {
        for name in ["server", "large.example"] {
            let found = own.namespace.run(|| resolve(to, name)).with_context(|| to.to_string())?;
            assert_eq!(found, addresses_of(name), "{to}");
        }
    }
    // A socket on all addresses and on port 53 hears nothing of what goes to ours.
    expect(&own.namespace, "server", &[server.address]);
    // Nor does the sandbox's neighbour have it between.
    let neighbours = server.namespace.run(|| resolve((own.address, 53).into(), "server"))?;
    assert_eq!(neighbours, addresses_of("server"));
    Ok(())
}

#[test]
fn nothing_of_it_is_in_the_sandbox() -> Result<()> {
    let scene = Turn::wait()?;
    let id = scene.engine.ok(&["run", "-d", "--name", "bare", "--network", NET, "--", "sleep", "1d"])?;
    let bare = scene.engine.sandbox(id.trim(), "bare")?;
    let server = idle(&scene, NET, "server", &[])?;
    expect(&bare, "server", &[server.address]);
    let sockets = bare.run(|| {
        let tables = ["tcp", "tcp6", "udp", "udp6", "udplite", "raw", "raw6", "packet"];
        let table = |name| fs::read_to_string(format!("/proc/thread-self/net/{name}")).unwrap_or_default();
        // What the kernel keeps of a connection that was closed is no program's any more: it has no inode.
        let is_open = |line: &&str| line.split_whitespace().nth(9) != Some("0");
        let open = |name| table(name).lines().skip(1).filter(is_open).map(str::to_owned).collect::<Vec<_>>();
        Ok(tables.into_iter().flat_map(open).collect::<Vec<_>>())
    })?;
    assert!(sockets.is_empty(), "the sandbox has sockets: {sockets:?}");
    for saving in ["iptables-nft-save", "iptables-legacy-save"] {
        let output = bare.run(|| Ok(Command::new(format!("/usr/sbin/{saving}")).output()?))?;
        let rules = String::from_utf8_lossy(&output.stdout).into_owned();
        ensure!(output.status.success() && rules.is_empty(), "{saving}: {} {rules}", output.status);
    }
    // The port can be had by whoever wants it, by UDP and TCP.
    let _port = bare.run(|| Ok((UdpSocket::bind(DOCKERS)?, TcpListener::bind(DOCKERS)?)))?;
    Ok(())
}
