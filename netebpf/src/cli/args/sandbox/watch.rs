//! The command lines of `exec` and `logs`.

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
    /// Start the command in the background; its output is lost
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

Only what is started in the background has a log. It is there until the sandbox is removed.")]
pub struct LogsArgs {
    /// Print what comes from now on, too, until the sandbox ends
    #[arg(short, long)]
    pub follow: bool,

    /// How many lines to print of what is there already: a number or all
    #[arg(short = 'n', long, value_name = "LINES", default_value = "all")]
    pub tail: String,

    /// Name, id or unique beginning of the sandbox's id
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    pub sandbox: String,
}
