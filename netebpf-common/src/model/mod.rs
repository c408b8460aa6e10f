//! The pipeline's world outside the kernel: packets as vectors, tables as maps.

mod packet;
mod tables;

pub use packet::BytePacket;
pub use tables::MapTables;
