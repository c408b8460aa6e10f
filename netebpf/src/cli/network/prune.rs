//! `netebpf network prune`: removes what nobody uses, and prints the names.

use crate::{
    cli::{Client, Error, Output, args::PruneArgs, client::query, confirm, format::Filters},
    frontend::api::wire::Pruned,
};

const WARNING: &str = "WARNING! This will remove all custom networks not used by at least one container.";

pub(in crate::cli) async fn run(args: &PruneArgs, client: &Client, output: &mut Output) -> Result<(), Error> {
    let filters = Filters::parse(&args.filters, "--filter")?;
    if !args.force && !confirm::confirmed(WARNING, output)? {
        return Ok(());
    }
    let pruned: Pruned = client.create(&query("/networks/prune", &filters), &()).await?;
    let Some(names) = pruned.networks_deleted else { return Ok(()) };
    output.line("Deleted Networks:")?;
    names.iter().try_for_each(|name| output.line(name))?;
    Ok(output.line("")?)
}
