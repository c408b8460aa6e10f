//! Whatever a client sends: what must hold of the answer. For tests and for fuzzing.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

use hickory_server::proto::{
    op::{Edns, Message},
    rr::Record,
};
use netebpf_common::abi::Mac;

use super::{Client, Dialer, Limits, Origin, Resolver, Response, Transport, Upstream};
use crate::{
    compile::names::Names,
    model::{
        Attachment, BridgeOptions, Driver, Endpoint, EndpointId, EndpointSettings, LinkRequest, Name,
        Network, NetworkId, NetworkMode, Pool, Sandbox, SandboxConfig, SandboxId, SandboxState, Spec,
    },
};

/// How many sandboxes of the network have the alias `many`.
const MANY: u8 = 60;

/// Sandbox `web` (10.1.0.1) with the host name `web.example.org`, `db` (10.1.0.2 and `fd01::2`) and `box-3` to `box-60` on the
/// network `net`; all have the alias `many`, and the first two `app`. `web` calls `db` also `store`. Sandbox `secret`
/// (10.2.0.1) on the network `other`.
pub(crate) fn spec() -> Spec {
    let mut sandboxes: Vec<_> =
        (1..=MANY).map(|number| sandbox(1, number, &format!("box-{number}"))).collect();
    sandboxes.push(sandbox(2, 1, "secret"));
    let [web, db, ..] = sandboxes.as_mut_slice() else { unreachable!("there are more") };
    let rename = |sandbox: &mut Sandbox, name| sandbox.name = Name::of_sandbox(name).expect("a name");
    rename(web, "web");
    rename(db, "db");
    web.config.hostname = Some("web.example.org".parse().expect("a host name"));
    web.attachments[0].settings.links =
        vec![LinkRequest { sandbox: "db".to_owned(), alias: "Store".to_owned() }];
    for sandbox in [web, db] {
        sandbox.attachments[0].settings.aliases.get_or_insert_default().push("App".to_owned());
    }
    let networks = [network(1, "net"), network(2, "other")];
    Spec {
        networks: networks.into_iter().map(|network| (network.id, network)).collect(),
        sandboxes: sandboxes.into_iter().map(|sandbox| (sandbox.id, sandbox)).collect(),
    }
}

/// Where a sandbox of the spec asks from: 127.NETWORK.0.NUMBER, and any port.
pub(super) fn peer(network: u8, number: u8) -> SocketAddr {
    ([127, network, 0, number], 0).into()
}

/// All sandboxes of a spec as clients.
pub(super) fn clients(spec: &Spec, upstreams: &[Upstream]) -> Vec<(IpAddr, Client)> {
    let client = |(sandbox, endpoint, network): (&Sandbox, &Endpoint, &Network)| {
        let [_, network_number, number, ..] = *endpoint.id.as_bytes();
        let client = Client {
            sandbox: sandbox.id,
            network: network.id,
            upstreams: upstreams.to_vec(),
            keeps_single_labels: false,
        };
        (peer(network_number, number).ip(), client)
    };
    spec.active_endpoints().map(client).collect()
}

/// A resolver with these sandboxes as clients, who are answered nothing about names of elsewhere.
#[must_use]
pub fn resolver() -> Resolver {
    let dialer = Dialer::new(|_, _| Err(std::io::ErrorKind::Unsupported.into()));
    let resolver = Resolver::new(dialer, Limits::default());
    let spec = spec();
    let upstream = Upstream { address: ([127, 0, 0, 1], 53).into(), from: Origin::Host };
    resolver.publish(Names::of(&spec), clients(&spec, &[upstream]));
    resolver
}

/// Lets a client send a message, both chosen by bytes.
///
/// # Panics
///
/// If the answer is one that must not be.
pub fn play(resolver: &Resolver, bytes: &[u8]) {
    let Some((choice, message)) = bytes.split_first() else { return };
    let transport = if choice & 1 == 0 { Transport::Udp } else { Transport::Tcp };
    let peer = peer(1, choice >> 1);
    match resolver.respond(peer, transport, message) {
        Response::Silence => assert!(message.len() < 12 || message[2] & 0x80 != 0, "a query has an answer"),
        Response::Ready(answer) => check(resolver, (peer, transport), message, &answer),
        Response::Later(_) => assert!(Message::from_vec(message).is_ok(), "nothing malformed is forwarded"),
    }
}

fn check(resolver: &Resolver, client: (SocketAddr, Transport), message: &[u8], answer: &[u8]) {
    let (peer, transport) = client;
    assert_eq!(answer[..2], message[..2], "the number is the query's");
    assert!(
        matches!(resolver.respond(peer, transport, answer), Response::Silence),
        "answers are not answered"
    );
    let read = Message::from_vec(answer).expect("an answer is well-formed");
    let query = Message::from_vec(message).ok();
    let payload = query.as_ref().and_then(|query| query.edns.as_ref()).map_or(512, Edns::max_payload);
    let limit = if transport == Transport::Udp { payload.max(512) } else { u16::MAX };
    assert!(answer.len() <= usize::from(limit), "{} bytes of {limit}", answer.len());
    assert!(read.answers.iter().all(is_ours), "only the client's own network is told of");
    if let Some(query) = query.filter(|_| !read.queries.is_empty()) {
        assert!(query.queries[0].name.eq_case(&read.queries[0].name), "the name is spelt as the client does");
        assert_eq!(query.edns.is_some(), read.edns.is_some(), "EDNS answers EDNS");
    }
}

fn is_ours(record: &Record) -> bool {
    let text = record.data.to_string();
    ["10.1.", "fd01::"].iter().any(|subnet| text.starts_with(subnet)) || text.strip_suffix(".net.").is_some()
}

fn network(number: u8, name: &str) -> Network {
    let subnets = [format!("10.{number}.0.0/16"), format!("fd0{number}::/64")];
    Network {
        id: NetworkId::new([number; 32]),
        name: Name::of_network(name).expect("a name"),
        driver: Driver::Bridge,
        created: 0,
        pools: subnets.map(|subnet| Pool::new(subnet.parse().expect("a subnet"), None)).to_vec(),
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

fn sandbox(network: u8, number: u8, name: &str) -> Sandbox {
    let bytes = |kind: u8| {
        let mut bytes = [0; 32];
        bytes[..3].copy_from_slice(&[kind, network, number]);
        bytes
    };
    let v4 = IpAddr::V4(Ipv4Addr::new(10, network, 0, number));
    let v6 = IpAddr::V6(Ipv6Addr::new(0xfd00 + u16::from(network), 0, 0, 0, 0, 0, 0, number.into()));
    let id = NetworkId::new([network; 32]);
    let endpoint = Endpoint {
        id: EndpointId::new(bytes(2)),
        network: id,
        addresses: if number == 2 { vec![v4, v6] } else { vec![v4] },
        mac: Mac([2, 0, 0, 0, network, number]),
        interface: "eth0".to_owned(),
    };
    let settings = EndpointSettings { aliases: Some(vec!["many".to_owned()]), ..EndpointSettings::default() };
    let attachment = Attachment {
        network: id,
        name: Name::of_sandbox("its-network").expect("a name"),
        settings,
        endpoint: Some(endpoint),
        joined_later: false,
    };
    Sandbox {
        id: SandboxId::new(bytes(3)),
        name: Name::of_sandbox(name).expect("a name"),
        created: 0,
        mode: NetworkMode::Own(String::new()),
        config: SandboxConfig::default(),
        state: SandboxState::Running { process: None, started: 0 },
        ports: Vec::new(),
        links: Vec::new(),
        attachments: vec![attachment],
        keeps_resolver: false,
    }
}
