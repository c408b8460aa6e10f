//! A command's variables, as `-e` and `--env-file` give them.

use std::{env, fs, path::PathBuf};

use super::OptionError;

/// The variables of the files, then those of the options: the later ones win.
pub(super) fn read(files: &[PathBuf], options: &[String]) -> Result<Vec<String>, OptionError> {
    let own = |name: &str| env::var(name).ok();
    let mut variables = Vec::new();
    for path in files {
        let failed = |source| OptionError::EnvFile { path: path.clone(), source };
        let text = fs::read(path).map_err(failed)?;
        let wrong = |problem| OptionError::EnvLine { path: path.clone(), problem };
        variables.extend(parse_file(&text, own).map_err(wrong)?);
    }
    for option in options {
        variables.push(filled(option, own));
    }
    Ok(variables)
}

/// `NAME=VALUE`, or `NAME` for what the client has; without any it is taken from the command.
fn filled(text: &str, own: impl Fn(&str) -> Option<String>) -> String {
    let value = if text.contains('=') { None } else { own(text) };
    value.map_or_else(|| text.to_owned(), |value| format!("{text}={value}"))
}

/// One variable a line, but for empty lines and comments. A name alone stands for what the client has, if anything.
fn parse_file(text: &[u8], own: impl Fn(&str) -> Option<String>) -> Result<Vec<String>, String> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let mut variables = Vec::new();
    for (number, line) in (1..).zip(text.split(|byte| *byte == b'\n')) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let line =
            str::from_utf8(line).map_err(|_| format!("invalid utf8 bytes at line {number}: {line:?}"))?;
        let line = line.trim_start();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (name, value) = line.split_once('=').map_or((line, None), |(name, value)| (name, Some(value)));
        if name.is_empty() {
            return Err(format!("no variable name on line '{line}'"));
        }
        if name.contains([' ', '\t']) {
            return Err(format!("variable '{name}' contains whitespaces"));
        }
        match value {
            Some(_) => variables.push(line.to_owned()),
            None => variables.extend(own(name).map(|value| format!("{name}={value}"))),
        }
    }
    Ok(variables)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(name: &str) -> Option<String> {
        (name == "MINE").then(|| "1 2".to_owned())
    }

    #[test]
    fn a_name_alone_takes_what_the_client_has() {
        for (text, variable) in [("A=", "A="), ("A=b=c", "A=b=c"), ("MINE", "MINE=1 2"), ("OTHER", "OTHER")] {
            assert_eq!(filled(text, own), variable);
        }
    }

    #[test]
    fn a_file_has_a_variable_a_line() {
        let text = b"\xef\xbb\xbfA=1\n# comment\n\n  B= two \nMINE\nOTHER\r\nC=\r\n";
        assert_eq!(parse_file(text, own), Ok(["A=1", "B= two ", "MINE=1 2", "C="].map(str::to_owned).into()));
    }

    #[test]
    fn a_file_with_other_lines_is_refused_in_dockers_words() {
        for (text, problem) in [
            (&b"=x"[..], "no variable name on line '=x'"),
            (b"a b=c", "variable 'a b' contains whitespaces"),
            (b"A=1\n\xff", "invalid utf8 bytes at line 2: [255]"),
        ] {
            assert_eq!(parse_file(text, own), Err(problem.to_owned()));
        }
        let missing = read(&[PathBuf::from("/nowhere/at/all")], &[]).expect_err("there is none").to_string();
        assert!(missing.starts_with("open /nowhere/at/all: No such file"), "{missing}");
    }
}
