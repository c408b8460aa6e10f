//! A sandbox sends only as itself.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use anyhow::{Context as _, Result, ensure};
use netebpf_tests::{
    frame::{self, BROADCAST, Mac, ethertype, protocol},
    probe::{BRIEF, PATIENT, Service},
    scenario::Sandbox,
    wire::Wire,
};

use crate::scene::{NET, Scene, VERSIONS, address_like, carries, tap};

/// A hardware address that nobody has.
const NOBODY: Mac = [0x02, 0, 0, 0, 0xee, 0xee];

/// A liar, whoever could be lied to, and whoever could be impersonated.
struct Cast {
    scene: Scene,
    liar: Sandbox,
    victim: Sandbox,
    other: Sandbox,
    from: Wire,
    to: Wire,
}

impl Cast {
    fn new(name: &str) -> Result<Self> {
        let scene = Scene::new(name, &[])?;
        let [liar, victim, other] =
            ["liar", "victim", "other"].map(|name| scene.run(name, &[], &[Service::Udp(9)]));
        let (liar, victim, other) = (liar?, victim?, other?);
        let (from, to) = (tap(&liar)?, tap(&victim)?);
        Ok(Self { scene, liar, victim, other, from, to })
    }

    /// An honest frame arrives, this one does not and is counted, and an honest one arrives again.
    fn refuses(&self, what: &str, forged: &[u8], sign: &[u8]) -> Result<()> {
        self.arrives()?;
        let before = self.scene.dropped("spoofed")?;
        self.from.send(forged)?;
        let leaked = self.to.receive(BRIEF, |frame| carries(frame, sign))?;
        ensure!(leaked.is_none(), "{what} arrived");
        self.scene.counts_more("spoofed", before).with_context(|| what.to_owned())?;
        self.arrives()
    }

    fn arrives(&self) -> Result<()> {
        for like in VERSIONS {
            let packet =
                datagram(address_like(&self.liar, like)?, address_like(&self.victim, like)?, b"honest");
            self.from.send(&frame::around(self.to.mac()?, self.from.mac()?, &packet))?;
            let arrived = self.to.receive(PATIENT, |frame| carries(frame, b"honest"))?;
            ensure!(arrived.is_some(), "an honest datagram to {like} did not arrive");
        }
        Ok(())
    }
}

fn datagram(from: IpAddr, to: IpAddr, words: &[u8]) -> Vec<u8> {
    let (source, target) = (SocketAddr::new(from, 5000), SocketAddr::new(to, 9));
    frame::ip(from, to, protocol::UDP, &frame::udp(source, target, words))
}

#[test]
fn a_forged_hardware_address_is_dropped_and_counted() -> Result<()> {
    let cast = Cast::new("forged-mac")?;
    let others = cast.other.namespace.mac("eth0")?;
    for (who, mac) in [("nobody's", NOBODY), ("a neighbour's", others)] {
        for like in VERSIONS {
            let packet =
                datagram(address_like(&cast.liar, like)?, address_like(&cast.victim, like)?, b"forged");
            let what = format!("a datagram from {who} hardware address");
            cast.refuses(&what, &frame::around(cast.to.mac()?, mac, &packet), b"forged")?;
        }
    }
    let words = b"a forged broadcast that is as long as a packet with headers";
    let broadcast = frame::ethernet(BROADCAST, NOBODY, ethertype::EXPERIMENT, words);
    cast.refuses("a broadcast from nobody's hardware address", &broadcast, words)
}

#[test]
fn a_forged_source_address_is_dropped_and_counted() -> Result<()> {
    let cast = Cast::new("forged-ip")?;
    let network = cast.scene.network()?;
    let (_, gateway6) = network.ipv6.context("the network has no IPv6")?;
    let foreign: [IpAddr; 7] = [
        cast.other.address.into(),
        network.gateway.into(),
        Ipv4Addr::new(192, 0, 2, 200).into(),
        Ipv4Addr::LOCALHOST.into(),
        cast.other.address6.context("no IPv6")?.into(),
        gateway6.into(),
        Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0xbad).into(),
    ];
    for from in foreign {
        let packet = datagram(from, address_like(&cast.victim, from)?, b"forged");
        let forged = frame::around(cast.to.mac()?, cast.from.mac()?, &packet);
        cast.refuses(&format!("a datagram from {from}"), &forged, b"forged")?;
    }
    Ok(())
}

#[test]
fn a_forged_source_address_does_not_leave_the_host() -> Result<()> {
    let cast = Cast::new("forged-out")?;
    let outside = Wire::tap(&cast.scene.world.client, "eth0")?;
    let gateway = cast.scene.gateway_mac()?;
    for like in VERSIONS {
        let client = crate::scene::client_like(like);
        let honest = datagram(address_like(&cast.liar, like)?, client, b"going out");
        let forged = datagram(address_like(&cast.other, like)?, client, b"sneaking out");
        let before = cast.scene.dropped("spoofed")?;
        cast.from.send(&frame::around(gateway, cast.from.mac()?, &forged))?;
        cast.from.send(&frame::around(gateway, cast.from.mac()?, &honest))?;
        let arrived = outside
            .receive(PATIENT, |frame| carries(frame, b"going out") || carries(frame, b"sneaking out"))?;
        let arrived = arrived.with_context(|| format!("nothing from {like}'s version went out"))?;
        ensure!(carries(&arrived, b"going out"), "the forged datagram went out");
        ensure!(cast.scene.dropped("spoofed")? > before, "the forged datagram is not counted");
    }
    Ok(())
}

#[test]
fn a_forged_arp_sender_is_dropped_and_counted() -> Result<()> {
    let cast = Cast::new("forged-arp")?;
    let (mac, mine) = (cast.from.mac()?, cast.liar.address);
    let (theirs, victim) = (cast.other.address, (cast.to.mac()?, cast.victim.address));
    for operation in [1, 2] {
        for (what, sender) in
            [("another's address", (mac, theirs)), ("another's hardware address", (NOBODY, mine))]
        {
            let forged = frame::arp(operation, sender, victim);
            let sent = frame::ethernet(BROADCAST, mac, ethertype::ARP, &forged);
            cast.refuses(&format!("ARP {operation} with {what}"), &sent, &forged)?;
        }
    }
    Ok(())
}

#[test]
fn a_forged_neighbour_advertisement_is_dropped_and_counted() -> Result<()> {
    let cast = Cast::new("forged-nd")?;
    let mac = cast.from.mac()?;
    let own = cast.liar.address6.context("no IPv6")?;
    let (theirs, to) = (cast.other.address6.context("no IPv6")?, cast.victim.address6.context("no IPv6")?);
    let lies = [
        ("about another's address", frame::neighbour(136, own, to, theirs, mac)),
        ("from another's address", frame::neighbour(136, theirs, to, theirs, mac)),
        ("with another's hardware address", frame::neighbour(136, own, to, own, NOBODY)),
    ];
    for (what, lie) in lies {
        let sent = frame::around(cast.to.mac()?, mac, &lie);
        cast.refuses(&format!("an advertisement {what}"), &sent, &lie)?;
    }
    Ok(())
}

#[test]
fn a_sandbox_cannot_pose_as_another_networks_member() -> Result<()> {
    let cast = Cast::new("forged-network")?;
    cast.scene.engine.ok(&["network", "create", "--ipv6", "second"])?;
    let stranger = cast.scene.run_in("second", "stranger", &[], &[Service::Udp(9)])?;
    let watch = tap(&stranger)?;
    for like in VERSIONS {
        let from = address_like(&stranger, like)?;
        let packet = datagram(from, address_like(&cast.victim, like)?, b"posing");
        let forged = frame::around(cast.to.mac()?, cast.from.mac()?, &packet);
        cast.refuses(&format!("a datagram from {from} of another network than {NET}"), &forged, b"posing")?;
    }
    ensure!(
        watch.receive(BRIEF, |frame| carries(frame, b"posing"))?.is_none(),
        "an answer went to the one posed as"
    );
    Ok(())
}
