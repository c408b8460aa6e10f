//! `netebpf network disconnect`: takes a sandbox out of a network, while it runs.

use crate::{
    cli::{Client, Error, args::DisconnectArgs, client::segment},
    frontend::api::wire::Disconnect,
};

pub(in crate::cli) async fn run(args: DisconnectArgs, client: &Client) -> Result<(), Error> {
    let path = format!("/networks/{}/disconnect", segment(&args.network));
    Ok(client.post(&path, &Disconnect { container: args.sandbox, force: args.force }).await?)
}
