//! The pipeline's view of a packet's bytes.

/// A packet that can be read and changed at offsets from its first byte.
///
/// In the kernel this is a socket buffer behind BPF helpers, on the host a vector of bytes.
pub trait Packet {
    /// Length in bytes, link header included.
    fn length(&self) -> u32;

    /// Payload bytes of each segment that the kernel or the device will cut this packet into; zero if it is no train of
    /// segments.
    fn segment_size(&self) -> u32;

    /// Copies bytes into `buffer`; false if the packet ends before.
    fn read(&self, offset: u32, buffer: &mut [u8]) -> bool;

    /// The same for a number of bytes that is not known before, from 1 to 255.
    fn read_counted(&self, offset: u32, buffer: &mut [u8]) -> bool;

    /// Overwrites bytes; false if the packet ends before or cannot be written.
    fn write(&mut self, offset: u32, bytes: &[u8]) -> bool;

    /// Overwrites bytes that only the transport's checksum makes up for; false as in [`Packet::write`].
    ///
    /// The IPv6 header has no checksum of its own, so a device's sum over the whole packet changes with it.
    fn write_covered(&mut self, offset: u32, bytes: &[u8]) -> bool;

    /// Cuts the packet to a length or lengthens it; false if that cannot be done.
    ///
    /// What is new has yet to be written, and a device's sum over the whole packet is forgotten.
    fn resize(&mut self, length: u32) -> bool;

    /// Adjusts the transport checksum at `offset` for a change of the data it covers; false if it cannot be written.
    fn adjust_checksum(&mut self, offset: u32, change: ChecksumChange) -> bool;
}

/// A change of the data that a transport checksum covers.
#[derive(Clone, Copy, Debug)]
pub struct ChecksumChange {
    /// One's complement sum of the change (RFC 1624).
    pub delta: u32,
    /// The changed data is in the pseudo header, so a checksum that the hardware will finish covers it too.
    pub pseudo_header: bool,
    /// Zero means "no checksum" (UDP over IPv4, RFC 768): it stays zero, and a computed zero is sent as `0xffff`.
    pub zero_is_none: bool,
}
