//! The stage of the whole matrix: one host, all networks of the table, and everybody who tries to reach them.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
};

use anyhow::{Context as _, Result, bail};
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use netebpf_tests::{
    engine::Engine,
    netns::Namespace,
    probe::{self, Answer, BRIEF, Server, Service},
    scenario::{Network, Sandbox},
    topology::{
        CLIENT, CLIENT6, HOST, HOST_BY_SERVER, HOST6, HOST6_BY_SERVER, OUTSIDE_PREFIX, OUTSIDE_PREFIX6,
        SERVER, SERVER6, World,
    },
    wait,
};

use crate::table::{Section, Version};

/// The port of services on the machines themselves.
const SERVICE: u16 = 9999;
/// The first host port of the first network; each has ten.
const FIRST_PORT: u16 = 20000;

/// An address of the host that one network leaves with.
const FIXED: (Ipv4Addr, Ipv6Addr) =
    (Ipv4Addr::new(198, 51, 100, 50), Ipv6Addr::new(0x2001, 0xdb8, 1, 0, 0, 0, 0, 0x50));
/// An address that the host gets last of all.
const NEW: (Ipv4Addr, Ipv6Addr) =
    (Ipv4Addr::new(198, 51, 100, 77), Ipv6Addr::new(0x2001, 0xdb8, 1, 0, 0, 0, 0, 0x77));

/// Networks that only clients are in: the table's name of their client, and what follows `network create`.
const CLIENT_NETWORKS: [(&str, &str); 5] = [
    ("other nat", ""),
    (
        "other routed",
        "-o com.docker.network.bridge.gateway_mode_ipv4=routed -o com.docker.network.bridge.gateway_mode_ipv6=routed",
    ),
    ("other unmasqueraded", "-o com.docker.network.bridge.enable_ip_masquerade=false"),
    (
        "other fixed",
        "-o com.docker.network.host_ipv4=198.51.100.50 -o com.docker.network.host_ipv6=2001:db8:1::50",
    ),
    ("other internal", "--internal"),
];

/// A network with its server and the others in it.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) server: Sandbox,
    neighbour: Sandbox,
    linked: Option<Sandbox>,
    network: Network,
    /// The first of its host ports.
    port: u16,
}

/// Everything, in drop order.
#[derive(Debug)]
pub(crate) struct Hall {
    pub(crate) places: BTreeMap<String, Place>,
    guests: BTreeMap<&'static str, (Sandbox, Network)>,
    _services: [Server; 3],
    pub(crate) engine: Engine,
    world: Arc<World>,
}

impl Hall {
    pub(crate) fn new(sections: &[Section]) -> Result<Self> {
        let world = Arc::new(World::new("matrix")?);
        let both = [Service::Tcp(SERVICE), Service::Udp(SERVICE)];
        let start = |machine| Server::start(&world.probe(), machine, &both);
        let services = [start(&world.host)?, start(&world.client)?, start(&world.server)?];
        give(&world, FIXED)?;
        // So many are refused at once that the host would stop telling them.
        for limit in ["ipv4/icmp_ratelimit", "ipv6/icmp/ratelimit"] {
            world.host.sysctl(limit, "0")?;
        }
        for limit in ["ipv4/icmp_msgs_per_sec", "ipv4/icmp_msgs_burst"] {
            world.host.sysctl(limit, "1000000")?;
        }
        let engine = Engine::start(Arc::clone(&world))?;
        let mut hall =
            Self { places: BTreeMap::new(), guests: BTreeMap::new(), _services: services, engine, world };
        for (section, port) in sections.iter().zip((FIRST_PORT..).step_by(10)) {
            let place = hall.build(section, port).with_context(|| format!("set up `{}`", section.name))?;
            hall.places.insert(section.name.clone(), place);
        }
        for (name, options) in CLIENT_NETWORKS {
            hall.invite(name, options).with_context(|| format!("set up `{name}`"))?;
        }
        hall.lay_roads()?;
        give(&hall.world, NEW)?;
        hall.wait_for_new_address();
        Ok(hall)
    }

    fn build(&self, section: &Section, port: u16) -> Result<Place> {
        let name = &section.name;
        let options: Vec<_> = section.options.iter().map(String::as_str).collect();
        self.engine.ok(&[&["network", "create"], options.as_slice(), &[name]].concat())?;
        let published = publish(port, options.contains(&"--ipv6"));
        let mut published: Vec<_> = published.iter().flat_map(|spec| ["-p", spec]).collect();
        published.extend(["--expose", "82", "--expose", "82/udp"]);
        let [server, neighbour, linked] =
            ["server", "neighbour", "linked"].map(|who| format!("{name}-{who}"));
        let run = |who: &str, options: &[&str], services: &[Service]| {
            Sandbox::run(&self.world, &self.engine, (who, name), options, services)
        };
        let services: Vec<_> =
            [80, 81, 82].into_iter().flat_map(|port| [Service::Tcp(port), Service::Udp(port)]).collect();
        let server_sandbox = run(&server, &published, &services)?;
        let link = || run(&linked, &["--link", &server], &[Service::Tcp(SERVICE)]);
        Ok(Place {
            server: server_sandbox,
            neighbour: run(&neighbour, &[], &[Service::Tcp(SERVICE)])?,
            linked: if name == "icc-off" { Some(link()?) } else { None },
            network: Network::inspect(&self.engine, name)?,
            port,
        })
    }

    fn invite(&mut self, name: &'static str, options: &str) -> Result<()> {
        let network = name.replace(' ', "-");
        let options: Vec<_> = options.split_whitespace().collect();
        self.engine.ok(&[&["network", "create", "--ipv6"], options.as_slice(), &[&network]].concat())?;
        let guest = format!("{network}-guest");
        let services = [Service::Tcp(SERVICE)];
        let sandbox = Sandbox::run(&self.world, &self.engine, (&guest, &network), &[], &services)?;
        self.guests.insert(name, (sandbox, Network::inspect(&self.engine, &network)?));
        Ok(())
    }

    /// Leads both machines outside to all networks and to the host's other addresses, so that only rules are in the way.
    fn lay_roads(&self) -> Result<()> {
        let World { client, server, .. } = &*self.world;
        let mut beyond: Vec<IpNet> = Vec::new();
        let guests = self.guests.values().map(|(_, network)| network);
        for network in self.places.values().map(|place| &place.network).chain(guests) {
            beyond.push(network.subnet.into());
            beyond.extend(network.ipv6.map(|(subnet, _)| IpNet::from(subnet)));
        }
        let outside = |v4, v6| -> Result<[IpNet; 2]> {
            Ok([
                Ipv4Net::new(v4, OUTSIDE_PREFIX)?.trunc().into(),
                Ipv6Net::new(v6, OUTSIDE_PREFIX6)?.trunc().into(),
            ])
        };
        for (machine, gateways, others) in [
            (client, (HOST, HOST6), outside(HOST_BY_SERVER, HOST6_BY_SERVER)?),
            (server, (HOST_BY_SERVER, HOST6_BY_SERVER), outside(HOST, HOST6)?),
        ] {
            for net in beyond.iter().chain(&others) {
                machine.route(
                    *net,
                    of(gateways, if net.addr().is_ipv4() { Version::V4 } else { Version::V6 }),
                )?;
            }
        }
        Ok(())
    }

    /// The cells of this address tell whether it ever works.
    fn wait_for_new_address(&self) {
        let reaches = |version| {
            let to = SocketAddr::new(of(NEW, version), FIRST_PORT);
            let answer = self.world.client.run(|| probe::tcp(to, BRIEF));
            matches!(answer, Ok(Answer::Reached { .. }))
        };
        wait::settled(probe::PATIENT, || reaches(Version::V4) && reaches(Version::V6));
    }

    /// Where a client's sockets are.
    pub(crate) fn client(&self, network: &str, name: &str) -> Result<&Namespace> {
        let place = || self.places.get(network).with_context(|| format!("no network {network}"));
        Ok(match name {
            "host" | "host mapped" => &self.world.host,
            "outside" => &self.world.client,
            "trusted" => &self.world.server,
            _ => &self.sandbox(network, name).or_else(|_| place().map(|place| &place.server))?.namespace,
        })
    }

    fn sandbox(&self, network: &str, name: &str) -> Result<&Sandbox> {
        let place = self.places.get(network).with_context(|| format!("no network {network}"))?;
        let found = match name {
            "itself" => Some(&place.server),
            "neighbour" => Some(&place.neighbour),
            "linked" => place.linked.as_ref(),
            _ => self.guests.get(name).map(|(sandbox, _)| sandbox),
        };
        found.with_context(|| format!("there is no client {name}"))
    }

    /// The client's own address.
    fn own(&self, network: &str, name: &str, version: Version) -> Result<IpAddr> {
        match name {
            "outside" => Ok(of((CLIENT, CLIENT6), version)),
            "trusted" => Ok(of((SERVER, SERVER6), version)),
            _ => address_of(self.sandbox(network, name)?, version),
        }
    }

    /// The port that a role names in a network.
    pub(crate) fn port(&self, network: &str, role: &str) -> Result<u16> {
        let first = self.places.get(network).with_context(|| format!("no network {network}"))?.port;
        Ok(match role {
            "80" | "81" | "82" => role.parse()?,
            "any" => first,
            "only-H" => first + 1,
            "only-lo" => first + 2,
            "only-6" => first + 3,
            "service" => SERVICE,
            "ping" => 0,
            _ => bail!("no port is called {role}"),
        })
    }

    /// The address that a role names, as a target of a client or as what a server sees.
    pub(crate) fn address(
        &self,
        network: &str,
        client: &str,
        role: &str,
        version: Version,
    ) -> Result<IpAddr> {
        let place = self.places.get(network).with_context(|| format!("no network {network}"))?;
        Ok(match role {
            "own" => self.own(network, client, version)?,
            "S" => address_of(&place.server, version)?,
            "G" => gateway_of(&place.network, version)?,
            "G4" => place.network.gateway.into(),
            "mine" => {
                let home = self.guests.get(client).map_or(&place.network, |(_, network)| network);
                gateway_of(home, version)?
            }
            "H" => of((HOST, HOST6), version),
            "H2" => of((HOST_BY_SERVER, HOST6_BY_SERVER), version),
            "F" => of(FIXED, version),
            "new" => of(NEW, version),
            "lo" => of((Ipv4Addr::LOCALHOST, Ipv6Addr::LOCALHOST), version),
            "client" => of((CLIENT, CLIENT6), version),
            "server" => of((SERVER, SERVER6), version),
            _ => bail!("no address is called {role}"),
        })
    }
}

/// What follows `-p` for a server whose first host port is `port`.
fn publish(port: u16, is_dual: bool) -> Vec<String> {
    let [h, lo, v6] = [port + 1, port + 2, port + 3];
    let mut specs = vec![format!("{port}:80"), format!("{HOST}:{h}:80"), format!("127.0.0.1:{lo}:80")];
    if is_dual {
        specs.extend([format!("[{HOST6}]:{h}:80"), format!("[::1]:{lo}:80"), format!("[::]:{v6}:80")]);
    }
    let udp: Vec<_> = specs.iter().map(|spec| format!("{spec}/udp")).collect();
    [specs, udp].concat()
}

fn give(world: &World, (v4, v6): (Ipv4Addr, Ipv6Addr)) -> Result<()> {
    world.host.address("eth0", Ipv4Net::new(v4, OUTSIDE_PREFIX)?)?;
    world.host.address("eth0", Ipv6Net::new(v6, OUTSIDE_PREFIX6)?)
}

fn of((v4, v6): (Ipv4Addr, Ipv6Addr), version: Version) -> IpAddr {
    match version {
        Version::V4 => v4.into(),
        Version::V6 => v6.into(),
    }
}

fn address_of(sandbox: &Sandbox, version: Version) -> Result<IpAddr> {
    match version {
        Version::V4 => Ok(sandbox.address.into()),
        Version::V6 => sandbox.address6.map(Into::into).context("the sandbox has no IPv6 address"),
    }
}

fn gateway_of(network: &Network, version: Version) -> Result<IpAddr> {
    match version {
        Version::V4 => Ok(network.gateway.into()),
        Version::V6 => network.ipv6.map(|(_, gateway)| gateway.into()).context("the network has no IPv6"),
    }
}
