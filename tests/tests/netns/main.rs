//! End to end: real sockets between a client, a host with netebpf, and sandboxes. Needs root.
//!
//! The worlds are drawn in `netebpf_tests::topology` and `netebpf_tests::scenario::stage`.
#![forbid(unsafe_code)]

mod stage;

mod harness;

mod scene;

mod spoofing;

mod link_layer;
mod link_local;

mod fragments;

mod protocols;

mod errors;

mod hops;

mod uplinks;

mod tunnel;

mod collisions;

mod upkeep;

mod moves;

mod ranges;

mod martians;

mod sctp;

mod programs;

mod ipv6_only;

mod installed;

mod observe;

mod stale;

mod damaged;

mod steps;

mod commands;

mod containers;

mod launch;

mod run_flags;

mod lifecycle;

mod watching;

mod sandboxes;

mod networks;

mod network_options;

mod adopted;

mod network_api;

mod refusals;

mod config;

mod bad_input;

mod restart;

mod existing;

mod stripped;

mod cleanup;

mod clsact;

mod side_by_side;

mod readme;

mod names;

mod forwarding;
