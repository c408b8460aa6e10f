//! `netebpf ps`: the sandboxes, one a line.

use std::{
    io::{self, Write as _},
    time::{Duration, SystemTime},
};

use jiff::Timestamp;

use crate::{
    cli::{
        Client, Error, Output,
        args::PsArgs,
        follow,
        format::{ContainerRow, Filters, List, PortMapping},
    },
    frontend::api::wire::{ContainerPort, ContainerSummary},
};

/// What stands for an image in lists.
const NO_IMAGE: &str = "-";

pub(in crate::cli) async fn run(args: &PsArgs, client: &Client, output: &mut Output) -> Result<(), Error> {
    let filters = Filters::parse(&args.filters, "-f, --filter")?;
    let list = List { format: &args.format, is_quiet: args.quiet, is_untruncated: args.no_trunc };
    if let Some(warning) = list.warning::<ContainerRow>() {
        writeln!(io::stderr(), "{warning}")?;
    }
    let containers: Vec<ContainerSummary> = client.get(&path(args, &filters)).await?;
    if args.json {
        return Ok(output.json(&containers)?);
    }
    let rows: Vec<_> = containers.into_iter().map(row).collect();
    Ok(output.text(&list.print(&rows)?)?)
}

fn path(args: &PsArgs, filters: &Filters) -> String {
    let limit = args.last.or(args.latest.then_some(1)).filter(|limit| *limit > 0);
    follow::query(
        "/containers/json",
        &[
            ("all", args.all.then(|| "1".to_owned())),
            ("limit", limit.map(|limit| limit.to_string())),
            ("filters", (!filters.is_empty()).then(|| filters.to_json())),
        ],
    )
}

fn row(container: ContainerSummary) -> ContainerRow {
    let ContainerSummary {
        id, names, command, created, ports, labels, state, status, network_settings, ..
    } = container;
    let name = |name: String| name.strip_prefix('/').map(str::to_owned).unwrap_or(name);
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
    ContainerRow {
        id,
        names: names.into_iter().map(name).collect(),
        image: NO_IMAGE.to_owned(),
        command,
        created: Timestamp::from_second(created).unwrap_or_default().to_string(),
        age: now.saturating_sub(Duration::from_secs(created.try_into().unwrap_or_default())),
        state,
        status,
        ports: ports.into_iter().map(port).collect(),
        labels,
        networks: network_settings.networks.into_keys().collect(),
    }
}

fn port(ContainerPort { ip, private_port, public_port, protocol }: ContainerPort) -> PortMapping {
    PortMapping { private_port, ip, public_port, protocol }
}
