//! Which ports of a sandbox are published.

use clap::Args;

/// Which ports of a sandbox are published.
#[derive(Debug, Clone, Default, Args)]
pub struct PublishArgs {
    /// Publish a port of the sandbox on the host
    ///
    /// Without a host address on every address of the host, IPv4 and IPv6. PORT may be a range such as 80-90, with a
    /// range of as many host ports. A single port may be given a range of host ports to choose from. Without a host port
    /// any free one is taken.
    #[arg(short, long, value_name = "[HOSTIP:][HOSTPORT:]PORT[/tcp|udp|sctp]")]
    pub publish: Vec<String>,

    /// Publish every exposed port on a free port of the host
    #[arg(short = 'P', long)]
    pub publish_all: bool,

    /// Say that the sandbox listens on a port: for --publish-all, and for links where ICC is off
    #[arg(long, value_name = "PORT[-PORT][/tcp|udp|sctp]")]
    pub expose: Vec<String>,
}
