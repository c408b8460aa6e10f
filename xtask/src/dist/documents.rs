//! Manual pages and completion scripts, as the program prints them.

use std::{path::Path, process::Stdio};

use anyhow::{Context, Result, bail};

use crate::{step, workspace::Workspace};

/// How the program names a shell, and what the shell calls a script for the program.
pub(super) const SHELLS: [(&str, &str); 3] =
    [("bash", "netebpf"), ("zsh", "_netebpf"), ("fish", "netebpf.fish")];

/// The first line of each page.
const PAGE: &str = ".ie \\n(.g .ds Aq \\(aq\n";

/// A manual page.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Page {
    /// Its name with its section, such as `netebpf-network-ls.1`.
    pub(super) file: String,
    /// Its source.
    pub(super) text: String,
}

/// The manual pages of all commands.
pub(super) fn pages(workspace: &Workspace, program: &Path) -> Result<Vec<Page>> {
    split(&ask(workspace, program, &["man"])?)
}

/// The completion script for a shell.
pub(super) fn completions(workspace: &Workspace, program: &Path, shell: &str) -> Result<String> {
    ask(workspace, program, &["completions", shell])
}

fn ask(workspace: &Workspace, program: &Path, arguments: &[&str]) -> Result<String> {
    let mut command = workspace.command(program);
    command.args(arguments).stdin(Stdio::null());
    let typed = step::display(&command);
    let output = command.output().with_context(|| format!("cannot start `{typed}`"))?;
    if !output.status.success() {
        bail!("`{typed}` ended with {}: {}", output.status, String::from_utf8_lossy(&output.stderr).trim());
    }
    String::from_utf8(output.stdout).with_context(|| format!("`{typed}` wrote something else than text"))
}

/// Takes pages apart that were printed one after the other.
fn split(pages: &str) -> Result<Vec<Page>> {
    pages.split(PAGE).skip(1).map(|page| named(format!("{PAGE}{page}"))).collect()
}

fn named(text: String) -> Result<Page> {
    let title = text.lines().find_map(|line| line.strip_prefix(".TH "));
    let mut words = title.context("a manual page without title")?.split_whitespace();
    match (words.next(), words.next()) {
        (Some(name), Some(section)) => Ok(Page { file: format!("{name}.{section}"), text }),
        _ => bail!("a manual page whose title is not its name and section"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_files_of_their_own() {
        let one = format!("{PAGE}.el .ds Aq '\n.TH netebpf 1  \"netebpf 0.1.0\" \n.SH NAME\n");
        let two = format!("{PAGE}.el .ds Aq '\n.TH netebpf-run 1  \"run \" \n.SH NAME\n");
        let pages = split(&format!("{one}{two}")).unwrap();
        let page = |file: &str, text: &str| Page { file: file.to_owned(), text: text.to_owned() };
        assert_eq!(pages, [page("netebpf.1", &one), page("netebpf-run.1", &two)]);
    }

    #[test]
    fn a_page_without_title_is_refused() {
        split(&format!("{PAGE}.SH NAME\n")).unwrap_err();
    }
}
