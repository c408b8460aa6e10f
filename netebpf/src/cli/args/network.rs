//! The command line of `netebpf network`: Docker's flags, as far as they are supported.

use std::net::IpAddr;

use clap::{ArgAction, Args, Subcommand};
use ipnet::IpNet;

use super::value;
use crate::model::LinkRequest;

/// The commands of `netebpf network`.
#[derive(Debug, Subcommand)]
pub enum NetworkCommand {
    /// Create a network and print its id
    Create(Box<CreateArgs>),
    /// List networks
    #[command(visible_alias = "list")]
    Ls(LsArgs),
    /// Show networks in detail, as JSON
    Inspect(InspectArgs),
    /// Remove networks that no sandbox is connected to
    #[command(visible_alias = "remove")]
    Rm(RmArgs),
    /// Remove all networks that no sandbox is connected to
    Prune(PruneArgs),
    /// Connect a sandbox to a further network
    Connect(Box<ConnectArgs>),
    /// Disconnect a sandbox from a network
    Disconnect(DisconnectArgs),
}

/// What `network create` takes.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  netebpf network create front
  netebpf network create --subnet 10.10.0.0/24 --gateway 10.10.0.254 --internal back
  netebpf network create --subnet 172.28.0.0/16 --ip-range 172.28.5.0/24 --aux-address router=172.28.1.1 wide
  netebpf network create --ipv6 --subnet 10.11.0.0/24 --subnet fd00:11::/64 dual
  netebpf network create -o com.docker.network.bridge.enable_icc=false quiet
  netebpf network create --subnet 10.12.0.0/24 --aux-address DefaultGatewayIPv4=10.12.0.254 behind
  netebpf network create --config-only --subnet 10.13.0.0/24 base && netebpf network create --config-from base made

Options of -o, with their defaults:
  com.docker.network.bridge.enable_icc=true
  com.docker.network.bridge.enable_ip_masquerade=true
  com.docker.network.bridge.gateway_mode_ipv4=nat, gateway_mode_ipv6=nat
                           (nat, nat-unprotected, routed, isolated)
  com.docker.network.bridge.host_binding_ipv4=0.0.0.0
  com.docker.network.bridge.trusted_host_interfaces=  (names with colons in between)
  com.docker.network.host_ipv4=, com.docker.network.host_ipv6=
  com.docker.network.bridge.name=                     (br- and the network's id; one that is there is used)
  com.docker.network.bridge.inhibit_ipv4=false        (whether the bridge goes without its IPv4 address)
  com.docker.network.advertise_addr_nmsgs=3           (0 to 3), advertise_addr_ms (100 to 2000)
  com.docker.network.enable_ipv4=true, com.docker.network.enable_ipv6=false
  com.docker.network.container_iface_prefix=eth
  com.docker.network.driver.mtu=0")]
#[expect(clippy::struct_excessive_bools, reason = "Docker's flags")]
pub struct CreateArgs {
    /// Driver; bridge is the only one of which users can make networks
    #[arg(short, long, default_value = "bridge")]
    pub driver: String,

    /// Give it IPv4 addresses
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = value::truth, action = ArgAction::Set)]
    pub ipv4: Option<bool>,

    /// Give it IPv6 addresses
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = value::truth, action = ArgAction::Set)]
    pub ipv6: Option<bool>,

    /// Which addresses it gets
    #[command(flatten)]
    pub pools: PoolArgs,

    /// Let nothing leave the network
    #[arg(long)]
    pub internal: bool,

    /// Let containers of swarm services join; without swarm it is only noted
    #[arg(long)]
    pub attachable: bool,

    /// Make it a swarm's routing mesh; refused without swarm
    #[arg(long, hide = true)]
    pub ingress: bool,

    /// Keep what is said as a configuration for other networks, and make none
    #[arg(long)]
    pub config_only: bool,

    /// The configuration to make the network from
    #[arg(long, value_name = "NETWORK")]
    pub config_from: Option<String>,

    /// Where the network is known; swarm is refused without one
    #[arg(long, hide = true, default_value = "")]
    pub scope: String,

    /// Who manages the addresses; default is the only one
    #[arg(long, value_name = "DRIVER", default_value = "default")]
    pub ipam_driver: String,

    /// Set an option of the address management; it is only noted
    #[arg(long = "ipam-opt", value_name = "KEY=VALUE", value_parser = value::option())]
    pub ipam_options: Vec<(String, String)>,

    /// Set a driver option; they are listed below
    #[arg(short = 'o', long = "opt", value_name = "KEY=VALUE", value_parser = value::option())]
    pub options: Vec<(String, String)>,

    /// Set a label
    #[arg(long = "label", value_name = "KEY[=VALUE]", value_parser = value::label)]
    pub labels: Vec<(String, String)>,

    /// Name of the network
    pub name: String,
}

/// Which addresses a network gets.
#[derive(Debug, Args)]
pub struct PoolArgs {
    /// Addresses of the network, such as 10.10.0.0/24, once for each IP version; by default a free pool is taken
    #[arg(long = "subnet", value_name = "CIDR", value_delimiter = ',')]
    pub subnets: Vec<String>,

    /// The part of a subnet that addresses are chosen from, such as 10.10.0.128/25
    #[arg(long = "ip-range", value_name = "CIDR", value_delimiter = ',', value_parser = value::one_subnet)]
    pub ip_ranges: Vec<Option<IpNet>>,

    /// The host's address in a subnet, once for each IP version; by default the first one
    #[arg(long = "gateway", value_name = "IP", value_delimiter = ',', value_parser = value::one_gateway)]
    pub gateways: Vec<Option<IpAddr>>,

    /// An address that no sandbox gets, with a name for it, such as router=10.10.0.5; the one called
    /// DefaultGatewayIPv4 or DefaultGatewayIPv6 is where default routes lead
    #[expect(clippy::doc_markdown, reason = "printed as it is by --help")]
    #[arg(long = "aux-address", value_name = "NAME=IP", value_parser = value::option())]
    pub auxiliary: Vec<(String, String)>,
}

/// What `network ls` takes.
#[derive(Debug, Args)]
#[command(after_help = "\
Filters: name, id (in part, or as regular expressions), driver, scope, type (custom or builtin), label (KEY or KEY=VALUE),
dangling (true or false).

Fields of --format: .ID .Name .Driver .Scope .IPv4 .IPv6 .Internal .Labels .CreatedAt, and {{.Label \"KEY\"}}

Examples:
  netebpf network ls --filter type=custom
  netebpf network ls --format '{{.Name}}: {{.Driver}}'
  netebpf network ls --format 'table {{.ID}}\\t{{.Name}}\\t{{.Internal}}'
  netebpf network rm $(netebpf network ls -q --filter label=stage=test)")]
pub struct LsArgs {
    /// Show only networks with this property; several of one kind mean any of them, of different kinds all of them
    #[arg(short, long = "filter", value_name = "KEY=VALUE")]
    pub filters: Vec<String>,

    /// How to print: table, table TEMPLATE, json, or a template in Go's language
    #[arg(long, value_name = "FORMAT", default_value = "", hide_default_value = true)]
    pub format: String,

    /// Print ids in full
    #[arg(long)]
    pub no_trunc: bool,

    /// Print ids only
    #[arg(short, long, conflicts_with = "json")]
    pub quiet: bool,

    /// Print all that is known, as one JSON array
    #[arg(long, conflicts_with = "format")]
    pub json: bool,
}

/// What `network inspect` takes.
#[derive(Debug, Args)]
pub struct InspectArgs {
    /// How to print each network: json, or a template in Go's language, such as '{{json .IPAM.Config}}'
    #[arg(short, long, value_name = "FORMAT", default_value = "", hide_default_value = true)]
    pub format: String,

    /// Show services of a swarm too; there are none
    #[arg(short, long)]
    pub verbose: bool,

    /// Names, ids or unique beginnings of ids
    #[arg(required = true, value_name = "NETWORK")]
    pub networks: Vec<String>,
}

/// What `network rm` takes.
#[derive(Debug, Args)]
pub struct RmArgs {
    /// Do not fail when a network is not there
    #[arg(short, long)]
    pub force: bool,

    /// Names, ids or unique beginnings of ids
    #[arg(required = true, value_name = "NETWORK")]
    pub networks: Vec<String>,
}

/// What `network prune` takes.
#[derive(Debug, Args)]
#[command(after_help = "\
Filters: until (a time, or how long ago: 24h), label and label! (KEY or KEY=VALUE)

Example:
  netebpf network prune -f --filter until=24h --filter 'label!=keep'")]
pub struct PruneArgs {
    /// Do not ask
    #[arg(short, long)]
    pub force: bool,

    /// Remove only networks with this property
    #[arg(long = "filter", value_name = "KEY=VALUE")]
    pub filters: Vec<String>,
}

/// What `network connect` takes.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  netebpf network connect front web
  netebpf network connect --ip 172.28.5.9 --alias db --gw-priority 1 back web

A sandbox that does not run has what is said here when it is started.")]
pub struct ConnectArgs {
    /// Further name of the sandbox on the network
    #[arg(long = "alias", value_name = "NAME", value_delimiter = ',')]
    pub aliases: Vec<String>,

    /// Option of the driver, such as com.docker.network.endpoint.ifname=lan0
    #[arg(long = "driver-opt", value_name = "KEY=VALUE", value_delimiter = ',')]
    pub driver_options: Vec<String>,

    /// Of several networks the one with the highest priority is the way out
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    pub gw_priority: i64,

    /// IPv4 address of the sandbox on the network; by default a free one
    #[arg(long, value_name = "IP", value_parser = value::address)]
    pub ip: Option<IpAddr>,

    /// IPv6 address of the sandbox on the network; by default a free one
    #[arg(long, value_name = "IP", value_parser = value::address)]
    pub ip6: Option<IpAddr>,

    /// What the sandbox is to call another one on the network
    #[arg(long = "link", value_name = "NAME[:ALIAS]")]
    pub links: Vec<LinkRequest>,

    /// Link-local address of the interface, beside its own
    #[arg(long = "link-local-ip", value_name = "IP", value_delimiter = ',', value_parser = value::one_address)]
    pub link_local_ips: Vec<IpAddr>,

    /// MAC address of the sandbox on the network
    #[arg(long, value_name = "MAC")]
    pub mac_address: Option<String>,

    /// Name, id or unique beginning of the network's id
    pub network: String,

    /// Name, id or unique beginning of the sandbox's id
    pub sandbox: String,
}

/// What `network disconnect` takes.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  netebpf network disconnect front web")]
pub struct DisconnectArgs {
    /// Also from a network that is gone
    #[arg(short, long)]
    pub force: bool,

    /// Name, id or unique beginning of the network's id
    pub network: String,

    /// Name, id or unique beginning of the sandbox's id
    pub sandbox: String,
}
