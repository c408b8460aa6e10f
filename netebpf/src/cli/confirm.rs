//! Asks before something is lost.

use std::io::{self, BufRead as _};

use super::Output;

/// Whether the user says yes to a warning; like Docker's client also when it is a file that answers, and no answer is no.
pub(super) fn confirmed(warning: &str, output: &mut Output) -> io::Result<bool> {
    output.text(&format!("{warning}\nAre you sure you want to continue? [y/N] "))?;
    output.flush()?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(answer.trim().eq_ignore_ascii_case("y"))
}
