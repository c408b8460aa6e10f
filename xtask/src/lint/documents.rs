//! Do the `cargo xtask` commands in the documents exist?
//!
//! Looks at the shell blocks of the Markdown files and puts the commands to the parser that users meet. Commands of
//! `netebpf` itself are tried by the netns layer, which has the program.

use std::path::Path;

use anyhow::Result;
use clap::CommandFactory;

use super::{
    Finding, Outcome, none_of,
    source::{self, File},
};
use crate::{Cli, workspace::Workspace};

/// Checks all Markdown files.
pub(super) fn check(workspace: &Workspace) -> Result<Outcome> {
    let files = source::files(workspace.root())?;
    let markdown =
        files.iter().filter(|file| Path::new(&file.path).extension().is_some_and(|end| end == "md"));
    none_of(&markdown.flat_map(judge).collect::<Vec<_>>())
}

fn judge(file: &File) -> Vec<Finding> {
    let wrong = |(line, command): (usize, String)| {
        let error = parse(&command).err()?;
        Some(Finding { path: file.path.clone(), line, message: format!("`{command}`: {error}") })
    };
    commands(file).into_iter().filter_map(wrong).collect()
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

/// Puts a command of ours to its parser; there is nothing to say about the others.
fn parse(command: &str) -> Result<(), clap::Error> {
    // Who runs it and with which variables is not part of the command.
    let is_prefix = |word: &&str| ["$", "#", "sudo", "-E"].contains(word) || word.contains('=');
    let ends = |word: &&str| ["|", "&", "&&", ";", ">"].contains(word);
    let words: Vec<&str> =
        command.split_whitespace().skip_while(is_prefix).take_while(|word| !ends(word)).collect();
    match words.as_slice() {
        ["cargo", "xtask", ..] => Cli::command().try_get_matches_from(&words[1..]).map(drop),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn finds(text: &str, expected: &[usize]) {
        let file = File { path: "README.md".to_owned(), text: text.to_owned() };
        let lines: Vec<usize> = judge(&file).into_iter().map(|finding| finding.line).collect();
        assert_eq!(lines, expected);
    }

    #[test]
    fn a_task_that_does_not_exist_is_found() {
        finds("```sh\ncargo xtask test packet\nsudo cargo xtask tests\ngit clone somewhere\n```\n", &[3]);
        finds("```sh\ncargo xtask setup --check  # looks\ncargo xtask build --fast\n```\n", &[3]);
        finds("```sh\ncargo xtask run -- ps -a | head\n```\n", &[]);
    }

    #[test]
    fn only_shell_blocks_hold_commands() {
        finds("`cargo xtask a`\n```text\ncargo xtask b\n```\n", &[]);
        finds("```sh\n# why\ncargo xtask \\\n  b\n```\n", &[3]);
    }
}
