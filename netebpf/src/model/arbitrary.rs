//! Random specs for property tests.

use std::{collections::BTreeMap, net::Ipv4Addr};

use ipnet::{IpNet, Ipv4Net};
use proptest::prelude::*;

use super::{
    Endpoint, EndpointId, Name, Network, NetworkId, Pool, PortMapping, Process, Protocol, Sandbox, SandboxId,
    SandboxState, Spec, local_mac,
};

/// Makes a name that is valid and differs from every other by its number.
fn name(prefix: &str, number: usize) -> Name {
    Name::of_sandbox(&format!("{prefix}-{number}")).expect("a valid name")
}

/// An identifier's bytes: the kind and the number decide the first six, which names of links are made of.
fn id(kind: u8, number: usize) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[0] = kind;
    bytes[1..5].copy_from_slice(&u32::try_from(number).expect("a small number").to_be_bytes());
    bytes
}

/// The number-th network; `flags` are ICC and internal.
fn network(number: usize, flags: (bool, bool)) -> Network {
    let base = Ipv4Addr::new(10, u8::try_from(number).expect("a small number"), 0, 0);
    let subnet = IpNet::V4(Ipv4Net::new_assert(base, 24));
    let gateway = subnet.hosts().next().expect("a first address");
    let labels = BTreeMap::from([("number".to_owned(), number.to_string())]);
    Network {
        id: NetworkId::new(id(1, number)),
        name: name("net", number),
        created: 1_700_000_000,
        pools: vec![Pool { subnet, gateway }],
        icc: flags.0,
        internal: flags.1,
        options: BTreeMap::new(),
        labels,
    }
}

fn state() -> impl Strategy<Value = SandboxState> {
    prop_oneof![
        1 => Just(SandboxState::Created),
        4 => (1..40_000, any::<u64>()).prop_map(|(pid, start_time)| SandboxState::Running(Process { pid, start_time })),
        1 => (0..256).prop_map(SandboxState::Exited),
    ]
}

/// The number-th sandbox, joined to the networks whose bit is set in `joined`.
fn sandbox(
    number: usize,
    networks: &[Network],
    joined: &[bool],
    state: SandboxState,
    publish: bool,
) -> Sandbox {
    let chosen = networks.iter().zip(joined).filter(|(_, joined)| **joined);
    let endpoints = chosen.enumerate().map(|(index, (network, _))| {
        let address = network.pools[0].subnet.hosts().nth(number + 1).expect("room for every sandbox");
        let pair = 16 * number + usize::from(network.id.as_bytes()[4]);
        Endpoint {
            id: EndpointId::new(id(2, pair)),
            network: network.id,
            addresses: vec![address],
            mac: local_mac(&id(2, pair)),
            interface: format!("eth{index}"),
        }
    });
    let host_port = 8000 + u16::try_from(number).expect("a small number");
    let host_address = Ipv4Addr::UNSPECIFIED.into();
    let mapping = PortMapping { host_address, host_port, port: 80, protocol: Protocol::Tcp };
    Sandbox {
        id: SandboxId::new(id(3, number)),
        name: name("box", number),
        created: 1_700_000_000,
        command: vec!["sleep".to_owned(), "infinity".to_owned()],
        state,
        ports: publish.then_some(mapping).into_iter().collect(),
        auto_remove: number.is_multiple_of(2),
        endpoints: endpoints.collect(),
    }
}

/// Specs with up to four networks and five sandboxes, without contradictions. Equal numbers mean equal identifiers, so
/// that two specs overlap and a kernel can go from one to the other.
pub(crate) fn spec() -> impl Strategy<Value = Spec> {
    let networks = prop::collection::vec(prop::option::weighted(0.8, any::<(bool, bool)>()), 4);
    let boxes = (prop::collection::vec(any::<bool>(), 4), state(), any::<bool>());
    let sandboxes = prop::collection::vec(prop::option::weighted(0.8, boxes), 5);
    (networks, sandboxes).prop_map(|(networks, sandboxes)| {
        let numbered = networks.into_iter().enumerate();
        let networks: Vec<Network> = numbered.filter_map(|(n, flags)| Some(network(n, flags?))).collect();
        let sandboxes = sandboxes.into_iter().enumerate().filter_map(|(number, chosen)| {
            let (joined, state, publish) = chosen?;
            let made = sandbox(number, &networks, &joined, state, publish);
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
    let networks = [network(0, (true, false)), network(1, (true, true))];
    let running = SandboxState::Running(Process { pid: 1, start_time: 1 });
    let sandboxes = [
        sandbox(0, &networks, &[true, true], running, true),
        sandbox(1, &networks, &[true, false], running, false),
        sandbox(2, &networks, &[true, false], SandboxState::Exited(0), true),
    ];
    Spec {
        networks: networks.into_iter().map(|network| (network.id, network)).collect(),
        sandboxes: sandboxes.into_iter().map(|sandbox| (sandbox.id, sandbox)).collect(),
    }
}
