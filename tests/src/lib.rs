//! The harness of the end-to-end tests and of the demo: whole small worlds in throw-away network namespaces.
//!
//! In reading order: [`topology`] makes a host with a client outside it, [`engine`] runs the daemon on that
//! host, [`probe`] talks over real sockets and says what was seen, [`dns`] asks name servers and is one,
//! [`installed`] runs what a system brings along, [`scenario`] holds each expected behaviour once,
//! [`bench`](mod@bench) compares with a bare veth pair and with iptables, [`residue`] proves that nothing is left.
//! [`docker`] puts the same commands to a real Docker Engine and to netebpf.
#![forbid(unsafe_code)]

pub mod topology;

pub mod engine;

pub mod probe;

pub mod dns;

pub mod installed;

pub mod scenario;

pub mod bench;

pub mod docker;

pub mod residue;

pub mod frame;

pub mod wire;

pub mod netns;

pub mod tunnel;

pub mod links;

pub mod offload;

pub mod process;

pub mod wait;
