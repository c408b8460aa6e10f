//! How do links, addresses and routes of the harness come to be? By rtnetlink, from inside the namespace.

use std::{
    net::IpAddr,
    os::fd::{AsRawFd as _, RawFd},
};

use anyhow::{Context as _, Result};
use futures::TryStreamExt as _;
use ipnet::IpNet;
use rtnetlink::{
    Handle, LinkBridge, LinkUnspec, LinkVeth, RouteMessageBuilder, packet_route::link::LinkAttribute,
};
use tokio::runtime;

use crate::netns::Namespace;

/// Joins two namespaces by a veth pair; each end is `(namespace, link name)`.
pub fn join(near: (&Namespace, &str), far: (&Namespace, &str)) -> Result<()> {
    // The far end starts under a name that cannot clash in the near namespace.
    let passing = "passing";
    let far_namespace = far.0.file().as_raw_fd();
    near.0.netlink(async |handle| {
        handle.link().add(LinkVeth::new(near.1, passing).build()).execute().await?;
        move_to(&handle, passing, far_namespace).await
    })?;
    far.0.netlink(async |handle| {
        let index = index_of(&handle, passing).await?;
        let renamed = LinkUnspec::new_with_index(index).name(far.1).build();
        Ok(handle.link().set(renamed).execute().await?)
    })
}

impl Namespace {
    /// Runs netlink requests on a socket of this namespace.
    pub fn netlink<T: Send>(&self, requests: impl AsyncFnOnce(Handle) -> Result<T> + Send) -> Result<T> {
        self.run(|| {
            runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
                let (connection, handle, _) = rtnetlink::new_connection()?;
                tokio::spawn(connection);
                requests(handle).await
            })
        })
    }

    /// Sets a link up.
    pub fn up(&self, link: &str) -> Result<()> {
        self.netlink(async |handle| {
            let index = index_of(&handle, link).await?;
            let message = LinkUnspec::new_with_index(index).up().build();
            Ok(handle.link().set(message).execute().await?)
        })
    }

    /// Gives a link an address and sets it up.
    pub fn address(&self, link: &str, address: impl Into<IpNet>) -> Result<()> {
        let address = address.into();
        if address.addr().is_ipv6() {
            // Nobody else is on these cables, and tests wait for no duplicate address detection (RFC 4862).
            self.sysctl(&format!("ipv6/conf/{link}/accept_dad"), "0")?;
        }
        self.netlink(async |handle| {
            let index = index_of(&handle, link).await?;
            Ok(handle.address().add(index, address.addr(), address.prefix_len()).execute().await?)
        })?;
        self.up(link)
    }

    /// Takes an address from a link.
    pub fn remove_address(&self, link: &str, address: impl Into<IpNet>) -> Result<()> {
        let address = address.into();
        self.netlink(async |handle| {
            let index = index_of(&handle, link).await?;
            let request = handle.address().get().set_link_index_filter(index);
            let found = request.set_address_filter(address.addr()).execute().try_next().await?;
            let message = found.with_context(|| format!("{link} has no address {address}"))?;
            Ok(handle.address().del(message).execute().await?)
        })
    }

    /// Adds a route through a gateway, in place of one to the same destination.
    pub fn route(&self, destination: impl Into<IpNet>, gateway: impl Into<IpAddr>) -> Result<()> {
        let (destination, gateway) = (destination.into(), gateway.into());
        self.netlink(async |handle| {
            let route = RouteMessageBuilder::<IpAddr>::new()
                .destination_prefix(destination.network(), destination.prefix_len())?
                .gateway(gateway)?
                .build();
            Ok(handle.route().add(route).replace().execute().await?)
        })
    }

    /// Sets the largest packet that a link sends, in bytes without the Ethernet header.
    pub fn mtu(&self, link: &str, mtu: u32) -> Result<()> {
        self.netlink(async |handle| {
            let index = index_of(&handle, link).await?;
            let message = LinkUnspec::new_with_index(index).mtu(mtu).build();
            Ok(handle.link().set(message).execute().await?)
        })
    }

    /// The largest packet that a link sends, in bytes without the Ethernet header.
    pub fn mtu_of(&self, link: &str) -> Result<u32> {
        self.netlink(async |handle| {
            let found = handle.link().get().match_name(link.to_owned()).execute().try_next().await?;
            let attributes = found.with_context(|| format!("there is no link {link}"))?.attributes;
            let mtu = attributes
                .into_iter()
                .find_map(|attribute| if let LinkAttribute::Mtu(mtu) = attribute { Some(mtu) } else { None });
            mtu.with_context(|| format!("{link} has no MTU"))
        })
    }

    /// Makes a bridge.
    pub fn bridge(&self, name: &str) -> Result<()> {
        self.netlink(async |handle| Ok(handle.link().add(LinkBridge::new(name).build()).execute().await?))
    }

    /// Makes a link a port of a bridge and sets it up.
    pub fn enslave(&self, link: &str, bridge: &str) -> Result<()> {
        self.netlink(async |handle| {
            let (index, master) = (index_of(&handle, link).await?, index_of(&handle, bridge).await?);
            let message = LinkUnspec::new_with_index(index).controller(master).up().build();
            Ok(handle.link().set(message).execute().await?)
        })
    }

    /// Removes a link.
    pub fn remove_link(&self, name: &str) -> Result<()> {
        self.netlink(async |handle| {
            let index = index_of(&handle, name).await?;
            Ok(handle.link().del(index).execute().await?)
        })
    }

    /// The names of all links, sorted.
    pub fn links(&self) -> Result<Vec<String>> {
        self.netlink(async |handle| {
            let messages: Vec<_> = handle.link().get().execute().try_collect().await?;
            let mut names: Vec<_> = messages
                .into_iter()
                .flat_map(|message| message.attributes)
                .filter_map(
                    |attribute| if let LinkAttribute::IfName(name) = attribute { Some(name) } else { None },
                )
                .collect();
            names.sort();
            Ok(names)
        })
    }
}

async fn index_of(handle: &Handle, link: &str) -> Result<u32> {
    let found = handle.link().get().match_name(link.to_owned()).execute().try_next().await;
    Ok(found.ok().flatten().with_context(|| format!("there is no link {link}"))?.header.index)
}

async fn move_to(handle: &Handle, link: &str, namespace: RawFd) -> Result<()> {
    let index = index_of(handle, link).await?;
    let message = LinkUnspec::new_with_index(index).setns_by_fd(namespace).build();
    Ok(handle.link().set(message).execute().await?)
}
