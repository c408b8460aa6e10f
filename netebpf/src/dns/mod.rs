//! The name server of sandboxes: answers for the names on their networks, asks other servers for all others.
//!
//! ```text
//! query ─▶ udp, tcp ─▶ query (bytes → question) ─▶ decide ─┬─ known ─────▶ reply
//!                                                          └─ elsewhere ─▶ allowance ─▶ forward ─▶ exchange
//! ```
//!
//! hickory-proto reads queries and writes answers. The sockets are looked after here and not by hickory-server, which starts
//! a task for every datagram and keeps every connection: here each sandbox has bounds of its own.

mod allowance;
mod clients;
mod counters;
mod decide;
mod directory;
mod exchange;
mod explain;
mod forward;
#[cfg(any(test, feature = "fuzz"))]
pub mod play;
mod query;
mod reply;
mod resolver;
mod server;
mod tcp;
#[cfg(test)]
mod tests;
mod udp;
mod upstream;

pub use allowance::Limits;
pub use clients::{Surroundings, clients};
pub use counters::Counts;
pub use directory::Client;
pub use explain::{Explanation, Kind, KindError};
pub use forward::Forward;
pub use query::Transport;
pub use resolver::{Resolver, Response};
pub use server::{Server, Sockets};
pub use upstream::{Dialer, Origin, Upstream};
