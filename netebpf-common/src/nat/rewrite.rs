//! Rewrites a packet as its flow says.

use super::{field, sctp};
use crate::{
    abi::{Family, Flow, WayOut},
    packet::{ChecksumChange, Packet},
    parse::{Fragment, Frame, Transport, TransportKind},
    run::Run,
    verdict::DropReason,
};

/// Who routes the packet: counts the hop, and sets the MACs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Hop {
    /// We do, into a sandbox.
    IntoSandbox,
    /// We do, out of an uplink; the kernel finds the MACs.
    OutOfUplink,
    /// The host stack does.
    InStack,
}

/// Translates addresses and ports as the workspace's flow says.
#[inline(always)]
pub fn translate<T>(run: &mut Run<'_, impl Packet, T>, hop: Hop) -> Result<(), DropReason> {
    let workspace = &mut *run.workspace;
    if is_beyond_translation(&workspace.frame, &workspace.transport, &workspace.flow) {
        return Err(DropReason::Fragment);
    }
    let (frame, flow) = (&mut workspace.frame, &workspace.flow);
    pass_on(frame, &flow.way_out, hop);
    let translation = &flow.translation;
    frame.set_addresses(translation.source, translation.destination, translation.address_delta);
    let bare = run.arrival.bare;
    let done =
        frame.write(run.packet, bare) && rewrite_transport(run.packet, frame, &workspace.transport, flow);
    if done { Ok(()) } else { Err(DropReason::RewriteFailed) }
}

/// A part of an SCTP packet cannot get another port: the checksum depends on the length of all of it.
#[inline(always)]
fn is_beyond_translation(frame: &Frame, transport: &Transport, flow: &Flow) -> bool {
    matches!(transport.kind(), TransportKind::Sctp)
        && flow.translation.port_delta != 0
        && !matches!(frame.fragment(), Fragment::Whole)
}

/// Counts the hop and sets the MACs, in the workspace's frame.
#[inline(always)]
pub(super) const fn pass_on(frame: &mut Frame, way_out: &WayOut, hop: Hop) {
    match hop {
        Hop::IntoSandbox => {
            frame.count_hop();
            frame.destination_mac = way_out.destination_mac;
            frame.source_mac = way_out.source_mac;
        }
        Hop::OutOfUplink => frame.count_hop(),
        Hop::InStack => {}
    }
}

#[inline(always)]
fn rewrite_transport(packet: &mut impl Packet, frame: &Frame, transport: &Transport, flow: &Flow) -> bool {
    if !transport.is_here() {
        return true;
    }
    let translation = &flow.translation;
    let offset = transport.offset;
    let (source, destination) = (translation.source_port.wire(), translation.destination_port.wire());
    let ports_change = translation.port_delta != 0;
    match transport.kind() {
        TransportKind::Tcp | TransportKind::Udp => {
            let udp = matches!(transport.kind(), TransportKind::Udp);
            let checksum = offset + if udp { field::UDP_CHECKSUM } else { field::TCP_CHECKSUM };
            let change = |delta, pseudo_header| ChecksumChange { delta, pseudo_header, zero_is_none: udp };
            let [s0, s1] = source.to_ne_bytes();
            let [d0, d1] = destination.to_ne_bytes();
            packet.adjust_checksum(checksum, change(translation.address_delta, true))
                && (!ports_change
                    || packet.write(offset, &[s0, s1, d0, d1])
                        && packet.adjust_checksum(checksum, change(translation.port_delta, false)))
        }
        TransportKind::EchoRequest => rewrite_query(packet, frame, offset, source, flow),
        TransportKind::EchoReply => rewrite_query(packet, frame, offset, destination, flow),
        TransportKind::Sctp => !ports_change || sctp::rewrite(packet, frame, offset, [source, destination]),
        TransportKind::Error | TransportKind::Generic => true,
    }
}

/// An ICMPv6 checksum covers the addresses (RFC 4443, 2.3), an ICMP checksum does not.
#[inline(always)]
fn rewrite_query(packet: &mut impl Packet, frame: &Frame, offset: u32, identifier: u16, flow: &Flow) -> bool {
    let checksum = offset + field::ICMP_CHECKSUM;
    let translation = &flow.translation;
    let change = |delta, pseudo_header| ChecksumChange { delta, pseudo_header, zero_is_none: false };
    let covers_addresses = matches!(frame.family(), Family::V6);
    (!covers_addresses || packet.adjust_checksum(checksum, change(translation.address_delta, true)))
        && (translation.port_delta == 0
            || packet.write(offset + field::ICMP_IDENTIFIER, &identifier.to_ne_bytes())
                && packet.adjust_checksum(checksum, change(translation.port_delta, false)))
}
