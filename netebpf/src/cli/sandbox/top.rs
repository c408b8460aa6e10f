//! `netebpf top`: which processes run in a sandbox.

use crate::{
    cli::{
        Client, Error, Output,
        args::TopArgs,
        client::segment,
        follow::query,
        format::{OF_PROCESSES, align},
    },
    frontend::api::wire::Processes,
};

pub(in crate::cli) async fn run(args: &TopArgs, client: &Client, output: &mut Output) -> Result<(), Error> {
    let options = (!args.options.is_empty()).then(|| args.options.join(" "));
    let path = query(&format!("/containers/{}/top", segment(&args.sandbox)), &[("ps_args", options)]);
    let Processes { titles, processes } = client.get(&path).await?;
    let lines: Vec<_> = [titles].into_iter().chain(processes).map(|cells| cells.join("\t")).collect();
    Ok(align(&lines.join("\n"), OF_PROCESSES).lines().try_for_each(|line| output.line(line))?)
}
