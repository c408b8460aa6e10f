//! Rules of this repository that no other tool knows: each has its reason in CONTRIBUTING.md.

use std::path::Path;

use anyhow::Result;

use super::{
    Finding, Outcome, none_of,
    source::{self, File},
};
use crate::workspace::Workspace;

/// Longer files hold more than one thing.
const MOST_LINES: usize = 400;

/// Names that say nothing about what is inside.
const EMPTY_NAMES: &[&str] = &["utils", "util", "helpers", "types", "common", "misc"];

/// The one place where tests wait.
const WAITING: &str = "tests/src/wait.rs";

/// Words that leave work to nobody, taken apart so that this file does not hold them.
const LEFT_OPEN: &[&str] =
    &[concat!("TO", "DO"), concat!("FIX", "ME"), concat!("X", "XX"), concat!("to", "do!")];

/// Folders of one person's machine, likewise.
const OF_ONE_MACHINE: &[&str] = &[concat!("/ho", "me/"), concat!("/ro", "ot/")];

/// Checks every text file.
pub(super) fn check(workspace: &Workspace) -> Result<Outcome> {
    let checkout = workspace.root().to_string_lossy().into_owned();
    let files = source::files(workspace.root())?;
    let findings: Vec<Finding> = files.iter().flat_map(|file| judge(file, &checkout)).collect();
    none_of(&findings)
}

fn judge(file: &File, checkout: &str) -> Vec<Finding> {
    let mut found = everywhere(&file.text, checkout);
    if Path::new(&file.path).extension().is_some_and(|extension| extension == "rs") {
        found.extend(in_rust(file));
    }
    found.sort();
    found.into_iter().map(|(line, message)| Finding { path: file.path.clone(), line, message }).collect()
}

fn everywhere(text: &str, checkout: &str) -> Vec<(usize, String)> {
    let places = OF_ONE_MACHINE.iter().chain([&checkout]);
    let paths = places.flat_map(|place| {
        text.match_indices(*place)
            .map(move |(position, _)| (position, format!("{place} is a path of one machine")))
    });
    let open = LEFT_OPEN.iter().flat_map(|word| {
        let whole = text.match_indices(*word).filter(|(position, _)| is_whole(text, *position, word.len()));
        whole.map(move |(position, _)| (position, format!("{word}: finish it or open an issue")))
    });
    paths.chain(open).map(|(position, message)| (source::line_of(text, position), message)).collect()
}

fn in_rust(file: &File) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    if !says_what_it_is(&file.text) {
        found.push((1, "begin with `//!` and the question that the file answers".to_owned()));
    }
    let lines = file.text.lines().count();
    if lines > MOST_LINES {
        found.push((lines, format!("{lines} lines, the most is {MOST_LINES}: split it by what it is about")));
    }
    let name = Path::new(&file.path).file_stem().unwrap_or_default().to_string_lossy();
    if EMPTY_NAMES.contains(&&*name) {
        found.push((1, format!("a file called {name} can hold anything: name it after what is inside")));
    }
    if file.path != WAITING {
        let code = source::code(&file.text);
        // The daemon's timers are asynchronous; its threads have no reason to sleep either.
        let sleep = if file.path.starts_with("tests/") { "sleep(" } else { "thread::sleep(" };
        for (position, _) in code.match_indices(sleep) {
            let line = source::line_of(&code, position);
            found.push((
                line,
                format!("never sleep for luck: wait on a condition; tests do it with {WAITING}"),
            ));
        }
    }
    found
}

/// Whether documentation of the file is the first thing in it; attributes of the crate may stand above.
fn says_what_it_is(text: &str) -> bool {
    let mut lines = text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with("#!["));
    lines.next().is_some_and(|line| line.starts_with("//! "))
}

fn is_whole(text: &str, position: usize, length: usize) -> bool {
    let word = |letter: char| letter.is_alphanumeric() || letter == '_';
    !text[..position].ends_with(word) && !text[position + length..].starts_with(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn finds(path: &str, text: &str, expected: &[(usize, &str)]) {
        let file = File { path: path.to_owned(), text: text.to_owned() };
        let findings = judge(&file, "/srv/checkout");
        assert_eq!(findings.len(), expected.len(), "{findings:?}");
        for (finding, (line, words)) in findings.iter().zip(expected) {
            assert_eq!(finding.line, *line, "{finding}");
            assert!(finding.message.contains(words), "{finding}");
        }
    }

    #[test]
    fn a_file_without_its_question_is_found() {
        finds("a.rs", "use std::fmt;\n", &[(1, "begin with")]);
        finds("a.rs", "#![no_std]\n\n//! What is it?\n", &[]);
        finds("a.sh", "echo\n", &[]);
    }

    #[test]
    fn a_long_file_is_found() {
        finds("a.rs", &"//! What is it?\n".repeat(MOST_LINES), &[]);
        finds("a.rs", &"//! What is it?\n".repeat(MOST_LINES + 1), &[(MOST_LINES + 1, "split it")]);
    }

    #[test]
    fn an_empty_name_is_found() {
        finds("netebpf/src/utils.rs", "//! Everything.\n", &[(1, "utils")]);
    }

    #[test]
    fn work_left_open_is_found() {
        let text = format!("//! What is it?\n// {}: later\n", LEFT_OPEN[0]);
        finds("a.rs", &text, &[(2, LEFT_OPEN[0])]);
        finds("a.md", &format!("ends in {}\n", LEFT_OPEN[2]), &[(1, LEFT_OPEN[2])]);
        finds("a.md", &format!("{}{}\n", LEFT_OPEN[2], LEFT_OPEN[2]), &[]);
    }

    #[test]
    fn a_test_that_sleeps_is_found() {
        let text = "//! What is it?\nfn f() {\n    std::thread::sleep(LONG);\n}\n";
        finds("tests/tests/netns/publish.rs", text, &[(3, "never sleep")]);
        finds(WAITING, text, &[]);
        finds("netebpf/src/daemon/mod.rs", text, &[(3, "never sleep")]);
        finds("tests/src/a.rs", "//! It would sleep(1).\n", &[]);
    }

    #[test]
    fn a_path_of_one_machine_is_found() {
        finds("a.md", &format!("see {}me/x\n", OF_ONE_MACHINE[0]), &[(1, "one machine")]);
        finds("a.md", "see /srv/checkout/x\n", &[(1, "/srv/checkout")]);
    }
}
