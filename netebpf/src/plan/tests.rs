//! The order of plans, and what they do about single differences.

use std::net::Ipv6Addr;

use futures::executor::block_on;
use netebpf_common::abi::{Hook, PublishBlock, PublishKey};

use super::*;
use crate::{
    change,
    compile::{Links, compile},
    kernel::{LinkRole, Owner, fake::FakeKernel},
    model::{EngineOptions, NetworkId, Pool, PortMapping, arbitrary},
    reconcile::reconcile,
};

/// A kernel with all of [`arbitrary::example`].
fn settled() -> FakeKernel {
    let mut kernel = FakeKernel::default();
    block_on(reconcile(&mut kernel, &arbitrary::example(), &EngineOptions::default()))
        .expect("it is possible");
    kernel.applied.clear();
    kernel
}

fn next(kernel: &FakeKernel, spec: &Spec) -> Vec<Action> {
    let links = Links::of(spec, &kernel.state);
    let wanted = compile(spec, &EngineOptions::default(), &kernel.state, &links);
    plan(spec, &wanted, &kernel.state, &links)
}

/// The plan for the example, as text.
fn lines(kernel: &FakeKernel) -> Vec<String> {
    next(kernel, &arbitrary::example()).iter().map(ToString::to_string).collect()
}

/// Everything that is done from one state to a spec, in order.
fn story(kernel: &mut FakeKernel, spec: &Spec) -> Vec<Action> {
    block_on(reconcile(kernel, spec, &EngineOptions::default())).expect("it is possible").applied
}

/// Asserts that whatever `first` accepts comes before whatever `second` accepts on the same link or port.
#[track_caller]
fn assert_order<K: PartialEq>(
    story: &[Action],
    first: impl Fn(&Action) -> Option<K>,
    second: impl Fn(&Action) -> Option<K>,
) {
    let mut seen = 0;
    for (place, action) in story.iter().enumerate() {
        let Some(key) = second(action) else { continue };
        seen += 1;
        let is_late = |other: &&Action| first(other).is_some_and(|of| of == key);
        assert!(!story[place..].iter().any(|other| is_late(&other)), "{action} came too early");
        assert!(story[..place].iter().any(|other| is_late(&other)), "nothing came before {action}");
    }
    assert!(seen > 0, "the order was not put to the test");
}

/// The key of a block of host ports; `None` for ports that are open at an endpoint's own address.
fn of_host(block: &PublishBlock) -> Option<PublishKey> {
    block.key.address.is_unspecified().then_some(block.key)
}

fn attached(action: &Action) -> Option<u32> {
    if let Action::AttachProgram { ifindex, .. } = action { Some(*ifindex) } else { None }
}

#[test]
fn programs_are_attached_before_links_go_up() {
    let story = story(&mut FakeKernel::default(), &arbitrary::example());
    assert_order(&story, attached, |action| {
        if let Action::SetUp { ifindex } = action { Some(*ifindex) } else { None }
    });
}

#[test]
fn rules_are_written_before_programs_are_attached() {
    let story = story(&mut FakeKernel::default(), &arbitrary::example());
    let rule = |action: &Action| {
        if let Action::Put(Entry::EndpointLink(key, _)) = action { Some(key.ifindex()) } else { None }
    };
    let veth = |action: &Action| {
        let Action::AttachProgram { hook: Hook::FromContainer, ifindex } = action else { return None };
        Some(*ifindex)
    };
    assert_order(&story, rule, veth);
    let settings = |action: &Action| matches!(action, Action::Put(Entry::Config(_))).then_some(());
    let first_program = story.iter().position(|action| attached(action).is_some());
    assert!(story.iter().position(|action| settings(action).is_some()) < first_program);
}

#[test]
fn a_port_is_held_before_it_is_published_and_published_no_more_before_it_is_released() {
    let mut kernel = FakeKernel::default();
    let up = story(&mut kernel, &arbitrary::example());
    let held = |action: &Action| if let Action::HoldPort(key) = action { Some(*key) } else { None };
    let put = |action: &Action| {
        if let Action::Put(Entry::Published(block, _)) = action { of_host(block) } else { None }
    };
    assert_order(&up, held, put);
    let down = story(&mut kernel, &Spec::default());
    let deleted = |action: &Action| {
        if let Action::Delete(Key::Published(block)) = action { of_host(block) } else { None }
    };
    let released = |action: &Action| if let Action::ReleasePort(key) = action { Some(*key) } else { None };
    assert_order(&down, deleted, released);
}

#[test]
fn a_link_goes_before_its_rules_and_programs() {
    let mut kernel = settled();
    let story = story(&mut kernel, &Spec::default());
    let link =
        |action: &Action| if let Action::DeleteLink { ifindex, .. } = action { Some(*ifindex) } else { None };
    let rule = |action: &Action| {
        if let Action::Delete(Key::EndpointLink(key)) = action { Some(key.ifindex()) } else { None }
    };
    let program = |action: &Action| {
        if let Action::DetachProgram { ifindex, .. } = action { Some(*ifindex) } else { None }
    };
    assert_order(&story, link, rule);
    assert_order(&story, link, program);
}

#[test]
fn nothing_is_to_do_when_all_is_done() {
    assert_eq!(lines(&settled()), [""; 0]);
}

#[test]
fn a_strange_address_goes_from_our_bridge_but_link_local_ones_stay() {
    let mut kernel = settled();
    let bridge = kernel.ifindex("br-010000000000").expect("the bridge of net-0");
    let link = kernel.state.links.get_mut(&bridge).expect("it is there");
    link.addresses.extend(
        ["10.0.0.9/24", "fe80::1/64", "169.254.0.1/16"]
            .map(|text| text.parse::<ipnet::IpNet>().expect("an address")),
    );
    let lines = lines(&kernel);
    assert!(lines.contains(&format!("delete address 10.0.0.9/24 from link {bridge}")), "{lines:?}");
    assert_eq!(lines.iter().filter(|line| line.starts_with("delete address")).count(), 1);
}

#[test]
fn an_unfinished_link_of_the_spec_is_adopted_and_a_stray_one_deleted() {
    let mut kernel = settled();
    let bridge = kernel.ifindex("br-010000000000").expect("the bridge of net-0");
    let veth = kernel.ifindex("neb020000000000").expect("the veth of box-0 on net-0");
    kernel.state.links.get_mut(&bridge).expect("it is there").role = LinkRole::Bridge(Owner::Unfinished);
    kernel.state.links.get_mut(&veth).expect("it is there").role = LinkRole::Veth(Owner::Unfinished);
    let stray = kernel.add_link("br-ffffffffffff", LinkRole::Bridge(Owner::Unfinished), &[]);
    let actions = next(&kernel, &arbitrary::example());
    let deleted =
        |action: &Action| if let Action::DeleteLink { ifindex, .. } = action { Some(*ifindex) } else { None };
    assert_eq!(actions.iter().filter_map(deleted).collect::<Vec<_>>(), [stray]);
    story(&mut kernel, &arbitrary::example());
    assert_eq!(kernel.ifindex("br-010000000000"), Some(bridge));
    assert_eq!(kernel.ifindex("neb020000000000"), Some(veth));
}

#[test]
fn a_torn_veth_is_attached_again_and_not_made_anew() {
    let mut kernel = settled();
    let bridge = kernel.ifindex("br-010000000000").expect("the bridge of net-0");
    let veth = kernel.ifindex("neb020000000000").expect("the veth of box-0 on net-0");
    kernel.delete_link(bridge);
    story(&mut kernel, &arbitrary::example());
    let link = &kernel.state.links[&veth];
    assert_eq!((link.master, link.forwarding.len()), (kernel.ifindex("br-010000000000"), 1));
}

#[test]
fn routes_of_the_sandbox_itself_are_left_alone() {
    let mut kernel = settled();
    let own: std::net::IpAddr = "10.99.0.1".parse().expect("an address");
    for namespace in kernel.state.sandboxes.values_mut() {
        namespace.default_gateways.insert(own);
    }
    assert_eq!(lines(&kernel), [""; 0]);
}

#[test]
fn an_internal_network_gives_no_default_route() {
    let mut spec = arbitrary::example();
    spec.networks.values_mut().for_each(|network| network.internal = true);
    let mut kernel = settled();
    story(&mut kernel, &spec);
    assert!(kernel.state.sandboxes.values().all(|namespace| namespace.default_gateways.is_empty()));
}

#[test]
fn an_exited_sandbox_has_nothing_in_the_kernel() {
    let mut spec = arbitrary::example();
    let ids: Vec<_> = spec.sandboxes.keys().copied().collect();
    for id in ids {
        change::mark_exited(&mut spec, id, 0, 9).expect("it is there");
    }
    let mut kernel = settled();
    story(&mut kernel, &spec);
    assert!(kernel.state.sandboxes.is_empty() && kernel.state.tables.endpoints.is_empty());
    assert!(kernel.state.held.is_empty() && kernel.ifindex("br-010000000000").is_some());
}

#[test]
fn ipv4_ports_are_held_first() {
    let mut spec = arbitrary::example();
    for sandbox in spec.sandboxes.values_mut() {
        let v6 =
            |mapping: &PortMapping| PortMapping { host_address: Ipv6Addr::UNSPECIFIED.into(), ..*mapping };
        sandbox.ports = sandbox.ports.iter().flat_map(|mapping| [v6(mapping), *mapping]).collect();
    }
    let held = story(&mut FakeKernel::default(), &spec).into_iter().filter_map(|action| {
        if let Action::HoldPort(key) = action { Some(key.address.is_v4()) } else { None }
    });
    assert_eq!(held.collect::<Vec<_>>(), [true, false]);
}

#[test]
fn a_network_with_ipv6_makes_the_host_forward_and_none_makes_it_stop() {
    let mut spec = arbitrary::example();
    let mut kernel = FakeKernel::default();
    story(&mut kernel, &spec);
    assert!(!kernel.state.forwards_ipv6);
    let network = spec.networks.values_mut().next().expect("net-0");
    let mut dual = network.clone();
    dual.id = NetworkId::new([9; 32]);
    let subnet = "fd00::/64".parse().expect("a subnet");
    dual.pools = vec![Pool::new(subnet, "fd00::1".parse().ok())];
    spec.networks.insert(dual.id, dual);
    story(&mut kernel, &spec);
    story(&mut kernel, &Spec::default());
    assert!(kernel.state.forwards_ipv6);
}

#[test]
fn a_changed_mtu_of_ours_is_set_again() {
    let mut spec = arbitrary::example();
    let mut kernel = FakeKernel::default();
    spec.networks.values_mut().for_each(|network| network.bridge.mtu = Some(1400));
    story(&mut kernel, &spec);
    let ours = |kernel: &FakeKernel| -> Vec<u32> {
        let links = kernel.state.links.values();
        links
            .filter(|link| matches!(link.role, LinkRole::Bridge(_) | LinkRole::Veth(_)))
            .map(|link| link.mtu)
            .collect()
    };
    assert!(ours(&kernel).iter().all(|mtu| *mtu == 1400));
    kernel.state.links.values_mut().for_each(|link| link.mtu = 1500);
    story(&mut kernel, &spec);
    assert!(ours(&kernel).iter().all(|mtu| *mtu == 1400));
}
