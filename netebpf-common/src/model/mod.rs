//! The pipeline's world outside the kernel: packets as vectors, tables as maps, and a small host to try things on.

mod frame;
mod packet;
mod segment;
mod sums;
mod tables;
mod trip;
mod world;

pub use frame::{Extension, FrameSpec, Piece};
pub use packet::BytePacket;
pub use segment::Segment;
pub use sums::{checksums_are_right, packet_checksums_are_right};
pub use tables::MapTables;
pub use trip::Origin;
pub use world::{Links, NOW, World};
