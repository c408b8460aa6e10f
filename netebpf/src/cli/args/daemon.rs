//! The command line of `netebpf daemon`.

use clap::Args;

use crate::model::{EngineOptions, FlowTimeout};

/// What `daemon` takes.
#[derive(Debug, Args)]
pub struct DaemonArgs {
    /// Let other hosts reach sandboxes at their own addresses, at published ports
    #[arg(long)]
    pub allow_direct_routing: bool,

    /// Forget flows that have been idle for this long
    #[arg(long = "flow-timeout", value_name = "NAME=SECONDS", long_help = FLOW_TIMEOUT)]
    pub flow_timeouts: Vec<FlowTimeout>,
}

const FLOW_TIMEOUT: &str = "\
Forget flows that have been idle for this long, such as udp_stream=300.

The names are tcp_unreplied, tcp_established, tcp_closing, tcp_closed, udp_unreplied, udp_stream, icmp, sctp and \
generic; the defaults are those of Linux.";

impl DaemonArgs {
    /// The options that these arguments give.
    #[must_use]
    pub fn options(&self) -> EngineOptions {
        let mut options =
            EngineOptions { direct_routing: self.allow_direct_routing, ..EngineOptions::default() };
        for timeout in &self.flow_timeouts {
            options.set_timeout(*timeout);
        }
        options
    }
}
