//! Datagrams in pieces, through published ports and masquerade, both ways.

use std::net::{IpAddr, SocketAddr, UdpSocket};

use anyhow::{Context as _, Result, ensure};
use netebpf_tests::{
    frame::{self, Mac, Piece, fragments, protocol},
    netns::Namespace,
    probe::{BRIEF, PATIENT, Service, Talk},
    scenario::Sandbox,
    topology::HOST,
    wire::Wire,
};

use crate::scene::{SERVICE, Scene, VERSIONS, address_like, carries, client_like, tap};

/// A published port, and the port behind it.
const PUBLISHED: (u16, u16) = (8053, 53);
/// More than two packets of 1500 bytes.
const LONG: usize = 4000;
/// The size of pieces made by hand.
const PIECE: usize = 1200;

fn published(scene: &Scene) -> Result<Sandbox> {
    let (host, inside) = PUBLISHED;
    scene.run("server", &["-p", &format!("{host}:{inside}/udp")], &[Service::Reflect(inside)])
}

/// A datagram made by hand that a machine sends in pieces, from a socket that hears the answer.
struct Pieces {
    socket: UdpSocket,
    wire: Wire,
    gateway: Mac,
    from: SocketAddr,
    to: SocketAddr,
}

impl Pieces {
    fn new(machine: &Namespace, own: IpAddr, gateway: Mac, to: SocketAddr) -> Result<Self> {
        let socket = machine.run(|| Ok(UdpSocket::bind(SocketAddr::new(own, 0))?))?;
        let from = socket.local_addr()?;
        Ok(Self { socket, wire: Wire::tap(machine, "eth0")?, gateway, from, to })
    }

    /// Sends these pieces, given the datagram's bytes.
    fn send(&self, words: &[u8], cut: impl Fn(&[u8]) -> Vec<Vec<u8>>) -> Result<()> {
        for packet in cut(&frame::udp(self.from, self.to, words)) {
            self.wire.send(&frame::around(self.gateway, self.wire.mac()?, &packet))?;
        }
        Ok(())
    }

    fn whole(&self, id: u16, datagram: &[u8]) -> Vec<Vec<u8>> {
        fragments(self.from.ip(), self.to.ip(), protocol::UDP, id, datagram, PIECE)
    }

    fn piece(&self, id: u16, offset: u16, more: bool, part: &[u8]) -> Vec<u8> {
        frame::fragment(self.from.ip(), self.to.ip(), protocol::UDP, Piece { id, offset, more }, part)
    }

    fn is_answered(&self, words: &[u8]) -> Result<bool> {
        let mut answer = vec![0; 1 << 16];
        self.socket.set_read_timeout(Some(PATIENT))?;
        match self.socket.recv_from(&mut answer) {
            Ok((length, from)) => {
                ensure!(from == self.to, "{from} answered in place of {}", self.to);
                ensure!(answer.get(..length) == Some(words), "something else came back");
                Ok(true)
            }
            Err(_) => Ok(false),
        }
    }

    fn is_silent(&self) -> Result<()> {
        self.socket.set_read_timeout(Some(BRIEF))?;
        ensure!(self.socket.recv_from(&mut [0; 16]).is_err(), "{} answered", self.to);
        Ok(())
    }
}

/// Words that differ from those of any other length or beginning.
fn words(first: u8) -> Vec<u8> {
    (0..LONG).map(|number| first.wrapping_add(number.to_le_bytes()[0])).collect()
}

/// Both ways of a client outside and of a sandbox, for one IP version.
fn both_ways(scene: &Scene, like: IpAddr, sandbox: &Sandbox) -> Result<[Pieces; 2]> {
    let client = &scene.world.client;
    let inbound =
        Pieces::new(client, client_like(like), scene.host_mac()?, SocketAddr::new(like, PUBLISHED.0))?;
    let own = address_like(sandbox, like)?;
    let target = SocketAddr::new(client_like(like), SERVICE);
    Ok([inbound, Pieces::new(&sandbox.namespace, own, scene.gateway_mac()?, target)?])
}

fn stage(name: &str) -> Result<(Scene, Sandbox)> {
    let mut scene = Scene::new(name, &[])?;
    scene.serve_outside(&[Service::Reflect(SERVICE)])?;
    let server = published(&scene)?;
    Ok((scene, server))
}

#[test]
fn long_datagrams_pass_a_published_port_both_ways() -> Result<()> {
    let (scene, _server) = stage("long-publish")?;
    for like in VERSIONS {
        let mut talk = Talk::udp(&scene.world.client, SocketAddr::new(like, PUBLISHED.0))?;
        for _ in 0..10 {
            talk.say_much(LONG).with_context(|| format!("to {like}"))?;
        }
    }
    Ok(())
}

#[test]
fn long_datagrams_pass_masquerade_both_ways() -> Result<()> {
    let (_scene, server) = stage("long-masquerade")?;
    for like in VERSIONS {
        let to = SocketAddr::new(client_like(like), SERVICE);
        let mut talk = Talk::udp(&server.namespace, to)?;
        for _ in 0..10 {
            talk.say_much(LONG).with_context(|| format!("to {to}"))?;
        }
    }
    Ok(())
}

#[test]
fn long_datagrams_pass_between_neighbours_and_to_the_host() -> Result<()> {
    let (mut scene, server) = stage("long-near")?;
    scene.serve_on_host(&[Service::Reflect(SERVICE)])?;
    let neighbour = scene.run("neighbour", &[], &[Service::Udp(9)])?;
    for like in VERSIONS {
        let server = SocketAddr::new(address_like(&server, like)?, PUBLISHED.1);
        for (from, to) in [
            (&neighbour.namespace, server),
            (&scene.world.host, server),
            (&neighbour.namespace, SocketAddr::new(like, SERVICE)),
            (&neighbour.namespace, SocketAddr::new(like, PUBLISHED.0)),
            (&scene.world.host, SocketAddr::new(like, PUBLISHED.0)),
        ] {
            let mut talk = Talk::udp(from, to)?;
            talk.say_much(LONG).with_context(|| format!("{} to {to}", from.name()))?;
        }
    }
    Ok(())
}

#[test]
fn fragments_in_order_are_translated_both_ways() -> Result<()> {
    let (scene, server) = stage("in-order")?;
    for like in VERSIONS {
        for pieces in both_ways(&scene, like, &server)? {
            pieces.send(&words(1), |datagram| pieces.whole(7, datagram))?;
            ensure!(pieces.is_answered(&words(1))?, "no answer of {} to fragments in order", pieces.to);
        }
    }
    Ok(())
}

#[test]
fn fragments_out_of_order_arrive_or_are_dropped_but_never_untranslated() -> Result<()> {
    let (scene, server) = stage("disorder")?;
    let outside = Wire::tap(&scene.world.client, "eth0")?;
    for like in VERSIONS {
        for pieces in both_ways(&scene, like, &server)? {
            pieces.send(&words(2), |datagram| {
                let mut packets = pieces.whole(8, datagram);
                packets.reverse();
                packets
            })?;
            pieces.send(&words(3), |datagram| pieces.whole(9, datagram))?;
            // Whatever became of the first datagram, the second one is served.
            let mut answer = vec![0; 1 << 16];
            pieces.socket.set_read_timeout(Some(PATIENT))?;
            while let Ok((length, _)) = pieces.socket.recv_from(&mut answer) {
                let answer = answer.get(..length).unwrap_or_default();
                ensure!(answer == words(2) || answer == words(3), "{}: pieces were mixed up", pieces.to);
                if answer == words(3) {
                    break;
                }
            }
        }
        let own = address_like(&server, like)?;
        let octets = match own {
            IpAddr::V4(own) => own.octets().to_vec(),
            IpAddr::V6(own) => own.octets().to_vec(),
        };
        let source = if own.is_ipv4() { 26..30 } else { 22..38 };
        let leaked = outside.receive(BRIEF, |frame| frame.get(source.clone()) == Some(&octets))?;
        ensure!(leaked.is_none(), "a fragment left with the address {own}");
    }
    Ok(())
}

#[test]
fn fragments_without_their_first_one_do_not_arrive() -> Result<()> {
    let (scene, server) = stage("headless")?;
    for like in VERSIONS {
        for pieces in both_ways(&scene, like, &server)? {
            pieces.send(&words(4), |datagram| pieces.whole(10, datagram).split_off(1))?;
            pieces.is_silent()?;
            pieces.send(&words(5), |datagram| pieces.whole(11, datagram))?;
            ensure!(pieces.is_answered(&words(5))?, "no answer of {} after a lost fragment", pieces.to);
        }
    }
    Ok(())
}

#[test]
fn overlapping_fragments_are_not_delivered() -> Result<()> {
    let (scene, server) = stage("overlap")?;
    for like in VERSIONS {
        for pieces in both_ways(&scene, like, &server)? {
            pieces.send(&words(6), |datagram| {
                let again = b"overlapping part".repeat(20);
                let offset = u16::try_from(PIECE - again.len() / 2).expect("small");
                let mut packets = pieces.whole(12, datagram);
                packets.insert(1, pieces.piece(12, offset, true, &again));
                packets
            })?;
            pieces.is_silent()?;
            pieces.send(&words(7), |datagram| pieces.whole(13, datagram))?;
            ensure!(pieces.is_answered(&words(7))?, "no answer of {} after an overlap", pieces.to);
        }
    }
    Ok(())
}

#[test]
fn fragments_to_an_unpublished_container_port_are_dropped() -> Result<()> {
    let (scene, server) = stage("direct-fragments")?;
    let network = scene.network()?;
    scene.world.client.route(network.subnet, HOST)?;
    let inside = tap(&server)?;
    for like in VERSIONS {
        let own = address_like(&server, like)?;
        let target = SocketAddr::new(own, PUBLISHED.1);
        let pieces = Pieces::new(&scene.world.client, client_like(like), scene.host_mac()?, target)?;
        pieces.send(b"sneaking in, in pieces", |datagram| {
            let (head, tail) = datagram.split_at(16);
            vec![pieces.piece(14, 0, true, head), pieces.piece(14, 16, false, tail)]
        })?;
        let leaked =
            inside.receive(BRIEF, |frame| carries(frame, b"in pieces") || carries(frame, b"sneaking"))?;
        ensure!(leaked.is_none(), "a fragment came to {target}");
    }
    Ok(())
}
