//! `netebpf stop` and `netebpf restart`: commands are asked to end, and killed if they do not.

use super::each;
use crate::cli::{Client, Error, Output, args::StopArgs, follow::query};

pub(in crate::cli) async fn run(
    args: &StopArgs,
    call: &str,
    client: &Client,
    output: &mut Output,
) -> Result<(), Error> {
    let timeout = args.timeout.map(|seconds| seconds.to_string());
    let call = query(call, &[("t", timeout), ("signal", args.signal.clone())]);
    each::post(&args.sandboxes, &call, client, output).await
}
