//! A packet as a vector of bytes, with checksums adjusted as the kernel's helpers do.

use std::vec::Vec;

use crate::{
    checksum,
    packet::{ChecksumChange, Packet},
};

/// A packet in memory.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BytePacket {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Payload bytes of each segment that it will be cut into; zero if it is no train of segments.
    pub segment_size: u32,
}

impl BytePacket {
    /// A packet that is no train of segments.
    #[must_use]
    pub const fn new(bytes: Vec<u8>) -> Self {
        Self { bytes, segment_size: 0 }
    }
}

impl Packet for BytePacket {
    fn length(&self) -> u32 {
        u32::try_from(self.bytes.len()).unwrap_or(u32::MAX)
    }

    fn segment_size(&self) -> u32 {
        self.segment_size
    }

    /// As `bpf_skb_load_bytes` does, fills the buffer with zeroes where it cannot read.
    fn read(&self, offset: u32, buffer: &mut [u8]) -> bool {
        let start = offset as usize;
        let Some(bytes) = self.bytes.get(start..start + buffer.len()) else {
            buffer.fill(0);
            return false;
        };
        buffer.copy_from_slice(bytes);
        true
    }

    fn read_counted(&self, offset: u32, buffer: &mut [u8]) -> bool {
        (1..=255).contains(&buffer.len()) && self.read(offset, buffer)
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> bool {
        let start = offset as usize;
        match self.bytes.get_mut(start..start + bytes.len()) {
            Some(place) => {
                place.copy_from_slice(bytes);
                true
            }
            None => false,
        }
    }

    fn write_covered(&mut self, offset: u32, bytes: &[u8]) -> bool {
        self.write(offset, bytes)
    }

    fn resize(&mut self, length: u32) -> bool {
        self.bytes.resize(length as usize, 0);
        true
    }

    fn adjust_checksum(&mut self, offset: u32, change: ChecksumChange) -> bool {
        let mut field = [0; 2];
        if !self.read(offset, &mut field) {
            return false;
        }
        let old = u16::from_ne_bytes(field);
        if change.zero_is_none && old == 0 {
            return true;
        }
        let new = match checksum::adjust(old, change.delta) {
            0 if change.zero_is_none => u16::MAX,
            new => new,
        };
        self.write(offset, &new.to_ne_bytes())
    }
}

impl From<Vec<u8>> for BytePacket {
    fn from(bytes: Vec<u8>) -> Self {
        Self::new(bytes)
    }
}

impl From<BytePacket> for Vec<u8> {
    fn from(packet: BytePacket) -> Self {
        packet.bytes
    }
}
