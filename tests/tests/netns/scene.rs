//! A world for one scenario: an engine, and one network with IPv4 and IPv6 to begin with.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use anyhow::{Context as _, Result, ensure};
use netebpf_tests::{
    engine::Engine,
    frame::Mac,
    probe::{Answer, Connected, PATIENT, Server, Service, tcp, udp},
    scenario::{Network, Sandbox},
    topology::{CLIENT, CLIENT6, HOST, HOST6, World},
    wait,
    wire::Wire,
};
use serde_json::Value;

/// The network that every scene starts with.
pub(crate) const NET: &str = "net";
/// Of services on the machines outside.
pub(crate) const SERVICE: u16 = 9999;
/// Both IP versions, by an address of each.
pub(crate) const VERSIONS: [IpAddr; 2] = [IpAddr::V4(HOST), IpAddr::V6(HOST6)];

/// A running engine in a world of its own, in drop order.
pub(crate) struct Scene {
    servers: Vec<Server>,
    pub(crate) engine: Engine,
    pub(crate) world: Arc<World>,
}

impl Scene {
    /// Starts an engine with these options of `netebpf daemon`.
    pub(crate) fn new(name: &str, options: &[&str]) -> Result<Self> {
        let world = Arc::new(World::new(name)?);
        let engine = Engine::start_with(Arc::clone(&world), options)?;
        engine.ok(&["network", "create", "--ipv6", NET])?;
        Ok(Self { servers: Vec::new(), engine, world })
    }

    /// Starts a sandbox in the first network.
    pub(crate) fn run(&self, name: &str, options: &[&str], services: &[Service]) -> Result<Sandbox> {
        self.run_in(NET, name, options, services)
    }

    /// Starts a sandbox in a network.
    pub(crate) fn run_in(
        &self,
        network: &str,
        name: &str,
        options: &[&str],
        services: &[Service],
    ) -> Result<Sandbox> {
        Sandbox::run(&self.world, &self.engine, (name, network), options, services)
    }

    /// Starts services on the machine outside.
    pub(crate) fn serve_outside(&mut self, services: &[Service]) -> Result<()> {
        self.servers.push(Server::start(&self.world.probe(), &self.world.client, services)?);
        Ok(())
    }

    /// Starts services on the host.
    pub(crate) fn serve_on_host(&mut self, services: &[Service]) -> Result<()> {
        self.servers.push(Server::start(&self.world.probe(), &self.world.host, services)?);
        Ok(())
    }

    /// The first network.
    pub(crate) fn network(&self) -> Result<Network> {
        Network::inspect(&self.engine, NET)
    }

    /// How many packets were dropped for a reason so far.
    pub(crate) fn dropped(&self, reason: &str) -> Result<u64> {
        let status = self.engine.json(&["status", "--json"])?;
        let counters = status.get("counters").and_then(Value::as_array).context("no counters")?;
        let of_reason =
            counters.iter().filter(|counter| counter.get("outcome").and_then(Value::as_str) == Some(reason));
        Ok(of_reason.filter_map(|counter| counter.get("packets").and_then(Value::as_u64)).sum())
    }

    /// Fails unless more packets than `before` are counted as dropped for a reason.
    pub(crate) fn counts_more(&self, reason: &str, before: u64) -> Result<()> {
        wait::until(&format!("a packet is counted as {reason}"), PATIENT, || {
            self.dropped(reason).is_ok_and(|now| now > before).then_some(())
        })
    }

    /// The hardware address of the first network's gateway.
    pub(crate) fn gateway_mac(&self) -> Result<Mac> {
        let bridge = self.world.host.link_of(self.network()?.gateway.into())?;
        self.world.host.mac(&bridge)
    }

    /// The host's hardware address as the client sees it.
    pub(crate) fn host_mac(&self) -> Result<Mac> {
        self.world.host.mac("eth0")
    }
}

/// A sandbox's address of the same version as another address.
pub(crate) fn address_like(sandbox: &Sandbox, like: IpAddr) -> Result<IpAddr> {
    match like {
        IpAddr::V4(_) => Ok(sandbox.address.into()),
        IpAddr::V6(_) => sandbox.address6.map(IpAddr::from).context("the sandbox has no IPv6 address"),
    }
}

/// The client's address of the same version as another address.
pub(crate) fn client_like(like: IpAddr) -> IpAddr {
    if like.is_ipv4() { CLIENT.into() } else { CLIENT6.into() }
}

/// A tap in a sandbox.
pub(crate) fn tap(sandbox: &Sandbox) -> Result<Wire> {
    Wire::tap(&sandbox.namespace, "eth0")
}

/// Whether a frame carries these words.
pub(crate) fn carries(frame: &[u8], words: &[u8]) -> bool {
    frame.windows(words.len()).any(|part| part == words)
}

/// Fails unless the client outside reaches this by TCP, with its own address.
pub(crate) fn client_reaches(scene: &Scene, to: SocketAddr, by: &str) -> Result<()> {
    let seen = scene.world.client.run(|| tcp(to, PATIENT))?;
    ensure!(seen == Answer::seen(by, client_like(to.ip())), "client at {to}/tcp: {seen}");
    Ok(())
}

/// Fails unless the client outside reaches this by UDP, with its own address.
pub(crate) fn client_reaches_udp(scene: &Scene, to: SocketAddr, by: &str) -> Result<()> {
    let seen = scene.world.client.run(|| udp(to, Connected::No, PATIENT))?;
    ensure!(seen == Answer::seen(by, client_like(to.ip())), "client at {to}/udp: {seen}");
    Ok(())
}
