//! `netebpf network ls`: the networks, one a line.

use crate::{
    cli::{Client, Error, Output, args::LsArgs, render::short},
    frontend::api::wire::Network,
};

pub(in crate::cli) async fn run(args: &LsArgs, client: &Client, output: &mut Output) -> Result<(), Error> {
    let networks: Vec<Network> = client.get("/networks").await?;
    if args.json {
        return Ok(output.json(&networks)?);
    }
    if args.quiet {
        return Ok(networks.iter().try_for_each(|network| output.line(short(&network.id)))?);
    }
    let row = |network: Network| [short(&network.id), network.name, network.driver, network.scope];
    let rows = networks.into_iter().map(row).collect();
    Ok(output.table(["NETWORK ID", "NAME", "DRIVER", "SCOPE"], rows)?)
}
