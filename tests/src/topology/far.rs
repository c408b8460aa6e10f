//! A machine behind two routers, for whatever depends on the number of hops and on the smallest MTU of a path:
//!
//! ```text
//!   far ──eth0──────── eth1── exchange ──eth0── narrow ── eth1── router ──eth0──────── eth2── host
//!   198.18.2.9   198.18.2.1       198.18.1.2   198.18.1.1       198.18.0.2   198.18.0.1
//! ```

use std::net::{Ipv4Addr, Ipv6Addr};

use anyhow::Result;
use ipnet::{Ipv4Net, Ipv6Net};

use super::{HOST, HOST_BY_SERVER, HOST6, HOST6_BY_SERVER, OUTSIDE_PREFIX, OUTSIDE_PREFIX6, World};
use crate::{links, netns::Namespace};

/// The host's address on the router's side.
pub const HOST_BY_ROUTER: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 1);
/// The host's IPv6 address on the router's side.
pub const HOST6_BY_ROUTER: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 3, 0, 0, 0, 0, 1);
/// The router's address on the host's side.
pub const ROUTER: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 2);
/// The router's IPv6 address on the host's side.
pub const ROUTER6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 3, 0, 0, 0, 0, 2);
const NARROW: (Ipv4Addr, Ipv6Addr) =
    (Ipv4Addr::new(198, 18, 1, 1), Ipv6Addr::new(0x2001, 0xdb8, 4, 0, 0, 0, 0, 1));
/// The second router's address on the first one's side.
pub const EXCHANGE: Ipv4Addr = Ipv4Addr::new(198, 18, 1, 2);
/// The second router's IPv6 address on the first one's side.
pub const EXCHANGE6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 4, 0, 0, 0, 0, 2);
const FAR_SIDE: (Ipv4Addr, Ipv6Addr) =
    (Ipv4Addr::new(198, 18, 2, 1), Ipv6Addr::new(0x2001, 0xdb8, 5, 0, 0, 0, 0, 1));
/// The far machine's address.
pub const FAR: Ipv4Addr = Ipv4Addr::new(198, 18, 2, 9);
/// The far machine's IPv6 address.
pub const FAR6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 5, 0, 0, 0, 0, 9);

/// Two routers behind a third uplink of the host, and a machine behind them.
#[derive(Debug)]
pub struct Far {
    /// The machine.
    pub machine: Namespace,
    /// The router on the machine's side.
    pub exchange: Namespace,
    /// The router on the host's side.
    pub router: Namespace,
}

impl World {
    /// Adds a machine whose way to the host leads through two routers; the cable between them carries packets of
    /// `mtu` bytes.
    pub fn far(&self, mtu: u32) -> Result<Far> {
        let far = Far {
            machine: self.machine("far")?,
            exchange: self.machine("exchange")?,
            router: self.machine("router")?,
        };
        links::join((&self.host, "eth2"), (&far.router, "eth0"))?;
        links::join((&far.router, "eth1"), (&far.exchange, "eth0"))?;
        links::join((&far.exchange, "eth1"), (&far.machine, "eth0"))?;
        for router in [&far.router, &far.exchange] {
            router.sysctl("ipv4/ip_forward", "1")?;
            router.sysctl("ipv6/conf/all/forwarding", "1")?;
        }
        for (machine, link, (address, address6)) in [
            (&self.host, "eth2", (HOST_BY_ROUTER, HOST6_BY_ROUTER)),
            (&far.router, "eth0", (ROUTER, ROUTER6)),
            (&far.router, "eth1", NARROW),
            (&far.exchange, "eth0", (EXCHANGE, EXCHANGE6)),
            (&far.exchange, "eth1", FAR_SIDE),
            (&far.machine, "eth0", (FAR, FAR6)),
        ] {
            machine.address(link, Ipv6Net::new(address6, OUTSIDE_PREFIX6)?)?;
            machine.address(link, Ipv4Net::new(address, OUTSIDE_PREFIX)?)?;
        }
        for (machine, link) in [(&far.router, "eth1"), (&far.exchange, "eth0")] {
            machine.mtu(link, mtu)?;
        }
        for (machine, (next, next6)) in
            [(&self.host, (ROUTER, ROUTER6)), (&far.router, (EXCHANGE, EXCHANGE6))]
        {
            machine.route(Ipv4Net::new(FAR, OUTSIDE_PREFIX)?, next)?;
            machine.route(Ipv6Net::new(FAR6, OUTSIDE_PREFIX6)?, next6)?;
        }
        self.host.route(Ipv4Net::new(EXCHANGE, OUTSIDE_PREFIX)?, ROUTER)?;
        self.host.route(Ipv6Net::new(EXCHANGE6, OUTSIDE_PREFIX6)?, ROUTER6)?;
        for (machine, (next, next6)) in [(&far.machine, FAR_SIDE), (&far.exchange, NARROW)] {
            machine.route(Ipv4Net::default(), next)?;
            machine.route(Ipv6Net::default(), next6)?;
        }
        // Whatever else there may be, the router knows no way to it.
        for (host, host6) in [(HOST, HOST6), (HOST_BY_SERVER, HOST6_BY_SERVER)] {
            far.router.route(Ipv4Net::new(host, OUTSIDE_PREFIX)?, HOST_BY_ROUTER)?;
            far.router.route(Ipv6Net::new(host6, OUTSIDE_PREFIX6)?, HOST6_BY_ROUTER)?;
        }
        Ok(far)
    }
}
