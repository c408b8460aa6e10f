//! `netebpf port`: where the ports of a sandbox are published.

use crate::{
    cli::{
        Client, Error, Output,
        args::PortArgs,
        client::segment,
        format::{Binding, port_lines},
    },
    frontend::api::wire::{Container, PortBinding},
};

pub(in crate::cli) async fn run(args: &PortArgs, client: &Client, output: &mut Output) -> Result<(), Error> {
    let container: Container = client.get(&format!("/containers/{}/json", segment(&args.sandbox))).await?;
    let binding = |PortBinding { host_ip, host_port }| Binding { host_ip, host_port };
    let ports = container.network_settings.ports.into_iter();
    let ports =
        ports.map(|(port, bindings)| (port, bindings.map(|all| all.into_iter().map(binding).collect())));
    let lines = port_lines(&ports.collect(), args.port.as_deref(), &args.sandbox)?;
    Ok(lines.iter().try_for_each(|line| output.line(line))?)
}
