//! ARP of sandboxes (RFC 826): who speaks, and who is sought?
//!
//! The name server's address is on no segment, so nobody there answers for it. It is answered for here, and so no entry has to
//! be kept in the sandbox, which the kernel would forget when the interface gets another MAC.

use zerocopy::{FromBytes, FromZeros as _, Immutable, IntoBytes, KnownLayout};

use super::{RESOLVER_MAC, Step, conclude};
use crate::{
    abi::{Address, Mac},
    dns::{CLIENT_ADDRESS_WITHOUT_IPV4, RESOLVER_ADDRESS},
    packet::Packet,
    parse::ETHERNET_LENGTH,
    run::Run,
    tables::Tables,
    verdict::{DropReason, Exit, Verdict},
};

/// Ethernet and IPv4: types and lengths of both addresses.
const FOR_IPV4: [u8; 6] = [0, 1, 8, 0, 6, 4];
const REQUEST: [u8; 2] = [0, 1];
const REPLY: [u8; 2] = [0, 2];

/// The packet behind the Ethernet header.
#[derive(FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
struct Arp {
    kind: [u8; 6],
    operation: [u8; 2],
    sender_mac: Mac,
    sender: [u8; 4],
    target_mac: Mac,
    target: [u8; 4],
}

/// What becomes of an ARP packet.
#[derive(Clone, Copy)]
#[repr(u8)]
enum Spoken {
    Falsely = 0,
    AsItself = 1,
    Answered = 2,
    Failed = 3,
}

/// A sandbox sends ARP; `speaks` says whether its endpoint has an IPv4 address.
#[inline(always)]
pub(super) fn from_container(
    run: &mut Run<'_, impl Packet, impl Tables>,
    speaks: bool,
) -> Result<Step, Exit> {
    if run.workspace.frame.source_mac != run.workspace.source.mac {
        return Err(DropReason::Spoofed.into());
    }
    match answer(run, speaks) {
        Spoken::Answered => Ok(conclude(run, Verdict::Resolved { ifindex: run.arrival.ifindex })),
        Spoken::AsItself if speaks => Err(Exit::Pass),
        Spoken::AsItself => Err(DropReason::Ipv4Disabled.into()),
        Spoken::Falsely => Err(DropReason::Spoofed.into()),
        Spoken::Failed => Err(DropReason::RewriteFailed.into()),
    }
}

/// Looks who speaks, and answers who seeks the name server.
#[cfg_attr(target_arch = "bpf", inline(never))]
fn answer(run: &mut Run<'_, impl Packet, impl Tables>, speaks: bool) -> Spoken {
    let mut arp = Arp::new_zeroed();
    if !run.packet.read(ETHERNET_LENGTH, arp.as_mut_bytes()) || !is_own(run, &arp, speaks) {
        return Spoken::Falsely;
    }
    let is_sought = arp.operation == REQUEST && address(arp.target) == RESOLVER_ADDRESS;
    if !is_sought || run.tables.view(run.arrival.ifindex).is_none() {
        return Spoken::AsItself;
    }
    arp.operation = REPLY;
    (arp.target_mac, arp.target, arp.sender) = (arp.sender_mac, arp.sender, arp.target);
    arp.sender_mac = RESOLVER_MAC;
    let macs = [run.workspace.source.mac, RESOLVER_MAC];
    if run.packet.write(0, macs.as_bytes()) && run.packet.write(ETHERNET_LENGTH, arp.as_bytes()) {
        Spoken::Answered
    } else {
        Spoken::Failed
    }
}

/// Whether the sender is the endpoint; a probe (RFC 5227) has no sender address yet.
#[inline(always)]
fn is_own<P>(run: &Run<'_, P, impl Tables>, arp: &Arp, speaks: bool) -> bool {
    let (sender, endpoint) = (address(arp.sender), &run.workspace.source);
    arp.kind == FOR_IPV4
        && arp.sender_mac == endpoint.mac
        && (sender == Address::UNSPECIFIED_V4
            || sender == if speaks { endpoint.address } else { CLIENT_ADDRESS_WITHOUT_IPV4 }
            || run.tables.endpoint(&sender.on_link(endpoint.ifindex)).is_some())
}

#[inline(always)]
const fn address(bytes: [u8; 4]) -> Address {
    Address::v4_from_wire(u32::from_ne_bytes(bytes))
}
