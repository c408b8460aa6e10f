//! The command lines of `run`, `create` and `attach`: Docker's flags.

use std::path::PathBuf;

use clap::{ArgAction, ArgGroup, Args, value_parser};

use super::{JoinArgs, PublishArgs};
use crate::{
    cli::args::value,
    model::{DnsServer, ExtraHost, SearchDomain},
};

/// What `run` takes.
#[derive(Debug, Args)]
#[command(
    disable_help_flag = true,
    after_help = "\
Examples:
  netebpf run -d --name web --network front -p 8080:80 -- python3 -m http.server 80
  netebpf run -d --network name=front,alias=web,ip=172.18.0.9 --network name=back,gw-priority=1 -- serve
  netebpf run -d --name many --network front -p 127.0.0.1:8000-8010:80-90/udp -- serve
  netebpf run --rm --network container:web -- ss -ltn
  netebpf run --rm --network front --add-host db=10.0.0.7 --dns 192.0.2.1 -e MODE=test -- curl -s http://db/

Unlike a container, a sandbox has the host's files and users; its own are its network, host name, /etc/hosts,
/etc/resolv.conf and /etc/hostname. If the command cannot be started, nothing of the sandbox is left.

Exit status: the command's own; 128 + n after signal n; 127 when the command was not found, 126 when it cannot be
executed, 125 when netebpf failed."
)]
pub struct RunArgs {
    /// Start the command in the background and print the sandbox's id
    #[arg(short, long)]
    pub detach: bool,

    /// What it is made of.
    #[command(flatten)]
    pub sandbox: SandboxArgs,
}

/// What `create` takes.
#[derive(Debug, Args)]
#[command(
    disable_help_flag = true,
    after_help = "\
Example:
  netebpf create --name web --network front -p 8080:80 -- python3 -m http.server 80
  netebpf network connect --ip 172.19.0.9 back web
  netebpf start web"
)]
pub struct CreateSandboxArgs {
    /// What it is made of.
    #[command(flatten)]
    pub sandbox: SandboxArgs,
}

/// What a sandbox is made of.
#[derive(Debug, Args)]
pub struct SandboxArgs {
    /// Name of the sandbox; by default two words are chosen
    #[arg(long)]
    pub name: Option<String>,

    /// Remove the sandbox when the command ends
    #[arg(long)]
    pub rm: bool,

    /// The networks.
    #[command(flatten)]
    pub join: JoinArgs,

    /// The ports.
    #[command(flatten)]
    pub ports: PublishArgs,

    /// The names.
    #[command(flatten)]
    pub names: NameArgs,

    /// Set a variable of the command's environment; without a value it is taken from yours
    #[arg(short, long, value_name = "NAME[=VALUE]", value_parser = value::variable)]
    pub env: Vec<String>,

    /// Set the variables that a file lists, one a line
    #[arg(long, value_name = "FILE")]
    pub env_file: Vec<PathBuf>,

    /// Directory in which the command begins, as an absolute path
    #[arg(short, long, value_name = "DIR")]
    pub workdir: Option<String>,

    /// Set a label
    #[arg(short, long = "label", value_name = "KEY[=VALUE]", value_parser = value::label)]
    pub labels: Vec<(String, String)>,

    /// Accepted as by Docker: in the foreground the command has your standard input anyway
    #[arg(short, long)]
    pub interactive: bool,

    /// Accepted as by Docker: in the foreground the command has your terminal anyway
    #[arg(short, long)]
    pub tty: bool,

    /// Print help
    #[arg(long, action = ArgAction::Help)]
    pub help: Option<bool>,

    /// The command and its arguments
    #[arg(required = true, trailing_var_arg = true, value_name = "COMMAND")]
    pub command: Vec<String>,
}

/// What a sandbox is called, and whom it asks about names.
#[derive(Debug, Clone, Default, Args)]
pub struct NameArgs {
    /// Host name in the sandbox; by default the beginning of its id
    #[arg(short = 'h', long, value_name = "NAME")]
    pub hostname: Option<String>,

    /// Domain name (NIS) in the sandbox
    #[arg(long, value_name = "NAME")]
    pub domainname: Option<String>,

    /// Name server for /etc/resolv.conf, instead of the host's
    #[arg(long, value_name = "IP")]
    pub dns: Vec<DnsServer>,

    /// Search domain for /etc/resolv.conf, instead of the host's; a dot for none
    #[arg(long, value_name = "DOMAIN")]
    pub dns_search: Vec<SearchDomain>,

    /// Option for /etc/resolv.conf, such as ndots:1
    #[arg(long = "dns-option", alias = "dns-opt", value_name = "OPTION")]
    pub dns_options: Vec<String>,

    /// Line for /etc/hosts; host-gateway stands for the host's address
    #[arg(long = "add-host", value_name = "NAME=IP")]
    pub extra_hosts: Vec<ExtraHost>,
}

/// What `attach` takes.
#[derive(Debug, Args)]
#[command(
    group = ArgGroup::new("namespace").required(true).args(["netns", "pid"]),
    after_help = "\
Examples:
  netebpf attach --netns /run/netns/blue --name blue --network front -p 8080:80
  netebpf attach --pid 4711 --name app --network front --network back
  netebpf stop blue        # takes the interfaces and ports away; the namespace and its processes stay

With --pid the sandbox ends with that process, else when it is stopped. `netebpf start` attaches it again."
)]
pub struct AttachArgs {
    /// The network namespace, as a file such as /run/netns/NAME
    #[arg(long, value_name = "PATH")]
    pub netns: Option<PathBuf>,

    /// The network namespace of a process
    #[arg(long, value_parser = value_parser!(i32).range(1..))]
    pub pid: Option<i32>,

    /// Name of the sandbox; by default two words are chosen
    #[arg(long)]
    pub name: Option<String>,

    /// Remove the sandbox when it is stopped
    #[arg(long)]
    pub rm: bool,

    /// The networks.
    #[command(flatten)]
    pub join: JoinArgs,

    /// The ports.
    #[command(flatten)]
    pub ports: PublishArgs,

    /// Set a label
    #[arg(short, long = "label", value_name = "KEY[=VALUE]", value_parser = value::label)]
    pub labels: Vec<(String, String)>,
}
