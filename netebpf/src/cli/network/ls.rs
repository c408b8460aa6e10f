//! `netebpf network ls`: the networks, one a line.

use crate::{
    cli::{
        Client, Error, Output,
        args::LsArgs,
        client::query,
        format::{Filters, List, NetworkRow, compare_naturally},
    },
    frontend::api::wire::Network,
};

pub(in crate::cli) async fn run(args: &LsArgs, client: &Client, output: &mut Output) -> Result<(), Error> {
    let filters = Filters::parse(&args.filters, "-f, --filter")?;
    let mut networks: Vec<Network> = client.get(&query("/networks", &filters)).await?;
    networks.sort_by(|a, b| compare_naturally(&a.name, &b.name));
    if args.json {
        return Ok(output.json(&networks)?);
    }
    let list = List { format: &args.format, is_quiet: args.quiet, is_untruncated: args.no_trunc };
    let rows: Vec<_> = networks.into_iter().map(row).collect();
    Ok(output.text(&list.print(&rows)?)?)
}

fn row(network: Network) -> NetworkRow {
    NetworkRow {
        id: network.id,
        name: network.name,
        driver: network.driver,
        scope: network.scope,
        ipv4: network.enable_ipv4,
        ipv6: network.enable_ipv6,
        internal: network.internal,
        labels: network.labels,
        created: network.created,
    }
}
