//! Old documents of Docker's about networks, step by step with netebpf: what they type, what they show, who pings whom.
//! Needs root.
//!
//! One module for each document and one test for each chapter. Today's Docker has the last word: a step that it answers
//! otherwise than the document says why.
#![forbid(unsafe_code)]

mod desk;

mod shown;

mod named;

mod work_with_networks;

mod container_networking;

mod networks_tutorial;

mod getting_started;

mod early;
