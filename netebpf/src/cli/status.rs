//! `netebpf status`: what the data plane runs and has counted.

use super::{Client, Error, Output, args::StatusArgs};
use crate::frontend::api::wire::{Queries, Status};

pub(super) async fn run(args: &StatusArgs, client: &Client, output: &mut Output) -> Result<(), Error> {
    let status: Status = client.get("/netebpf/status").await?;
    if args.json {
        return Ok(output.json(&status)?);
    }
    output.line(format_args!(
        "netebpf {}, process {}, Linux {}, programs attached by {}, names asked for at {}\n{} networks, {} sandboxes\n",
        status.version,
        status.pid,
        status.kernel,
        status.attach_mode,
        status.resolver,
        status.networks,
        status.sandboxes
    ))?;
    let programs = status
        .programs
        .into_iter()
        .map(|program| [program.name, program.instructions.to_string(), program.attached_to.join(", ")]);
    output.table(["PROGRAM", "INSTRUCTIONS", "ATTACHED TO"], programs.collect())?;
    output.line("")?;
    let features = status.features.into_iter().map(|feature| {
        let here = if feature.available { "yes" } else { "no" };
        [feature.name, here.to_owned(), feature.needed_from, feature.meaning]
    });
    output.table(["KERNEL FEATURE", "HERE", "FROM LINUX", "MEANING"], features.collect())?;
    output.line("")?;
    let tables = status
        .tables
        .into_iter()
        .map(|table| [table.name, table.entries.to_string(), table.capacity.to_string()]);
    output.table(["TABLE", "ENTRIES", "CAPACITY"], tables.collect())?;
    output.line("")?;
    let counters = status
        .counters
        .into_iter()
        .map(|counter| [counter.hook, counter.outcome, counter.packets.to_string(), counter.meaning]);
    output.table(["HOOK", "OUTCOME", "PACKETS", "MEANING"], counters.collect())?;
    if !status.queries.is_empty() {
        output.line("")?;
        let headings = [
            "QUERIES ON NETWORK",
            "IN KERNEL",
            "BY SERVER",
            "ANSWERED",
            "FORWARDED",
            "FAILED",
            "REFUSED",
            "LIMITED",
        ];
        output.table(headings, status.queries.into_iter().map(queries).collect())?;
    }
    if status.events_lost > 0 {
        output.line(format_args!("\n{} events were too many for those who followed", status.events_lost))?;
    }
    Ok(())
}

fn queries(on: Queries) -> [String; 8] {
    let [kernel, server, answered, forwarded, failed, refused, limited] =
        [on.answered_in_kernel, on.queries, on.answered, on.forwarded, on.failed, on.refused, on.limited]
            .map(|count| count.to_string());
    [on.network, kernel, server, answered, forwarded, failed, refused, limited]
}
