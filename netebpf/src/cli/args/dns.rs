//! The command line of `dns`.

use clap::{Args, Subcommand};

/// What there is to ask about names.
#[derive(Debug, Subcommand)]
pub enum DnsCommand {
    /// Show what a sandbox is told about a name, and why; asks no other server
    Query(QueryArgs),
}

/// What `dns query` takes.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  netebpf dns query db --from web
  netebpf dns query db.backend --from web --type AAAA
  netebpf dns query 2.0.18.172.in-addr.arpa --from web --type PTR")]
pub struct QueryArgs {
    /// The name
    pub name: String,

    /// The sandbox that asks: its name, id or a unique beginning of its id
    #[arg(long, value_name = "SANDBOX")]
    pub from: String,

    /// What is asked about the name, such as AAAA, PTR or MX
    #[arg(long = "type", value_name = "TYPE", default_value = "A")]
    pub kind: String,

    /// Print JSON
    #[arg(long)]
    pub json: bool,
}
