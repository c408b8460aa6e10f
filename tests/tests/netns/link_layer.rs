//! Within a network, everything works as on a bridge; nothing of it is seen in another network.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use anyhow::{Context as _, Result, ensure};
use netebpf_tests::{
    frame::{self, BROADCAST, Mac, ethertype, protocol},
    probe::{BRIEF, PATIENT, Service},
    wire::Wire,
};

use crate::scene::{Scene, tap};

/// Two sandboxes of one network and one of another, as they see their links.
struct Links {
    _scene: Scene,
    from: Wire,
    own: Ipv4Addr,
    own6: Ipv6Addr,
    to: Wire,
    elsewhere: Wire,
}

impl Links {
    fn new(name: &str) -> Result<Self> {
        let scene = Scene::new(name, &[])?;
        scene.engine.ok(&["network", "create", "--ipv6", "second"])?;
        let sender = scene.run("sender", &[], &[Service::Udp(9)])?;
        let receiver = scene.run("receiver", &[], &[Service::Udp(9)])?;
        let stranger = scene.run_in("second", "stranger", &[], &[Service::Udp(9)])?;
        Ok(Self {
            from: tap(&sender)?,
            own: sender.address,
            own6: sender.address6.context("no IPv6")?,
            to: tap(&receiver)?,
            elsewhere: tap(&stranger)?,
            _scene: scene,
        })
    }

    /// A frame to everybody, or to many, arrives as it was sent, but not in the other network.
    fn carry(&self, to: Mac, kind: u16, payload: &[u8]) -> Result<()> {
        let sent = frame::ethernet(to, self.from.mac()?, kind, payload);
        self.from.send(&sent)?;
        // A packet socket shows frames without their VLAN tag.
        let shown = if kind == ethertype::VLAN { [&sent[..12], &sent[16..]].concat() } else { sent };
        let arrived = self.to.receive(PATIENT, |frame| frame == shown)?;
        ensure!(arrived.is_some(), "it did not arrive");
        let elsewhere = self.elsewhere.receive(BRIEF, |frame| frame == shown)?;
        ensure!(elsewhere.is_none(), "it was seen in another network");
        Ok(())
    }

    fn carry_datagram(&self, mac: Mac, from: IpAddr, to: IpAddr, ports: (u16, u16)) -> Result<()> {
        let (source, target) = (SocketAddr::new(from, ports.0), SocketAddr::new(to, ports.1));
        let packet = frame::ip(from, to, protocol::UDP, &frame::udp(source, target, b"to all who listen"));
        let kind = if to.is_ipv4() { ethertype::IPV4 } else { ethertype::IPV6 };
        self.carry(mac, kind, &packet)
    }
}

#[test]
fn broadcasts_pass_within_a_network() -> Result<()> {
    let links = Links::new("broadcast")?;
    links.carry_datagram(BROADCAST, links.own.into(), Ipv4Addr::BROADCAST.into(), (5000, 5001))?;
    let [a, b, ..] = links.own.octets();
    links.carry_datagram(BROADCAST, links.own.into(), Ipv4Addr::new(a, b, 255, 255).into(), (5000, 5001))
}

#[test]
fn multicasts_pass_within_a_network() -> Result<()> {
    let links = Links::new("multicast")?;
    let (group, mac) = (Ipv4Addr::new(224, 0, 0, 251), [0x01, 0, 0x5e, 0, 0, 0xfb]);
    links.carry_datagram(mac, links.own.into(), group.into(), (5353, 5353))?;
    let (group, mac) = (Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0xfb), [0x33, 0x33, 0, 0, 0, 0xfb]);
    links.carry_datagram(mac, links.own6.into(), group.into(), (5353, 5353))
}

#[test]
fn arp_passes_within_a_network() -> Result<()> {
    let links = Links::new("arp")?;
    let [a, b, ..] = links.own.octets();
    let nobody = ([0; 6], Ipv4Addr::new(a, b, 77, 77));
    links.carry(BROADCAST, ethertype::ARP, &frame::arp(1, (links.from.mac()?, links.own), nobody))
}

#[test]
fn neighbour_solicitations_pass_within_a_network() -> Result<()> {
    let links = Links::new("nd")?;
    let target = Ipv6Addr::from_bits(links.own6.to_bits() ^ 0x7777);
    let [.., x, y, z] = target.octets();
    let group =
        Ipv6Addr::from_bits(0xff02_0000_0000_0000_0000_0001_ff00_0000 | (target.to_bits() & 0x00ff_ffff));
    let asked = frame::neighbour(135, links.own6, group, target, links.from.mac()?);
    links.carry([0x33, 0x33, 0xff, x, y, z], ethertype::IPV6, &asked)
}

#[test]
fn dhcp_passes_within_a_network() -> Result<()> {
    let links = Links::new("dhcp")?;
    links.carry_datagram(BROADCAST, Ipv4Addr::UNSPECIFIED.into(), Ipv4Addr::BROADCAST.into(), (68, 67))
}

#[test]
fn what_is_no_ip_passes_within_a_network() -> Result<()> {
    let links = Links::new("no-ip")?;
    links.carry(BROADCAST, ethertype::EXPERIMENT, b"nothing that anybody would parse")?;
    let neighbour = links.to.mac()?;
    links.carry(neighbour, ethertype::EXPERIMENT, b"for one neighbour only, nothing anybody would parse")?;
    let tagged = [&[0, 7, 0x88, 0xb5], &b"nothing that anybody would parse, with a tag"[..]].concat();
    links.carry(BROADCAST, ethertype::VLAN, &tagged)
}

#[test]
fn frames_shorter_than_any_ip_header_pass_within_a_network() -> Result<()> {
    let links = Links::new("short")?;
    links.carry(BROADCAST, ethertype::EXPERIMENT, b"short")?;
    links.carry(links.to.mac()?, ethertype::EXPERIMENT, b"short, for one")
}
