//! The command line of `netebpf daemon`.

use std::{collections::BTreeMap, path::PathBuf};

use clap::Args;
use serde::{Serialize, Serializer};

use super::value;
use crate::{
    config::AddressPool,
    model::{DefaultPool, FlowTimeout},
};

/// What `daemon` takes.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct DaemonArgs {
    /// Read directives from this file, which must exist then; without, from /etc/netebpf/daemon.json if it is there
    #[arg(long, value_name = "FILE")]
    pub config_file: Option<PathBuf>,

    /// Check the configuration and end
    #[arg(long, conflicts_with_all = ["print_default_config", "print_config_schema"])]
    pub validate: bool,

    /// Print the complete configuration file that says what holds without one
    #[arg(long, conflicts_with = "print_config_schema")]
    pub print_default_config: bool,

    /// Print the JSON schema of the configuration file
    #[arg(long)]
    pub print_config_schema: bool,

    /// What the configuration file could say as well.
    #[command(flatten)]
    pub directives: Directives,
}

/// Directives of the configuration as flags. Those that are given become JSON, as in the file; what they say is checked
/// there, with the file's.
#[derive(Debug, Args, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Directives {
    /// Let other hosts reach sandboxes at their own addresses, at published ports
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = value::truth)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_direct_routing: Option<bool>,

    /// IPv4 address of the default network's bridge, with the prefix length of the network's subnet
    #[arg(long, value_name = "ADDRESS/LENGTH")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bip: Option<String>,

    /// IPv6 address of the default network's bridge, with the prefix length of the network's subnet
    #[arg(long, value_name = "ADDRESS/LENGTH")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bip6: Option<String>,

    /// Bridge device of the default network, or none for no such network; without, the engine's own, netebpf0
    #[arg(short, long, value_name = "NAME")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bridge: Option<String>,

    /// Where subnets come from that nobody names, such as base=10.10.0.0/16,size=24; replaces Docker's pools
    #[arg(long = "default-address-pool", value_name = "base=CIDR,size=N")]
    #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "as_objects")]
    pub default_address_pools: Vec<DefaultPool>,

    /// Where IPv4 default routes in the default network lead, if not to the bridge
    #[arg(long, value_name = "ADDRESS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_gateway: Option<String>,

    /// Where IPv6 default routes in the default network lead, if not to the bridge
    #[arg(long, value_name = "ADDRESS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_gateway_v6: Option<String>,

    /// Option of new networks of a driver, where the user gives none
    #[arg(long = "default-network-opt", value_name = "DRIVER=KEY=VALUE", value_parser = network_option)]
    #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "by_driver")]
    pub default_network_opts: Vec<NetworkOption>,

    /// Name server of sandboxes; without any, those of the host
    #[arg(long, value_name = "ADDRESS")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dns: Vec<String>,

    /// Option of the resolver in sandboxes
    #[arg(long = "dns-opt", value_name = "OPTION")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dns_opts: Vec<String>,

    /// Domain that sandboxes search
    #[arg(long, value_name = "DOMAIN")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dns_search: Vec<String>,

    /// What IPv4 addresses in the default network are chosen from; without --bip its subnet as well
    #[arg(long, value_name = "CIDR")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fixed_cidr: Option<String>,

    /// What IPv6 addresses in the default network are chosen from; without --bip6 its subnet as well
    #[arg(long, value_name = "CIDR")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fixed_cidr_v6: Option<String>,

    /// Forget flows that have been idle for this long
    #[arg(long = "flow-timeout", value_name = "NAME=SECONDS", long_help = FLOW_TIMEOUT)]
    #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "by_name")]
    pub flow_timeouts: Vec<FlowTimeout>,

    /// Let members of this group use the socket, which makes them as powerful as root; by default root's group alone
    #[arg(short = 'G', long, value_name = "NAME")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,

    /// Address that host-gateway stands for, one of each IP version; without, those of the default network's bridge
    #[arg(long = "host-gateway-ip", value_name = "ADDRESS")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub host_gateway_ips: Vec<String>,

    /// Let sandboxes of the default network talk to each other
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = value::truth)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub icc: Option<bool>,

    /// Host address of ports that are published from the default network without one
    #[arg(long, value_name = "ADDRESS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip: Option<String>,

    /// Let what leaves the default network come as an address of the host
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = value::truth)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip_masq: Option<bool>,

    /// Give IPv6 addresses to the default network
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = value::truth)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ipv6: Option<bool>,

    /// The longest packet of the default network, in bytes; 0 for the kernel's default
    #[arg(long, value_name = "BYTES")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mtu: Option<i64>,
}

/// An option of new networks of one driver.
#[derive(Debug, Clone)]
pub struct NetworkOption {
    driver: String,
    option: String,
    value: String,
}

const FLOW_TIMEOUT: &str = "\
Forget flows that have been idle for this long, such as udp_stream=300.

The names are tcp_unreplied, tcp_established, tcp_closing, tcp_closed, udp_unreplied, udp_stream, icmp, sctp and \
generic; the defaults are those of Linux.";

const EXAMPLES: &str = "\
Examples:
  netebpf daemon
  netebpf daemon --bip 192.168.1.1/24 --fixed-cidr 192.168.1.0/25 --icc=false
  netebpf daemon --print-default-config > /etc/netebpf/daemon.json
  netebpf daemon --validate --config-file daemon.json

A directive is either in the file or a flag, not both.";

fn network_option(text: &str) -> Result<NetworkOption, String> {
    let parts = text.split_once('=').and_then(|(driver, rest)| Some((driver, rest.split_once('=')?)));
    let (driver, (option, value)) =
        parts.ok_or("write it as DRIVER=KEY=VALUE, such as bridge=com.docker.network.driver.mtu=1400")?;
    Ok(NetworkOption { driver: driver.to_owned(), option: option.to_owned(), value: value.to_owned() })
}

fn as_objects<S: Serializer>(pools: &[DefaultPool], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(pools.iter().copied().map(AddressPool))
}

fn by_driver<S: Serializer>(options: &[NetworkOption], serializer: S) -> Result<S::Ok, S::Error> {
    let mut drivers = BTreeMap::<_, BTreeMap<_, _>>::new();
    for NetworkOption { driver, option, value } in options {
        drivers.entry(driver).or_default().insert(option, value);
    }
    drivers.serialize(serializer)
}

fn by_name<S: Serializer>(timeouts: &[FlowTimeout], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(timeouts.iter().map(|timeout| (timeout.name(), timeout.seconds())))
}
