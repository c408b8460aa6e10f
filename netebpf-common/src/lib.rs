//! The path of a packet, decided once and run twice: in the kernel as BPF, and on the host under test.
//!
//! ```text
//! parse → flow lookup ─ known, epoch current ─────────────────→ rewrite → forward
//!                     └ new: translate → policy → masquerade → record → rewrite → forward
//! ```
//!
//! Modules in reading order: [`pipeline`] is the whole path on one screen; [`verdict`] is what it answers;
//! [`packet`] and [`tables`] are its only view of the world; [`run`] is what its stages share; [`parse`], [`conntrack`], [`admission`], [`nat`] are its
//! stages; [`socket`] translates at `connect()` what need not be translated per packet; [`event`] says which packets are
//! told of; [`dns`] answers queries for names; [`collect`] forgets flows that no packet asks for; [`abi`] is what lies in maps.

#![no_std]
#![forbid(unsafe_code)]
#![expect(
    clippy::inline_always,
    reason = "the BPF target has no cheap calls: stages must fuse into one program with scalars in registers"
)]

#[cfg(feature = "model")]
extern crate std;

pub mod abi;
pub mod admission;
pub mod checksum;
pub mod collect;
pub mod conntrack;
pub mod dns;
pub mod event;
#[cfg(feature = "model")]
pub mod model;
pub mod nat;
pub mod packet;
pub mod parse;
pub mod pipeline;
pub mod run;
pub mod socket;
pub mod tables;
pub mod verdict;
