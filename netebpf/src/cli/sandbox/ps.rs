//! `netebpf ps`: the sandboxes, one a line.

use crate::{
    cli::{
        Client, Error, Output,
        args::PsArgs,
        render::{short, shortened},
    },
    frontend::api::wire::{Port, Sandbox, State},
};

/// Docker shows as much of a command, quotes not counted.
const COMMAND_WIDTH: usize = 20;

pub(in crate::cli) async fn run(args: &PsArgs, client: &Client, output: &mut Output) -> Result<(), Error> {
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

/// `0.0.0.0:8000-8010->80-90/tcp`, or `80-90/tcp` for ports that are open at the sandbox's own address.
fn port(port: &Port) -> String {
    let range = |first: u16, end: Option<u16>| match end {
        Some(last) if last != first => format!("{first}-{last}"),
        Some(_) | None => first.to_string(),
    };
    let private = format!("{}/{}", range(port.private_port, port.private_port_end), port.protocol);
    let Some(public_port) = port.public_port else { return private };
    let ip = if port.ip.contains(':') { format!("[{}]", port.ip) } else { port.ip.clone() };
    format!("{ip}:{}->{private}", range(public_port, port.public_port_end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_look_like_dockers() {
        let single = Port {
            ip: "0.0.0.0".to_owned(),
            private_port: 80,
            private_port_end: None,
            public_port: Some(8080),
            public_port_end: None,
            protocol: "tcp".to_owned(),
        };
        assert_eq!(port(&single), "0.0.0.0:8080->80/tcp");
        let range = Port { ip: "::".to_owned(), private_port_end: Some(90), ..single.clone() };
        let range = Port { public_port: Some(8000), public_port_end: Some(8010), ..range };
        assert_eq!(port(&range), "[::]:8000-8010->80-90/tcp");
        let open = Port { ip: String::new(), public_port: None, ..single };
        assert_eq!(port(&open), "80/tcp");
    }
}
