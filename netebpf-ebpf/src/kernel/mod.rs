//! Everything that calls a BPF helper or touches a map, and all the `unsafe` there is.

pub(crate) mod clock;
mod collector;
pub(crate) mod cookies;
pub(crate) mod counters;
pub(crate) mod events;
pub(crate) mod maps;
pub(crate) mod redirect;
pub(crate) mod refusal;
pub(crate) mod routes;
pub(crate) mod skb;
pub(crate) mod sockets;
