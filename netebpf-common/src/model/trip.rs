//! Sends frames through the world's hooks and reads what becomes of them.

use core::net::IpAddr;

use super::{BytePacket, FrameSpec, NOW, Segment, World, checksums_are_right};
use crate::{
    abi::{Family, Hook, Mac},
    run::Arrival,
    verdict::Verdict,
};

/// Where a frame comes from.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Origin {
    /// Sandbox 0 to 3.
    Sandbox(usize),
    /// Behind the uplink.
    Outside,
    /// The machine that is plugged into front's bridge; only what it sends to the host.
    Machine,
}

impl World {
    /// The MAC of the client outside, or its router.
    pub const CLIENT_MAC: Mac = Mac([2, 0, 0, 0, 3, 9]);

    /// The MAC of the uplink.
    pub const UPLINK_MAC: Mac = Mac([2, 0, 0, 0, 3, 1]);

    /// The MAC of the machine that is plugged into front's bridge.
    pub const MACHINE_MAC: Mac = Mac([2, 0, 0, 0, 3, 77]);

    /// A frame from a sandbox to an address by way of its gateway.
    #[must_use]
    pub fn routed(from: usize, destination: IpAddr, segment: Segment) -> FrameSpec {
        FrameSpec {
            source_mac: Self::mac(from),
            destination_mac: Self::bridge_mac(from),
            ..FrameSpec::new(Self::address(from, family_of(destination)), destination, segment)
        }
    }

    /// A frame from a sandbox straight to another.
    #[must_use]
    pub fn direct(from: usize, to: usize, family: Family, segment: Segment) -> FrameSpec {
        FrameSpec { destination_mac: Self::mac(to), ..Self::routed(from, Self::address(to, family), segment) }
    }

    /// A frame from the client outside.
    #[must_use]
    pub fn incoming(destination: IpAddr, segment: Segment) -> FrameSpec {
        FrameSpec {
            source_mac: Self::CLIENT_MAC,
            destination_mac: Self::UPLINK_MAC,
            ..FrameSpec::new(Self::client(family_of(destination)), destination, segment)
        }
    }

    /// A frame from the machine on front's segment to an address by way of the host.
    #[must_use]
    pub fn plugged(destination: IpAddr, segment: Segment) -> FrameSpec {
        let spec = FrameSpec::new(Self::machine(family_of(destination)), destination, segment);
        Self::sent_by(Origin::Machine, spec)
    }

    /// Sends a frame at a time, in seconds after the tests begin, and returns what became of it.
    ///
    /// # Panics
    ///
    /// When a frame that is forwarded has a wrong checksum, or one that is not was changed.
    #[track_caller]
    pub fn send_at(&mut self, second: u64, origin: Origin, frame: &[u8]) -> (Verdict, BytePacket) {
        let mut packet = BytePacket::new(frame.to_vec());
        let (hook, ifindex) = match origin {
            Origin::Sandbox(sandbox) => (Hook::FromContainer, self.links.veths[sandbox]),
            Origin::Outside => (Hook::FromNetdev, self.links.uplink),
            Origin::Machine => (Hook::FromBridge, self.links.bridges[0]),
        };
        let arrival = Arrival { now: NOW + second * 1_000_000_000, ..self.arrival(ifindex) };
        let verdict = self.run(hook, arrival, &mut packet);
        match verdict {
            Verdict::Pass | Verdict::Drop(_) => {
                assert_eq!(
                    packet.bytes, frame,
                    "{verdict:?}: who does not forward a packet does not touch it"
                );
            }
            Verdict::ToStack
            | Verdict::ToSandbox { .. }
            | Verdict::ToUplink { .. }
            | Verdict::Answered { .. }
            | Verdict::Resolved { .. }
            | Verdict::ToResolver { .. } => {
                assert!(
                    !checksums_are_right(frame) || checksums_are_right(&packet.bytes),
                    "{verdict:?} with a wrong checksum: {:?} became {:?}",
                    FrameSpec::read(frame),
                    FrameSpec::read(&packet.bytes)
                );
            }
        }
        (verdict, packet)
    }

    /// Sends a frame, and returns the verdict.
    #[track_caller]
    pub fn send(&mut self, origin: Origin, spec: &FrameSpec) -> Verdict {
        self.send_at(0, origin, &spec.build()).0
    }

    /// Sends a frame that is forwarded, and returns it as it goes on.
    ///
    /// # Panics
    ///
    /// When it is not forwarded, or as [`World::send_at`].
    #[track_caller]
    pub fn pass(&mut self, origin: Origin, spec: &FrameSpec) -> FrameSpec {
        let (verdict, packet) = self.send_at(0, origin, &spec.build());
        match (verdict, FrameSpec::read(&packet.bytes)) {
            (Verdict::ToSandbox { .. } | Verdict::ToUplink { .. } | Verdict::ToStack, Some(read)) => read,
            (verdict, _) => panic!("{verdict:?} of {spec:?}"),
        }
    }

    /// Where the answer to a forwarded frame comes from.
    #[must_use]
    pub fn goal(&self, verdict: Verdict) -> Option<Origin> {
        match verdict {
            Verdict::ToSandbox { ifindex } => {
                self.links.veths.iter().position(|veth| *veth == ifindex).map(Origin::Sandbox)
            }
            Verdict::ToUplink { ifindex, .. } if ifindex == self.links.bridges[0] => Some(Origin::Machine),
            Verdict::ToUplink { .. } => Some(Origin::Outside),
            Verdict::ToStack
            | Verdict::Answered { .. }
            | Verdict::Resolved { .. }
            | Verdict::ToResolver { .. }
            | Verdict::Pass
            | Verdict::Drop(_) => None,
        }
    }

    /// The answer to a frame as it arrives at `at`, with the MACs of whoever sends it there.
    #[must_use]
    pub fn answer_from(at: Origin, arrived: &FrameSpec) -> Option<FrameSpec> {
        Some(Self::sent_by(at, arrived.answer()?))
    }

    /// A frame with the MACs of one that comes from there by way of the host.
    #[must_use]
    pub fn sent_by(origin: Origin, spec: FrameSpec) -> FrameSpec {
        let (source_mac, destination_mac) = match origin {
            Origin::Sandbox(sandbox) => (Self::mac(sandbox), Self::bridge_mac(sandbox)),
            Origin::Outside => (Self::CLIENT_MAC, Self::UPLINK_MAC),
            Origin::Machine => (Self::MACHINE_MAC, Self::bridge_mac(0)),
        };
        FrameSpec { source_mac, destination_mac, ..spec }
    }
}

/// The IP version of an address.
const fn family_of(address: IpAddr) -> Family {
    if address.is_ipv4() { Family::V4 } else { Family::V6 }
}
