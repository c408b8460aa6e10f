//! The same packets through the model and through a kernel with the rules that Docker writes for iptables.
//!
//! One after the other they are sent into a namespace that does with netfilter what the model does, and what comes out at the
//! other side must be what the model makes of it, byte for byte behind the Ethernet header.

use std::{net::IpAddr, process::Command, time::Duration};

use anyhow::{Context as _, Result, ensure};
use ipnet::IpNet;
use netebpf_common::{
    abi::{Family, Hook, Mac},
    model::{BytePacket, FrameSpec, Origin, Segment, World},
    run::Arrival,
    verdict::Verdict,
};
use netebpf_tests::{
    netns::{Mount, Namespace},
    wire::Wire,
};
use nix::net::if_::if_nametoindex;

use crate::scratch::Scratch;

const SANDBOX: Origin = Origin::Sandbox(0);
const OUTSIDE: Origin = Origin::Outside;
const PATIENCE: Duration = Duration::from_secs(5);

const SYN: u8 = 2;
const SYN_ACK: u8 = 18;
const ACK: u8 = 16;
const FIN: u8 = 17;

/// A world with its counterpart in netfilter.
struct Pair {
    world: World,
    outside: Wire,
    sandbox: Wire,
    uplink: Mac,
    bridge: Mac,
}

#[test]
fn netfilter_makes_the_same_of_every_packet() {
    let scratch = Scratch::new().expect("a scratch directory");
    let (host, far) = (scratch.namespace("host"), scratch.namespace("far"));
    let _mount = Mount::bpffs(&scratch.0.join("bpf")).expect("a BPF file system");
    wire(&host, &far).expect("devices of the test's world");
    for family in World::FAMILIES {
        let mut pair = Pair {
            world: World::usual(),
            outside: Wire::tap(&far, "far0").expect("a socket outside"),
            sandbox: Wire::tap(&far, "far1").expect("a socket in the sandbox"),
            uplink: Mac(host.mac("up0").expect("the uplink's MAC")),
            bridge: Mac(host.mac("br0").expect("the bridge's MAC")),
        };
        pair.published_port(family).expect("a client of a published port");
        pair.masquerading(family).expect("a client in a sandbox");
    }
}

impl Pair {
    /// Request, answer, third packet, errors and ends of a connection to a published port.
    fn published_port(&mut self, family: Family) -> Result<()> {
        let tcp = |source, destination, flags| Segment::Tcp { source, destination, flags };
        let request = |flags| World::incoming(World::host(family), tcp(4321, 8080, flags));
        let answer = |flags| World::routed(0, World::client(family), tcp(80, 4321, flags));
        let inside = self.pass(OUTSIDE, &request(SYN))?;
        self.report(SANDBOX, &inside, World::address(0, family))?;
        self.pass(SANDBOX, &answer(SYN_ACK))?;
        self.pass(OUTSIDE, &request(ACK))?;
        let outside = self.pass(SANDBOX, &answer(ACK))?;
        self.report(OUTSIDE, &outside, World::outside(family, 77))?;
        self.pass(OUTSIDE, &request(FIN))?;
        self.pass(SANDBOX, &answer(FIN))?;
        self.pass(OUTSIDE, &request(ACK))?;
        Ok(())
    }

    /// Requests, answers and errors of what a sandbox sends out.
    fn masquerading(&mut self, family: Family) -> Result<()> {
        let client = World::client(family);
        for segment in [Segment::udp(1234, 53), Segment::syn(1234, 80), Segment::ping(client, 77)] {
            let outside = self.pass(SANDBOX, &World::routed(0, client, segment.clone()))?;
            self.report(OUTSIDE, &outside, World::outside(family, 77))?;
            let answer = World::answer_from(OUTSIDE, &outside).context("an answer")?;
            let inside = self.pass(OUTSIDE, &answer)?;
            if matches!(segment, Segment::Udp { .. }) {
                self.report(SANDBOX, &inside, World::address(0, family))?;
            }
            self.pass(SANDBOX, &FrameSpec { ttl: 2, ..World::routed(0, client, segment) })?;
        }
        let options = FrameSpec { option_words: 3, ..World::routed(0, client, Segment::udp(1235, 53)) };
        self.pass(SANDBOX, &options)?;
        Ok(())
    }

    /// Somebody reports an error about what arrived, with as little as may be quoted and with all.
    fn report(&mut self, at: Origin, arrived: &FrameSpec, reporter: IpAddr) -> Result<()> {
        let kinds = if reporter.is_ipv4() { [3, 11] } else { [1, 3] };
        for (kind, quoted) in [(kinds[0], 500), (kinds[1], 28)] {
            let error =
                FrameSpec::error_about(&arrived.build(), reporter, kind, quoted).context("a quote")?;
            self.pass(at, &World::sent_by(at, error))?;
        }
        Ok(())
    }

    /// Sends a packet through both, and returns it as it came out.
    fn pass(&mut self, from: Origin, spec: &FrameSpec) -> Result<FrameSpec> {
        let payload = if spec.payload.is_empty() { b"reference".to_vec() } else { spec.payload.clone() };
        let spec = FrameSpec { payload, ..spec.clone() };
        let expected = self.model(from, &spec)?;
        let wanted = expected.bytes.get(14..).context("a packet")?;
        let (near, other, router) = match from {
            Origin::Outside => (&self.outside, &self.sandbox, self.uplink),
            Origin::Sandbox(_) | Origin::Machine => (&self.sandbox, &self.outside, self.bridge),
        };
        near.send(&FrameSpec { destination_mac: router, ..spec.clone() }.build())?;
        let seen = other.receive(PATIENCE, is_traffic)?;
        let seen = seen.with_context(|| format!("netfilter lost {spec:?}"))?;
        let (model, kernel) = (FrameSpec::read(&expected.bytes), FrameSpec::read(&seen));
        ensure!(seen.get(14..) == Some(wanted), "{spec:?}\nmodel    {model:?}\nnetfilter {kernel:?}");
        model.context("a frame")
    }
}

impl Pair {
    /// What the model makes of a packet. What it leaves to the host stack comes back when it leaves, a hop later.
    fn model(&mut self, from: Origin, spec: &FrameSpec) -> Result<BytePacket> {
        let (verdict, expected) = self.world.send_at(0, from, &spec.build());
        if self.world.goal(verdict).is_some() {
            return Ok(expected);
        }
        ensure!(verdict == Verdict::Pass && from == SANDBOX, "{verdict:?} of {spec:?}");
        let mut routed = BytePacket::new(FrameSpec { ttl: spec.ttl - 1, ..spec.clone() }.build());
        let links = self.world.links;
        let arrival = Arrival { ingress: links.bridges[0], ..self.world.arrival(links.uplink) };
        let verdict = self.world.run(Hook::ToNetdev, arrival, &mut routed);
        ensure!(verdict == Verdict::ToStack, "{verdict:?} of {spec:?} on its way out");
        Ok(routed)
    }
}

/// Whether a frame is more than the link's own business.
fn is_traffic(frame: &[u8]) -> bool {
    let Some(spec) = FrameSpec::read(frame) else { return false };
    let ethertype = frame.get(12..14);
    let is_ip = ethertype == Some(&[8, 0]) || ethertype == Some(&[0x86, 0xdd]);
    is_ip && !matches!(spec.segment, Segment::Icmp { kind: 130..=143, .. } | Segment::Other(0))
}

fn wire(host: &Namespace, far: &Namespace) -> Result<()> {
    netebpf_tests::links::join((host, "up0"), (far, "far0"))?;
    netebpf_tests::links::join((host, "veth0"), (far, "far1"))?;
    host.bridge("br0")?;
    for name in ["far0", "far1"] {
        far.sysctl(&format!("ipv6/conf/{name}/disable_ipv6"), "1")?;
        far.up(name)?;
    }
    host.enslave("veth0", "br0")?;
    for (name, value) in [("ipv4/ip_forward", "1"), ("ipv6/conf/all/forwarding", "1")] {
        host.sysctl(name, value)?;
    }
    for family in World::FAMILIES {
        for (link, address) in [("up0", World::host(family)), ("br0", World::gateway(0, family))] {
            host.address(link, IpNet::new(address, World::prefix(family))?)?;
        }
        rules(host, family)?;
        neighbour(host, "br0", World::address(0, family), World::mac(0))?;
        for last in [9, 77] {
            neighbour(host, "up0", World::outside(family, last), World::CLIENT_MAC)?;
        }
    }
    // The packets' sequence numbers mean nothing.
    host.sysctl("netfilter/nf_conntrack_tcp_be_liberal", "1")
}

/// What Docker writes for a network and a published port.
fn rules(host: &Namespace, family: Family) -> Result<()> {
    let server = World::address(0, family);
    let (program, to) = match family {
        Family::V4 => ("iptables", format!("{server}:80")),
        Family::V6 => ("ip6tables", format!("[{server}]:80")),
    };
    let subnet = IpNet::new(server, World::prefix(family))?.trunc().to_string();
    let rules = [
        format!(
            "-t nat -A PREROUTING -m addrtype --dst-type LOCAL -p tcp --dport 8080 ! -i br0 -j DNAT --to-destination {to}"
        ),
        format!("-t nat -A POSTROUTING -s {subnet} ! -o br0 -j MASQUERADE"),
        "-A FORWARD -o br0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT".to_owned(),
        format!("-A FORWARD -d {server} ! -i br0 -o br0 -p tcp --dport 80 -j ACCEPT"),
        "-A FORWARD -i br0 ! -o br0 -j ACCEPT".to_owned(),
        "-P FORWARD DROP".to_owned(),
    ];
    host.run(|| {
        for rule in &rules {
            let status = Command::new(program).args(rule.split(' ')).status().context(program)?;
            ensure!(status.success(), "{program} {rule}: {status}");
        }
        Ok(())
    })
}

/// Tells the host a neighbour that answers nothing.
fn neighbour(host: &Namespace, link: &str, address: IpAddr, mac: Mac) -> Result<()> {
    host.netlink(async |handle| {
        let index = if_nametoindex(link)?;
        Ok(handle.neighbours().add(index, address).link_layer_address(&mac.0).execute().await?)
    })
}
