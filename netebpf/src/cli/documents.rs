//! `netebpf completions` and `netebpf man`: what packages ship besides the program.

use std::io;

use clap::{Command, CommandFactory as _};
use clap_complete::Shell;
use clap_mangen::Man;

use super::{Args, Error, Output};

/// Prints the completion script for a shell.
pub(super) fn completions(shell: Shell, output: &mut Output) -> Result<(), Error> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "netebpf", &mut script);
    Ok(output.bytes(&script)?)
}

/// Prints the manual pages: the program's first, then one for each command.
pub(super) fn manual(output: &mut Output) -> Result<(), Error> {
    let mut program = Args::command().disable_help_subcommand(true);
    program.build();
    let mut pages = Vec::new();
    write_pages(&program, &mut pages)?;
    Ok(output.bytes(&pages)?)
}

fn write_pages(command: &Command, pages: &mut Vec<u8>) -> io::Result<()> {
    Man::new(command.clone()).render(pages)?;
    command.get_subcommands().try_for_each(|command| write_pages(command, pages))
}
