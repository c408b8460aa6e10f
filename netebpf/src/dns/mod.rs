//! The name server of sandboxes: answers for the names on their networks, asks other servers for all others.
//!
//! ```text
//! query ─▶ udp, tcp ─▶ query (bytes → question) ─▶ decide ─┬─ known ─────▶ reply
//!                                                          └─ elsewhere ─▶ allowance ─▶ forward ─▶ exchange
//! ```
//!
//! hickory-server reads the queries (`Request`) and writes the answers (`MessageResponse`). Its loops over sockets are not
//! used: they start a task for every datagram and keep any number of connections, while here each sandbox has bounds of its
//! own.

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
