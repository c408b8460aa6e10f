//! Rewrites a packet as its flow says, and sends it on.

use crate::{
    abi::{Address, Flow, Mac, Way},
    checksum,
    packet::{ChecksumChange, Packet},
    parse::{Frame, Transport, TransportKind},
    run::Run,
    verdict::{DropReason, Verdict},
};

const TCP_CHECKSUM: u32 = 16;
const UDP_CHECKSUM: u32 = 6;
const ICMP_CHECKSUM: u32 = 2;
const ICMP_IDENTIFIER: u32 = 4;

/// Translates addresses and ports as the workspace's flow says, counts the hop, and says where the packet goes.
#[inline(always)]
pub fn rewrite<T>(run: &mut Run<'_, impl Packet, T>) -> Result<Verdict, DropReason> {
    let workspace = &mut *run.workspace;
    let (frame, flow) = (&mut workspace.frame, &workspace.flow);
    let way_out = &flow.way_out;
    let verdict = match way_out.way() {
        Some(Way::Sandbox) => {
            set_macs(frame, way_out.destination_mac, way_out.source_mac);
            Verdict::ToSandbox { ifindex: way_out.ifindex }
        }
        Some(Way::Uplink) => Verdict::ToUplink { ifindex: way_out.ifindex, next_hop: way_out.next_hop },
        None => return Err(DropReason::UnknownFlow),
    };
    let translation = &flow.translation;
    set_addresses(frame, translation.source, translation.destination, translation.address_delta);
    let done = run.packet.write(0, frame.wire()) && rewrite_transport(run.packet, &workspace.transport, flow);
    if done { Ok(verdict) } else { Err(DropReason::RewriteFailed) }
}

#[inline(always)]
const fn set_macs(frame: &mut Frame, destination: Mac, source: Mac) {
    frame.destination_mac = destination;
    frame.source_mac = source;
}

#[inline(always)]
fn set_addresses(frame: &mut Frame, source: Address, destination: Address, delta: u32) {
    let hop = |ttl| u32::from(u16::from_ne_bytes([ttl, frame.protocol]));
    let ttl = frame.ttl.wrapping_sub(1);
    let delta = checksum::add(delta, checksum::change(hop(frame.ttl), hop(ttl)));
    frame.ttl = ttl;
    frame.checksum = checksum::adjust(frame.checksum, delta);
    frame.set_addresses(source, destination);
}

#[inline(always)]
fn rewrite_transport(packet: &mut impl Packet, transport: &Transport, flow: &Flow) -> bool {
    let translation = &flow.translation;
    let offset = transport.offset;
    let (source, destination) = (translation.source_port.wire(), translation.destination_port.wire());
    let ports_change = translation.port_delta != 0;
    match transport.kind() {
        TransportKind::Tcp | TransportKind::Udp => {
            let udp = matches!(transport.kind(), TransportKind::Udp);
            let checksum = offset + if udp { UDP_CHECKSUM } else { TCP_CHECKSUM };
            let change = |delta, pseudo_header| ChecksumChange { delta, pseudo_header, zero_is_none: udp };
            let [s0, s1] = source.to_ne_bytes();
            let [d0, d1] = destination.to_ne_bytes();
            packet.adjust_checksum(checksum, change(translation.address_delta, true))
                && (!ports_change
                    || packet.write(offset, &[s0, s1, d0, d1])
                        && packet.adjust_checksum(checksum, change(translation.port_delta, false)))
        }
        TransportKind::EchoRequest => {
            !ports_change || rewrite_identifier(packet, offset, source, translation.port_delta)
        }
        TransportKind::EchoReply => {
            !ports_change || rewrite_identifier(packet, offset, destination, translation.port_delta)
        }
    }
}

#[inline(always)]
fn rewrite_identifier(packet: &mut impl Packet, offset: u32, identifier: u16, delta: u32) -> bool {
    let change = ChecksumChange { delta, pseudo_header: false, zero_is_none: false };
    packet.write(offset + ICMP_IDENTIFIER, &identifier.to_ne_bytes())
        && packet.adjust_checksum(offset + ICMP_CHECKSUM, change)
}
