//! Asks before something is lost.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use super::Error;

/// Whether the user says yes to a warning.
///
/// # Errors
///
/// Nobody can be asked.
pub(super) fn confirmed(warning: &str) -> Result<bool, Error> {
    if !io::stdin().is_terminal() {
        return Err(Error::NotConfirmed);
    }
    write!(io::stderr(), "{warning}\nAre you sure you want to continue? [y/N] ")?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
