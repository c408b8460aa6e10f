//! The command line of `run`, `ps` and `rm`: Docker's flags, as far as they are supported.

use std::net::{Ipv4Addr, Ipv6Addr};

use clap::{Args, builder::NonEmptyStringValueParser};

use crate::change::DEFAULT_NETWORK;
use crate::model::{ExposedPorts, LinkRequest, PublishRequest};

/// What `run` takes.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  netebpf run -d --name web --network front -p 8080:80 -- python3 -m http.server 80
  netebpf run -d --name many --network front -p 127.0.0.1:8000-8010:80-90/udp -- serve
  netebpf run --rm --name probe --network front -- curl -s http://172.18.0.2/

Exit status: the command's own; 128 + n after signal n; 127 when the command was not found, 126 when it cannot be \
executed, 1 when netebpf failed.")]
pub struct RunArgs {
    /// Start the command in the background and print the sandbox's id
    #[arg(short, long)]
    pub detach: bool,

    /// Remove the sandbox when the command ends
    #[arg(long)]
    pub rm: bool,

    /// Name of the sandbox
    #[arg(long)]
    pub name: String,

    /// Network to connect it to
    #[arg(long, visible_alias = "net", value_name = "NETWORK", default_value = DEFAULT_NETWORK)]
    pub network: String,

    /// IPv4 address of the sandbox on the network; by default a free one
    #[arg(long, value_name = "IP")]
    pub ip: Option<Ipv4Addr>,

    /// IPv6 address of the sandbox on the network; by default a free one
    #[arg(long, value_name = "IP")]
    pub ip6: Option<Ipv6Addr>,

    /// Publish a port of the sandbox on the host
    ///
    /// Without a host address on every address of the host, IPv4 and IPv6. PORT may be a range such as 80-90, with a
    /// range of as many host ports. A single port may be given a range of host ports to choose from. Without a host port
    /// any free one is taken.
    #[arg(short, long, value_name = "[HOSTIP:][HOSTPORT:]PORT[/tcp|udp|sctp]")]
    pub publish: Vec<PublishRequest>,

    /// Let sandboxes that are linked to this one reach a port even if its network has ICC off
    #[arg(long, value_name = "PORT[-PORT][/tcp|udp|sctp]")]
    pub expose: Vec<ExposedPorts>,

    /// Link to a sandbox: reach its exposed and published ports even if the network has ICC off
    #[arg(long, value_name = "NAME[:ALIAS]")]
    pub link: Vec<LinkRequest>,

    /// The command and its arguments
    #[arg(required = true, trailing_var_arg = true, value_name = "COMMAND")]
    pub command: Vec<String>,
}

/// What `ps` takes.
#[derive(Debug, Args)]
pub struct PsArgs {
    /// List sandboxes whose command is not running, too
    #[arg(short, long)]
    pub all: bool,

    /// Print ids only
    #[arg(short, long, conflicts_with = "json")]
    pub quiet: bool,

    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// What `rm` takes.
#[derive(Debug, Args)]
pub struct RmSandboxArgs {
    /// Kill what runs in the sandbox first
    #[arg(short, long)]
    pub force: bool,

    /// Names, ids or unique beginnings of ids
    #[arg(required = true, value_parser = NonEmptyStringValueParser::new(), value_name = "SANDBOX")]
    pub sandboxes: Vec<String>,
}
