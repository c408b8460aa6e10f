//! A host with two networks, four sandboxes, an uplink and published ports.
//!
//! ```text
//!   client 198.51.100.9 ── uplink 198.51.100.1 ┐
//!                                              host
//!        front 10.1.0.0/24 (gateway .1) ───────┤  a 10.1.0.2   b 10.1.0.3     8080 → a:80, 5353/udp → b:53
//!        back  10.2.0.0/24 (gateway .1) ───────┘  c 10.2.0.2   d 10.2.0.3     127.0.0.1:9090 → c:90
//! ```

use core::net::Ipv4Addr;

use super::{BytePacket, MapTables};
use crate::{
    abi::{
        ABI_VERSION, Address, Config, Endpoint, EndpointFlags, Family, Hook, LinkKey, LocalAddress, Mac,
        ConfigFlags, Port, PublishBlock, PublishKey, PublishTarget, Timeouts, Uplink, protocol,
    },
    packet::Packet,
    pipeline,
    run::{Arrival, Mark, Run, Workspace},
    tables::Route,
    verdict::Verdict,
};

/// The time at which the host's tests begin, in nanoseconds of `CLOCK_MONOTONIC`.
pub const NOW: u64 = 1_000_000_000_000;

/// Indices of the world's devices, so that a test in the kernel can use those of real ones.
#[derive(Clone, Copy, Debug)]
pub struct Links {
    /// The uplink.
    pub uplink: u32,
    /// The bridges of front and back.
    pub bridges: [u32; 2],
    /// The host-side veths of a, b, c and d.
    pub veths: [u32; 4],
}

impl Default for Links {
    fn default() -> Self {
        Self { uplink: 2, bridges: [10, 20], veths: [11, 12, 21, 22] }
    }
}

/// The world: devices, tables, settings.
#[derive(Clone, Debug)]
pub struct World {
    /// Indices of the devices.
    pub links: Links,
    /// The tables.
    pub tables: MapTables,
    /// The engine's settings.
    pub config: Config,
}

impl World {
    /// The client outside.
    pub const CLIENT: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 9);
    /// The host's address on the uplink.
    pub const HOST: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 1);

    /// The address of sandbox 0 to 3: a, b in front; c, d in back.
    #[must_use]
    pub fn address(sandbox: usize) -> Ipv4Addr {
        [[10, 1, 0, 2], [10, 1, 0, 3], [10, 2, 0, 2], [10, 2, 0, 3]][sandbox].into()
    }

    /// The gateway of sandbox 0 to 3.
    #[must_use]
    pub fn gateway(sandbox: usize) -> Ipv4Addr {
        [[10, 1, 0, 1], [10, 2, 0, 1]][sandbox / 2].into()
    }

    /// The MAC of sandbox 0 to 3.
    #[must_use]
    pub fn mac(sandbox: usize) -> Mac {
        Mac([2, 0, 0, 0, 1, u8::try_from(sandbox).unwrap_or(0)])
    }

    /// The MAC of the bridge of sandbox 0 to 3.
    #[must_use]
    pub fn bridge_mac(sandbox: usize) -> Mac {
        Mac([2, 0, 0, 0, 2, u8::try_from(sandbox / 2).unwrap_or(0)])
    }

    /// Builds the world; `flags` are those of both networks.
    #[must_use]
    pub fn new(links: Links, flags: EndpointFlags) -> Self {
        let mut tables = MapTables::default();
        for sandbox in 0..4 {
            let endpoint = Self::endpoint(&links, sandbox, flags);
            tables.endpoints.insert(endpoint.address, endpoint);
            tables.endpoint_links.insert(LinkKey::new(endpoint.ifindex, Family::V4), endpoint);
        }
        let local = [
            (Self::HOST, links.uplink),
            (Self::gateway(0), links.bridges[0]),
            (Self::gateway(2), links.bridges[1]),
            (Ipv4Addr::LOCALHOST, 1),
        ];
        for (address, ifindex) in local {
            tables.locals.insert(address.into(), LocalAddress { ifindex });
        }
        let uplink = Uplink { address: Self::HOST.into(), mtu: 1500, bare: 0 };
        tables.uplinks.insert(LinkKey::new(links.uplink, Family::V4), uplink);
        let ports = [
            (Address::UNSPECIFIED_V4, 8080, protocol::TCP, 0, 80),
            (Address::UNSPECIFIED_V4, 5353, protocol::UDP, 1, 53),
            (Ipv4Addr::LOCALHOST.into(), 9090, protocol::TCP, 2, 90),
        ];
        for (address, host_port, protocol, sandbox, port) in ports {
            let key = PublishKey::new(address, Port::new(host_port), protocol);
            let target = PublishTarget::new(Self::address(sandbox).into(), Port::new(host_port), Port::new(port));
            tables.published.insert(PublishBlock::single(key), target);
        }
        let subnets = [
            (Self::HOST, links.uplink),
            (Self::gateway(0), links.bridges[0]),
            (Self::gateway(2), links.bridges[1]),
        ];
        for (address, ifindex) in subnets {
            let on_link = Route { ifindex, next_hop: Address::UNSPECIFIED_V4, mtu: 1500 };
            tables.routes.push((address.into(), Address::mask(120), on_link));
        }
        let config =
            Config { abi: ABI_VERSION, epoch: 1, netns_cookie: 7, seed: 42, flags: ConfigFlags::default(), routes: 0, timeouts: Timeouts::default() };
        tables.config = Some(config);
        Self { links, tables, config }
    }

    fn endpoint(links: &Links, sandbox: usize, flags: EndpointFlags) -> Endpoint {
        Endpoint {
            address: Self::address(sandbox).into(),
            mask: Address::mask(120),
            gateway: Self::gateway(sandbox).into(),
            ifindex: links.veths[sandbox],
            bridge: links.bridges[sandbox / 2],
            flags,
            mac: Self::mac(sandbox),
            bridge_mac: Self::bridge_mac(sandbox),
        }
    }

    /// Runs a packet through a hook.
    pub fn run(&mut self, hook: Hook, arrival: Arrival, packet: &mut impl Packet) -> Verdict {
        let mut workspace = Workspace::default();
        let (tables, config) = (&mut self.tables, &self.config);
        pipeline::decide(hook, &mut Run { packet, tables, config, workspace: &mut workspace, arrival })
    }

    /// A packet that sandbox 0 to 3 sends.
    pub fn from_sandbox(&mut self, sandbox: usize, packet: &mut BytePacket) -> Verdict {
        let arrival = self.arrival(self.links.veths[sandbox]);
        self.run(Hook::FromContainer, arrival, packet)
    }

    /// A packet that comes in by the uplink.
    pub fn from_client(&mut self, packet: &mut BytePacket) -> Verdict {
        let arrival = self.arrival(self.links.uplink);
        self.run(Hook::FromNetdev, arrival, packet)
    }

    /// A packet that came in by a device, now.
    #[must_use]
    pub fn arrival(&self, ifindex: u32) -> Arrival {
        Arrival { ifindex, ingress: ifindex, mark: Mark::None, bare: false, now: NOW }
    }
}
