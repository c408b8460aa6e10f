//! Runs one external command and shows how it goes: a spinner on a terminal, plain lines in a log.

use std::{
    fmt::Write as _,
    io::{self, BufRead, BufReader, PipeReader, Write as _},
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use indicatif::{ProgressBar, ProgressStyle};

/// How much of a failed command's output is repeated.
const TAIL: usize = 60;

/// How long output may be quiet after the command's end: a process that it left behind may hold the pipe open.
const GRACE: Duration = Duration::from_millis(300);

/// How much of the output is shown while the command runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Show {
    /// The newest line beside the spinner; nothing in a log.
    Newest,
    /// Every line.
    All,
}

/// A command that has ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// The command as one would type it.
    pub(crate) command: String,
    /// How it ended.
    pub(crate) status: ExitStatus,
    /// What it wrote to its output and error output, in the order of arrival.
    pub(crate) lines: Vec<String>,
}

impl Ended {
    /// Turns an unsuccessful end into an error with the command and the last lines of its output.
    pub(crate) fn success(self) -> Result<Self> {
        if self.status.success() {
            return Ok(self);
        }
        let skipped = self.lines.len().saturating_sub(TAIL);
        let mut tail = String::new();
        for line in self.lines.iter().skip(skipped) {
            write!(tail, "\n  {line}")?;
        }
        bail!("{} from `{}`:{tail}", self.status, self.command);
    }
}

/// Runs a command to its successful end.
pub(crate) fn run(title: &str, command: Command) -> Result<Ended> {
    watch(title, command, Show::Newest)?.success().with_context(|| format!("{title} failed"))
}

/// Runs a command to its end, whatever that is; an error means that it could not be started.
pub(crate) fn watch(title: &str, mut command: Command, show: Show) -> Result<Ended> {
    let typed = display(&command);
    let (reader, writer) = io::pipe()?;
    command.stdin(Stdio::null()).stdout(writer.try_clone()?).stderr(writer);
    let started = Instant::now();
    let child = command.spawn().with_context(|| format!("cannot start `{typed}`"))?;
    // The command holds the pipe's writing end, which would keep the reader waiting.
    drop(command);

    let bar = spinner(title);
    if bar.is_hidden() {
        say(&format!("{title} …"));
    }
    let (status, lines) = follow(child, &lines_of(reader), |line| match show {
        Show::Newest => bar.set_message(line.trim().to_owned()),
        Show::All => bar.suspend(|| say(line)),
    })?;
    bar.finish_and_clear();
    let outcome = if status.success() { "done" } else { "FAILED" };
    say(&format!("{title}: {outcome} in {}", seconds(started.elapsed())));
    Ok(Ended { command: typed, status, lines })
}

/// Writes a line for the person who watches, to the error output.
pub(crate) fn say(line: &str) {
    // A closed error output leaves nobody to tell.
    writeln!(io::stderr(), "{line}").ok();
}

/// A wall time as people read it.
pub(crate) fn seconds(wall: Duration) -> String {
    format!("{:.1} s", wall.as_secs_f64())
}

/// The command as one would type it into a shell.
pub(crate) fn display(command: &Command) -> String {
    let set = command.get_envs().filter_map(|(name, value)| {
        Some(format!("{}={}", name.to_string_lossy(), quoted(&value?.to_string_lossy())))
    });
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    set.chain(words.map(|word| quoted(&word.to_string_lossy()))).collect::<Vec<_>>().join(" ")
}

fn quoted(word: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./=:+,@%".contains(letter);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

fn spinner(title: &str) -> ProgressBar {
    let bar = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("{spinner} {prefix} {elapsed:.dim} {wide_msg:.dim}") {
        bar.set_style(style);
    }
    bar.set_prefix(title.to_owned());
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}

fn lines_of(reader: PipeReader) -> Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut reader = BufReader::new(reader);
        let mut line = Vec::new();
        while reader.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
            let text = String::from_utf8_lossy(&line).trim_end().to_owned();
            if sender.send(text).is_err() {
                break;
            }
            line.clear();
        }
    });
    receiver
}

fn follow(
    mut child: Child,
    output: &Receiver<String>,
    mut show: impl FnMut(&str),
) -> Result<(ExitStatus, Vec<String>)> {
    let mut lines = Vec::new();
    loop {
        match output.recv_timeout(GRACE) {
            Ok(line) => {
                show(&line);
                lines.push(line);
            }
            Err(RecvTimeoutError::Disconnected) => return Ok((child.wait()?, lines)),
            Err(RecvTimeoutError::Timeout) => {
                if let Some(status) = child.try_wait()? {
                    return Ok((status, lines));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn failure_shows_the_command_and_its_last_lines() {
        let error = run("a step meant to fail", shell("echo first; echo second >&2; exit 3")).unwrap_err();
        let shown = format!("{error:?}");
        assert!(shown.contains("a step meant to fail failed"), "{shown}");
        assert!(
            shown.contains("exit status: 3 from `sh -c 'echo first; echo second >&2; exit 3'`"),
            "{shown}"
        );
        assert!(shown.contains("first\n") && shown.contains("second"), "{shown}");
    }

    #[test]
    fn a_process_left_behind_does_not_hold_up_the_end() {
        let started = Instant::now();
        let ended = run("a step", shell("echo done; sleep 20 &")).unwrap();
        assert_eq!(ended.lines, ["done"]);
        assert!(started.elapsed() < Duration::from_secs(10));
    }

    #[test]
    fn commands_are_shown_as_one_would_type_them() {
        let mut command = shell("it's");
        command.env("FLAGS", "-C a").env_remove("CARGO");
        assert_eq!(display(&command), r"FLAGS='-C a' sh -c 'it'\''s'");
    }
}
