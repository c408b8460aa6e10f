//! Two networks and four sandboxes with real servers, made through the command line:
//!
//! ```text
//!   front, first free subnet                          back, 192.0.2.0/24
//!   ├─ web  serves tcp 80, 81, 7000 and udp 53        ├─ db      serves tcp 80
//!   │       -p 8080:80  -p 8053:53/udp                └─ worker  serves tcp 80
//!   │       -p 7000:7000  -p 127.0.0.1:9090:80
//!   └─ app  serves tcp 80
//! ```

use std::{
    fs,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::Arc,
};

use anyhow::{Context as _, Result};
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use serde_json::Value;

use super::Actor;
use crate::{
    engine::Engine,
    netns::Namespace,
    probe::{Server, Service},
    residue,
    topology::{HOST, World},
    wait,
};

/// Port on which `web` is published.
pub const WEB: u16 = 8080;
/// Port on which `web`'s datagram service is published.
pub const WEB_UDP: u16 = 8053;
/// Port on which `web` is published for the host alone.
pub const WEB_LOOPBACK: u16 = 9090;
/// Port on which `web` takes long transfers, published under the same number.
pub const TRANSFER: u16 = 7000;
/// Port of a service on the host itself, and outside.
pub const SERVICE: u16 = 9999;

/// A network, as `netebpf network inspect` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Network {
    /// Its name.
    pub name: String,
    /// Its IPv4 subnet.
    pub subnet: Ipv4Net,
    /// The host's address in it.
    pub gateway: Ipv4Addr,
    /// Its IPv6 subnet and the host's address in it.
    pub ipv6: Option<(Ipv6Net, Ipv6Addr)>,
}

/// A running sandbox.
#[derive(Debug)]
pub struct Sandbox {
    /// What `netebpf run -d` printed.
    pub id: String,
    /// Its address in the network it was started in; unspecified if that has no IPv4.
    pub address: Ipv4Addr,
    /// Its IPv6 address there.
    pub address6: Option<Ipv6Addr>,
    /// Its network namespace.
    pub namespace: Namespace,
}

/// A world with a running engine, two networks and four sandboxes, in drop order.
#[derive(Debug)]
pub struct Stage {
    /// In `front`, published.
    pub web: Sandbox,
    /// In `front`.
    pub app: Sandbox,
    /// In `back`.
    pub db: Sandbox,
    /// In `back`.
    pub worker: Sandbox,
    /// The network of `web` and `app`.
    pub front: Network,
    /// The network of `db` and `worker`.
    pub back: Network,
    /// Servers on host, client and server.
    _services: [Server; 3],
    /// The engine under test.
    pub engine: Engine,
    /// Where it all happens.
    pub world: Arc<World>,
}

impl Stage {
    /// Sets everything up in a new world.
    pub fn new(name: &str) -> Result<Self> {
        let world = Arc::new(World::new(name)?);
        let outside =
            |machine| Server::start(&world.probe(), machine, &[Service::Tcp(SERVICE), Service::Udp(SERVICE)]);
        let services = [outside(&world.host)?, outside(&world.client)?, outside(&world.server)?];
        let engine = Engine::start(Arc::clone(&world))?;
        engine.ok(&["network", "create", "front"])?;
        engine.ok(&["network", "create", "--subnet", "192.0.2.0/24", "back"])?;
        let published = ["-p", "8080:80", "-p", "8053:53/udp", "-p", "7000:7000", "-p", "127.0.0.1:9090:80"];
        let web_services = [Service::Tcp(80), Service::Tcp(81), Service::Udp(53), Service::Stream(TRANSFER)];
        let plain = [Service::Tcp(80)];
        let stage = Self {
            web: Sandbox::run(&world, &engine, ("web", "front"), &published, &web_services)?,
            app: Sandbox::run(&world, &engine, ("app", "front"), &[], &plain)?,
            db: Sandbox::run(&world, &engine, ("db", "back"), &[], &plain)?,
            worker: Sandbox::run(&world, &engine, ("worker", "back"), &[], &plain)?,
            front: Network::inspect(&engine, "front")?,
            back: Network::inspect(&engine, "back")?,
            _services: services,
            engine,
            world,
        };
        // So that the outside could reach containers if nothing but routing were in the way.
        stage.world.client.route(stage.front.subnet, HOST)?;
        Ok(stage)
    }

    /// The host, as the one who tries.
    #[must_use]
    pub fn host(&self) -> Actor<'_> {
        Actor(&self.world.host)
    }

    /// The client outside, as the one who tries.
    #[must_use]
    pub fn client(&self) -> Actor<'_> {
        Actor(&self.world.client)
    }

    /// Ends the sandboxes' engine and checks that nothing is left.
    pub fn strike(&mut self) -> Result<()> {
        self.engine.clean_up()
    }
}

impl Network {
    /// Asks the engine about a network.
    pub fn inspect(engine: &Engine, name: &str) -> Result<Self> {
        let found = engine.json(&["network", "inspect", name])?;
        let pools = found.pointer("/0/IPAM/Config").and_then(Value::as_array);
        let pools = pools.into_iter().flatten().map(|pool| -> Result<(IpNet, Option<IpAddr>)> {
            let text = |key| pool.get(key).and_then(Value::as_str);
            let subnet = text("Subnet").with_context(|| format!("a pool without subnet: {pool}"))?;
            Ok((subnet.parse()?, text("Gateway").and_then(|gateway| gateway.parse().ok())))
        });
        let (mut ipv4, mut ipv6) = (None, None);
        for pool in pools {
            match pool? {
                (IpNet::V4(subnet), Some(IpAddr::V4(gateway))) => ipv4 = Some((subnet, gateway)),
                (IpNet::V6(subnet), Some(IpAddr::V6(gateway))) => ipv6 = Some((subnet, gateway)),
                // An isolated network has no gateway.
                (IpNet::V4(subnet), _) => ipv4 = Some((subnet, Ipv4Addr::UNSPECIFIED)),
                (IpNet::V6(subnet), _) => ipv6 = Some((subnet, Ipv6Addr::UNSPECIFIED)),
            }
        }
        let (subnet, gateway) = ipv4.with_context(|| format!("`{name}` has no IPv4 subnet: {found}"))?;
        Ok(Self { name: name.to_owned(), subnet, gateway, ipv6 })
    }
}

impl Sandbox {
    /// Starts a sandbox of `(name, network)` that serves ports, and waits until it does.
    pub fn run(
        world: &World,
        engine: &Engine,
        (name, network): (&str, &str),
        options: &[&str],
        services: &[Service],
    ) -> Result<Self> {
        let probe = world.probe().display().to_string();
        let services: Vec<_> = services.iter().map(ToString::to_string).collect();
        let mut command = vec!["run", "-d", "--name", name, "--network", network];
        command.extend(options);
        command.extend(["--", &probe, "serve", "--name", name]);
        command.extend(services.iter().map(String::as_str));
        let id = engine.ok(&command)?.trim().to_owned();
        let sandbox = Self {
            address: ipv4_in(engine, network, &id)?.unwrap_or(Ipv4Addr::UNSPECIFIED),
            address6: address6_in(engine, network, &id)?,
            namespace: engine.sandbox(&id, name)?,
            id,
        };
        sandbox.wait_until_it_serves(&services)?;
        Ok(sandbox)
    }

    /// Ends all its processes, behind the engine's back.
    pub fn kill_processes(&self) -> Result<()> {
        residue::kill_all_in(&self.namespace)
    }

    /// The sandbox, as the one who tries.
    #[must_use]
    pub fn tries(&self) -> Actor<'_> {
        Actor(&self.namespace)
    }

    /// Asks the kernel rather than the servers, so that no test depends on a sandbox's loopback.
    fn wait_until_it_serves(&self, services: &[String]) -> Result<()> {
        let what = format!("{} serves {}", self.namespace.name(), services.join(", "));
        wait::until(&what, wait::LONG, || {
            let open = self.namespace.run(|| {
                let tables = ["tcp", "tcp6", "udp", "udp6"];
                let table = |name| fs::read_to_string(format!("/proc/thread-self/net/{name}"));
                let open: usize =
                    tables.into_iter().filter_map(|name| table(name).ok()).map(|table| sockets(&table)).sum();
                // One line for each socket, after the heads of the columns.
                let listening = table("sctp/eps").map_or(0, |table| table.lines().skip(1).count());
                Ok(open + listening)
            });
            open.is_ok_and(|open| open >= services.len()).then_some(())
        })
    }
}

/// The address of a sandbox in a network, by `network inspect`.
pub fn address_in(engine: &Engine, network: &str, sandbox: &str) -> Result<Ipv4Addr> {
    let address = ipv4_in(engine, network, sandbox)?;
    address.with_context(|| format!("`network inspect {network}` does not show {sandbox}"))
}

fn ipv4_in(engine: &Engine, network: &str, sandbox: &str) -> Result<Option<Ipv4Addr>> {
    let address = inspected(engine, network, sandbox, "IPv4Address")?;
    let parsed = address.map(|address| address.parse::<Ipv4Net>()).transpose()?;
    Ok(parsed.map(|net| net.addr()))
}

/// The IPv6 address of a sandbox in a network, by `network inspect`.
pub fn address6_in(engine: &Engine, network: &str, sandbox: &str) -> Result<Option<Ipv6Addr>> {
    let address = inspected(engine, network, sandbox, "IPv6Address")?;
    let parsed = address.map(|address| address.parse::<Ipv6Net>()).transpose()?;
    Ok(parsed.map(|net| net.addr()))
}

fn inspected(engine: &Engine, network: &str, sandbox: &str, key: &str) -> Result<Option<String>> {
    let found = engine.json(&["network", "inspect", network])?;
    let address = found.pointer(&format!("/0/Containers/{sandbox}/{key}")).and_then(Value::as_str);
    Ok(address.filter(|address| !address.is_empty()).map(str::to_owned))
}

/// Listening sockets in a table of `/proc/net`: those without a peer.
fn sockets(table: &str) -> usize {
    let peers = table.lines().filter_map(|line| line.split_whitespace().nth(2));
    peers.filter(|peer| peer.bytes().all(|byte| matches!(byte, b'0' | b':'))).count()
}
