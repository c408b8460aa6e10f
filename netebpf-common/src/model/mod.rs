//! The pipeline's world outside the kernel: packets as vectors, tables as maps, and a small host to try things on.

mod frame;
mod oracle;
mod packet;
mod rules;
mod segment;
mod story;
mod sums;
mod tables;
mod trip;
mod world;
mod zone;

pub use frame::{Extension, FrameSpec, Piece};
pub use oracle::Oracle;
pub use packet::BytePacket;
pub use rules::Rules;
pub use segment::Segment;
pub use story::{Choices, Past, Player, Shot, Step, next, play_sockets};
pub use sums::{checksums_are_right, packet_checksums_are_right};
pub use tables::MapTables;
pub use trip::Origin;
pub use world::{Links, NOW, World};
pub use zone::{NAMES, Query};
