//! Random specs for property tests.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use proptest::prelude::*;

use super::{
    AddressWishes, Attachment, BridgeOptions, Driver, Endpoint, EndpointId, EndpointSettings, ExposedPorts,
    GatewayMode, Name, Network, NetworkId, NetworkMode, Pool, PortMapping, PortRange, Process, Protocol,
    Sandbox, SandboxConfig, SandboxId, SandboxLink, SandboxState, Spec, local_mac,
};

/// Makes a name that is valid and differs from every other by its number.
fn name(prefix: &str, number: usize) -> Name {
    Name::of_sandbox(&format!("{prefix}-{number}")).expect("a valid name")
}

/// An identifier's bytes: noun, number and kind decide the first six, which names of links are made of.
fn id(noun: u8, number: usize, kind: u8) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[0] = noun;
    bytes[5] = kind;
    bytes[1..5].copy_from_slice(&u32::try_from(number).expect("a small number").to_be_bytes());
    bytes
}

/// Gateway modes; the first is the default.
const MODES: [&str; 4] = ["nat", "routed", "nat-unprotected", "isolated"];

/// Options of networks, chosen by the bits of a number; zero chooses none.
fn options(kind: u8) -> BTreeMap<String, String> {
    let is_set = |bit: u8| kind & bit != 0;
    let mode = |index: u8| match MODES[usize::from(index) % MODES.len()] {
        "isolated" if !is_set(INTERNAL) => "nat",
        mode => mode,
    };
    let options = [
        ("bridge.enable_icc", is_set(2).then_some("false")),
        ("bridge.enable_ip_masquerade", is_set(4).then_some("false")),
        ("bridge.trusted_host_interfaces", is_set(8).then_some("eth0:eth9")),
        ("driver.mtu", is_set(16).then_some("1400")),
        ("bridge.gateway_mode_ipv4", Some(mode(kind >> 1))),
        ("bridge.gateway_mode_ipv6", Some(mode(kind >> 2))),
    ];
    let set = options.into_iter().filter_map(|(name, value)| Some((name, value?)));
    set.map(|(name, value)| (format!("com.docker.network.{name}"), value.to_owned())).collect()
}

/// The bit of a network's kind that makes it internal.
const INTERNAL: u8 = 1;

/// The number-th network of a kind. What cannot be changed about a network is part of its identifier.
fn network(number: usize, kind: u8) -> Network {
    let byte = u8::try_from(number).expect("a small number");
    let v4 = IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(10, byte, 0, 0), 24));
    let v6 = IpNet::V6(Ipv6Net::new_assert(Ipv6Addr::new(0xfd00, byte.into(), 0, 0, 0, 0, 0, 0), 64));
    let options = options(kind);
    let bridge = BridgeOptions::parse(&options).expect("options that fit");
    let subnets = match kind >> 5 & 3 {
        0 => vec![v4],
        1 | 2 => vec![v4, v6],
        _ => vec![v6],
    };
    let pools = subnets.into_iter().map(|subnet| {
        let pool = Pool::new(subnet, hosts(subnet).next());
        let is_isolated = bridge.mode(pool.family()) == GatewayMode::Isolated;
        Pool { gateway: pool.gateway.filter(|_| !is_isolated), ..pool }
    });
    Network {
        id: NetworkId::new(id(1, number, kind)),
        name: name("net", number),
        driver: Driver::Bridge,
        created: 1_700_000_000_000_000_000,
        pools: pools.collect(),
        internal: kind & INTERNAL != 0,
        attachable: false,
        ipam_options: None,
        template: None,
        config_from: None,
        labels: BTreeMap::from([("number".to_owned(), number.to_string())]),
        options,
        bridge,
    }
}

/// The addresses that an interface can have.
fn hosts(subnet: IpNet) -> impl Iterator<Item = IpAddr> {
    subnet.hosts().filter(move |address| *address != subnet.network())
}

/// What the number-th sandbox publishes: nothing, one port on IPv4, or more on both IP versions.
fn published(number: usize, length: u16) -> Vec<PortMapping> {
    let Some(more) = length.checked_sub(1) else { return Vec::new() };
    let first = 8000 + 100 * u16::try_from(number).expect("a small number");
    let host_ports = PortRange::new(first, first + more).expect("a range");
    let ports = host_ports.alike(80).expect("a range");
    let mapping = |host_address| PortMapping { host_address, host_ports, ports, protocol: Protocol::Tcp };
    let v6 = (more > 0).then_some(IpAddr::V6(Ipv6Addr::UNSPECIFIED));
    [IpAddr::V4(Ipv4Addr::UNSPECIFIED)].into_iter().chain(v6).map(mapping).collect()
}

fn state() -> impl Strategy<Value = SandboxState> {
    prop_oneof![
        1 => Just(SandboxState::Created),
        1 => process().prop_map(SandboxState::Starting),
        4 => prop::option::weighted(0.9, process()).prop_map(|process| SandboxState::Running { process, started: 7 }),
        1 => (0..256).prop_map(|code| SandboxState::Exited { code, started: 7, finished: 9 }),
    ]
}

fn process() -> impl Strategy<Value = Process> {
    (1..40_000, any::<u64>()).prop_map(|(pid, start_time)| Process { pid, start_time })
}

/// The number-th sandbox, joined to the networks whose bit is set in `joined`.
fn sandbox(
    number: usize,
    networks: &[Network],
    joined: &[bool],
    state: SandboxState,
    ports: Vec<PortMapping>,
) -> Sandbox {
    let is_active = matches!(state, SandboxState::Starting(_) | SandboxState::Running { .. });
    let chosen = networks.iter().zip(joined).filter(|(_, joined)| **joined);
    let attachments = chosen.enumerate().map(|(index, (network, _))| {
        let hosts = network.pools.iter().map(|pool| hosts(pool.subnet).nth(number + 1));
        let [.., network_number, kind] = network.id.as_bytes()[..6] else { unreachable!("there are 32") };
        let bytes = id(2, 16 * number + usize::from(network_number), kind);
        let endpoint = Endpoint {
            id: EndpointId::new(bytes),
            network: network.id,
            addresses: hosts.map(|host| host.expect("room for every sandbox")).collect(),
            mac: local_mac(&bytes),
            interface: format!("eth{index}"),
        };
        let gateway_priority = i64::from(kind % 3) - 1;
        // Others have the same, also on the same network.
        let link_local = (number > 2).then(|| AddressWishes {
            link_local: vec![IpAddr::V4(Ipv4Addr::new(169, 254, 1, 1))],
            ..AddressWishes::default()
        });
        let settings =
            EndpointSettings { gateway_priority, addresses: link_local, ..EndpointSettings::default() };
        Attachment { endpoint: is_active.then_some(endpoint), ..Attachment::new(network, settings) }
    });
    // Each is linked to the next, which need not be there.
    let link = SandboxLink { sandbox: SandboxId::new(id(3, number + 1, 0)), alias: "next".to_owned() };
    let exposed = ExposedPorts { ports: PortRange::single(7), protocol: Protocol::Udp };
    Sandbox {
        id: SandboxId::new(id(3, number, 0)),
        name: name("box", number),
        created: 1_700_000_000_000_000_000,
        mode: NetworkMode::Own(String::new()),
        config: SandboxConfig {
            command: vec!["sleep".to_owned(), "infinity".to_owned()],
            environment: vec![format!("NUMBER={number}")],
            exposed: vec![exposed],
            auto_remove: number.is_multiple_of(2),
            ..SandboxConfig::default()
        },
        state,
        ports: if is_active { ports } else { Vec::new() },
        links: vec![link],
        attachments: attachments.collect(),
        keeps_resolver: is_active && number == 4,
    }
}

/// Specs with up to four networks and five sandboxes, without contradictions. Equal numbers mean equal identifiers, so
/// that two specs overlap and a kernel can go from one to the other.
pub(crate) fn spec() -> impl Strategy<Value = Spec> {
    let networks = prop::collection::vec(prop::option::weighted(0.8, any::<u8>()), 4);
    let boxes = (prop::collection::vec(any::<bool>(), 4), state(), 0..9_u16);
    let sandboxes = prop::collection::vec(prop::option::weighted(0.8, boxes), 5);
    (networks, sandboxes).prop_map(|(networks, sandboxes)| {
        let numbered = networks.into_iter().enumerate();
        let networks: Vec<Network> = numbered.filter_map(|(n, kind)| Some(network(n, kind?))).collect();
        let sandboxes = sandboxes.into_iter().enumerate().filter_map(|(number, chosen)| {
            let (joined, state, length) = chosen?;
            let made = sandbox(number, &networks, &joined, state, published(number, length));
            Some((made.id, made))
        });
        Spec {
            sandboxes: sandboxes.collect(),
            networks: networks.iter().map(|network| (network.id, network.clone())).collect(),
        }
    })
}

/// Network `net-0` and the internal network `net-1`; running sandbox `box-0` on both, with a published port; running
/// sandbox `box-1` on `net-0`; exited sandbox `box-2` on `net-0`.
pub(crate) fn example() -> Spec {
    let networks = [network(0, 0), network(1, INTERNAL)];
    let running = SandboxState::Running { process: Some(Process { pid: 1, start_time: 1 }), started: 7 };
    let exited = SandboxState::Exited { code: 0, started: 7, finished: 9 };
    let sandboxes = [
        sandbox(0, &networks, &[true, true], running, published(0, 1)),
        sandbox(1, &networks, &[true, false], running, Vec::new()),
        sandbox(2, &networks, &[true, false], exited, published(2, 1)),
    ];
    Spec {
        networks: networks.into_iter().map(|network| (network.id, network)).collect(),
        sandboxes: sandboxes.into_iter().map(|sandbox| (sandbox.id, sandbox)).collect(),
    }
}
