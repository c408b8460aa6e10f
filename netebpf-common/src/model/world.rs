//! A host with two networks, four sandboxes, an uplink and published ports, in both IP versions.
//!
//! ```text
//!   client 198.51.100.9, 2001:db8:9::9 ── uplink .1, ::1 ┐
//!                                                       host
//!        front 10.1.0.0/24, fd00:1::/64 (gateway .1, ::1) ┤  a .2, ::2   b .3, ::3
//!        back  10.2.0.0/24, fd00:2::/64 (gateway .1, ::1) ┘  c .2, ::2   d .3, ::3
//!
//!   plugged into front's bridge, if the rules say so: a machine .77, ::4d
//!
//!   any address: 8080 → a:80   5353/udp → b:53   7000/sctp → a:70   20000-20099 → d:1000-1099
//!   the host's own address: 8443 → b:443         loopback: 9090 → c:90
//! ```

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::boxed::Box;

use super::{BytePacket, MapTables, Rules};
use crate::{
    abi::{
        ABI_VERSION, Address, Config, ConfigFlags, Endpoint, EndpointFlags, Family, Hook, LinkKey,
        LocalAddress, Mac, Network, QueryLimit, Resolver, Timeouts, Uplink,
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
    /// The port of front's bridge that is no endpoint's.
    pub port: u32,
    /// The device that leads to the name server.
    pub resolver: u32,
}

impl Default for Links {
    fn default() -> Self {
        Self { uplink: 2, bridges: [10, 20], veths: [11, 12, 21, 22], port: 13, resolver: 30 }
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
    /// What the packet before left behind, as in the kernel.
    pub workspace: Box<Workspace>,
}

impl World {
    /// Both IP versions.
    pub const FAMILIES: [Family; 2] = [Family::V4, Family::V6];

    /// A network's flags by default: ICC and masquerading.
    pub const USUAL: EndpointFlags = EndpointFlags(EndpointFlags::ICC.0 | EndpointFlags::MASQUERADE.0);

    /// The client outside.
    #[must_use]
    pub const fn client(family: Family) -> IpAddr {
        Self::outside(family, 9)
    }

    /// The host's address on the uplink.
    #[must_use]
    pub const fn host(family: Family) -> IpAddr {
        Self::outside(family, 1)
    }

    /// An address of the client's network.
    #[must_use]
    pub const fn outside(family: Family, last: u8) -> IpAddr {
        match family {
            Family::V4 => IpAddr::V4(Ipv4Addr::new(198, 51, 100, last)),
            Family::V6 => IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 9, 0, 0, 0, 0, last as u16)),
        }
    }

    /// The wildcard.
    #[must_use]
    pub const fn any(family: Family) -> IpAddr {
        match family {
            Family::V4 => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            Family::V6 => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        }
    }

    /// Loopback.
    #[must_use]
    pub const fn loopback(family: Family) -> IpAddr {
        match family {
            Family::V4 => IpAddr::V4(Ipv4Addr::LOCALHOST),
            Family::V6 => IpAddr::V6(Ipv6Addr::LOCALHOST),
        }
    }

    /// The address of sandbox 0 to 3: a, b in front; c, d in back.
    #[must_use]
    pub fn address(sandbox: usize, family: Family) -> IpAddr {
        Self::inside(sandbox / 2, family, [2, 3][sandbox % 2])
    }

    /// The gateway of sandbox 0 to 3.
    #[must_use]
    pub fn gateway(sandbox: usize, family: Family) -> IpAddr {
        Self::inside(sandbox / 2, family, 1)
    }

    /// The machine that is plugged into front's bridge.
    #[must_use]
    pub fn machine(family: Family) -> IpAddr {
        Self::inside(0, family, 77)
    }

    /// An address of network 0 or 1.
    #[must_use]
    pub fn inside(network: usize, family: Family, last: u8) -> IpAddr {
        let number = [1, 2][network];
        match family {
            Family::V4 => Ipv4Addr::new(10, number, 0, last).into(),
            Family::V6 => Ipv6Addr::new(0xfd00, number.into(), 0, 0, 0, 0, 0, last.into()).into(),
        }
    }

    /// Bits of the prefix of every subnet, counted as the IP version counts.
    #[must_use]
    pub const fn prefix(family: Family) -> u8 {
        match family {
            Family::V4 => 24,
            Family::V6 => 64,
        }
    }

    /// The mask of every subnet.
    #[must_use]
    pub fn mask(family: Family) -> Address {
        match family {
            Family::V4 => Address::mask(96 + Self::prefix(family)),
            Family::V6 => Address::mask(Self::prefix(family)),
        }
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

    /// The world as most tests want it.
    #[must_use]
    pub fn usual() -> Self {
        Self::new(Links::default(), Self::USUAL)
    }

    /// Builds the world; `flags` are those of both networks.
    #[must_use]
    pub fn new(links: Links, flags: EndpointFlags) -> Self {
        Self::with_rules(links, &Rules { flags: [flags; 2], ..Rules::default() })
    }

    /// Builds the world with all that can be chosen.
    #[must_use]
    pub fn with_rules(links: Links, rules: &Rules) -> Self {
        let config = Config {
            abi: ABI_VERSION,
            epoch: 0,
            netns_cookie: 7,
            seed: 42,
            flags: ConfigFlags::default(),
            routes: 0,
            timeouts: Timeouts::default(),
            resolver: Resolver::new(links.resolver, QueryLimit { interval: 1_000, burst: u32::MAX >> 1 }),
        };
        let mut world = Self { links, tables: MapTables::default(), config, workspace: Box::default() };
        for family in Self::FAMILIES {
            world.add_host(family);
        }
        world.add_names();
        rules.apply(&mut world);
        world
    }

    /// Devices, addresses and routes of the host.
    fn add_host(&mut self, family: Family) {
        let links = self.links;
        let subnets = [
            (Self::host(family), links.uplink),
            (Self::gateway(0, family), links.bridges[0]),
            (Self::gateway(2, family), links.bridges[1]),
        ];
        let none = Address::unspecified(family);
        for (address, ifindex) in subnets {
            self.tables.locals.insert(address.into(), LocalAddress { ifindex });
            let on_link = Route { ifindex, next_hop: none, mtu: 1500, source: address.into() };
            self.tables.routes.push((address.into(), Self::mask(family), on_link));
        }
        self.tables.locals.insert(Self::loopback(family).into(), LocalAddress { ifindex: 1 });
        let uplink = Uplink { address: Self::host(family).into(), mtu: 1500, bare: 0 };
        self.tables.uplinks.insert(LinkKey::new(links.uplink, family), uplink);
    }

    /// Sets what network 0 or 1 allows, in both IP versions.
    pub fn set_flags(&mut self, network: usize, flags: EndpointFlags) {
        for sandbox in [network * 2, network * 2 + 1] {
            for family in Self::FAMILIES {
                let endpoint = self.endpoint(sandbox, family, flags);
                self.tables.endpoints.insert(endpoint.address, endpoint);
                self.tables.endpoint_links.insert(LinkKey::new(endpoint.ifindex, family), endpoint);
            }
        }
    }

    /// Sets the host address that network 0 or 1 leaves with; `None` for the uplink's.
    pub fn set_snat(&mut self, network: usize, family: Family, address: Option<IpAddr>) {
        let snat = address.map_or(Address::unspecified(family), Address::from);
        self.tables.networks.insert(LinkKey::new(self.links.bridges[network], family), Network { snat });
    }

    /// Takes an IP version from a sandbox.
    pub fn remove_family(&mut self, sandbox: usize, family: Family) {
        self.tables.endpoints.remove(&Self::address(sandbox, family).into());
        self.tables.endpoint_links.remove(&LinkKey::new(self.links.veths[sandbox], family));
    }

    /// Sets the engine's settings, for packets and sockets.
    pub fn set_config(&mut self, change: impl FnOnce(&mut Config)) {
        change(&mut self.config);
        self.tables.config = Some(self.config);
    }

    fn endpoint(&self, sandbox: usize, family: Family, flags: EndpointFlags) -> Endpoint {
        Endpoint {
            address: Self::address(sandbox, family).into(),
            mask: Self::mask(family),
            gateway: Self::gateway(sandbox, family).into(),
            ifindex: self.links.veths[sandbox],
            bridge: self.links.bridges[sandbox / 2],
            flags,
            mac: Self::mac(sandbox),
            bridge_mac: Self::bridge_mac(sandbox),
        }
    }

    /// Runs a packet through a hook.
    pub fn run(&mut self, hook: Hook, arrival: Arrival, packet: &mut impl Packet) -> Verdict {
        let Self { tables, config, workspace, .. } = self;
        pipeline::decide(hook, &mut Run { packet, tables, config, workspace, arrival })
    }

    /// A packet that sandbox 0 to 3 sends.
    pub fn from_sandbox(&mut self, sandbox: usize, packet: &mut BytePacket) -> Verdict {
        let arrival = self.arrival(self.links.veths[sandbox]);
        self.run(Hook::FromContainer, arrival, packet)
    }

    /// A packet that came in by a device, now.
    #[must_use]
    pub const fn arrival(&self, ifindex: u32) -> Arrival {
        Arrival { ifindex, ingress: ifindex, mark: Mark::None, bare: false, now: NOW }
    }
}
