//! netebpf's control plane: from what a user asks for to what the kernel does.
//!
//! ```text
//! request ─▶ frontend ─▶ change(spec) ─▶ store ─▶ reconcile: observe → compile → plan → apply
//! ```
//!
//! Modules in reading order; each uses only those above it, and `kernel` and `store` use only `model` and `plan`'s actions.

#![deny(unsafe_code)]

pub mod model;

pub mod ipam;

pub mod config;

pub mod change;

pub mod compile;

pub mod dns;

pub mod plan;

pub mod kernel;

pub mod reconcile;

pub mod store;

pub mod daemon;

pub mod frontend;

pub mod cli;

pub mod telemetry;
