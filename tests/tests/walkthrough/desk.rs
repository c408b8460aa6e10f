//! What does a reader of a document type, and what comes back? Lines as they stand in the document, without `docker`.

use std::{net::Ipv4Addr, sync::Arc};

use anyhow::{Context as _, Result, ensure};
use ipnet::Ipv4Net;
use netebpf_tests::{
    dns::{Elsewhere, Manner},
    engine::{Engine, Said},
    probe::Service,
    scenario::Sandbox,
    topology::{SERVER, World},
};
use serde_json::Value;

use crate::shown;

/// The engine's options with which there is a default network.
pub(crate) const DEFAULT_NETWORK: &str = "--bridge=netebpf0";

/// Subnets that something else on the host uses, so that networks get those of the documents.
const IN_USE: [Ipv4Addr; 4] = [
    Ipv4Addr::new(172, 18, 0, 1),
    Ipv4Addr::new(172, 19, 0, 1),
    Ipv4Addr::new(172, 20, 0, 1),
    Ipv4Addr::new(172, 21, 0, 1),
];

/// What the machine outside stands for.
const OUTSIDE: &[(&str, Manner)] = &[("google.com", Manner::Knows(SERVER))];

/// A reader at a host with a running engine, in drop order.
pub(crate) struct Desk {
    pub(crate) engine: Engine,
    _names: Elsewhere,
    pub(crate) world: Arc<World>,
}

/// A network interface, as `ip address` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Interface {
    pub(crate) name: String,
    pub(crate) mac: String,
    pub(crate) mtu: u64,
    /// Each with its prefix length.
    pub(crate) addresses: Vec<String>,
}

impl Desk {
    /// A host on which networks get the subnets from 172.22.0.0/16 on.
    pub(crate) fn new(name: &str) -> Result<Self> {
        Self::with(name, 4, &[DEFAULT_NETWORK])
    }

    /// A host on which networks get Docker's first subnets.
    pub(crate) fn fresh(name: &str) -> Result<Self> {
        Self::with(name, 0, &[DEFAULT_NETWORK])
    }

    /// A host on which this many of Docker's first subnets are in use, with these options of `netebpf daemon`. The machine
    /// outside is the name server, unless a file says otherwise.
    pub(crate) fn with(name: &str, in_use: usize, options: &[&str]) -> Result<Self> {
        let world = Arc::new(World::new(&format!("walk-{name}"))?);
        for address in IN_USE.into_iter().take(in_use) {
            world.host.address("eth0", Ipv4Net::new(address, 16)?)?;
        }
        let names = Elsewhere::start(&world.server, SERVER, Manner::ByName(OUTSIDE))?;
        let dns = format!("--dns={SERVER}");
        let is_configured = options.iter().any(|option| option.starts_with("--config-file"));
        let dns = (!is_configured).then_some(dns.as_str());
        let options: Vec<_> = options.iter().copied().chain(dns).collect();
        Ok(Self { engine: Engine::start_with(Arc::clone(&world), &options)?, _names: names, world })
    }

    /// Types `netebpf LINE`.
    pub(crate) fn typed(&self, line: &str) -> Result<Said> {
        let words = words(line);
        self.engine.cli(&words.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// Types a line that succeeds, and gives what it prints.
    pub(crate) fn says(&self, line: &str) -> Result<String> {
        self.typed(line)?.ok()
    }

    /// Types a line that prints nothing.
    pub(crate) fn does(&self, line: &str) -> Result<()> {
        let said = self.says(line)?;
        ensure!(said.is_empty(), "`{line}` said {said}");
        Ok(())
    }

    /// Types a line that makes something, and gives the id that it prints.
    pub(crate) fn makes(&self, line: &str) -> Result<String> {
        let said = self.says(line)?;
        let id = said.strip_suffix('\n').unwrap_or_default();
        ensure!(shown::is_id(id), "`{line}` said {said}");
        Ok(id.to_owned())
    }

    /// Types a `run` of an image that only waits, and gives the id that it prints.
    pub(crate) fn runs(&self, line: &str) -> Result<String> {
        self.makes(&format!("{line} -- sleep infinity"))
    }

    /// Starts a sandbox that serves ports, and waits until it does.
    pub(crate) fn serves(
        &self,
        (name, network): (&str, &str),
        options: &[&str],
        services: &[Service],
    ) -> Result<Sandbox> {
        Sandbox::run(&self.world, &self.engine, (name, network), options, services)
    }

    /// Types a line that the daemon refuses with these words.
    pub(crate) fn is_refused(&self, line: &str, words: &str) -> Result<()> {
        let said = self.typed(line)?;
        let code = if line.starts_with("run ") { 125 } else { 1 };
        let expected = format!("Error response from daemon: {words}\n");
        ensure!(said.code == Some(code) && said.stderr == expected, "expected {expected}got {said:?}");
        Ok(())
    }

    /// Types a line that prints this JSON, but for fields that today's Docker has in addition.
    pub(crate) fn shows(&self, line: &str, newer: &[&str], expected: &Value) -> Result<()> {
        let said = self.says(line)?;
        let found = serde_json::from_str(&said).with_context(|| format!("`{line}` said {said}"))?;
        shown::without(newer, found)
            .and_then(|found| shown::same(&found, expected))
            .with_context(|| format!("`{line}`"))
    }

    /// `network inspect` shows this network.
    pub(crate) fn shows_network(&self, name: &str, expected: &Value) -> Result<()> {
        self.shows(
            &format!("network inspect {name}"),
            shown::NEWER_OF_NETWORKS,
            &Value::from([expected.clone()].to_vec()),
        )
    }

    /// `inspect` shows these networks of a sandbox.
    pub(crate) fn shows_networks_of(&self, sandbox: &str, expected: &Value) -> Result<()> {
        let line = format!("inspect --format='{{{{json .NetworkSettings.Networks}}}}' {sandbox}");
        self.shows(&line, shown::NEWER_OF_ENDPOINTS, expected)
    }

    /// What a template makes of a sandbox or network, without the end of the line.
    pub(crate) fn formatted(&self, template: &str, name: &str) -> Result<String> {
        Ok(self.says(&format!("inspect --format='{template}' {name}"))?.trim_end_matches('\n').to_owned())
    }

    /// The rows of a table, without its head, as words.
    pub(crate) fn rows(&self, line: &str) -> Result<Vec<Vec<String>>> {
        let said = self.says(line)?;
        Ok(said.lines().skip(1).map(|row| row.split_whitespace().map(str::to_owned).collect()).collect())
    }

    /// What a command prints inside a sandbox.
    pub(crate) fn inside(&self, sandbox: &str, command: &str) -> Result<String> {
        self.says(&format!("exec {sandbox} {command}"))
    }

    /// Fails unless a sandbox gets every echo back from an address or name.
    pub(crate) fn pings(&self, from: &str, to: &str) -> Result<()> {
        let said = self.typed(&format!("exec {from} ping -c 2 -w 10 {to}"))?;
        let answered = said.code == Some(0) && said.stdout.contains(" 2 received, 0% packet loss");
        ensure!(answered, "{from} does not reach {to}: {said:?}");
        Ok(())
    }

    /// Fails if a sandbox gets any echo back from an address.
    pub(crate) fn pings_in_vain(&self, from: &str, to: &str) -> Result<()> {
        let said = self.typed(&format!("exec {from} ping -c 2 -i 0.2 -W 1 -w 1 {to}"))?;
        let silent = said.code == Some(1)
            && said.stdout.contains(" 0 received,")
            && said.stdout.contains(" 100% packet loss");
        ensure!(silent, "{from} reaches {to}: {said:?}");
        Ok(())
    }

    /// The interfaces of a sandbox, as `ip address` shows them inside.
    pub(crate) fn interfaces(&self, sandbox: &str) -> Result<Vec<Interface>> {
        let said = self.inside(sandbox, "ip -json address")?;
        let found: Vec<Value> = serde_json::from_str(&said).with_context(|| said.clone())?;
        found.iter().map(|found| Interface::read(found).with_context(|| found.to_string())).collect()
    }
}

impl Interface {
    fn read(found: &Value) -> Option<Self> {
        let text = |value: &Value, key| value.get(key).and_then(Value::as_str).map(str::to_owned);
        let address = |value: &Value| Some(format!("{}/{}", text(value, "local")?, value.get("prefixlen")?));
        Some(Self {
            name: text(found, "ifname")?,
            mac: text(found, "address")?,
            mtu: found.get("mtu")?.as_u64()?,
            addresses: found.get("addr_info")?.as_array()?.iter().map(address).collect::<Option<_>>()?,
        })
    }
}

/// The words of a line, with single quotes as a shell reads them.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for character in line.chars() {
        match (character, words.last_mut()) {
            ('\'', _) => quoted = !quoted,
            (' ', _) if !quoted => words.push(String::new()),
            (_, Some(word)) => word.push(character),
            (_, None) => {}
        }
    }
    words.retain(|word| !word.is_empty());
    words
}
