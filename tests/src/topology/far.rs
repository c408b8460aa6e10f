//! A machine behind a router, for whatever depends on the number of hops and on the smallest MTU of a path:
//!
//! ```text
//!   far ──eth0──────── eth1── router ──eth0──────── eth2── host
//!   198.18.1.9   198.18.1.1          198.18.0.2   198.18.0.1
//! ```

use std::net::{Ipv4Addr, Ipv6Addr};

use anyhow::Result;
use ipnet::{Ipv4Net, Ipv6Net};

use super::{OUTSIDE_PREFIX, OUTSIDE_PREFIX6, World};
use crate::{links, netns::Namespace};

const HOST_SIDE: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 1);
const HOST_SIDE6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 3, 0, 0, 0, 0, 1);
/// The router's address on the host's side.
pub const ROUTER: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 2);
/// The router's IPv6 address on the host's side.
pub const ROUTER6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 3, 0, 0, 0, 0, 2);
const FAR_SIDE: Ipv4Addr = Ipv4Addr::new(198, 18, 1, 1);
const FAR_SIDE6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 4, 0, 0, 0, 0, 1);
/// The far machine's address.
pub const FAR: Ipv4Addr = Ipv4Addr::new(198, 18, 1, 9);
/// The far machine's IPv6 address.
pub const FAR6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 4, 0, 0, 0, 0, 9);

/// A router on a third uplink of the host, and a machine behind it.
#[derive(Debug)]
pub struct Far {
    /// The machine.
    pub machine: Namespace,
    /// The router between it and the host.
    pub router: Namespace,
}

impl World {
    /// Adds a machine whose way to the host leads through a router; its cable carries packets of `mtu` bytes.
    pub fn far(&self, mtu: u32) -> Result<Far> {
        let far = Far { machine: self.machine("far")?, router: self.machine("router")? };
        links::join((&self.host, "eth2"), (&far.router, "eth0"))?;
        links::join((&far.router, "eth1"), (&far.machine, "eth0"))?;
        far.router.sysctl("ipv4/ip_forward", "1")?;
        far.router.sysctl("ipv6/conf/all/forwarding", "1")?;
        for (machine, link, address, address6) in [
            (&self.host, "eth2", HOST_SIDE, HOST_SIDE6),
            (&far.router, "eth0", ROUTER, ROUTER6),
            (&far.router, "eth1", FAR_SIDE, FAR_SIDE6),
            (&far.machine, "eth0", FAR, FAR6),
        ] {
            machine.address(link, Ipv6Net::new(address6, OUTSIDE_PREFIX6)?)?;
            machine.address(link, Ipv4Net::new(address, OUTSIDE_PREFIX)?)?;
        }
        for (machine, link) in [(&far.router, "eth1"), (&far.machine, "eth0")] {
            machine.mtu(link, mtu)?;
        }
        self.host.route(Ipv4Net::new(FAR, OUTSIDE_PREFIX)?, ROUTER)?;
        self.host.route(Ipv6Net::new(FAR6, OUTSIDE_PREFIX6)?, ROUTER6)?;
        far.machine.route(Ipv4Net::default(), FAR_SIDE)?;
        far.machine.route(Ipv6Net::default(), FAR_SIDE6)?;
        Ok(far)
    }
}
