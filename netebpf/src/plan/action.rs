//! One change to the kernel, as data: `Display` is its log line and its line in `netebpf plan`.

use std::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;
use netebpf_common::abi::{
    Address, AllowKey, Config, Endpoint, Hook, LinkKey, LocalAddress, Mac, Netns, Network, PublishBlock,
    PublishKey, PublishTarget, TrustKey, Uplink,
};

use crate::model::{Announcements, EndpointId, InterfaceSysctl, NetworkId, SandboxId};

/// What the interface of an endpoint is to have.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct InterfaceSetup {
    /// Addresses and prefixes.
    pub addresses: Vec<IpNet>,
    /// Settings of the kernel.
    pub sysctls: Vec<InterfaceSysctl>,
    /// How the addresses are announced.
    pub announcements: Announcements,
}

/// One change to the kernel. The executor is one `match`; every action may be repeated without harm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Makes a network's bridge, still down, with its MAC and alias; one of this name that is there is adopted.
    CreateBridge {
        /// The owner, recorded as link alias.
        network: NetworkId,
        /// Device name.
        name: String,
        /// MAC of the bridge.
        mac: Mac,
        /// Whether the host has an IPv6 address in the network.
        ipv6: bool,
    },
    /// Makes an endpoint's veth pair with its alias: host side down and attached to the bridge, sandbox side in its
    /// namespace; a pair of this name that is there is adopted.
    CreateVeth {
        /// The owner, recorded as link alias.
        endpoint: EndpointId,
        /// Whose namespace the other side goes to.
        sandbox: SandboxId,
        /// Host-side name.
        name: String,
        /// Index of the bridge.
        bridge: u32,
        /// Name of the sandbox side.
        interface: String,
        /// MAC of the sandbox side.
        mac: Mac,
        /// MTU of both sides, in bytes; `None` for the kernel's default.
        mtu: Option<u32>,
    },
    /// Makes the name server's namespace and the device that leads there, still down.
    CreateResolver,
    /// Attaches the host side of a veth to its network's bridge, from which it was torn.
    AttachToBridge {
        /// The host-side veth.
        ifindex: u32,
        /// Index of the bridge.
        bridge: u32,
    },
    /// Deletes a link of ours; the other side of a veth goes with it.
    DeleteLink {
        /// Index.
        ifindex: u32,
        /// Name, for the log.
        name: String,
    },
    /// Sets the MTU of a link of ours.
    SetMtu {
        /// The link.
        ifindex: u32,
        /// In bytes.
        mtu: u32,
    },
    /// Lets the host forward IPv6, without losing the addresses and routes that routers advertise to it.
    ForwardIpv6,
    /// Gives a bridge an address.
    AddAddress {
        /// The link.
        ifindex: u32,
        /// Address and prefix.
        address: IpNet,
    },
    /// Takes an address from a bridge.
    DeleteAddress {
        /// The link.
        ifindex: u32,
        /// Address and prefix.
        address: IpNet,
    },
    /// Sets a link of ours up.
    SetUp {
        /// The link.
        ifindex: u32,
    },
    /// Enters an endpoint's MAC into its bridge's forwarding table for good.
    AddForwardingEntry {
        /// The host-side veth.
        ifindex: u32,
        /// The endpoint's MAC.
        mac: Mac,
    },
    /// Makes a sandbox's network namespace with loopback up, or keeps one that others made.
    CreateNamespace {
        /// The sandbox.
        sandbox: SandboxId,
        /// The file of the namespace that others made.
        adopted: Option<String>,
    },
    /// Removes a sandbox's namespace file; the namespace goes with its last process.
    DeleteNamespace {
        /// The sandbox.
        sandbox: SandboxId,
    },
    /// Configures a sandbox's interface: settings of the kernel, address, up.
    ConfigureInterface {
        /// The sandbox.
        sandbox: SandboxId,
        /// The interface.
        interface: String,
        /// What it is to have.
        setup: InterfaceSetup,
    },
    /// Sets or replaces a sandbox's default route of one IP version.
    SetDefaultRoute {
        /// The sandbox.
        sandbox: SandboxId,
        /// The gateway; its interface follows from it.
        gateway: IpAddr,
    },
    /// Removes a sandbox's default route.
    DeleteDefaultRoute {
        /// The sandbox.
        sandbox: SandboxId,
        /// The gateway of the route that is there.
        gateway: IpAddr,
    },
    /// Lets a sandbox reach our resolver directly by an interface.
    ReachResolver {
        /// The sandbox.
        sandbox: SandboxId,
        /// The interface.
        interface: String,
        /// The address that its queries come from; one that is given to the interface if it has none.
        source: Ipv4Addr,
    },
    /// Takes that from a sandbox which is on no network with names any more.
    LeaveResolver {
        /// The sandbox.
        sandbox: SandboxId,
    },
    /// Attaches a hook's program to a link and pins the bpf link.
    AttachProgram {
        /// Which program.
        hook: Hook,
        /// Where.
        ifindex: u32,
    },
    /// Detaches a hook's program from a link and removes the pin; the link may be gone already.
    DetachProgram {
        /// Which program.
        hook: Hook,
        /// Where.
        ifindex: u32,
    },
    /// Opens the socket that holds a published port against other programs.
    HoldPort(PublishKey),
    /// Closes it.
    ReleasePort(PublishKey),
    /// Writes an entry.
    Put(Entry),
    /// Removes an entry.
    Delete(Key),
}

/// An entry of a table that the control plane writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// `CONFIG`.
    Config(Config),
    /// `ENDPOINTS`.
    Endpoint(Address, Endpoint),
    /// `ENDPOINT_LINKS`.
    EndpointLink(LinkKey, Endpoint),
    /// `LOCALS`.
    Local(Address, LocalAddress),
    /// `UPLINKS`.
    Uplink(LinkKey, Uplink),
    /// `NETWORKS`.
    Network(LinkKey, Network),
    /// `TRUSTED`.
    Trusted(TrustKey),
    /// `RESOLVING`.
    Resolving(Netns),
    /// `ALLOWED`.
    Allowed(AllowKey),
    /// `PUBLISHED`.
    Published(PublishBlock, PublishTarget),
}

/// The key of an entry that is to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// `ENDPOINTS`.
    Endpoint(Address),
    /// `ENDPOINT_LINKS`.
    EndpointLink(LinkKey),
    /// `LOCALS`.
    Local(Address),
    /// `UPLINKS`.
    Uplink(LinkKey),
    /// `NETWORKS`.
    Network(LinkKey),
    /// `TRUSTED`.
    Trusted(TrustKey),
    /// `RESOLVING`.
    Resolving(Netns),
    /// `ALLOWED`.
    Allowed(AllowKey),
    /// `PUBLISHED`.
    Published(PublishBlock),
}
