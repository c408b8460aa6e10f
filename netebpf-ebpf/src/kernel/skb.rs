//! A socket buffer as the pipeline's packet.

use aya_ebpf::{
    bindings::{__sk_buff, BPF_F_MARK_MANGLED_0, BPF_F_PSEUDO_HDR, BPF_F_RECOMPUTE_CSUM},
    check_bounds_signed,
    helpers::{
        bpf_l4_csum_replace, bpf_skb_change_tail, bpf_skb_change_type, bpf_skb_load_bytes,
        bpf_skb_store_bytes,
    },
    programs::TcContext,
};
use netebpf_common::{
    packet::{ChecksumChange, Packet},
    run::Mark,
};

/// Written to `tc_index`, which nothing but the long-gone dsmark scheduler reads, for the next hook that a packet meets.
///
/// A sandbox cannot forge it: `from_container` sees each of its packets first and overwrites it.
const CHECKED: u16 = 0x4e41;
const DECIDED: u16 = 0x4e42;

/// From `linux/if_packet.h`: a packet for this host.
const PACKET_HOST: u32 = 0;

/// The packet at a TC hook.
pub(crate) struct Skb<'a> {
    context: &'a TcContext,
}

impl<'a> Skb<'a> {
    #[inline(always)]
    pub(crate) const fn new(context: &'a TcContext) -> Self {
        Self { context }
    }

    #[inline(always)]
    fn raw(&self) -> *mut __sk_buff {
        self.context.skb.skb
    }

    #[inline(always)]
    fn store(&mut self, offset: u32, bytes: &[u8], flags: u64) -> bool {
        // SAFETY: the pointer and the length are those of the slice; the helper checks the packet's length.
        unsafe { bpf_skb_store_bytes(self.raw(), offset, bytes.as_ptr().cast(), length(bytes), flags) == 0 }
    }

    /// The device that the program is attached to.
    #[inline(always)]
    pub(crate) fn ifindex(&self) -> u32 {
        // SAFETY: the context is valid for the program's run; the verifier checks the offset.
        unsafe { (*self.raw()).ifindex }
    }

    /// The device by which the packet came into this namespace; zero if the host made it.
    #[inline(always)]
    pub(crate) fn ingress_ifindex(&self) -> u32 {
        // SAFETY: as in `ifindex`.
        unsafe { (*self.raw()).ingress_ifindex }
    }

    /// What a netebpf program that saw the packet before has found.
    #[inline(always)]
    pub(crate) fn mark(&self) -> Mark {
        const CHECKED_WORD: u32 = CHECKED as u32;
        const DECIDED_WORD: u32 = DECIDED as u32;
        // SAFETY: as in `ifindex`.
        match unsafe { (*self.raw()).tc_index } {
            CHECKED_WORD => Mark::Checked,
            DECIDED_WORD => Mark::Decided,
            _ => Mark::None,
        }
    }

    /// Has whoever receives the packet take it for its own, whatever the MAC it was sent to.
    #[inline(always)]
    pub(crate) fn set_host(&self) {
        // SAFETY: the helper takes plain numbers; it refuses none for a received packet.
        unsafe { bpf_skb_change_type(self.raw(), PACKET_HOST) };
    }

    /// Leaves a mark for the next hook.
    #[inline(always)]
    pub(crate) fn set_mark(&self, mark: Mark) {
        let value = match mark {
            Mark::None => 0,
            Mark::Checked => CHECKED,
            Mark::Decided => DECIDED,
        };
        // SAFETY: as in `ifindex`; the verifier lets TC programs write both fields.
        unsafe {
            (*self.raw()).tc_index = u32::from(value);
            // When a program lets a packet pass, TCX and cls_bpf copy this over the other.
            (*self.raw()).tc_classid = u32::from(value);
        }
    }
}

impl Packet for Skb<'_> {
    #[inline(always)]
    fn length(&self) -> u32 {
        self.context.len()
    }

    #[inline(always)]
    fn read(&self, offset: u32, buffer: &mut [u8]) -> bool {
        // SAFETY: the pointer and the length are those of the buffer; the helper checks the packet's length.
        unsafe {
            bpf_skb_load_bytes(self.raw().cast(), offset, buffer.as_mut_ptr().cast(), length(buffer)) == 0
        }
    }

    /// The compiler would compare a difference, which tells the verifier nothing of the length itself.
    #[inline(always)]
    fn read_counted(&self, offset: u32, buffer: &mut [u8]) -> bool {
        check_bounds_signed(i64::from(length(buffer)), 1, 255) && self.read(offset, buffer)
    }

    #[inline(always)]
    fn segment_size(&self) -> u32 {
        // SAFETY: as in `ifindex` (Linux 5.7).
        unsafe { (*self.raw()).gso_size }
    }

    #[inline(always)]
    fn write(&mut self, offset: u32, bytes: &[u8]) -> bool {
        self.store(offset, bytes, 0)
    }

    /// The checksum helper takes every change of addresses for one that an IPv4 header makes up for, and lets the device's
    /// sum follow the transport's checksum alone; here it follows the header too, and the two changes cancel out.
    #[inline(always)]
    fn write_covered(&mut self, offset: u32, bytes: &[u8]) -> bool {
        self.store(offset, bytes, u64::from(BPF_F_RECOMPUTE_CSUM))
    }

    /// A device's sum over the whole packet is forgotten only where the packet grows, so that it grows in any case.
    #[inline(always)]
    fn resize(&mut self, length: u32) -> bool {
        // SAFETY: the helper takes plain numbers.
        let change = |length| unsafe { bpf_skb_change_tail(self.raw(), length, 0) == 0 };
        let present = self.context.len();
        (length > present || change(present.wrapping_add(1))) && change(length)
    }

    #[inline(always)]
    fn adjust_checksum(&mut self, offset: u32, change: ChecksumChange) -> bool {
        let pseudo_header = if change.pseudo_header { u64::from(BPF_F_PSEUDO_HDR) } else { 0 };
        let zero_is_none = if change.zero_is_none { u64::from(BPF_F_MARK_MANGLED_0) } else { 0 };
        // SAFETY: the helper takes plain numbers and checks the offset; size 0 says that `to` is a difference.
        unsafe {
            bpf_l4_csum_replace(self.raw(), offset, 0, u64::from(change.delta), pseudo_header | zero_is_none)
                == 0
        }
    }
}

#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "headers are a few dozen bytes")]
const fn length(bytes: &[u8]) -> u32 {
    bytes.len() as u32
}
