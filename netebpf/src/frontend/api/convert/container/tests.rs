//! Containers that a Docker Engine (28.5.2) has shown, made into sandboxes, are shown as the same again
//! (`tests/recorded.json`; left out there is what sandboxes have not, and where files are).

use std::{collections::BTreeMap, fmt::Debug, net::IpAddr, str::FromStr};

use ipnet::IpNet;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::*;
use crate::{
    frontend::api::convert::endpoint_settings,
    model::{
        Attachment, BridgeOptions, DnsConfig, Driver, Endpoint, Name, Network, NetworkId, Pool, PortMapping,
        PortRange, Process, PublishRequest, SandboxId, SandboxLink,
    },
};

const RECORDED: &str = include_str!("tests/recorded.json");

/// What the engine has something else for, or what depends on whether its client stays.
const OURS: [&str; 12] = [
    "/Config/AttachStderr",
    "/Config/AttachStdout",
    "/Config/Image",
    "/Driver",
    "/HostnamePath",
    "/HostsPath",
    "/Image",
    "/LogPath",
    "/NetworkSettings/SandboxID",
    "/NetworkSettings/SandboxKey",
    "/ResolvConfPath",
    "/Status",
];

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).expect(pointer)
}

fn parsed<T: FromStr<Err: Debug>>(text: &str) -> T {
    text.parse().expect(text)
}

fn list<T: FromStr<Err: Debug>>(value: &Value, pointer: &str) -> Vec<T> {
    let items = value.pointer(pointer).and_then(Value::as_array);
    items.into_iter().flatten().map(|item| parsed(item.as_str().expect(pointer))).collect()
}

fn members<'a>(value: &'a Value, pointer: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    value.pointer(pointer).and_then(Value::as_object).into_iter().flatten()
}

fn filled<T: FromStr<Err: Debug>>(value: &Value, pointer: &str) -> Option<T> {
    Some(text(value, pointer)).filter(|text| !text.is_empty()).map(parsed)
}

fn nanoseconds(value: &Value, pointer: &str) -> u64 {
    let time: Timestamp = parsed(text(value, pointer));
    u64::try_from(time.as_nanosecond()).expect("after 1970")
}

fn number(value: &Value, pointer: &str) -> i32 {
    value
        .pointer(pointer)
        .and_then(Value::as_i64)
        .and_then(|number| i32::try_from(number).ok())
        .expect(pointer)
}

/// The sandbox with everything that the engine tells of the container.
fn sandbox_of(docker: &Value, spec: &mut Spec) -> Sandbox {
    let id: SandboxId = parsed(text(docker, "/Id"));
    let name = text(docker, "/Name").trim_start_matches('/');
    let state = match text(docker, "/State/Status") {
        "created" => SandboxState::Created,
        "running" => SandboxState::Running {
            process: Some(Process { pid: number(docker, "/State/Pid"), start_time: 1 }),
            started: nanoseconds(docker, "/State/StartedAt"),
        },
        _ => SandboxState::Exited {
            code: number(docker, "/State/ExitCode"),
            started: nanoseconds(docker, "/State/StartedAt"),
            finished: nanoseconds(docker, "/State/FinishedAt"),
        },
    };
    let links: Vec<String> = list(docker, "/HostConfig/Links");
    let link = |text: &String| {
        let (target, alias) = text.rsplit_once('/').expect("a link");
        let target = target.split_once(':').expect("a link").0.trim_start_matches('/');
        let found = spec.sandboxes.values().find(|sandbox| sandbox.name.as_str() == target);
        SandboxLink { sandbox: found.expect("it is made before").id, alias: alias.to_owned() }
    };
    let links = links.iter().map(link).collect();
    let networks = members(docker, "/NetworkSettings/Networks");
    Sandbox {
        id,
        name: Name::of_sandbox(name).expect("a name"),
        created: nanoseconds(docker, "/Created"),
        mode: NetworkMode::Own(text(docker, "/HostConfig/NetworkMode").to_owned()),
        config: config_of(docker, &id),
        state,
        ports: members(docker, "/NetworkSettings/Ports").flat_map(mappings).collect(),
        links,
        attachments: networks.map(|(name, endpoint)| attachment_of(name, endpoint, spec)).collect(),
        keeps_resolver: false,
    }
}

fn config_of(docker: &Value, id: &SandboxId) -> SandboxConfig {
    let bindings: Vec<_> = members(docker, "/HostConfig/PortBindings").collect();
    let publish = bindings.iter().flat_map(|(port, wishes)| {
        let wishes = wishes.as_array().into_iter().flatten();
        wishes.map(move |wish| {
            let (address, host_port) = (text(wish, "/HostIp"), text(wish, "/HostPort"));
            parsed::<PublishRequest>(&format!("{address}:{host_port}:{port}"))
        })
    });
    let exposed = members(docker, "/Config/ExposedPorts").map(|(port, _)| port);
    let exposed = exposed.filter(|port| bindings.iter().all(|(published, _)| published != port));
    let labels = members(docker, "/Config/Labels");
    SandboxConfig {
        command: list(docker, "/Config/Cmd"),
        environment: list(docker, "/Config/Env"),
        directory: filled(docker, "/Config/WorkingDir"),
        hostname: Some(text(docker, "/Config/Hostname")).filter(|name| *name != id.short()).map(parsed),
        domainname: filled(docker, "/Config/Domainname"),
        dns: DnsConfig {
            servers: list(docker, "/HostConfig/Dns"),
            search: list(docker, "/HostConfig/DnsSearch"),
            options: list(docker, "/HostConfig/DnsOptions"),
        },
        extra_hosts: list(docker, "/HostConfig/ExtraHosts"),
        publish: publish.collect(),
        publish_all: docker["HostConfig"]["PublishAllPorts"] == json!(true),
        exposed: exposed.map(|port| parsed(port)).collect(),
        auto_remove: docker["HostConfig"]["AutoRemove"] == json!(true),
        labels: labels
            .map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned()))
            .collect(),
    }
}

fn mappings((port, bindings): (&String, &Value)) -> Vec<PortMapping> {
    let (number, protocol) = port.split_once('/').expect("a port");
    let mapping = |binding: &Value| PortMapping {
        host_address: parsed(text(binding, "/HostIp")),
        host_ports: PortRange::parse(text(binding, "/HostPort")).expect("a port"),
        ports: PortRange::parse(number).expect("a port"),
        protocol: parsed(protocol),
    };
    bindings.as_array().into_iter().flatten().map(mapping).collect()
}

/// How a container belongs to a network, which is made if it is not there.
fn attachment_of(name: &str, docker: &Value, spec: &mut Spec) -> Attachment {
    let id = filled(docker, "/NetworkID").unwrap_or(NetworkId::new([7; 32]));
    if !spec.networks.contains_key(&id) {
        spec.networks.insert(id, network_of(id, name, docker));
    }
    let network = &spec.networks[&id];
    let mut wishes: crate::frontend::api::wire::EndpointConfig =
        serde_json::from_value(docker.clone()).expect("it is also a wish");
    let all = endpoint_settings(wishes.clone()).expect("the engine has taken it");
    let endpoint = filled(docker, "/EndpointID").map(|id| Endpoint {
        id,
        network: network.id,
        addresses: ["/IPAddress", "/GlobalIPv6Address"].iter().filter_map(|at| filled(docker, at)).collect(),
        mac: all.mac.expect("it is connected"),
        interface: "eth0".to_owned(),
    });
    wishes.mac_address.clear();
    let settings = endpoint_settings(wishes).expect("the engine has taken it");
    Attachment { endpoint, ..Attachment::new(network, settings) }
}

fn network_of(id: NetworkId, name: &str, docker: &Value) -> Network {
    let pool = |gateway: &str, length: &str| {
        let gateway: IpAddr = filled(docker, gateway)?;
        let length = u8::try_from(number(docker, length)).expect("a length");
        Some(Pool::new(IpNet::new(gateway, length).expect("a subnet").trunc(), Some(gateway)))
    };
    let pools = [pool("/Gateway", "/IPPrefixLen"), pool("/IPv6Gateway", "/GlobalIPv6PrefixLen")];
    Network {
        id,
        name: Name::of_network(name).expect("a name"),
        driver: if name == "none" { Driver::Null } else { Driver::Bridge },
        created: 0,
        pools: pools.into_iter().flatten().collect(),
        internal: false,
        attachable: false,
        options: BTreeMap::new(),
        bridge: BridgeOptions::default(),
        ipam_options: None,
        labels: BTreeMap::new(),
        template: None,
        config_from: None,
    }
}

/// Everything of the recording as a spec, each container after those it is linked to.
fn recorded() -> (Spec, Value) {
    let recorded: Value = serde_json::from_str(RECORDED).expect("it is JSON");
    let mut spec = Spec::default();
    for name in ["db", "web", "linked", "idle", "gone"] {
        let sandbox = sandbox_of(&recorded["inspected"][name], &mut spec);
        spec.sandboxes.insert(sandbox.id, sandbox);
    }
    (spec, recorded)
}

/// Every value that we show must be the engine's.
fn compare(ours: &Value, docker: &Value, pointer: &str) {
    let is_empty_map = |value: &Value| value.as_object().is_some_and(serde_json::Map::is_empty);
    if OURS.contains(&pointer) {
        return;
    }
    if !is_empty_map(ours)
        && let Some(members) = ours.as_object()
    {
        for (name, value) in members {
            compare(value, docker.get(name).unwrap_or(&Value::Null), &format!("{pointer}/{name}"));
        }
        return;
    }
    assert_eq!(ours, docker, "{pointer}");
}

#[test]
fn containers_are_shown_as_by_docker() {
    let (spec, recorded) = recorded();
    let settings = Settings { run_dir: "/run".into(), state_dir: "/lib".into(), bpffs: "/bpf".into() };
    let version = "1.51".parse().expect("a version");
    for sandbox in spec.sandboxes.values() {
        let shown = container(&spec, sandbox, &settings, version);
        let docker = &recorded["inspected"][sandbox.name.as_str()];
        compare(&serde_json::to_value(shown).expect("JSON"), docker, "");
    }
}

#[test]
fn containers_are_listed_as_by_docker() {
    let (spec, recorded) = recorded();
    for sandbox in spec.sandboxes.values() {
        let mut listed = serde_json::to_value(container_summary(&spec, sandbox, 0)).expect("JSON");
        let mut docker = recorded["listed"][sandbox.name.as_str()].clone();
        for ports in [&mut listed, &mut docker].map(|list| list["Ports"].as_array_mut().expect("a list")) {
            // The engine has them in no order.
            ports.sort_by_key(ToString::to_string);
        }
        listed.as_object_mut().expect("an object").retain(|name, _| !name.starts_with("Image"));
        compare(&listed, &docker, "");
    }
}

#[test]
fn older_clients_see_more_aliases_and_newer_ones_nothing_twice() {
    let (spec, _) = recorded();
    let settings = Settings { run_dir: "/run".into(), state_dir: "/lib".into(), bpffs: "/bpf".into() };
    let named = |name: &str| {
        spec.sandboxes.values().find(|sandbox| sandbox.name.as_str() == name).expect("it is recorded")
    };
    let shown = |name, version: &str| {
        container(&spec, named(name), &settings, version.parse().expect("a version")).network_settings
    };
    let aliases = |version| shown("web", version).networks["front"].aliases.clone();
    let made_up = ["api", "9a47e6703deb", "www"].map(str::to_owned).to_vec();
    assert_eq!((aliases("1.44"), aliases("1.45")), (Some(made_up), Some(vec!["api".to_owned()])));
    let address = |version| shown("db", version).default_endpoint.map(|endpoint| endpoint.ip_address);
    assert_eq!((address("1.51"), address("1.52")), (Some("172.17.0.2".to_owned()), None));
}
