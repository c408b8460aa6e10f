//! `netebpf completions` and `netebpf man`: what packages ship besides the program.

use clap::CommandFactory as _;
use clap_complete::Shell;

use super::{Args, Error, Output};

/// Prints the completion script for a shell.
pub(super) fn completions(shell: Shell, output: &mut Output) -> Result<(), Error> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "netebpf", &mut script);
    Ok(output.bytes(&script)?)
}

/// Prints the manual page, one section for the program and one for each of its commands.
pub(super) fn manual(output: &mut Output) -> Result<(), Error> {
    let mut page = Vec::new();
    clap_mangen::Man::new(Args::command()).render(&mut page)?;
    Ok(output.bytes(&page)?)
}
