//! IPv4 headers (RFC 791); options are left where they are.

use super::{Fragment, Frame};
use crate::{packet::Packet, run::Run, verdict::DropReason};

const MORE_FRAGMENTS: u16 = 0x2000_u16.to_be();
const FRAGMENT_OFFSET: u16 = 0x1fff_u16.to_be();

/// Checks the header against itself and the packet, and takes from it what decisions need.
#[inline(always)]
pub(super) fn parse<P: Packet, T>(run: &mut Run<'_, P, T>) -> Result<(), DropReason> {
    let start = run.arrival.ip_offset();
    let length = run.packet.length();
    let frame = &mut run.workspace.frame;
    let [first, second, third, _, _] = first_words(frame);
    let [version, _, total_high, total_low] = first.to_ne_bytes();
    let [id_high, id_low, fragment_high, fragment_low] = second.to_ne_bytes();
    let [ttl, protocol, _, _] = third.to_ne_bytes();
    let header = u32::from(version & 0xf) << 2;
    let total = u32::from(u16::from_be_bytes([total_high, total_low]));
    let sound = version >> 4 == 4 && header >= 20 && total >= header && start + total <= length;
    if !sound {
        return Err(DropReason::Malformed);
    }
    let fragment = u16::from_ne_bytes([fragment_high, fragment_low]);
    frame.fragment = if fragment & FRAGMENT_OFFSET != 0 {
        Fragment::Later as u8
    } else if fragment & MORE_FRAGMENTS != 0 {
        Fragment::First as u8
    } else {
        Fragment::Whole as u8
    };
    frame.is_v6 = 0;
    frame.hop_limit = ttl;
    frame.protocol = protocol;
    frame.identification = u32::from(u16::from_ne_bytes([id_high, id_low]));
    frame.transport_offset = start + header;
    frame.payload_length = total - header;
    frame.ip_length = total;
    run.workspace.tuple.source = frame.source_v4();
    run.workspace.tuple.destination = frame.destination_v4();
    run.workspace.tuple.protocol = u32::from(protocol);
    Ok(())
}

#[inline(always)]
const fn first_words(frame: &Frame) -> [u32; 5] {
    let h = &frame.header;
    [h[0], h[1], h[2], h[3], h[4]]
}
