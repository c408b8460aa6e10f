//! The command line of `netebpf network`: Docker's flags, as far as they are supported.

use std::net::IpAddr;

use clap::{Args, Subcommand, builder::NonEmptyStringValueParser};
use ipnet::IpNet;

/// The commands of `netebpf network`.
#[derive(Debug, Subcommand)]
pub enum NetworkCommand {
    /// Create a network and print its id
    Create(CreateArgs),
    /// List networks
    #[command(visible_alias = "list")]
    Ls(LsArgs),
    /// Show networks in detail, as JSON
    Inspect(InspectArgs),
    /// Remove networks that no sandbox is connected to
    #[command(visible_alias = "remove")]
    Rm(RmArgs),
    /// Connect a sandbox to a further network
    Connect(ConnectArgs),
    /// Disconnect a sandbox from a network
    Disconnect(DisconnectArgs),
}

/// What `network create` takes.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  netebpf network create front
  netebpf network create --subnet 10.10.0.0/24 --gateway 10.10.0.254 --internal back
  netebpf network create -o com.docker.network.bridge.enable_icc=false quiet")]
pub struct CreateArgs {
    /// Driver; bridge is the only one
    #[arg(short, long, default_value = "bridge")]
    pub driver: String,

    /// Addresses of the network, such as 10.10.0.0/24; by default a free pool is taken
    #[arg(long, value_name = "CIDR", value_parser = cidr)]
    pub subnet: Option<IpNet>,

    /// The host's address in the subnet; by default the first one
    #[arg(long, value_name = "IP", requires = "subnet")]
    pub gateway: Option<IpAddr>,

    /// Let nothing leave the network
    #[arg(long)]
    pub internal: bool,

    /// Set a driver option; the examples show one
    #[arg(short = 'o', long = "opt", value_name = "KEY=VALUE", value_parser = key_value)]
    pub options: Vec<(String, String)>,

    /// Set a label
    #[arg(long = "label", value_name = "KEY=VALUE", value_parser = key_value)]
    pub labels: Vec<(String, String)>,

    /// Name of the network
    pub name: String,
}

/// What `network ls` takes.
#[derive(Debug, Args)]
pub struct LsArgs {
    /// Print ids only
    #[arg(short, long, conflicts_with = "json")]
    pub quiet: bool,

    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// What `network inspect` takes.
#[derive(Debug, Args)]
pub struct InspectArgs {
    /// Names, ids or unique beginnings of ids
    #[arg(required = true, value_parser = NonEmptyStringValueParser::new(), value_name = "NETWORK")]
    pub networks: Vec<String>,
}

/// What `network rm` takes.
#[derive(Debug, Args)]
pub struct RmArgs {
    /// Names, ids or unique beginnings of ids
    #[arg(required = true, value_parser = NonEmptyStringValueParser::new(), value_name = "NETWORK")]
    pub networks: Vec<String>,
}

/// What `network connect` takes.
#[derive(Debug, Args)]
pub struct ConnectArgs {
    /// Address of the sandbox on the network; by default a free one
    #[arg(long, value_name = "IP")]
    pub ip: Option<IpAddr>,

    /// Name, id or unique beginning of the network's id
    pub network: String,

    /// Name, id or unique beginning of the sandbox's id
    pub sandbox: String,
}

/// What `network disconnect` takes.
#[derive(Debug, Args)]
pub struct DisconnectArgs {
    /// Name, id or unique beginning of the network's id
    pub network: String,

    /// Name, id or unique beginning of the sandbox's id
    pub sandbox: String,
}

fn key_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err(format!("{text:?} is no pair; write it as KEY=VALUE")),
    }
}

fn cidr(text: &str) -> Result<IpNet, String> {
    text.parse().map_err(|_| "not a subnet; write it as ADDRESS/PREFIX, such as 10.10.0.0/24".to_owned())
}
