//! The command line of `netebpf daemon`.

use clap::Args;

use crate::model::{BridgeOptions, DefaultPool, EngineOptions, FlowTimeout};

/// What `daemon` takes.
#[derive(Debug, Args)]
pub struct DaemonArgs {
    /// Let other hosts reach sandboxes at their own addresses, at published ports
    #[arg(long)]
    pub allow_direct_routing: bool,

    /// Device of the network that sandboxes join when nobody says which, or none for no such network
    #[arg(short, long, value_name = "NAME", default_value = DEFAULT_BRIDGE, value_parser = device)]
    pub bridge: String,

    /// Let members of this group use the socket, which makes them as powerful as root; by default root's group alone
    #[arg(short = 'G', long, value_name = "NAME")]
    pub group: Option<String>,

    /// Where subnets come from that nobody names, such as base=10.10.0.0/16,size=24; replaces Docker's pools
    #[arg(long = "default-address-pool", value_name = "base=CIDR,size=N")]
    pub default_pools: Vec<DefaultPool>,

    /// Forget flows that have been idle for this long
    #[arg(long = "flow-timeout", value_name = "NAME=SECONDS", long_help = FLOW_TIMEOUT)]
    pub flow_timeouts: Vec<FlowTimeout>,
}

/// The default network's device. Docker's is `docker0`, which may be there as well.
const DEFAULT_BRIDGE: &str = "netebpf0";

/// Stands for no default network, as in `dockerd --bridge none`.
const NO_BRIDGE: &str = "none";

const FLOW_TIMEOUT: &str = "\
Forget flows that have been idle for this long, such as udp_stream=300.

The names are tcp_unreplied, tcp_established, tcp_closing, tcp_closed, udp_unreplied, udp_stream, icmp, sctp and \
generic; the defaults are those of Linux.";

impl DaemonArgs {
    /// The options that these arguments give.
    #[must_use]
    pub fn options(&self) -> EngineOptions {
        let mut options = EngineOptions {
            direct_routing: self.allow_direct_routing,
            default_bridge: Some(self.bridge.clone()).filter(|device| device != NO_BRIDGE),
            ..EngineOptions::default()
        };
        if !self.default_pools.is_empty() {
            options.default_pools.clone_from(&self.default_pools);
        }
        for timeout in &self.flow_timeouts {
            options.set_timeout(*timeout);
        }
        options
    }
}

/// A name that a bridge device can have.
fn device(text: &str) -> Result<String, String> {
    let option = ("com.docker.network.bridge.name".to_owned(), text.to_owned());
    match BridgeOptions::parse(&[option].into()) {
        Ok(BridgeOptions { device: Some(device), .. }) => Ok(device),
        Ok(_) => Err("a device has a name of 1 to 15 characters; none stands for no device".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}
