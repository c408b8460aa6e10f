//! The command line of `drops` and `flows`.

use std::{net::IpAddr, num::NonZeroU32};

use clap::Args;

/// What `drops` takes.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  netebpf drops
  netebpf drops --sandbox web --reason spoofed
  netebpf drops --follow --port 80 --protocol tcp
  netebpf drops --follow --sample 1000 --json")]
pub struct DropsArgs {
    /// Print one line for each dropped packet from now on, until Ctrl-C
    #[arg(short, long)]
    pub follow: bool,

    /// Only packets of this sandbox: its name, id or a unique beginning of its id
    #[arg(long)]
    pub sandbox: Option<String>,

    /// Only packets dropped for this reason, such as isolated
    #[arg(long)]
    pub reason: Option<String>,

    /// Only packets from or to this address
    #[arg(long, requires = "follow", value_name = "IP")]
    pub address: Option<IpAddr>,

    /// Only packets from or to this port
    #[arg(long, requires = "follow")]
    pub port: Option<u16>,

    /// Only packets of this protocol: tcp, udp, icmp, icmpv6, sctp or a number
    #[arg(long, requires = "follow")]
    pub protocol: Option<String>,

    /// Tell of one packet in this many
    #[arg(long, requires = "follow", value_name = "N", default_value = "1")]
    pub sample: NonZeroU32,

    /// Print JSON; with --follow one document a line
    #[arg(long)]
    pub json: bool,
}

/// What `flows` takes.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  netebpf flows
  netebpf flows --sandbox web --protocol tcp
  netebpf flows --follow --port 443")]
pub struct FlowsArgs {
    /// Print one line for each flow that begins or ends from now on, until Ctrl-C
    #[arg(short, long)]
    pub follow: bool,

    /// Only flows of this sandbox: its name, id or a unique beginning of its id
    #[arg(long)]
    pub sandbox: Option<String>,

    /// Only flows with this address at one of their ends
    #[arg(long, value_name = "IP")]
    pub address: Option<IpAddr>,

    /// Only flows with this port at one of their ends
    #[arg(long)]
    pub port: Option<u16>,

    /// Only flows of this protocol: tcp, udp, icmp, icmpv6, sctp or a number
    #[arg(long)]
    pub protocol: Option<String>,

    /// Print JSON; with --follow one document a line
    #[arg(long)]
    pub json: bool,
}
