//! The command lines of `exec`, `logs` and `top`.

use std::path::PathBuf;

use clap::{Args, builder::NonEmptyStringValueParser};

use crate::cli::args::value;

/// What `exec` takes.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  netebpf exec web ss -ltn
  netebpf exec -e LANG=C -w /tmp web sh -c 'ip address; cat /etc/hosts'
  netebpf exec -d web tcpdump -i eth0 -w /tmp/web.pcap

The command starts in the sandbox's network, with its host name, /etc/hosts and /etc/resolv.conf; that takes the rights
of the administrator. In a namespace that others made it has the network alone.

Exit status: the command's own; 128 + n after signal n; 127 when the command was not found, 126 when it cannot be
executed, 1 when netebpf failed.")]
pub struct ExecArgs {
    /// Start the command in the background; its output is lost, and it ends with the sandbox
    #[arg(short, long)]
    pub detach: bool,

    /// Set a variable of the command's environment; without a value it is taken from yours
    #[arg(short, long, value_name = "NAME[=VALUE]", value_parser = value::variable)]
    pub env: Vec<String>,

    /// Set the variables that a file lists, one a line
    #[arg(long, value_name = "FILE")]
    pub env_file: Vec<PathBuf>,

    /// Directory in which the command begins; by default the sandbox's
    #[arg(short, long, value_name = "DIR")]
    pub workdir: Option<PathBuf>,

    /// Accepted as by Docker: the command has your standard input anyway
    #[arg(short, long)]
    pub interactive: bool,

    /// Accepted as by Docker: the command has your terminal anyway
    #[arg(short, long)]
    pub tty: bool,

    /// Name, id or unique beginning of the sandbox's id
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    pub sandbox: String,

    /// The command and its arguments
    #[arg(required = true, trailing_var_arg = true, value_name = "COMMAND")]
    pub command: Vec<String>,
}

/// What `logs` takes.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  netebpf logs --tail 20 web
  netebpf logs -f web
  netebpf logs -t --since 10m --until 2026-11-21T08:00:00 web

Times are dates with or without time and zone (2026-11-21, 2026-11-21T08:00:00Z), seconds since 1970, or how long ago (10m,
1h30m). Only what is started in the background has a log. It is there until the sandbox is removed. What was written while no
daemon ran has the time of the last of it.")]
pub struct LogsArgs {
    /// Print what comes from now on, too, until the sandbox ends
    #[arg(short, long)]
    pub follow: bool,

    /// Print only what was written since this time
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,

    /// Print only what was written before this time
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,

    /// Print when each line was written before it
    #[arg(short, long)]
    pub timestamps: bool,

    /// How many lines to print of what is there already: a number or all
    #[arg(short = 'n', long, value_name = "LINES", default_value = "all")]
    pub tail: String,

    /// Name, id or unique beginning of the sandbox's id
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    pub sandbox: String,
}

/// What `top` takes.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  netebpf top web

The columns are those of ps -ef on the host, whose numbers the processes have. In the host's network, or in that of another
sandbox, these are the sandbox's command, what it has started, and what exec -d has.")]
pub struct TopArgs {
    /// Name, id or unique beginning of the sandbox's id
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    pub sandbox: String,

    /// Options of ps(1), of which there is only -ef
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "OPTION")]
    pub options: Vec<String>,
}
