//! Do the programs in the kernel do what the pipeline on the host does, and at what price?
//!
//! Nearly everything here runs through `BPF_PROG_TEST_RUN` in a throw-away network namespace; queries for names also come from
//! real sockets. What that cannot show is left to the netns suite: LRU eviction, several CPUs at once, checksum offload and GSO, and the redirects themselves.

mod budgets;
mod context;
mod dice;
mod kernel;
mod names;
mod parity;
mod reference;
mod scratch;
