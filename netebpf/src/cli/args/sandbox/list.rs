//! The command lines of `ps`, `inspect` and `port`.

use clap::{Args, builder::NonEmptyStringValueParser};

/// What `ps` takes.
#[derive(Debug, Args)]
#[command(after_help = "\
Filters: id, name (in part, or as regular expressions), label (KEY or KEY=VALUE), status (created, running, exited),
exited (an exit code), network, publish, expose, before, since.

Fields of --format: .ID .Names .Image .Command .CreatedAt .RunningFor .Ports .State .Status .Labels .Networks, and
{{.Label \"KEY\"}}. Sandboxes have no image; the column is there for scripts that know Docker's, and shows a dash.

Examples:
  netebpf ps -a --filter status=exited
  netebpf ps --format '{{.Names}}: {{.Ports}}'
  netebpf rm $(netebpf ps -aq --filter label=stage=test)")]
#[expect(clippy::struct_excessive_bools, reason = "Docker's flags")]
pub struct PsArgs {
    /// List sandboxes that are not running, too
    #[arg(short, long)]
    pub all: bool,

    /// Show only sandboxes with this property; several of one kind mean any of them, of different kinds all of them
    #[arg(short, long = "filter", value_name = "KEY=VALUE")]
    pub filters: Vec<String>,

    /// How to print: table, table TEMPLATE, json, or a template in Go's language
    #[arg(long, value_name = "FORMAT", default_value = "", hide_default_value = true)]
    pub format: String,

    /// Show the sandboxes that were created last, running or not
    #[arg(short = 'n', long, value_name = "COUNT")]
    pub last: Option<i64>,

    /// Show the sandbox that was created last, running or not
    #[arg(short, long)]
    pub latest: bool,

    /// Print ids and commands in full
    #[arg(long)]
    pub no_trunc: bool,

    /// Print ids only
    #[arg(short, long, conflicts_with = "json")]
    pub quiet: bool,

    /// Print all that is known, as one JSON array
    #[arg(long, conflicts_with = "format")]
    pub json: bool,
}

/// What `inspect` takes.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  netebpf inspect web
  netebpf inspect -f '{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}' web
  netebpf inspect --type network front")]
pub struct InspectAnyArgs {
    /// How to print each of them: json, or a template in Go's language
    #[arg(short, long, value_name = "FORMAT", default_value = "", hide_default_value = true)]
    pub format: String,

    /// Only things of this type: container or network; by default sandboxes are looked for first
    #[arg(long = "type", value_name = "TYPE")]
    pub kind: Option<String>,

    /// Names, ids or unique beginnings of ids
    #[arg(required = true, value_name = "NAME|ID")]
    pub references: Vec<String>,
}

/// What `port` takes.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  netebpf port web
  netebpf port web 80/udp")]
pub struct PortArgs {
    /// Name, id or unique beginning of the sandbox's id
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    pub sandbox: String,

    /// Where only this port is published: PORT, or PORT/PROTOCOL
    #[arg(value_name = "PORT[/PROTOCOL]")]
    pub port: Option<String>,
}
