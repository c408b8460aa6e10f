//! `netebpf kill`: sends a signal to the commands of sandboxes.

use super::each;
use crate::cli::{Client, Error, Output, args::KillArgs, follow::query};

pub(in crate::cli) async fn run(args: &KillArgs, client: &Client, output: &mut Output) -> Result<(), Error> {
    let call = query("kill", &[("signal", args.signal.clone())]);
    each::post(&args.sandboxes, &call, client, output).await
}
