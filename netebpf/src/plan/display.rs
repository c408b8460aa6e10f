//! How an action reads: in the log, in `netebpf plan`, and after "cannot" in an error.

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
};

use ipnet::IpNet;
use netebpf_common::abi::{Address, Port, PublishKey, protocol};

use super::{Action, Entry, Key};

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CreateBridge { network, name, mac, ipv6 } => {
                let ipv6 = if *ipv6 { " and IPv6" } else { "" };
                write!(f, "create bridge {name} with MAC {mac}{ipv6} for network {}", network.short())
            }
            Self::CreateVeth { endpoint, sandbox, name, bridge, interface, mac, mtu } => {
                write!(f, "create veth {name} on bridge {bridge} with {interface}, MAC {mac}, ")?;
                if let Some(mtu) = mtu {
                    write!(f, "MTU {mtu}, ")?;
                }
                write!(f, "in sandbox {} for endpoint {}", sandbox.short(), endpoint.short())
            }
            Self::CreateResolver => f.write_str("create the device that leads to the name server"),
            Self::AttachToBridge { ifindex, bridge } => write!(f, "attach link {ifindex} to bridge {bridge}"),
            Self::DeleteLink { ifindex, name } => write!(f, "delete link {ifindex} ({name})"),
            Self::AddAddress { ifindex, address } => write!(f, "add address {address} to link {ifindex}"),
            Self::DeleteAddress { ifindex, address } => {
                write!(f, "delete address {address} from link {ifindex}")
            }
            Self::SetMtu { ifindex, mtu } => write!(f, "set MTU of link {ifindex} to {mtu}"),
            Self::ForwardIpv6 => f.write_str("forward IPv6"),
            Self::SetUp { ifindex } => write!(f, "set link {ifindex} up"),
            Self::AddForwardingEntry { ifindex, mac } => write!(f, "forward {mac} to link {ifindex}"),
            Self::CreateNamespace { sandbox, adopted: None } => {
                write!(f, "create namespace of sandbox {}", sandbox.short())
            }
            Self::CreateNamespace { sandbox, adopted: Some(path) } => {
                write!(f, "adopt namespace {path} for sandbox {}", sandbox.short())
            }
            Self::DeleteNamespace { sandbox } => write!(f, "delete namespace of sandbox {}", sandbox.short()),
            Self::ConfigureInterface { sandbox, interface, setup } => {
                let addresses = list(&setup.addresses);
                write!(f, "configure {interface} of sandbox {} with {addresses}", sandbox.short())
            }
            Self::SetDefaultRoute { sandbox, gateway } => {
                write!(f, "set default route of sandbox {} to {gateway}", sandbox.short())
            }
            Self::DeleteDefaultRoute { sandbox, gateway } => {
                write!(f, "delete default route of sandbox {} to {gateway}", sandbox.short())
            }
            Self::ReachResolver { sandbox, interface, .. } => {
                write!(f, "let sandbox {} reach the resolver by {interface}", sandbox.short())
            }
            Self::LeaveResolver { sandbox } => {
                write!(f, "take the way to the resolver from sandbox {}", sandbox.short())
            }
            Self::AttachProgram { hook, ifindex } => write!(f, "attach {} to link {ifindex}", hook.as_str()),
            Self::DetachProgram { hook, ifindex } => {
                write!(f, "detach {} from link {ifindex}", hook.as_str())
            }
            Self::HoldPort(key) => write!(f, "hold port {}", Ports(*key, *key)),
            Self::ReleasePort(key) => write!(f, "release port {}", Ports(*key, *key)),
            Self::Put(entry) => write!(f, "put {entry}"),
            Self::Delete(key) => write!(f, "delete {key}"),
        }
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config(config) => write!(f, "settings with epoch {}", config.epoch),
            Self::Endpoint(address, endpoint) => {
                write!(f, "{} behind link {}", Key::Endpoint(*address), endpoint.ifindex)
            }
            Self::EndpointLink(key, endpoint) => {
                write!(f, "{} with {}", Key::EndpointLink(*key), ip(endpoint.address))
            }
            Self::Local(address, local) => write!(f, "{} on link {}", Key::Local(*address), local.ifindex),
            Self::Uplink(key, uplink) => write!(f, "{} with {}", Key::Uplink(*key), ip(uplink.address)),
            Self::Network(key, network) => {
                write!(f, "{} with source {}", Key::Network(*key), ip(network.snat))
            }
            Self::Trusted(key) => Key::Trusted(*key).fmt(f),
            Self::Resolving(netns) => Key::Resolving(*netns).fmt(f),
            Self::Allowed(key) => Key::Allowed(*key).fmt(f),
            Self::Published(block, target) => {
                let port = target.port_for(block.key.port);
                write!(f, "{} to {}", Key::Published(*block), socket(target.address, port))
            }
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Endpoint(address) => write!(f, "endpoint {}", ip(*address)),
            Self::EndpointLink(key) => write!(f, "endpoint link {}", key.ifindex()),
            Self::Local(address) => write!(f, "local address {}", ip(*address)),
            Self::Uplink(key) => write!(f, "uplink {}", key.ifindex()),
            Self::Network(key) => write!(f, "network of bridge {}", key.ifindex()),
            Self::Trusted(key) => write!(f, "trust of bridge {} in link {}", key.bridge, key.ingress),
            Self::Resolving(netns) => write!(f, "resolver of namespace {}", netns.cookie),
            Self::Allowed(key) => {
                write!(f, "leave of {} to reach {}", ip(key.client), socket(key.server, key.port))
            }
            Self::Published(block) => write!(f, "published port {}", Ports(block.key, block.last())),
        }
    }
}

/// `0.0.0.0:8080/tcp` or, from the first to the last, `0.0.0.0:8080-8087/tcp`.
struct Ports(PublishKey, PublishKey);

impl fmt::Display for Ports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(first, last) = self;
        socket(first.address, first.port).fmt(f)?;
        if first != last {
            write!(f, "-{}", last.port.number())?;
        }
        match first.protocol() {
            protocol::TCP => f.write_str("/tcp"),
            protocol::UDP => f.write_str("/udp"),
            protocol::SCTP => f.write_str("/sctp"),
            other => write!(f, "/{other}"),
        }
    }
}

fn ip(address: Address) -> IpAddr {
    address.into()
}

fn socket(address: Address, port: Port) -> SocketAddr {
    SocketAddr::new(ip(address), port.number())
}

fn list(addresses: &[IpNet]) -> String {
    addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
