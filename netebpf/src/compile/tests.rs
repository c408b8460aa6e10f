//! Table contents for a small spec whose links are there.

mod trusted;

use netebpf_common::abi::{
    ABI_VERSION, Address, AllowKey, ConfigFlags, EndpointFlags, Family, LinkKey, Port, PublishBlock,
    PublishKey, PublishTarget, protocol,
};

use proptest::prelude::*;

use super::*;
use crate::{
    kernel::{LinkRole, fake::FakeKernel},
    model::{
        AddressWishes, BridgeOptions, Pool, PortMapping, PortRange, Protocol, SandboxLink, arbitrary,
        family_of,
    },
    reconcile::reconcile,
};

fn compile_all(spec: &Spec, options: &EngineOptions, observed: &Observed) -> Wanted {
    compile(spec, options, observed, &Links::of(spec, observed))
}

/// A kernel with the links of [`arbitrary::example`].
fn kernel() -> FakeKernel {
    let mut kernel = FakeKernel::default();
    settle(&mut kernel, &arbitrary::example());
    kernel
}

fn settle(kernel: &mut FakeKernel, spec: &Spec) {
    futures::executor::block_on(reconcile(kernel, spec, &EngineOptions::default())).expect("it is possible");
}

fn tables(spec: &Spec, kernel: &FakeKernel) -> TableContents {
    compile_all(spec, &EngineOptions::default(), &kernel.state).tables
}

fn address(text: &str) -> Address {
    text.parse::<std::net::IpAddr>().expect("the test gives an address").into()
}

#[test]
fn an_endpoint_stands_under_its_address_and_its_link() {
    let (spec, kernel) = (arbitrary::example(), kernel());
    let contents = tables(&spec, &kernel);
    let wanted = ["10.0.0.2", "10.0.0.3", "10.1.0.2"].map(address);
    assert_eq!(contents.endpoints.keys().copied().collect::<BTreeSet<_>>(), BTreeSet::from(wanted));
    let entry = contents.endpoints[&address("10.1.0.2")];
    assert_eq!(entry.gateway, address("10.1.0.1"));
    assert_eq!(entry.mask, address("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ff00"));
    let flags = EndpointFlags::ICC.union(EndpointFlags::INTERNAL).union(EndpointFlags::MASQUERADE);
    assert_eq!(entry.flags, flags);
    let bridge = &kernel.state.links[&entry.bridge];
    assert_eq!(
        (bridge.mac, kernel.state.links[&entry.ifindex].master),
        (entry.bridge_mac, Some(entry.bridge))
    );
    assert_eq!(contents.endpoint_links[&LinkKey::new(entry.ifindex, Family::V4)], entry);
    assert_eq!(contents.endpoint_links.len(), 3);
}

#[test]
fn a_link_local_address_stands_under_its_link_and_leads_nowhere() {
    let (mut spec, kernel) = (arbitrary::example(), kernel());
    let chosen: std::net::IpAddr = "169.254.8.8".parse().expect("an address");
    for sandbox in spec.sandboxes.values_mut() {
        for attachment in &mut sandbox.attachments {
            let wishes = AddressWishes { link_local: vec![chosen], ..AddressWishes::default() };
            attachment.settings.addresses = Some(wishes);
        }
    }
    let contents = tables(&spec, &kernel);
    let (own, chosen) = (contents.endpoints[&address("10.0.0.2")], Address::from(chosen));
    let entry = contents.endpoints[&chosen.on_link(own.ifindex)];
    assert_eq!(
        (entry.address, entry.ifindex, entry.bridge, entry.mac),
        (chosen, own.ifindex, own.bridge, own.mac)
    );
    assert!(entry.flags.contains(EndpointFlags::INTERNAL) && !own.flags.contains(EndpointFlags::INTERNAL));
    assert_eq!((contents.endpoints.len(), contents.endpoint_links.len()), (6, 3));
    assert_eq!(contents.endpoint_links[&LinkKey::new(own.ifindex, Family::V4)], own);
}

#[test]
fn a_port_leads_to_the_endpoint_that_is_not_internal() {
    let (spec, kernel) = (arbitrary::example(), kernel());
    let key = PublishKey::new(Address::UNSPECIFIED_V4, Port::new(8000), protocol::TCP);
    let wanted = compile_all(&spec, &EngineOptions::default(), &kernel.state);
    assert_eq!(
        wanted.tables.published.into_iter().collect::<Vec<_>>(),
        [
            (
                PublishBlock::single(key),
                PublishTarget::new(address("10.0.0.2"), Port::new(8000), Port::new(80))
            ),
            open("10.0.0.2", 80),
        ]
    );
    assert_eq!(wanted.held, [key].into());
    let mut internal = spec;
    internal.networks.values_mut().for_each(|network| network.internal = true);
    let wanted = compile_all(&internal, &EngineOptions::default(), &kernel.state);
    assert!(wanted.tables.published.is_empty() && wanted.held.is_empty());
}

#[test]
fn nothing_stands_for_links_that_are_not_there() {
    let contents = tables(&arbitrary::example(), &FakeKernel::default());
    assert!(
        contents.endpoints.is_empty() && contents.endpoint_links.is_empty() && contents.published.is_empty()
    );
}

#[test]
fn every_host_address_is_local_and_the_first_global_one_masquerades() {
    let mut kernel = kernel();
    let addresses = ["169.254.3.4/16", "203.0.113.9/24", "203.0.113.8/24", "fe80::1/64", "2001:db8::1/64"];
    let second = kernel.add_link("eth1", LinkRole::Netdev, &addresses);
    kernel.add_link("ib0", LinkRole::Other, &["198.51.100.1/32"]);
    let contents = tables(&arbitrary::example(), &kernel);
    for local in ["127.0.0.1", "192.0.2.1", "10.0.0.1", "10.1.0.1", "203.0.113.9", "198.51.100.1", "fe80::1"]
    {
        assert!(contents.locals.contains_key(&address(local)), "{local}");
    }
    let uplink =
        |ifindex, family| contents.uplinks.get(&LinkKey::new(ifindex, family)).map(|uplink| uplink.address);
    assert_eq!(uplink(2, Family::V4), Some(address("192.0.2.1")));
    assert_eq!(uplink(2, Family::V6), Some(Address::UNSPECIFIED_V6));
    assert_eq!(uplink(second, Family::V4), Some(address("203.0.113.9")));
    assert_eq!(uplink(second, Family::V6), Some(address("2001:db8::1")));
    assert_eq!(contents.uplinks.len(), 4);
}

#[test]
fn a_gateway_is_local_before_its_bridge_has_it() {
    let mut kernel = kernel();
    kernel.state.links.values_mut().for_each(|link| link.addresses.clear());
    let contents = tables(&arbitrary::example(), &kernel);
    let locals: BTreeSet<_> = contents.locals.into_keys().collect();
    assert_eq!(locals, ["10.0.0.1", "10.1.0.1"].map(address).into());
}

#[test]
fn settings_keep_seed_and_epoch_of_the_kernel() {
    let mut kernel = FakeKernel::default();
    let fresh = tables(&Spec::default(), &kernel).config.expect("settings");
    assert_eq!((fresh.abi, fresh.epoch, fresh.netns_cookie, fresh.seed), (ABI_VERSION, 0, 7, 4711));
    kernel.state.tables.config = Some(netebpf_common::abi::Config { epoch: 12, seed: 1, ..fresh });
    let next = tables(&Spec::default(), &kernel).config.expect("settings");
    assert_eq!((next.epoch, next.seed), (12, 1));
}

/// The entry of a port that is open at an endpoint's own address.
fn open(own: &str, port: u16) -> (PublishBlock, PublishTarget) {
    let key = PublishKey::new(address(own), Port::new(port), protocol::TCP);
    (PublishBlock::single(key), PublishTarget::new(address(own), Port::new(0), Port::new(0)))
}

/// The example with both IP versions and these options in `net-0`.
fn dual(options: &[(&str, &str)]) -> (Spec, FakeKernel) {
    let mut spec = arbitrary::example();
    let front = spec.networks.values_mut().next().expect("net-0");
    let options =
        options.iter().map(|(name, value)| (format!("com.docker.network.{name}"), (*value).to_owned()));
    front.bridge = BridgeOptions::parse(&options.collect()).expect("the test gives options");
    let gateway = |text: &str| text.parse().ok();
    front.pools.push(Pool::new("fd00::/64".parse().expect("a subnet"), gateway("fd00::1")));
    let front = front.id;
    for (number, sandbox) in (2_u16..).zip(spec.sandboxes.values_mut()) {
        let mut endpoints =
            sandbox.attachments.iter_mut().filter_map(|attachment| attachment.endpoint.as_mut());
        let address = std::net::Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, number);
        if let Some(endpoint) = endpoints.find(|endpoint| endpoint.network == front) {
            endpoint.addresses.push(address.into());
        }
    }
    let mut kernel = FakeKernel::default();
    settle(&mut kernel, &spec);
    (spec, kernel)
}

#[test]
fn every_option_reaches_the_data_path() {
    let flags = |options: &[(&str, &str)]| {
        let (spec, kernel) = dual(options);
        let endpoints = tables(&spec, &kernel).endpoints;
        (endpoints[&address("10.0.0.2")].flags, endpoints[&address("fd00::2")].flags)
    };
    let (icc, masquerade) = (EndpointFlags::ICC, EndpointFlags::MASQUERADE);
    let usual = icc.union(masquerade);
    assert_eq!(flags(&[]), (usual, usual));
    assert_eq!(flags(&[("bridge.enable_icc", "false")]), (masquerade, masquerade));
    assert_eq!(flags(&[("bridge.enable_ip_masquerade", "false")]), (icc, icc));
    let routed = icc.union(EndpointFlags::ROUTED);
    assert_eq!(flags(&[("bridge.gateway_mode_ipv6", "routed")]), (usual, routed));
    let unprotected = usual.union(EndpointFlags::UNPROTECTED);
    assert_eq!(flags(&[("bridge.gateway_mode_ipv4", "nat-unprotected")]), (unprotected, usual));
}

#[test]
fn a_network_stands_once_for_each_ip_version_with_its_fixed_source() {
    let (spec, kernel) = dual(&[("host_ipv4", "192.0.2.9")]);
    let bridge = kernel.ifindex("br-010000000000").expect("the bridge of net-0");
    let networks = tables(&spec, &kernel).networks;
    assert_eq!(networks.len(), 3);
    assert_eq!(networks[&LinkKey::new(bridge, Family::V4)].snat, address("192.0.2.9"));
    assert_eq!(networks[&LinkKey::new(bridge, Family::V6)].snat, Address::UNSPECIFIED_V6);
}

#[test]
fn an_isolated_network_has_no_gateway() {
    let mut spec = arbitrary::example();
    let inner = spec.networks.values_mut().nth(1).expect("net-1");
    inner.pools[0].gateway = None;
    let mut kernel = FakeKernel::default();
    settle(&mut kernel, &spec);
    let bridge = kernel.ifindex(&spec.networks.values().nth(1).expect("net-1").bridge_name());
    let contents = tables(&spec, &kernel);
    assert_eq!(contents.endpoints[&address("10.1.0.2")].gateway, Address::UNSPECIFIED_V4);
    assert!(!contents.locals.contains_key(&address("10.1.0.1")));
    assert!(kernel.state.links[&bridge.expect("a bridge")].addresses.is_empty());
}

/// The example's `box-0` with these ports.
fn publishing(options: &[(&str, &str)], mappings: &[(&str, &str, u16)]) -> (Spec, FakeKernel) {
    let (mut spec, mut kernel) = dual(options);
    let sandbox = spec.sandboxes.values_mut().next().expect("box-0");
    let mapping = |(host, ports, port): &(&str, &str, u16)| {
        let host_ports = PortRange::parse(ports).expect("the test gives ports");
        PortMapping {
            host_address: host.parse().expect("the test gives an address"),
            host_ports,
            ports: host_ports.alike(*port).expect("the test gives ports"),
            protocol: Protocol::Tcp,
        }
    };
    sandbox.ports = mappings.iter().map(mapping).collect();
    settle(&mut kernel, &spec);
    (spec, kernel)
}

/// Where the published port of the longest block leads.
fn lead(contents: &TableContents, host: &str, port: u16) -> Option<(Address, u16)> {
    let key = PublishKey::new(address(host), Port::new(port), protocol::TCP);
    let holding = contents.published.iter().filter(|(block, _)| block.contains(&key));
    let (_, target) = holding.max_by_key(|(block, _)| block.bits())?;
    Some((target.address, target.port_for(key.port).number()))
}

#[test]
fn ten_thousand_ports_are_a_few_entries_and_as_many_sockets() {
    let (spec, kernel) =
        publishing(&[], &[("192.0.2.1", "20000-29999", 10_000), ("2001:db8::1", "20000-29999", 10_000)]);
    let contents = tables(&spec, &kernel);
    assert!(contents.published.len() <= 4 * 30, "{}", contents.published.len());
    assert_eq!(kernel.state.held.len(), 20_000);
    assert_eq!(lead(&contents, "192.0.2.1", 20_000), Some((address("10.0.0.2"), 10_000)));
    assert_eq!(lead(&contents, "2001:db8::1", 29_999), Some((address("fd00::2"), 19_999)));
    assert_eq!(lead(&contents, "fd00::2", 19_999), Some((address("fd00::2"), 19_999)));
    assert_eq!(lead(&contents, "192.0.2.1", 30_000), None);
}

#[test]
fn an_ipv6_port_leads_to_ipv4_where_there_is_nothing_else() {
    let mut spec = arbitrary::example();
    let sandbox = spec.sandboxes.values_mut().next().expect("box-0");
    sandbox.ports[0].host_address = std::net::Ipv6Addr::UNSPECIFIED.into();
    let mut kernel = FakeKernel::default();
    settle(&mut kernel, &spec);
    let contents = tables(&spec, &kernel);
    assert_eq!(lead(&contents, "::", 8000), Some((address("10.0.0.2"), 80)));
    assert_eq!(lead(&contents, "10.0.0.2", 80), None, "nobody published IPv4");
}

#[test]
fn a_routed_network_opens_ports_and_publishes_none() {
    let options = [("bridge.gateway_mode_ipv4", "routed")];
    let (spec, kernel) = publishing(&options, &[("0.0.0.0", "8080", 80), ("::", "8080", 80)]);
    let contents = tables(&spec, &kernel);
    assert_eq!(lead(&contents, "0.0.0.0", 8080), None);
    assert_eq!(lead(&contents, "10.0.0.2", 80), Some((address("10.0.0.2"), 80)));
    assert_eq!(lead(&contents, "::", 8080), Some((address("fd00::2"), 80)));
    assert_eq!(kernel.state.held.len(), 1);
}

#[test]
fn overlapping_ranges_are_open_once() {
    let mappings = [("0.0.0.0", "8000-8010", 80), ("0.0.0.0", "9000-9010", 85), ("127.0.0.1", "7000", 96)];
    let (spec, kernel) = publishing(&[], &mappings);
    let contents = tables(&spec, &kernel);
    let own = contents.published.keys().filter(|block| block.key.address == address("10.0.0.2"));
    let ports: u32 =
        own.map(|block| u32::from(block.last().port.number() - block.key.port.number()) + 1).sum();
    assert_eq!(ports, 17, "80 to 96");
}

#[test]
fn links_open_exposed_and_published_ports_where_icc_is_off() {
    let (mut spec, mut kernel) = dual(&[("bridge.enable_icc", "false"), ("bridge.default_bridge", "true")]);
    settle(&mut kernel, &spec);
    let keys = |spec: &Spec, kernel: &FakeKernel| tables(spec, kernel).allowed;
    // box-0 publishes port 80 and is not linked to; box-1 exposes 7/udp and box-0 is linked to it.
    let allow = |client: &str, server: &str, port, protocol| {
        AllowKey::new(address(client), address(server), Port::new(port), protocol)
    };
    let from_first =
        [allow("10.0.0.2", "10.0.0.3", 7, protocol::UDP), allow("fd00::2", "fd00::3", 7, protocol::UDP)];
    assert_eq!(keys(&spec, &kernel), from_first.into());
    let [first, second] = [0, 1].map(|n| *spec.sandboxes.keys().nth(n).expect("three sandboxes"));
    let link = SandboxLink { sandbox: first, alias: "web".to_owned() };
    spec.sandboxes.get_mut(&first).expect("box-0").links.clear();
    spec.sandboxes.get_mut(&second).expect("box-1").links = vec![link];
    let to_first = |port, protocol| {
        [allow("10.0.0.3", "10.0.0.2", port, protocol), allow("fd00::3", "fd00::2", port, protocol)]
    };
    let both = [to_first(7, protocol::UDP), to_first(80, protocol::TCP)].concat();
    assert_eq!(keys(&spec, &kernel), both.into_iter().collect());
    let mut other = spec.clone();
    other.networks.values_mut().for_each(|network| network.bridge.is_default = false);
    assert!(keys(&other, &kernel).is_empty(), "links are names only on users' networks");
    spec.networks.values_mut().for_each(|network| network.bridge.icc = true);
    assert!(keys(&spec, &kernel).is_empty());
}

#[test]
fn settings_hold_what_the_daemon_was_started_with() {
    let mut options = EngineOptions { direct_routing: true, ..EngineOptions::default() };
    options.set_timeout("udp_stream=7".parse().expect("a timeout"));
    let state = Observed { routes: 99, ..FakeKernel::default().state };
    let config = compile_all(&Spec::default(), &options, &state).tables.config.expect("settings");
    assert!(config.flags.contains(ConfigFlags::DIRECT_ROUTING));
    assert_eq!((config.timeouts.udp_stream, config.timeouts.icmp, config.routes), (7, 30, 99));
}

#[test]
fn an_uplink_has_its_mtu_and_says_whether_it_is_bare() {
    let mut kernel = FakeKernel::default();
    let tunnel = kernel.add_link("tun0", LinkRole::Netdev, &["198.51.100.1/32", "2001:db8::7/64"]);
    let link = kernel.state.links.get_mut(&tunnel).expect("it is there");
    (link.mtu, link.bare) = (1420, true);
    let uplinks = tables(&Spec::default(), &kernel).uplinks;
    let seen =
        |ifindex, family| uplinks.get(&LinkKey::new(ifindex, family)).map(|uplink| (uplink.mtu, uplink.bare));
    assert_eq!(seen(2, Family::V4), Some((1500, 0)));
    assert_eq!((seen(tunnel, Family::V4), seen(tunnel, Family::V6)), (Some((1420, 1)), Some((1420, 1))));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_held_port_leads_where_it_was_published_and_no_other_port_leads_anywhere(spec in arbitrary::spec()) {
        let mut kernel = FakeKernel::default();
        settle(&mut kernel, &spec);
        let wanted = compile_all(&spec, &EngineOptions::default(), &kernel.state);
        let mut held = BTreeSet::new();
        for sandbox in spec.active_sandboxes() {
            for mapping in &sandbox.ports {
                let Some(target) = spec.translated_to(sandbox, mapping) else { continue };
                for (key, port) in mapping.keys().zip(mapping.ports.iter()) {
                    let host = mapping.host_address.to_string();
                    let led = lead(&wanted.tables, &host, key.port.number());
                    prop_assert_eq!(led, Some((target.into(), port)));
                    held.insert(key);
                }
            }
        }
        let of_host = wanted.tables.published.keys().filter(|block| block.key.address.is_unspecified());
        let ports: usize = of_host.map(|block| 1 << (PublishBlock::KEY_BITS - block.bits())).sum();
        prop_assert_eq!(ports, held.len());
        prop_assert_eq!(wanted.held, held);
    }

    #[test]
    fn a_port_is_open_at_a_sandbox_exactly_if_it_is_published_there(spec in arbitrary::spec()) {
        let mut kernel = FakeKernel::default();
        settle(&mut kernel, &spec);
        let contents = tables(&spec, &kernel);
        for sandbox in spec.active_sandboxes() {
            for address in sandbox.endpoints().flat_map(|endpoint| &endpoint.addresses) {
                let family = family_of(*address);
                let is_open = spec.open_addresses(sandbox, family).any(|open| open == *address);
                for port in 78..92 {
                    let mut published = sandbox.ports.iter().filter(|mapping| mapping.family() == family);
                    let wanted = is_open && published.any(|mapping| mapping.ports.iter().any(|one| one == port));
                    let led = lead(&contents, &address.to_string(), port);
                    prop_assert_eq!(led, wanted.then_some(((*address).into(), port)));
                }
            }
        }
    }
}
