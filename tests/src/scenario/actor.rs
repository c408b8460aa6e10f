//! Somebody in a namespace who tries something.

use std::net::{IpAddr, SocketAddr};

use anyhow::Result;

use super::Phase;
use crate::{
    netns::Namespace,
    probe::{self, Answer, Connected},
};

/// A machine or sandbox, as the one who tries.
#[derive(Debug, Clone, Copy)]
pub struct Actor<'a>(pub &'a Namespace);

impl Actor<'_> {
    /// Connects by TCP; an IPv4 address as `::ffff:a.b.c.d` makes the socket an IPv6 one.
    pub fn tcp(self, to: impl Into<IpAddr>, port: u16, expected: &Answer) -> Result<Phase> {
        let to = SocketAddr::from((to.into(), port));
        let seen = self.0.run(|| probe::tcp(to, expected.patience()))?;
        Ok(Phase::new(self.0.name(), format_args!("{to}/tcp"), expected, seen))
    }

    /// Asks by UDP from a connected socket.
    pub fn udp(self, to: impl Into<IpAddr>, port: u16, expected: &Answer) -> Result<Phase> {
        let to = SocketAddr::from((to.into(), port));
        let seen = self.0.run(|| probe::udp(to, Connected::Yes, expected.patience()))?;
        Ok(Phase::new(self.0.name(), format_args!("{to}/udp"), expected, seen))
    }

    /// Asks by UDP with `sendto` and `recvfrom`.
    pub fn udp_unconnected(self, to: impl Into<IpAddr>, port: u16, expected: &Answer) -> Result<Phase> {
        let to = SocketAddr::from((to.into(), port));
        let seen = self.0.run(|| probe::udp(to, Connected::No, expected.patience()))?;
        Ok(Phase::new(self.0.name(), format_args!("sendto {to}/udp"), expected, seen))
    }

    /// Sends an ICMP echo request.
    pub fn ping(self, to: impl Into<IpAddr>, expected: &Answer) -> Result<Phase> {
        let to = to.into();
        let seen = self.0.run(|| probe::ping(to, expected.patience()))?;
        Ok(Phase::new(self.0.name(), format_args!("ping {to}"), expected, seen))
    }
}
