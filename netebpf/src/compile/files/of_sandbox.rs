//! What the files of a sandbox say, given the spec and the host's own files.

use std::net::{IpAddr, Ipv4Addr};

use netebpf_common::dns;

use super::{
    hosts::{self, Entry, Hosts},
    resolv::{Overrides, RESOLVER, Reach, ResolvConf},
};
use crate::model::{EngineOptions, ExtraHost, ExtraHostError, Network, NetworkMode, Sandbox, Spec};

/// The host's files that those of sandboxes follow.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HostFiles {
    /// `/etc/hosts`.
    pub hosts: String,
    /// `/etc/resolv.conf`, past the stub of systemd-resolved.
    pub resolv_conf: String,
    /// Where that was read.
    pub resolv_conf_source: String,
    /// The host's name.
    pub hostname: String,
    /// Whether sandboxes have to be told the resolver's own address, because no socket hook leads there from Docker's.
    pub without_socket_hooks: bool,
}

impl HostFiles {
    /// Where sandboxes on networks with names find the resolver.
    #[must_use]
    pub const fn resolver(&self) -> Ipv4Addr {
        if self.without_socket_hooks { dns::RESOLVER } else { RESOLVER }
    }
}

/// A sandbox's files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SandboxFiles {
    /// `/etc/hosts`.
    pub hosts: String,
    /// `/etc/resolv.conf`.
    pub resolv_conf: String,
    /// `/etc/hostname`.
    pub hostname: String,
}

/// Returns the files that an active sandbox has; none if it has those of another one, or is an adopted namespace.
#[must_use]
pub fn of_sandbox(
    spec: &Spec,
    sandbox: &Sandbox,
    host: &HostFiles,
    options: &EngineOptions,
) -> Option<SandboxFiles> {
    let is_host = match sandbox.mode {
        NetworkMode::Own(_) => false,
        NetworkMode::Host => true,
        NetworkMode::Container(_) | NetworkMode::Adopted(_) => return None,
    };
    let hostname = hostname_of(sandbox, host);
    let extra = extra(spec, sandbox, options);
    let hosts = if is_host {
        hosts::of_host_network(&host.hosts, extra)
    } else {
        let addresses = spec.joined(sandbox).flat_map(|(endpoint, _)| endpoint.addresses.iter().copied());
        let domainname = sandbox.config.domainname.as_ref().map_or("", |name| name.as_str());
        hosts::write(&Hosts { ipv6: true, extra, own: addresses.collect(), hostname: &hostname, domainname })
    };
    let resolv_conf = resolv_conf(spec, sandbox, host, options, is_host);
    Some(SandboxFiles { hosts, resolv_conf, hostname: super::hostname(&hostname) })
}

/// The name that a sandbox's commands see; the beginning of its identifier where nothing is said.
#[must_use]
pub fn hostname_of(sandbox: &Sandbox, host: &HostFiles) -> String {
    match (&sandbox.config.hostname, &sandbox.mode) {
        (Some(hostname), _) => hostname.to_string(),
        (None, NetworkMode::Host) => host.hostname.clone(),
        (None, NetworkMode::Own(_) | NetworkMode::Container(_) | NetworkMode::Adopted(_)) => {
            sandbox.id.short()
        }
    }
}

/// Refuses a sandbox whose extra hosts have no address.
pub fn check_extra_hosts(
    spec: &Spec,
    sandbox: &Sandbox,
    options: &EngineOptions,
) -> Result<(), ExtraHostError> {
    let gateways = host_gateways(spec, options);
    sandbox.config.extra_hosts.iter().try_for_each(|host| host.addresses(&gateways).map(drop))
}

/// What `host-gateway` stands for: what the engine was started with, or the gateways of the default network.
fn host_gateways(spec: &Spec, options: &EngineOptions) -> Vec<IpAddr> {
    if !options.host_gateways.is_empty() {
        return options.host_gateways.clone();
    }
    let default = spec.networks.values().find(|network| network.bridge.is_default);
    default.into_iter().flat_map(|network| network.pools.iter().filter_map(|pool| pool.gateway)).collect()
}

/// Hosts that the user adds, then those that links on the default bridge lead to.
fn extra(spec: &Spec, sandbox: &Sandbox, options: &EngineOptions) -> Vec<Entry> {
    let gateways = host_gateways(spec, options);
    let added = sandbox.config.extra_hosts.iter().flat_map(|host: &ExtraHost| {
        let addresses = host.addresses(&gateways).unwrap_or_default();
        addresses.into_iter().map(|address| Entry { address, names: host.name.clone() })
    });
    let linked = sandbox.links.iter().flat_map(|link| {
        let target = spec.sandboxes.get(&link.sandbox);
        target.into_iter().flat_map(|target| {
            let hostname =
                target.config.hostname.as_ref().map_or_else(|| target.id.short(), ToString::to_string);
            let names = hosts::link_names(&link.alias, &hostname, target.name.as_str());
            let on_default = spec.joined(target).filter(|(_, network)| network.bridge.is_default);
            on_default
                .flat_map(|(endpoint, _)| endpoint.addresses.iter().copied())
                .map(|address: IpAddr| Entry { address, names: names.clone() })
                .collect::<Vec<_>>()
        })
    });
    added.chain(linked).collect()
}

fn resolv_conf(
    spec: &Spec,
    sandbox: &Sandbox,
    host: &HostFiles,
    options: &EngineOptions,
    is_host: bool,
) -> String {
    let has_ipv6 = |network: &Network| network.pool(netebpf_common::abi::Family::V6).is_some();
    let reach = if is_host {
        Reach::Host
    } else if spec.has_resolver(sandbox) {
        Reach::Resolver(host.resolver())
    } else {
        Reach::Direct { ipv6: spec.joined(sandbox).any(|(_, network)| has_ipv6(network)) }
    };
    chosen(sandbox, host, options).write(reach)
}

/// The host's resolv.conf with what the sandbox or the engine was told instead.
pub(super) fn chosen(sandbox: &Sandbox, host: &HostFiles, options: &EngineOptions) -> ResolvConf {
    let mut file = ResolvConf::parse(&host.resolv_conf, &host.resolv_conf_source);
    let dns = &sandbox.config.dns;
    let or =
        |own: &[String], default: &[String]| if own.is_empty() { default.to_vec() } else { own.to_vec() };
    let servers: Vec<IpAddr> = dns.servers.iter().map(|server| server.0).collect();
    let search: Vec<_> = dns.search.iter().map(ToString::to_string).collect();
    file.replace(&Overrides {
        servers: if servers.is_empty() { &options.resolver.servers } else { &servers },
        search: &or(&search, &options.resolver.search),
        options: &or(&dns.options, &options.resolver.options),
    });
    file
}
