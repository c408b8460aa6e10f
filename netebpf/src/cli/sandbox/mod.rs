//! The commands for sandboxes: one file for each.

pub(super) mod attach;
pub(super) mod create;
mod each;
mod environment;
mod error;
pub(super) mod exec;
mod foreground;
pub(super) mod inspect;
pub(super) mod kill;
pub(super) mod logs;
mod networks;
pub(super) mod port;
pub(super) mod ps;
mod publish;
mod relay;
pub(super) mod rename;
mod request;
pub(super) mod rm;
pub(super) mod run;
pub(super) mod start;
pub(super) mod stop;
pub(super) mod top;
pub(super) mod wait;

use std::io::{self, Write as _};

use crate::frontend::api::wire::CreatedSandbox;

pub(in crate::cli) use error::OptionError;
pub(in crate::cli) use networks::{addresses, parse_mac};

/// Tells what the daemon wants the user to know about a new sandbox, as Docker's client does.
fn warn_of(created: &CreatedSandbox) -> io::Result<()> {
    created.warnings.iter().try_for_each(|warning| writeln!(io::stderr(), "WARNING: {warning}"))
}
