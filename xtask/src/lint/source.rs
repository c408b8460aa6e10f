//! Reads Rust sources as far as the checkers need it: files, code without comments and text, and paths.

use std::{fs, io, path::Path};

/// A text file of the repository.
#[derive(Debug)]
pub(super) struct File {
    /// Its path below the workspace's root.
    pub(super) path: String,
    /// Its contents.
    pub(super) text: String,
}

/// All text files below `root`, in order of their paths; build results and git's own folder are left out.
pub(super) fn files(root: &Path) -> io::Result<Vec<File>> {
    let mut found = Vec::new();
    collect(root, root, &mut found)?;
    found.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(found)
}

fn collect(root: &Path, folder: &Path, found: &mut Vec<File>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let (path, kind) = (entry.path(), entry.file_type()?);
        if kind.is_dir() && ![".git", "target"].map(Into::into).contains(&entry.file_name()) {
            collect(root, &path, found)?;
        } else if kind.is_file()
            && let Ok(text) = String::from_utf8(fs::read(&path)?)
        {
            let path = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().into_owned();
            found.push(File { path, text });
        }
    }
    Ok(())
}

/// The line, counted from one, that holds the byte at `position`.
pub(super) fn line_of(text: &str, position: usize) -> usize {
    text.bytes().take(position).filter(|&byte| byte == b'\n').count() + 1
}

/// The code with comments and the insides of literals blanked out; every byte left stays where it was.
pub(super) fn code(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut kept = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let end = at + skipped(&bytes[at..], at > 0 && is_word(bytes[at - 1]));
        blank(&mut kept[at..end]);
        at = end.max(at + 1);
    }
    String::from_utf8_lossy(&kept).into_owned()
}

/// How many bytes from here are comment or literal; `inside` says that a word goes on here.
fn skipped(rest: &[u8], inside: bool) -> usize {
    match rest {
        [b'/', b'/', ..] => rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len()),
        [b'/', b'*', ..] => block_comment(rest),
        [b'"', ..] => quoted(rest, b'"'),
        [b'r', b'"' | b'#', ..] if !inside => raw(rest, 1),
        [b'b', b'r', b'"' | b'#', ..] if !inside => raw(rest, 2),
        // A quote is a character if it is closed behind one; otherwise it begins a lifetime.
        [b'\'', b'\\', ..] => quoted(rest, b'\''),
        [b'\'', first, after @ ..] => {
            let length = std::str::from_utf8(&rest[1..]).ok().and_then(|text| text.chars().next());
            let length = length.map_or(1, char::len_utf8);
            if *first != b'\'' && after.get(length - 1) == Some(&b'\'') { length + 2 } else { 0 }
        }
        _ => 0,
    }
}

fn block_comment(rest: &[u8]) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at + 1 < rest.len() {
        match &rest[at..at + 2] {
            b"/*" => depth += 1,
            b"*/" => depth -= 1,
            _ => {
                at += 1;
                continue;
            }
        }
        at += 2;
        if depth == 0 {
            return at;
        }
    }
    rest.len()
}

fn quoted(rest: &[u8], quote: u8) -> usize {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            b'\\' => at += 2,
            byte if byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

fn raw(rest: &[u8], prefix: usize) -> usize {
    let hashes = rest[prefix..].iter().take_while(|&&byte| byte == b'#').count();
    if rest.get(prefix + hashes) != Some(&b'"') {
        return 0;
    }
    let close = [b"\"".as_slice(), &b"#".repeat(hashes)].concat();
    let body = prefix + hashes + 1;
    rest[body..]
        .windows(close.len())
        .position(|window| window == close)
        .map_or(rest.len(), |at| body + at + close.len())
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Code with the modules under `#[cfg(test)]` blanked out.
pub(super) fn without_tests(code: &str) -> String {
    let mut kept = code.as_bytes().to_vec();
    for (position, attribute) in code.match_indices("#[cfg(test)]") {
        let after = position + attribute.len();
        if code[after..].trim_start().starts_with("mod ")
            && let Some(end) = closing_brace(&code[after..])
        {
            blank(&mut kept[position..after + end]);
        }
    }
    String::from_utf8_lossy(&kept).into_owned()
}

fn blank(bytes: &mut [u8]) {
    for byte in bytes.iter_mut().filter(|byte| **byte != b'\n') {
        *byte = b' ';
    }
}

/// The end of the block that opens before any semicolon.
fn closing_brace(code: &str) -> Option<usize> {
    let open = code.find(['{', ';']).filter(|&at| code[at..].starts_with('{'))?;
    let mut depth = 0_usize;
    for (at, letter) in code.char_indices().skip_while(|&(at, _)| at < open) {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(at + 1);
        }
    }
    None
}

/// A path that the code names, and where.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Named {
    /// Its segments after the root.
    pub(super) segments: Vec<String>,
    /// Where its root stands.
    pub(super) position: usize,
}

/// Every path in `code` that begins with `root`, groups in braces taken apart.
pub(super) fn paths(code: &str, root: &str) -> Vec<Named> {
    let start = format!("{root}::");
    let mut found = Vec::new();
    for (position, _) in code.match_indices(&start) {
        let before = code.as_bytes()[..position].last().copied().unwrap_or(b' ');
        if is_word(before) || before == b':' {
            continue;
        }
        let mut tree = Tree { rest: &code[position + start.len()..], position, found: &mut found };
        tree.read(&[]);
    }
    found
}

struct Tree<'code, 'found> {
    rest: &'code str,
    position: usize,
    found: &'found mut Vec<Named>,
}

impl Tree<'_, '_> {
    fn read(&mut self, prefix: &[String]) {
        self.rest = self.rest.trim_start();
        if let Some(inside) = self.rest.strip_prefix('{') {
            self.rest = inside;
            self.group(prefix);
            return;
        }
        let end = self.rest.find(|letter: char| !letter.is_alphanumeric() && letter != '_' && letter != '*');
        let (word, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        let mut segments = prefix.to_vec();
        if !word.is_empty() {
            segments.push(word.to_owned());
        }
        if let Some(deeper) = self.rest.strip_prefix("::").filter(|deeper| !deeper.starts_with('<')) {
            self.rest = deeper;
            self.read(&segments);
        } else if !segments.is_empty() {
            self.found.push(Named { segments, position: self.position });
        }
    }

    /// Reads to the brace that closes the group; names after `as` and commas lie between the paths.
    fn group(&mut self, prefix: &[String]) {
        loop {
            self.rest = self.rest.trim_start();
            if self.rest.is_empty() {
                return;
            }
            if let Some(after) = self.rest.strip_prefix('}') {
                self.rest = after;
                return;
            }
            self.read(prefix);
            let next = self.rest.find([',', '}']).unwrap_or(self.rest.len());
            self.rest = self.rest[next..].trim_start_matches(',');
        }
    }
}

#[cfg(test)]
mod tests;
