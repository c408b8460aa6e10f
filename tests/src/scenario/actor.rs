//! Somebody in a namespace who tries something.

use std::net::{Ipv4Addr, SocketAddr};

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
    /// Connects by TCP.
    pub fn tcp(self, to: Ipv4Addr, port: u16, expected: &Answer) -> Result<Phase> {
        let seen = self.0.run(|| probe::tcp(SocketAddr::from((to, port)), expected.patience()))?;
        Ok(Phase::new(self.0.name(), format_args!("{to}:{port}/tcp"), expected, seen))
    }

    /// Asks by UDP from a connected socket.
    pub fn udp(self, to: Ipv4Addr, port: u16, expected: &Answer) -> Result<Phase> {
        let seen =
            self.0.run(|| probe::udp(SocketAddr::from((to, port)), Connected::Yes, expected.patience()))?;
        Ok(Phase::new(self.0.name(), format_args!("{to}:{port}/udp"), expected, seen))
    }

    /// Asks by UDP with `sendto` and `recvfrom`.
    pub fn udp_unconnected(self, to: Ipv4Addr, port: u16, expected: &Answer) -> Result<Phase> {
        let seen =
            self.0.run(|| probe::udp(SocketAddr::from((to, port)), Connected::No, expected.patience()))?;
        Ok(Phase::new(self.0.name(), format_args!("sendto {to}:{port}/udp"), expected, seen))
    }

    /// Sends an ICMP echo request.
    pub fn ping(self, to: Ipv4Addr, expected: &Answer) -> Result<Phase> {
        let seen = self.0.run(|| probe::ping(to, expected.patience()))?;
        Ok(Phase::new(self.0.name(), format_args!("ping {to}"), expected, seen))
    }
}
