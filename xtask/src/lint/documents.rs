//! Do the commands in the documents exist?
//!
//! Looks at the shell blocks of the Markdown files. Commands of ours are put to the same parsers that users meet; the
//! others are not checked.

use std::path::Path;

use anyhow::{Result, bail};
use clap::CommandFactory;

use super::{
    Finding, Outcome, none_of,
    source::{self, File},
};
use crate::{Cli, step, workspace::Workspace};

/// Checks all Markdown files.
pub(super) fn check(workspace: &Workspace) -> Result<Outcome> {
    step::run("build netebpf for its help", workspace.cargo(&["build", "-p", "netebpf"]))?;
    let program = workspace.target().join("debug/netebpf");
    let files = source::files(workspace.root())?;
    let mut findings = Vec::new();
    for file in files.iter().filter(|file| Path::new(&file.path).extension().is_some_and(|end| end == "md")) {
        for (line, command) in commands(file) {
            if let Err(error) = judge(&command, |words| asks_for_help(workspace, &program, words)) {
                findings.push(Finding {
                    path: file.path.clone(),
                    line,
                    message: format!("`{command}`: {error}"),
                });
            }
        }
    }
    none_of(&findings)
}

/// The commands in the file's shell blocks, with their lines; a backslash joins lines.
fn commands(file: &File) -> Vec<(usize, String)> {
    let (mut found, mut inside) = (Vec::new(), false);
    let mut open: Option<(usize, String)> = None;
    for (number, line) in file.text.lines().enumerate() {
        if let Some(fence) = line.trim().strip_prefix("```") {
            inside = !inside && ["sh", "bash", "console"].contains(&fence);
            continue;
        }
        if !inside {
            continue;
        }
        let text = line.split(" #").next().unwrap_or(line).trim();
        let (start, mut command) = open.take().unwrap_or((number + 1, String::new()));
        command.push_str(text.trim_end_matches('\\'));
        if text.ends_with('\\') {
            open = Some((start, command));
        } else if !command.is_empty() && !command.starts_with('#') {
            found.push((start, command));
        }
    }
    found
}

/// Puts a command of ours to its parser; `netebpf` gets the words after its name.
fn judge(command: &str, netebpf: impl Fn(&[&str]) -> Result<()>) -> Result<()> {
    let mut words = words(command);
    // Who runs it and with which variables is not part of the command.
    let is_prefix = |word: &str| ["$", "#", "sudo", "-E"].contains(&word) || word.contains('=');
    let prefix = words.iter().take_while(|word| is_prefix(word)).count();
    words.drain(..prefix);
    match words.as_slice() {
        ["cargo", "xtask", "run", "--", rest @ ..] => netebpf(rest),
        ["cargo", "xtask", rest @ ..] => xtask(rest),
        [program, rest @ ..] if *program == "netebpf" || program.ends_with("/netebpf") => netebpf(rest),
        _ => Ok(()),
    }
}

/// Splits at blanks; quoted words of the documents hold none, and pipes or redirections end a command of ours.
fn words(command: &str) -> Vec<&str> {
    let ends = |word: &&str| ["|", "&", "&&", ";", ">"].contains(word);
    command
        .split_whitespace()
        .take_while(|word| !ends(word))
        .map(|word| word.trim_matches(['"', '\'']))
        .collect()
}

fn xtask(words: &[&str]) -> Result<()> {
    Cli::command().try_get_matches_from(["cargo xtask"].iter().chain(words)).map(drop).map_err(Into::into)
}

/// Asks for help behind the words: the parser refuses every one that it does not know, and nothing is executed.
fn asks_for_help(workspace: &Workspace, program: &Path, words: &[&str]) -> Result<()> {
    let own = words.iter().take_while(|word| **word != "--");
    let output = workspace.command(program).args(own).arg("--help").output()?;
    if output.status.success() {
        return Ok(());
    }
    bail!("{}", String::from_utf8_lossy(&output.stderr).trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn markdown(text: &str) -> File {
        File { path: "README.md".to_owned(), text: text.to_owned() }
    }

    #[test]
    fn only_shell_blocks_hold_commands() {
        let text = "`cargo xtask a`\n```sh\n# why\ncargo xtask b  # how\nnetebpf c \\\n  --d\n```\n```text\ne\n```\n";
        let expected = [(4, "cargo xtask b".to_owned()), (5, "netebpf c --d".to_owned())];
        assert_eq!(commands(&markdown(text)), expected);
    }

    #[test]
    fn a_task_that_does_not_exist_is_found() {
        let never = |_: &[&str]| unreachable!("not a netebpf command");
        assert!(judge("cargo xtask test packet", never).is_ok());
        assert!(judge("sudo cargo xtask setup --check", never).is_ok());
        assert!(judge("cargo xtask tests", never).is_err());
        assert!(judge("cargo xtask build --fast", never).is_err());
        assert!(judge("git clone somewhere", never).is_ok());
    }

    #[test]
    fn arguments_of_netebpf_reach_its_own_parser() {
        let parser = |words: &[&str]| if words == ["ps", "-a"] { Ok(()) } else { bail!("unknown") };
        assert!(judge("netebpf ps -a", parser).is_ok());
        assert!(judge("cargo xtask run -- ps -a | head", parser).is_ok());
        assert!(judge("sudo target/release/netebpf ps", parser).is_err());
    }
}
