//! A packet as a vector of bytes, with checksums adjusted as the kernel's helpers do.

use std::vec::Vec;

use crate::{
    checksum,
    packet::{ChecksumChange, Packet},
};

/// A packet in memory.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BytePacket(pub Vec<u8>);

impl Packet for BytePacket {
    fn length(&self) -> u32 {
        u32::try_from(self.0.len()).unwrap_or(u32::MAX)
    }

    fn read(&self, offset: u32, buffer: &mut [u8]) -> bool {
        let start = offset as usize;
        match self.0.get(start..start + buffer.len()) {
            Some(bytes) => {
                buffer.copy_from_slice(bytes);
                true
            }
            None => false,
        }
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> bool {
        let start = offset as usize;
        match self.0.get_mut(start..start + bytes.len()) {
            Some(place) => {
                place.copy_from_slice(bytes);
                true
            }
            None => false,
        }
    }

    fn segment_size(&self) -> u32 {
        0
    }

    fn write_covered(&mut self, offset: u32, bytes: &[u8]) -> bool {
        self.write(offset, bytes)
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

impl From<BytePacket> for Vec<u8> {
    fn from(packet: BytePacket) -> Self {
        packet.0
    }
}
