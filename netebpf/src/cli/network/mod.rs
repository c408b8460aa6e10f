//! `netebpf network`: one file per command.

pub(super) mod connect;
pub(super) mod create;
pub(super) mod disconnect;
pub(super) mod inspect;
pub(super) mod ls;
mod pools;
pub(super) mod prune;
pub(super) mod rm;

pub(in crate::cli) use pools::PoolError;
