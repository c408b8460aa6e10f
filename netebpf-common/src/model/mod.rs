//! The pipeline's world outside the kernel: packets as vectors, tables as maps, and a small host to try things on.

mod frame;
mod packet;
mod tables;
mod world;

pub use frame::{FrameSpec, Segment, checksums_are_right};
pub use packet::BytePacket;
pub use tables::MapTables;
pub use world::{Links, NOW, World};
