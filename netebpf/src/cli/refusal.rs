//! What is said about a command line that cannot be read: clap's findings, in the words and with the exit codes of Docker's
//! client.

#[cfg(test)]
mod tests;

use std::{
    error::Error as _,
    ffi::OsString,
    fmt,
    io::{self, Write as _},
    num::{IntErrorKind, ParseIntError},
    process::ExitCode,
};

use clap::{
    Arg, ArgAction, ArgMatches, Command, FromArgMatches as _,
    error::{ContextKind, ContextValue, ErrorKind},
};

use super::{Args, Error};

/// The exit code for flags that make no sense.
const FLAG: u8 = 125;
/// The exit code for arguments that are missing, too many or unknown.
const ARGUMENT: u8 = 1;

/// A command line that is not run.
#[derive(Debug)]
pub enum Refusal {
    /// Help or the version is asked for, or there is no command.
    Help(clap::Error),
    /// It makes no sense.
    Wrong {
        /// Why, and where to find help.
        message: String,
        /// The program's exit code.
        code: u8,
    },
}

/// Reads a command line, which begins with the program's name.
pub fn parse(line: &[OsString]) -> Result<Args, Refusal> {
    let matches = Args::definition().try_get_matches_from(line);
    matches
        .and_then(|mut matches| Args::from_arg_matches_mut(&mut matches))
        .map_err(|error| Refusal::new(error, line))
}

impl Refusal {
    fn new(error: clap::Error, line: &[OsString]) -> Self {
        let is_help = matches!(
            error.kind(),
            ErrorKind::DisplayHelp
                | ErrorKind::DisplayVersion
                | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
        );
        if is_help {
            return Self::Help(error);
        }
        let mut command = chosen(line);
        let usage = command.render_usage().to_string().replacen("Usage: ", "Usage:  ", 1);
        Finding { error: &error, command, usage, line }.refusal()
    }

    /// Tells it and returns the program's exit code.
    #[must_use]
    pub fn tell(&self) -> ExitCode {
        // Nobody is left to tell when the output is closed.
        match self {
            Self::Help(error) => {
                drop(error.print());
                ExitCode::SUCCESS
            }
            Self::Wrong { message, code } => {
                drop(writeln!(io::stderr(), "{message}"));
                ExitCode::from(*code)
            }
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Help(error) => error.fmt(f),
            Self::Wrong { message, .. } => f.write_str(message),
        }
    }
}

/// The command that a line is for, with its whole name.
fn chosen(line: &[OsString]) -> Command {
    let mut command = Args::definition();
    let read = command.clone().ignore_errors(true).try_get_matches_from(line);
    command.build();
    let mut matches = read.as_ref().ok();
    while let Some((name, inner)) = matches.and_then(ArgMatches::subcommand) {
        let Some(subcommand) = command.find_subcommand(name).cloned() else { break };
        command = subcommand;
        matches = Some(inner);
    }
    command
}

/// What clap found.
struct Finding<'a> {
    error: &'a clap::Error,
    command: Command,
    usage: String,
    line: &'a [OsString],
}

impl Finding<'_> {
    fn refusal(&self) -> Refusal {
        match self.error.kind() {
            ErrorKind::UnknownArgument => self.unknown(),
            ErrorKind::InvalidSubcommand => self.unknown_command(),
            ErrorKind::InvalidValue | ErrorKind::ValueValidation => self.value(),
            ErrorKind::MissingRequiredArgument => self.missing(),
            ErrorKind::ArgumentConflict => {
                let (one, other) = (self.flag(ContextKind::InvalidArg), self.flag(ContextKind::PriorArg));
                self.of_flag(&format!("conflicting options: cannot specify both {one} and {other}"))
            }
            ErrorKind::TooManyValues => {
                let (value, flag) =
                    (self.text(ContextKind::InvalidValue), self.flag(ContextKind::InvalidArg));
                self.of_flag(&format!("invalid argument {value:?} for {flag:?} flag: it takes none"))
            }
            // Not with the flags that there are.
            ErrorKind::NoEquals
            | ErrorKind::TooFewValues
            | ErrorKind::WrongNumberOfValues
            | ErrorKind::MissingSubcommand
            | ErrorKind::InvalidUtf8
            | ErrorKind::DisplayHelp
            | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
            | ErrorKind::DisplayVersion
            | ErrorKind::Io
            | ErrorKind::Format
            | _ => {
                let text = self.error.to_string();
                let sentence =
                    text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned();
                self.of_flag(&sentence)
            }
        }
    }

    fn unknown(&self) -> Refusal {
        let given = self.text(ContextKind::InvalidArg);
        if given.starts_with("--") {
            return self.of_flag(&format!("unknown flag: {given}"));
        }
        match given.strip_prefix('-').and_then(|rest| rest.chars().next()) {
            Some(letter) => {
                let rest = self.cluster(letter);
                self.of_flag(&format!("unknown shorthand flag: {letter:?} in -{rest}"))
            }
            None => self.wrong_number(),
        }
    }

    fn unknown_command(&self) -> Refusal {
        let path = self.path();
        let problem = format!("unknown command: {path} {}", self.text(ContextKind::InvalidSubcommand));
        self.of_arguments(&problem, "Run")
    }

    fn value(&self) -> Refusal {
        let (shown, value) = (self.text(ContextKind::InvalidArg), self.text(ContextKind::InvalidValue));
        if !shown.starts_with('-') {
            let message = if value.is_empty() {
                Error::NoReference("container").to_string()
            } else {
                format!("invalid argument {value:?} for {shown}: {}", self.reason(&value))
            };
            return Refusal::Wrong { message, code: ARGUMENT };
        }
        let last = self.line.last().map(|last| last.to_string_lossy()).unwrap_or_default();
        let is_missing = value.is_empty() && self.error.source().is_none();
        let problem = if !is_missing {
            let flag = self.flag(ContextKind::InvalidArg);
            format!("invalid argument {value:?} for {flag:?} flag: {}", self.reason(&value))
        } else if last.starts_with("--") {
            format!("flag needs an argument: {last}")
        } else {
            let letter = last.chars().next_back().unwrap_or_default();
            format!("flag needs an argument: {letter:?} in -{letter}")
        };
        self.of_flag(&problem)
    }

    /// What is missing is a flag, one of a group of flags, or an argument.
    fn missing(&self) -> Refusal {
        let missing = self.texts(ContextKind::InvalidArg);
        let flags = |text: &String| -> Vec<String> {
            let words = text.split(['<', '>', '|', ' ']);
            words.filter_map(|word| word.strip_prefix("--")).map(str::to_owned).collect()
        };
        let group = missing.iter().find(|text| text.starts_with("<--")).map(flags);
        if let Some(names) = group {
            let names = names.join(" ");
            return self.of_flag(&format!("at least one of the flags in the group [{names}] is required"));
        }
        match &*missing.iter().flat_map(flags).map(|name| format!("{name:?}")).collect::<Vec<_>>() {
            [] => self.wrong_number(),
            names => self.of_flag(&format!("required flag(s) {} not set", names.join(", "))),
        }
    }

    fn wrong_number(&self) -> Refusal {
        let positionals: Vec<_> = self.command.get_positionals().collect();
        let least = positionals.iter().filter(|argument| argument.is_required_set()).count();
        let most = positionals.len();
        let is_open = positionals.last().is_some_and(|last| matches!(last.get_action(), ArgAction::Append));
        let counted =
            |count| if count == 1 { format!("{count} argument") } else { format!("{count} arguments") };
        // "See" and "Run" are Docker's.
        let (wanted, verb) = match least {
            0 if most == 0 => ("accepts no arguments".to_owned(), "Run"),
            _ if is_open => (format!("requires at least {}", counted(least)), "See"),
            _ if least == most => (format!("requires {}", counted(least)), "Run"),
            _ => (format!("requires at least {least} and at most {}", counted(most)), "Run"),
        };
        let problem = format!("'{}' {wanted}", self.path());
        self.of_arguments(&problem, verb)
    }

    /// The rest of a cluster of short flags from one on, as it was typed.
    fn cluster(&self, letter: char) -> String {
        let clusters = self.line.iter().filter_map(|word| word.to_str()?.strip_prefix('-'));
        let mut rests =
            clusters.filter(|rest| !rest.starts_with('-')).filter_map(|rest| rest.split_once(letter));
        rests.next().map_or_else(|| letter.to_string(), |(_, rest)| format!("{letter}{rest}"))
    }

    /// Why a value cannot be; numbers are refused in the words of Go.
    fn reason(&self, value: &str) -> String {
        let Some(source) = self.error.source() else {
            return format!("must be one of {}", self.texts(ContextKind::ValidValue).join(", "));
        };
        let Some(number) = source.downcast_ref::<ParseIntError>() else { return source.to_string() };
        let is_too_much = matches!(number.kind(), IntErrorKind::PosOverflow | IntErrorKind::NegOverflow);
        let problem = if is_too_much { "value out of range" } else { "invalid syntax" };
        format!("strconv.ParseInt: parsing {value:?}: {problem}")
    }

    /// A flag as Docker's client shows it: `-p, --publish`.
    fn flag(&self, context: ContextKind) -> String {
        let shown = self.texts(context).join(", ");
        let name = shown.split([' ', '[', '=']).next().unwrap_or_default();
        let known = self.command.get_arguments().find(|known| known.get_long() == name.strip_prefix("--"));
        let short = known.and_then(Arg::get_short).map(|letter| format!("-{letter}, "));
        format!("{}{name}", short.unwrap_or_default())
    }

    fn text(&self, context: ContextKind) -> String {
        self.texts(context).join(" ")
    }

    fn texts(&self, context: ContextKind) -> Vec<String> {
        match self.error.get(context) {
            Some(ContextValue::String(text)) => vec![text.clone()],
            Some(ContextValue::Strings(texts)) => texts.clone(),
            _ => Vec::new(),
        }
    }

    fn path(&self) -> String {
        self.command.get_bin_name().unwrap_or("netebpf").to_owned()
    }

    /// What clap thinks was meant, as a line of its own.
    fn suggestion(&self) -> String {
        let kinds =
            [ContextKind::SuggestedArg, ContextKind::SuggestedSubcommand, ContextKind::SuggestedValue];
        // The last one is the most alike.
        let meant = kinds.into_iter().find_map(|kind| self.texts(kind).pop());
        meant.map(|meant| format!("\nDid you mean {meant}?")).unwrap_or_default()
    }

    fn of_flag(&self, problem: &str) -> Refusal {
        let message = self.framed(problem, "Run");
        Refusal::Wrong { message, code: FLAG }
    }

    fn of_arguments(&self, problem: &str, verb: &str) -> Refusal {
        let message = self.framed(&format!("netebpf: {problem}"), verb);
        Refusal::Wrong { message, code: ARGUMENT }
    }

    fn framed(&self, problem: &str, verb: &str) -> String {
        let (suggestion, usage, path) = (self.suggestion(), &self.usage, self.path());
        format!("{problem}{suggestion}\n\n{usage}\n\n{verb} '{path} --help' for more information")
    }
}
