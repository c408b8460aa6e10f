//! Sandboxes, as Docker's clients see containers.

mod endpoint;
mod ports;
mod summary;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use nix::sys::utsname::uname;

use crate::{
    change::DEFAULT_NETWORK,
    daemon::Settings,
    frontend::api::{
        timestamp::rfc3339,
        version::ApiVersion,
        wire::{
            Container, ContainerConfig, ContainerState, DefaultEndpoint, Empty, EndpointSettings, HostConfig,
            NetworkSettings, RestartPolicy,
        },
    },
    model::{ExtraHost, NetworkMode, Sandbox, SandboxConfig, SandboxState, Spec},
};

pub(in crate::frontend::api) use ports::{is_exposed, is_published};
pub(in crate::frontend::api) use summary::container_summary;

/// How Go writes a point in time that never was.
const NEVER: &str = "0001-01-01T00:00:00Z";

/// A sandbox in full.
pub(in crate::frontend::api) fn container(
    spec: &Spec,
    sandbox: &Sandbox,
    settings: &Settings,
    version: ApiVersion,
) -> Container {
    let (path, args) = sandbox
        .config
        .command
        .split_first()
        .map_or((String::new(), &[][..]), |(path, args)| (path.clone(), args));
    let file = |name: &str| file_of(spec, sandbox, settings, name);
    Container {
        id: sandbox.id.to_string(),
        created: rfc3339(sandbox.created),
        path,
        args: args.to_vec(),
        state: state(sandbox),
        image: String::new(),
        resolv_conf_path: file("resolv.conf"),
        hostname_path: file("hostname"),
        hosts_path: file("hosts"),
        log_path: settings.log(sandbox.id).display().to_string(),
        name: format!("/{}", sandbox.name),
        restart_count: 0,
        driver: String::new(),
        platform: "linux".to_owned(),
        mount_label: String::new(),
        process_label: String::new(),
        app_armor_profile: String::new(),
        exec_ids: None,
        host_config: host_config(spec, sandbox),
        mounts: Vec::new(),
        config: container_config(spec, sandbox),
        network_settings: network_settings(spec, sandbox, settings, version),
    }
}

fn state(sandbox: &Sandbox) -> ContainerState {
    let (exit_code, started, finished) = match sandbox.state {
        SandboxState::Created | SandboxState::Starting(_) => (0, None, None),
        SandboxState::Running { started, .. } => (0, Some(started), None),
        SandboxState::Exited { code, started, finished } => (code, Some(started), Some(finished)),
    };
    let running = sandbox.process().filter(|_| sandbox.is_running());
    let time = |nanoseconds: Option<u64>| nanoseconds.map_or_else(|| NEVER.to_owned(), rfc3339);
    ContainerState {
        status: sandbox.state.name().to_owned(),
        running: sandbox.is_running(),
        paused: false,
        restarting: false,
        oom_killed: false,
        dead: false,
        pid: running.map_or(0, |process| process.pid),
        exit_code,
        error: String::new(),
        started_at: time(started),
        finished_at: time(finished),
    }
}

fn host_config(spec: &Spec, sandbox: &Sandbox) -> HostConfig {
    let SandboxConfig { dns, extra_hosts, .. } = &sandbox.config;
    let links = sandbox.links.iter().filter_map(|link| {
        let target = spec.sandboxes.get(&link.sandbox)?;
        Some(format!("/{}:/{}/{}", target.name, sandbox.name, link.alias))
    });
    HostConfig {
        binds: None,
        network_mode: network_mode(&sandbox.mode),
        port_bindings: ports::wished(&sandbox.config),
        restart_policy: RestartPolicy { name: "no".to_owned(), maximum_retry_count: 0 },
        auto_remove: sandbox.config.auto_remove,
        dns: dns.servers.iter().map(ToString::to_string).collect(),
        dns_options: dns.options.clone(),
        dns_search: dns.search.iter().map(ToString::to_string).collect(),
        extra_hosts: some(extra_hosts.iter().map(ExtraHost::to_string)),
        links: some(links),
        privileged: false,
        publish_all_ports: sandbox.config.publish_all,
    }
}

/// What `--network` said; a namespace that others made as Podman writes it, because Docker has none.
fn network_mode(mode: &NetworkMode) -> String {
    match mode {
        NetworkMode::Own(network) => network.clone(),
        NetworkMode::Host => "host".to_owned(),
        NetworkMode::Container(donor) => format!("container:{donor}"),
        NetworkMode::Adopted(path) => format!("ns:{path}"),
    }
}

fn container_config(spec: &Spec, sandbox: &Sandbox) -> ContainerConfig {
    let config = &sandbox.config;
    ContainerConfig {
        hostname: hostname(spec, sandbox),
        domainname: config.domainname.as_ref().map(ToString::to_string).unwrap_or_default(),
        user: String::new(),
        attach_stdin: false,
        attach_stdout: false,
        attach_stderr: false,
        exposed_ports: ports::listening(config).map(|port| (port.to_string(), Empty {})).collect(),
        tty: false,
        open_stdin: false,
        stdin_once: false,
        env: some(config.environment.iter().cloned()),
        cmd: some(config.command.iter().cloned()),
        image: String::new(),
        volumes: None,
        working_dir: config.directory.clone().unwrap_or_default(),
        entrypoint: None,
        labels: config.labels.clone(),
    }
}

fn network_settings(
    spec: &Spec,
    sandbox: &Sandbox,
    settings: &Settings,
    version: ApiVersion,
) -> NetworkSettings {
    let hostname = hostname(spec, sandbox);
    let networks = sandbox.attachments.iter().map(|attachment| {
        let mut endpoint = endpoint::in_full(spec, sandbox, attachment, &hostname);
        if version < ApiVersion::WITHOUT_MADE_UP_ALIASES {
            let aliases = endpoint.aliases;
            endpoint.aliases = endpoint::with_made_up_aliases(sandbox, &attachment.name, aliases, &hostname);
        }
        (attachment.name.to_string(), endpoint)
    });
    let networks: BTreeMap<_, _> = networks.collect();
    let of_default = networks.get(DEFAULT_NETWORK).filter(|_| version < ApiVersion::WITH_STATUS);
    let has_namespace = sandbox.is_active() && sandbox.has_namespace();
    NetworkSettings {
        sandbox_id: if has_namespace { sandbox.id.to_string() } else { String::new() },
        sandbox_key: if has_namespace {
            settings.namespace(sandbox.id).display().to_string()
        } else {
            String::new()
        },
        ports: ports::in_force(spec, sandbox),
        default_endpoint: of_default.map(default_endpoint),
        networks,
    }
}

fn default_endpoint(endpoint: &EndpointSettings) -> DefaultEndpoint {
    DefaultEndpoint {
        endpoint_id: endpoint.endpoint_id.clone(),
        gateway: endpoint.gateway.clone(),
        global_ipv6_address: endpoint.global_ipv6_address.clone(),
        global_ipv6_prefix_len: endpoint.global_ipv6_prefix_len,
        ip_address: endpoint.ip_address.clone(),
        ip_prefix_len: endpoint.ip_prefix_len,
        ipv6_gateway: endpoint.ipv6_gateway.clone(),
        mac_address: endpoint.mac_address.clone(),
    }
}

/// The sandbox whose view of `/etc` its command has: its own, or that of the one whose namespace it shares.
fn owner_of_files<'a>(spec: &'a Spec, sandbox: &'a Sandbox) -> Option<&'a Sandbox> {
    match &sandbox.mode {
        NetworkMode::Own(_) | NetworkMode::Host => Some(sandbox),
        NetworkMode::Container(donor) => owner_of_files(spec, spec.sandboxes.get(donor)?),
        NetworkMode::Adopted(_) => None,
    }
}

/// The path of one of its files in `/etc`; empty before its first start.
fn file_of(spec: &Spec, sandbox: &Sandbox, settings: &Settings, name: &str) -> String {
    let owner = owner_of_files(spec, sandbox).filter(|owner| owner.state != SandboxState::Created);
    owner.map(|owner| settings.sandbox_dir(owner.id).join(name).display().to_string()).unwrap_or_default()
}

/// The host name that its commands see.
fn hostname(spec: &Spec, sandbox: &Sandbox) -> String {
    if let Some(hostname) = &sandbox.config.hostname {
        return hostname.to_string();
    }
    match &sandbox.mode {
        NetworkMode::Host => host_name(),
        NetworkMode::Container(donor) => {
            spec.sandboxes.get(donor).map_or_else(String::new, |donor| hostname(spec, donor))
        }
        NetworkMode::Own(_) | NetworkMode::Adopted(_) => sandbox.id.short(),
    }
}

fn host_name() -> String {
    uname().map(|uname| uname.nodename().to_string_lossy().into_owned()).unwrap_or_default()
}

/// A list, if there is anything in it.
fn some<T>(items: impl Iterator<Item = T>) -> Option<Vec<T>> {
    let items: Vec<_> = items.collect();
    (!items.is_empty()).then_some(items)
}
