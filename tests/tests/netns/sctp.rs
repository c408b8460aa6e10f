//! SCTP (RFC 9260) through masquerade and published ports, with packets made by hand: not every kernel speaks it.

use std::{
    io::Write as _,
    net::{IpAddr, SocketAddr},
};

use anyhow::{Context as _, Result, bail, ensure};
use netebpf_tests::{
    frame::{self, around, ip},
    probe::{PATIENT, Service},
    wire::Wire,
};

use crate::scene::{Scene, VERSIONS, address_like, carries, client_like, tap};

const SCTP: u8 = 132;
/// What no other packet holds.
const WORDS: &[u8] = b"an initiation, or so it seems...";

/// An INIT (1) or INIT ACK (2) with the checksum that RFC 9260 wants.
fn packet(from: SocketAddr, to: SocketAddr, chunk: u8) -> Vec<u8> {
    let mut packet = [from.port().to_be_bytes(), to.port().to_be_bytes()].concat();
    let tag: u32 = if chunk == 1 { 0 } else { 0x0102_0304 };
    packet.extend(tag.to_be_bytes());
    packet.extend([0; 4]);
    // Type, flags, length, initiate tag, window, streams out and in, first number; then the words.
    packet.extend([chunk, 0, 0, 52, 1, 2, 3, 4, 0, 1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 1]);
    packet.extend(WORDS);
    let sum = crc32c(&packet);
    packet.splice(8..12, sum.to_le_bytes());
    ip(from.ip(), to.ip(), SCTP, &packet)
}

/// RFC 9260, appendix A.
fn crc32c(bytes: &[u8]) -> u32 {
    let step = |crc: u32| (crc >> 1) ^ (0x82f6_3b78 & (crc & 1).wrapping_neg());
    !bytes.iter().fold(u32::MAX, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), |crc, _| step(crc)))
}

/// Whether a frame is one of these packets, rather than an error about one: machines without SCTP refuse them.
fn is_ours(frame: &[u8]) -> bool {
    let protocol = match frame.get(14).map(|first| first >> 4) {
        Some(4) => frame.get(23),
        _ => frame.get(20),
    };
    protocol == Some(&SCTP) && carries(frame, WORDS)
}

/// Source port and destination port of a frame, if its addresses and checksum are right.
fn ports(arrived: &[u8], from: IpAddr, to: IpAddr) -> Result<(u16, u16)> {
    let packet = arrived.get(14..).context("no packet")?;
    let (source, target, body) = match (from, to) {
        (IpAddr::V4(from), IpAddr::V4(to)) => (
            (packet.get(12..16) == Some(&from.octets()[..])),
            packet.get(16..20) == Some(&to.octets()[..]),
            packet.get(20..),
        ),
        (IpAddr::V6(from), IpAddr::V6(to)) => (
            (packet.get(8..24) == Some(&from.octets()[..])),
            packet.get(24..40) == Some(&to.octets()[..]),
            packet.get(40..),
        ),
        _ => (false, false, None),
    };
    ensure!(source && target, "not from {from} to {to}: {arrived:02x?}");
    let body = body.context("no SCTP header")?;
    let mut unsummed = body.to_vec();
    unsummed.splice(8..12, [0; 4]);
    ensure!(
        body.get(8..12) == Some(&crc32c(&unsummed).to_le_bytes()[..]),
        "the checksum is wrong: {arrived:02x?}"
    );
    let &[a, b, c, d, ..] = body else { bail!("no ports") };
    Ok((u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])))
}

#[test]
fn sctp_is_masqueraded_both_ways() -> Result<()> {
    let scene = Scene::new("sctp-out", &[])?;
    let sandbox = scene.run("sandbox", &[], &[Service::Udp(9)])?;
    let (inside, outside) = (tap(&sandbox)?, Wire::tap(&scene.world.client, "eth0")?);
    for host in VERSIONS {
        let (own, client) = (address_like(&sandbox, host)?, client_like(host));
        let (from, to) = (SocketAddr::new(own, 5000), SocketAddr::new(client, 9000));
        inside.send(&around(scene.gateway_mac()?, inside.mac()?, &packet(from, to, 1)))?;
        let arrived = outside.receive(PATIENT, is_ours)?;
        let (port, service) = ports(&arrived.context("the initiation did not go out")?, host, client)?;
        ensure!(service == 9000, "it went to port {service}");
        let answer = packet(to, SocketAddr::new(host, port), 2);
        outside.send(&around(scene.host_mac()?, outside.mac()?, &answer))?;
        let arrived = inside.receive(PATIENT, is_ours)?;
        let back = ports(&arrived.context("the answer did not come in")?, client, own)?;
        ensure!(back == (9000, 5000), "the answer came with ports {back:?}");
    }
    Ok(())
}

#[test]
fn sctp_reaches_a_published_port_or_the_kernel_is_said_to_lack_it() -> Result<()> {
    let scene = Scene::new("sctp-in", &[])?;
    let publish = ["-p", "9000:9001/sctp"];
    let sandbox = match scene.run("sandbox", &publish, &[Service::Udp(9)]) {
        Ok(sandbox) => sandbox,
        Err(error) => {
            let said = format!("{error:#}").to_lowercase();
            ensure!(said.contains("sctp"), "the error does not name SCTP: {said}");
            ensure!(!kernel_has_sctp(&scene)?, "the kernel has SCTP, but: {said}");
            // Past the test runner, which keeps to itself what a passing test prints.
            writeln!(std::io::stderr(), "skipped: this kernel has no SCTP to hold a published port with")?;
            return Ok(());
        }
    };
    let (inside, outside) = (tap(&sandbox)?, Wire::tap(&scene.world.client, "eth0")?);
    for host in VERSIONS {
        let (own, client) = (address_like(&sandbox, host)?, client_like(host));
        let (from, to) = (SocketAddr::new(client, 5000), SocketAddr::new(host, 9000));
        outside.send(&around(scene.host_mac()?, outside.mac()?, &packet(from, to, 1)))?;
        let arrived = inside.receive(PATIENT, is_ours)?;
        let (port, service) = ports(&arrived.context("the initiation did not come in")?, client, own)?;
        ensure!((port, service) == (5000, 9001), "it came with ports {port} and {service}");
        let answer = packet(SocketAddr::new(own, service), from, 2);
        inside.send(&around(scene.gateway_mac()?, inside.mac()?, &answer))?;
        let arrived = outside.receive(PATIENT, is_ours)?;
        let back = ports(&arrived.context("the answer did not go out")?, host, client)?;
        ensure!(back == (9000, 5000), "the answer came with ports {back:?}");
    }
    Ok(())
}

fn kernel_has_sctp(scene: &Scene) -> Result<bool> {
    use nix::sys::socket::{AddressFamily, SockFlag, SockProtocol, SockType, socket};
    let open = || socket(AddressFamily::Inet, SockType::Stream, SockFlag::SOCK_CLOEXEC, SockProtocol::Sctp);
    scene.world.host.run(|| Ok(open().is_ok()))
}

#[test]
fn the_checksum_of_these_packets_is_that_of_the_standard() {
    assert_eq!(crc32c(b"123456789"), 0xe306_9283);
    assert_eq!(frame::checksum(&[0; 4]), 0xffff);
}
