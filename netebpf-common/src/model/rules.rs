//! What a test's world is to allow, as a user would say it.

use core::net::IpAddr;

use super::World;
use crate::abi::{
    AllowKey, ConfigFlags, EndpointFlags, Family, Port, PublishBlock, PublishKey, PublishTarget, TrustKey,
    protocol,
};

/// Settings of both networks and of the engine.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a setting of its own, as users have them")]
pub struct Rules {
    /// What front and back allow.
    pub flags: [EndpointFlags; 2],
    /// Whether front and back trust the uplink.
    pub trusted: [bool; 2],
    /// Whether a machine is plugged into front's bridge.
    pub plugged: bool,
    /// Whether the world's ports are published.
    pub published: bool,
    /// Docker's `allow-direct-routing`.
    pub direct_routing: bool,
    /// Whether a is linked to b's port 80.
    pub linked: bool,
    /// Whether front and back leave with the host's gateway address of back.
    pub snat: [bool; 2],
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            flags: [World::USUAL; 2],
            trusted: [false; 2],
            plugged: false,
            published: true,
            direct_routing: false,
            linked: false,
            snat: [false; 2],
        }
    }
}

/// What is published: on which addresses of the host, which ports, for which protocol, to which port of which sandbox.
pub(super) struct Published {
    pub(super) at: fn(Family) -> IpAddr,
    pub(super) ports: (u16, u16),
    pub(super) protocol: u8,
    pub(super) sandbox: usize,
    pub(super) to: u16,
}

pub(super) const PUBLISHED: [Published; 6] = [
    Published { at: World::any, ports: (8080, 8080), protocol: protocol::TCP, sandbox: 0, to: 80 },
    Published { at: World::any, ports: (5353, 5353), protocol: protocol::UDP, sandbox: 1, to: 53 },
    Published { at: World::any, ports: (7000, 7000), protocol: protocol::SCTP, sandbox: 0, to: 70 },
    Published { at: World::any, ports: (20_000, 20_099), protocol: protocol::TCP, sandbox: 3, to: 1000 },
    Published { at: World::host, ports: (8443, 8443), protocol: protocol::TCP, sandbox: 1, to: 443 },
    Published { at: World::loopback, ports: (9090, 9090), protocol: protocol::TCP, sandbox: 2, to: 90 },
];

impl Rules {
    /// Some combination of settings for each number.
    #[must_use]
    pub const fn numbered(number: u32) -> Self {
        const MODES: [u32; 4] = [
            EndpointFlags::MASQUERADE.0,
            EndpointFlags::ROUTED.0,
            EndpointFlags::MASQUERADE.0 | EndpointFlags::UNPROTECTED.0,
            0,
        ];
        const fn flags(bits: u32) -> EndpointFlags {
            let mode = MODES[(bits & 3) as usize];
            let icc = if bits & 4 == 0 { EndpointFlags::ICC.0 } else { 0 };
            let internal = if bits & 0x38 == 0x38 { EndpointFlags::INTERNAL.0 } else { 0 };
            EndpointFlags(mode | icc | internal)
        }
        Self {
            flags: [flags(number), flags(number >> 6)],
            trusted: [number >> 12 & 1 == 1, number >> 13 & 1 == 1],
            published: number >> 14 & 3 != 0,
            direct_routing: number >> 16 & 3 == 3,
            linked: number >> 18 & 1 == 1,
            snat: [number >> 19 & 3 == 3, number >> 21 & 3 == 3],
            plugged: number >> 23 & 1 == 1,
        }
    }

    /// Makes these the rules of a world, as the daemon does: with a new epoch.
    pub fn apply(&self, world: &mut World) {
        let direct = if self.direct_routing { ConfigFlags::DIRECT_ROUTING } else { ConfigFlags::default() };
        world.set_config(|config| {
            config.epoch += 2;
            config.flags = direct;
        });
        world.tables.trusted.clear();
        world.tables.allowed.clear();
        world.tables.published.clear();
        for network in [0, 1] {
            world.set_flags(network, self.flags[network]);
            if self.trusted[network] {
                let bridge = world.links.bridges[network];
                world.tables.trusted.insert(TrustKey { bridge, ingress: world.links.uplink });
            }
        }
        if self.plugged {
            let bridge = world.links.bridges[0];
            let trusted = [bridge, world.links.port].map(|ingress| TrustKey { bridge, ingress });
            world.tables.trusted.extend(trusted);
        }
        for family in World::FAMILIES {
            for network in [0, 1] {
                let chosen = self.snat[network].then(|| World::gateway(2, family));
                world.set_snat(network, family, chosen);
            }
            if self.published {
                self.publish(world, family);
            }
            if self.linked {
                let (client, server) = (World::address(0, family), World::address(1, family));
                let key = AllowKey::new(client.into(), server.into(), Port::new(80), protocol::TCP);
                world.tables.allowed.insert(key);
            }
        }
    }

    /// Publishes the world's ports, on the host and at the endpoints themselves; an internal network publishes none.
    fn publish(&self, world: &mut World, family: Family) {
        for Published { at, ports: (first, last), protocol, sandbox, to } in PUBLISHED {
            if self.flags[sandbox / 2].contains(EndpointFlags::INTERNAL) {
                continue;
            }
            let address = World::address(sandbox, family);
            let target = PublishTarget::new(address.into(), Port::new(first), Port::new(to));
            let itself = PublishTarget::new(address.into(), Port::new(to), Port::new(to));
            let own_last = to + (last - first);
            for (address, first, last, target) in
                [(at(family), first, last, target), (address, to, own_last, itself)]
            {
                let key = PublishKey::new(address.into(), Port::new(first), protocol);
                world.tables.published.extend(PublishBlock::cover(key, last).map(|block| (block, target)));
            }
        }
    }
}
