//! What an IP packet carries: transport headers as their RFCs draw them, with right checksums.

use core::net::IpAddr;
use std::{vec, vec::Vec};

use super::sums;
use crate::abi::protocol;

/// What an IP packet carries.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Segment {
    /// TCP with these flags.
    Tcp {
        /// Source port.
        source: u16,
        /// Destination port.
        destination: u16,
        /// Flags, as in byte 13 of the header.
        flags: u8,
    },
    /// UDP, with a checksum or without.
    Udp {
        /// Source port.
        source: u16,
        /// Destination port.
        destination: u16,
        /// Whether there is a checksum.
        checksum: bool,
    },
    /// SCTP, its checksum included.
    Sctp {
        /// Source port.
        source: u16,
        /// Destination port.
        destination: u16,
    },
    /// An ICMP or `ICMPv6` message; of an error the payload is the quoted packet.
    Icmp {
        /// Type.
        kind: u8,
        /// Identifier, for echo.
        identifier: u16,
    },
    /// Another protocol.
    Other(u8),
}

impl Segment {
    /// A TCP segment that opens a connection.
    #[must_use]
    pub const fn syn(source: u16, destination: u16) -> Self {
        Self::Tcp { source, destination, flags: 2 }
    }

    /// A UDP datagram with a checksum.
    #[must_use]
    pub const fn udp(source: u16, destination: u16) -> Self {
        Self::Udp { source, destination, checksum: true }
    }

    /// An echo request of the IP version of an address.
    #[must_use]
    pub const fn ping(to: IpAddr, identifier: u16) -> Self {
        Self::Icmp { kind: if to.is_ipv4() { 8 } else { 128 }, identifier }
    }

    /// The IP protocol, between addresses of the version of `to`.
    #[must_use]
    pub const fn protocol(&self, to: IpAddr) -> u8 {
        match self {
            Self::Tcp { .. } => protocol::TCP,
            Self::Udp { .. } => protocol::UDP,
            Self::Sctp { .. } => protocol::SCTP,
            Self::Icmp { .. } if to.is_ipv4() => protocol::ICMP,
            Self::Icmp { .. } => protocol::ICMPV6,
            Self::Other(number) => *number,
        }
    }

    /// What answers the segment; `None` if nothing would.
    #[must_use]
    pub const fn answer(&self) -> Option<Self> {
        Some(match *self {
            Self::Tcp { source, destination, flags } => {
                let flags = if flags & 2 != 0 { 18 } else { 16 };
                Self::Tcp { source: destination, destination: source, flags }
            }
            Self::Udp { source, destination, .. } => Self::udp(destination, source),
            Self::Sctp { source, destination } => Self::Sctp { source: destination, destination: source },
            Self::Icmp { kind, identifier } => {
                let kind = match kind {
                    8 => 0,
                    13 => 14,
                    128 => 129,
                    _ => return None,
                };
                Self::Icmp { kind, identifier }
            }
            Self::Other(number) => Self::Other(number),
        })
    }

    /// Ports, or the identifier in place of each of them.
    #[must_use]
    pub const fn ports(&self) -> (u16, u16) {
        match *self {
            Self::Tcp { source, destination, .. }
            | Self::Udp { source, destination, .. }
            | Self::Sctp { source, destination } => (source, destination),
            Self::Icmp { identifier, .. } => (identifier, identifier),
            Self::Other(_) => (0, 0),
        }
    }

    /// The transport header and the payload behind it, sealed with the checksum.
    pub(super) fn build(&self, source: IpAddr, destination: IpAddr, payload: &[u8]) -> Vec<u8> {
        let mut bytes = self.header(payload.len());
        bytes.extend_from_slice(payload);
        if let Self::Sctp { .. } = self {
            let sum = sums::crc32c(&bytes).to_le_bytes();
            bytes[8..12].copy_from_slice(&sum);
            return bytes;
        }
        let Some(place) = self.checksum_place() else { return bytes };
        let protocol = self.protocol(destination);
        let sum = match !sums::transport(source, destination, protocol, &bytes) {
            0 if matches!(self, Self::Udp { .. }) => u16::MAX,
            sum => sum,
        };
        bytes[place..place + 2].copy_from_slice(&sum.to_be_bytes());
        bytes
    }

    const fn checksum_place(&self) -> Option<usize> {
        match self {
            Self::Tcp { .. } => Some(16),
            Self::Udp { checksum: true, .. } => Some(6),
            Self::Icmp { .. } => Some(2),
            Self::Udp { checksum: false, .. } | Self::Sctp { .. } | Self::Other(_) => None,
        }
    }

    fn header(&self, payload: usize) -> Vec<u8> {
        let ports = |source: u16, destination: u16, length: usize| {
            let mut header = vec![0; length];
            header[..2].copy_from_slice(&source.to_be_bytes());
            header[2..4].copy_from_slice(&destination.to_be_bytes());
            header
        };
        match *self {
            Self::Tcp { source, destination, flags } => {
                let mut header = ports(source, destination, 20);
                (header[12], header[13]) = (0x50, flags);
                header
            }
            Self::Udp { source, destination, .. } => {
                let mut header = ports(source, destination, 8);
                let length = u16::try_from(8 + payload).unwrap_or(u16::MAX);
                header[4..6].copy_from_slice(&length.to_be_bytes());
                header
            }
            Self::Sctp { source, destination } => {
                let mut header = ports(source, destination, 12);
                header[4..8].copy_from_slice(b"vtag");
                header
            }
            Self::Icmp { kind, identifier } => {
                let [high, low] = identifier.to_be_bytes();
                vec![kind, 0, 0, 0, high, low, 0, 1]
            }
            Self::Other(_) => Vec::new(),
        }
    }

    /// Reads a transport header and returns how long it is; `None` if it is cut off.
    pub(super) fn read(protocol: u8, bytes: &[u8]) -> Option<(Self, usize)> {
        let word = |at: usize| Some(u16::from_be_bytes([*bytes.get(at)?, *bytes.get(at + 1)?]));
        Some(match protocol {
            protocol::TCP => {
                let length = usize::from(*bytes.get(12)? >> 4) * 4;
                let flags = *bytes.get(13)?;
                (Self::Tcp { source: word(0)?, destination: word(2)?, flags }, length)
            }
            protocol::UDP => {
                let checksum = word(6)? != 0;
                (Self::Udp { source: word(0)?, destination: word(2)?, checksum }, 8)
            }
            protocol::SCTP => (Self::Sctp { source: word(0)?, destination: word(2)? }, 12),
            protocol::ICMP | protocol::ICMPV6 => {
                (Self::Icmp { kind: *bytes.first()?, identifier: word(4)? }, 8)
            }
            number => (Self::Other(number), 0),
        })
    }
}
