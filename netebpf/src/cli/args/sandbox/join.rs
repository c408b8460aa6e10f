//! Which networks a sandbox joins, and what it wishes there.

use std::net::IpAddr;

use clap::Args;

use crate::{
    cli::args::{NetworkAttachment, value},
    model::LinkRequest,
};

/// Which networks a sandbox joins. What is wished outside of `--network` is meant for the first of them.
#[derive(Debug, Clone, Default, Args)]
pub struct JoinArgs {
    /// Network to join; may be given several times
    ///
    /// A name or id, or name=NAME followed by wishes for this network, separated by commas: alias=NAME, ip=IP, ip6=IP,
    /// mac-address=MAC, link-local-ip=IP, driver-opt=KEY=VALUE, gw-priority=NUMBER (the highest one is the way out).
    /// Instead of a network: host for the host's own, none for none at all, or container:SANDBOX to share that of another
    /// sandbox. By default the network bridge.
    #[arg(long = "network", alias = "net", value_name = "NETWORK")]
    pub networks: Vec<NetworkAttachment>,

    /// Further name of the sandbox on the network
    #[arg(long = "network-alias", alias = "net-alias", value_name = "NAME")]
    pub aliases: Vec<String>,

    /// IPv4 address on the network; by default a free one
    #[arg(long, value_name = "IP", value_parser = value::address)]
    pub ip: Option<IpAddr>,

    /// IPv6 address on the network; by default a free one
    #[arg(long, value_name = "IP", value_parser = value::address)]
    pub ip6: Option<IpAddr>,

    /// Link-local address of the interface, beside its own
    #[arg(long = "link-local-ip", value_name = "IP", value_parser = value::one_address)]
    pub link_local_ips: Vec<IpAddr>,

    /// MAC address on the network, such as 02:42:ac:11:00:02
    #[arg(long, value_name = "MAC")]
    pub mac_address: Option<String>,

    /// Link to a sandbox: call it by an alias; on the default network also reach its ports where ICC is off
    #[arg(long = "link", value_name = "NAME[:ALIAS]")]
    pub links: Vec<LinkRequest>,
}
