//! What is inside the sandboxes' namespaces, through one kept connection for each.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, Ipv4Addr},
    path::{Path, PathBuf},
    time::Duration,
};

use futures::{StreamExt as _, TryStreamExt as _, stream};
use netebpf_common::abi::Mac;
use rtnetlink::Handle;
use tokio::time::{sleep, timeout};

use super::{Error, Interface, Namespace, Settings, addresses, links, namespaces, resolver, routes, sysctl};
use crate::{model::SandboxId, plan::InterfaceSetup};

/// How many namespaces are read at the same time.
const CONCURRENCY: usize = 16;

/// How long a new interface is waited for until its bridge carries what it sends, which takes it milliseconds.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long between one look at it and the next.
const GLANCE: Duration = Duration::from_millis(5);

/// Connections into the sandboxes' namespaces. Each keeps its namespace alive, so it is dropped with the file.
pub(super) struct Sandboxes {
    settings: Settings,
    connections: BTreeMap<SandboxId, Connection>,
}

#[derive(Clone)]
struct Connection {
    /// Inode of the namespace: a file of the same name may later stand for another.
    inode: u64,
    /// Cookie of the namespace.
    cookie: u64,
    netlink: Handle,
}

impl Connection {
    fn open(path: &Path, inode: u64) -> Result<Self, Error> {
        let (netlink, cookie) = namespaces::connect(path)?;
        Ok(Self { inode, cookie, netlink })
    }
}

impl Sandboxes {
    /// Starts without any connection.
    pub(super) const fn new(settings: Settings) -> Self {
        Self { settings, connections: BTreeMap::new() }
    }

    /// Reads every sandbox's namespace.
    pub(super) async fn observe(&mut self) -> Result<BTreeMap<SandboxId, Namespace>, Error> {
        self.refresh()?;
        let readings = self.connections.iter().map(|(sandbox, connection)| {
            let (sandbox, connection) = (*sandbox, connection.clone());
            async move { Ok((sandbox, read(&connection).await?)) }
        });
        stream::iter(readings.collect::<Vec<_>>()).buffer_unordered(CONCURRENCY).try_collect().await
    }

    /// Reads the namespaces of these sandboxes, as far as they have one.
    pub(super) async fn observe_some(
        &mut self,
        sandboxes: &BTreeSet<SandboxId>,
    ) -> Result<BTreeMap<SandboxId, Namespace>, Error> {
        let mut found = BTreeMap::new();
        for &sandbox in sandboxes {
            if let Some(connection) = self.refresh_one(sandbox)? {
                found.insert(sandbox, read(&connection).await?);
            }
        }
        Ok(found)
    }

    /// Makes a sandbox's namespace.
    pub(super) async fn create(&mut self, sandbox: SandboxId) -> Result<(), Error> {
        namespaces::create(&self.path(sandbox)).await
    }

    /// Keeps a namespace that others made as a sandbox's.
    pub(super) fn adopt(&mut self, sandbox: SandboxId, path: &str) -> Result<(), Error> {
        namespaces::adopt(Path::new(path), &self.path(sandbox))
    }

    /// Removes a sandbox's namespace.
    pub(super) fn remove(&mut self, sandbox: SandboxId) -> Result<(), Error> {
        self.connections.remove(&sandbox);
        namespaces::remove(&self.path(sandbox))
    }

    /// Gives an interface its settings and addresses, sets it up, and has it announce them.
    pub(super) async fn configure(
        &mut self,
        sandbox: SandboxId,
        interface: &str,
        setup: &InterfaceSetup,
    ) -> Result<(), Error> {
        let has_ipv6 = setup.addresses.iter().any(|address| address.addr().is_ipv6());
        let switch = if has_ipv6 { sysctl::enable_ipv6 } else { sysctl::disable_ipv6 };
        let prepare = || {
            switch(interface)?;
            setup.sysctls.iter().try_for_each(|setting| sysctl::set_of_interface(interface, setting))
        };
        namespaces::inside(&self.path(sandbox), || Ok(prepare()))??;
        let netlink = self.connection(sandbox)?;
        let (index, mac) = find(&netlink, interface).await?;
        for address in &setup.addresses {
            addresses::add(&netlink, index, *address).await?;
        }
        links::set_up(&netlink, index).await?;
        let pauses = setup.announcements.pauses();
        if !pauses.is_empty() {
            // Only now: the kernel would announce that the interface is up, on its own account and to nobody yet.
            namespaces::inside(&self.path(sandbox), || Ok(sysctl::enable_announcements(interface)))??;
            tokio::spawn(announce(netlink, index, mac, pauses));
        }
        Ok(())
    }

    /// Sets or replaces a default route.
    pub(super) async fn set_default_route(
        &mut self,
        sandbox: SandboxId,
        gateway: IpAddr,
    ) -> Result<(), Error> {
        routes::set_default(&self.connection(sandbox)?, gateway).await
    }

    /// Removes a default route.
    pub(super) async fn delete_default_route(
        &mut self,
        sandbox: SandboxId,
        gateway: IpAddr,
    ) -> Result<(), Error> {
        routes::delete_default(&self.connection(sandbox)?, gateway).await
    }

    /// Lets a sandbox reach the resolver by an interface, from one of its addresses.
    pub(super) async fn reach_resolver(
        &mut self,
        sandbox: SandboxId,
        interface: &str,
        source: Ipv4Addr,
    ) -> Result<(), Error> {
        let netlink = self.connection(sandbox)?;
        let (index, _) = find(&netlink, interface).await?;
        resolver::way::add(&netlink, index, source).await
    }

    /// Takes the way to the resolver from a sandbox.
    pub(super) async fn leave_resolver(&mut self, sandbox: SandboxId) -> Result<(), Error> {
        resolver::way::delete(&self.connection(sandbox)?).await
    }

    fn path(&self, sandbox: SandboxId) -> PathBuf {
        self.settings.namespace(sandbox)
    }

    fn connection(&mut self, sandbox: SandboxId) -> Result<Handle, Error> {
        let found = self.refresh_one(sandbox)?.map(|connection| connection.netlink);
        found.ok_or_else(|| Error::namespace("find", self.path(sandbox))(nix::Error::ENOENT.into()))
    }

    /// Brings the connection in step with the namespace file of one sandbox.
    fn refresh_one(&mut self, sandbox: SandboxId) -> Result<Option<Connection>, Error> {
        let path = self.path(sandbox);
        let inode = namespaces::inode(&path)?;
        let known = self.connections.get(&sandbox).filter(|connection| Some(connection.inode) == inode);
        match (known, inode) {
            (Some(connection), _) => Ok(Some(connection.clone())),
            (None, Some(inode)) => {
                let connection = Connection::open(&path, inode)?;
                self.connections.insert(sandbox, connection.clone());
                Ok(Some(connection))
            }
            (None, None) => {
                self.connections.remove(&sandbox);
                Ok(None)
            }
        }
    }

    /// Brings the connections in step with the namespace files.
    fn refresh(&mut self) -> Result<(), Error> {
        let present: BTreeMap<_, _> = namespaces::list(&self.settings.namespaces())?.into_iter().collect();
        self.connections.retain(|sandbox, connection| present.get(sandbox) == Some(&connection.inode));
        for (sandbox, inode) in present {
            if !self.connections.contains_key(&sandbox) {
                let connection = Connection::open(&self.path(sandbox), inode)?;
                self.connections.insert(sandbox, connection);
            }
        }
        Ok(())
    }
}

/// Has an interface tell its neighbours whose its addresses are. An IPv4 address keeps its MAC, but an IPv6 address beside
/// another IPv4 address than before has got a new one, while neighbours and the host would send to the old one for seconds.
async fn announce(netlink: Handle, index: u32, mac: Mac, pauses: Vec<Duration>) {
    let announced = async {
        match timeout(PATIENCE, until_operational(&netlink, index)).await {
            Ok(result) => result?,
            Err(_) => {
                tracing::debug!(index, "an interface announces its addresses before it carries packets");
            }
        }
        for pause in pauses {
            sleep(pause).await;
            links::announce(&netlink, index, mac).await?;
        }
        Ok::<_, Error>(())
    };
    if let Err(error) = announced.await {
        // The sandbox may be gone again.
        tracing::debug!(%error, "cannot announce the addresses of a sandbox");
    }
}

async fn until_operational(netlink: &Handle, index: u32) -> Result<(), Error> {
    while !links::get(netlink, index).await?.operational {
        sleep(GLANCE).await;
    }
    Ok(())
}

/// The index and MAC of an interface.
async fn find(netlink: &Handle, interface: &str) -> Result<(u32, Mac), Error> {
    let link = links::list(netlink).await?.into_iter().find(|link| link.name == interface);
    link.map(|link| (link.index, link.mac)).ok_or_else(|| Error::Link {
        doing: "find",
        link: interface.to_owned(),
        source: nix::Error::ENODEV.into(),
    })
}

async fn read(Connection { netlink, cookie, .. }: &Connection) -> Result<Namespace, Error> {
    let links = links::list(netlink).await?;
    let mut addresses = addresses::list(netlink).await?;
    let routes::Ways { default_gateways, resolver } = routes::ways(netlink).await?;
    let resolver = resolver.and_then(|index| links.iter().find(|link| link.index == index));
    let resolver = resolver.map(|link| link.name.clone());
    let interfaces = links.into_iter().filter(|link| !link.loopback).map(|link| {
        let addresses = addresses.remove(&link.index).unwrap_or_default().all;
        (link.name, Interface { peer: link.peer, up: link.up, mac: link.mac, addresses })
    });
    Ok(Namespace { interfaces: interfaces.collect(), default_gateways, resolver, cookie: *cookie })
}
