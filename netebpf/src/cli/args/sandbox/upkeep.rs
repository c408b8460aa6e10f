//! The command lines of `start`, `stop`, `restart`, `kill`, `rm`, `rename` and `wait`.

use clap::{Args, builder::NonEmptyStringValueParser};

/// What `start` takes.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  netebpf start web db")]
pub struct StartArgs {
    /// Names, ids or unique beginnings of ids
    #[arg(required = true, value_parser = NonEmptyStringValueParser::new(), value_name = "SANDBOX")]
    pub sandboxes: Vec<String>,
}

/// What `stop` and `restart` take.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  netebpf stop -t 3 -s INT web

A sandbox around a namespace that others made is only let go: nothing in it is sent a signal.")]
pub struct StopArgs {
    /// Signal that asks the command to end; by default TERM
    #[arg(short, long, value_name = "SIGNAL")]
    pub signal: Option<String>,

    /// Seconds to wait before the command is killed; -1 to wait for ever; by default 10
    #[arg(short, long, alias = "time", value_name = "SECONDS")]
    pub timeout: Option<i64>,

    /// Names, ids or unique beginnings of ids
    #[arg(required = true, value_parser = NonEmptyStringValueParser::new(), value_name = "SANDBOX")]
    pub sandboxes: Vec<String>,
}

/// What `kill` takes.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  netebpf kill -s HUP web")]
pub struct KillArgs {
    /// Signal to send; by default KILL
    #[arg(short, long, value_name = "SIGNAL")]
    pub signal: Option<String>,

    /// Names, ids or unique beginnings of ids
    #[arg(required = true, value_parser = NonEmptyStringValueParser::new(), value_name = "SANDBOX")]
    pub sandboxes: Vec<String>,
}

/// What `rm` takes.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  netebpf rm -f web db")]
pub struct RmSandboxArgs {
    /// Kill what runs in the sandbox first, and do not fail when there is no such sandbox
    #[arg(short, long)]
    pub force: bool,

    /// Names, ids or unique beginnings of ids
    #[arg(required = true, value_parser = NonEmptyStringValueParser::new(), value_name = "SANDBOX")]
    pub sandboxes: Vec<String>,
}

/// What `rename` takes.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  netebpf rename web web-old")]
pub struct RenameArgs {
    /// Name, id or unique beginning of the sandbox's id
    pub sandbox: String,

    /// Its new name
    pub name: String,
}

/// What `wait` takes.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  netebpf wait job && netebpf logs job")]
pub struct WaitArgs {
    /// Names, ids or unique beginnings of ids
    #[arg(required = true, value_parser = NonEmptyStringValueParser::new(), value_name = "SANDBOX")]
    pub sandboxes: Vec<String>,
}
