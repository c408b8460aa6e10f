//! The commands for sandboxes: one file for each.

pub(super) mod attach;
pub(super) mod create;
mod environment;
mod error;
pub(super) mod exec;
mod foreground;
mod networks;
pub(super) mod ps;
mod relay;
mod request;
pub(super) mod rm;
pub(super) mod run;

pub(in crate::cli) use error::OptionError;
pub(in crate::cli) use networks::{addresses, parse_mac};
