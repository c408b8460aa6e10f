//! `netebpf ps`: the sandboxes, one a line.

use super::{
    Client, Error, Output,
    args::PsArgs,
    render::{short, shortened},
};
use crate::frontend::api::wire::{Port, Sandbox, State};

/// Docker shows as much of a command, quotes not counted.
const COMMAND_WIDTH: usize = 20;

pub(super) async fn run(args: &PsArgs, client: &Client, output: &mut Output) -> Result<(), Error> {
    let mut sandboxes: Vec<Sandbox> = client.get("/netebpf/sandboxes").await?;
    sandboxes.retain(|sandbox| args.all || sandbox.state == State::Running);
    if args.json {
        return Ok(output.json(&sandboxes)?);
    }
    if args.quiet {
        return Ok(sandboxes.iter().try_for_each(|sandbox| output.line(short(&sandbox.id)))?);
    }
    let rows = sandboxes.iter().map(row).collect();
    Ok(output.table(["SANDBOX ID", "NAME", "STATUS", "PORTS", "COMMAND"], rows)?)
}

fn row(sandbox: &Sandbox) -> [String; 5] {
    let status = match (sandbox.state, sandbox.exit_code) {
        (State::Created, _) => "Created".to_owned(),
        (State::Running, _) => "Up".to_owned(),
        (State::Exited, code) => format!("Exited ({})", code.unwrap_or_default()),
    };
    let ports: Vec<_> = sandbox.ports.iter().map(port).collect();
    let command = format!("\"{}\"", shortened(&sandbox.command.join(" "), COMMAND_WIDTH));
    [short(&sandbox.id), sandbox.name.clone(), status, ports.join(", "), command]
}

fn port(port: &Port) -> String {
    let Port { ip, private_port, public_port, protocol } = port;
    format!("{ip}:{public_port}->{private_port}/{protocol}")
}
