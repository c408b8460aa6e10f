//! `netebpf rename`: gives a sandbox another name.

use crate::cli::{Client, Error, args::RenameArgs, client::segment};

pub(in crate::cli) async fn run(args: &RenameArgs, client: &Client) -> Result<(), Error> {
    let path = format!("/containers/{}/rename?name={}", segment(&args.sandbox), segment(&args.name));
    client.post(&path, &()).await.map_err(Error::Rename)
}
