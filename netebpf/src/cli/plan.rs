//! `netebpf plan`: what a reconcile would change right now.

use super::{Client, Error, Output, args::PlanArgs};

pub(super) async fn run(args: &PlanArgs, client: &Client, output: &mut Output) -> Result<(), Error> {
    let changes: Vec<String> = client.get("/netebpf/plan").await?;
    if args.json {
        return Ok(output.json(&changes)?);
    }
    if changes.is_empty() {
        return Ok(output.line("nothing to do")?);
    }
    Ok(changes.iter().try_for_each(|change| output.line(change))?)
}
