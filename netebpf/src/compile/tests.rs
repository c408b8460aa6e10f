//! Table contents for a small spec whose links are there.

use std::collections::BTreeSet;

use netebpf_common::abi::{
    ABI_VERSION, Address, EndpointFlags, Family, LinkKey, Port, PublishBlock, PublishKey, PublishTarget,
    protocol,
};

use super::*;
use crate::{
    kernel::{LinkRole, fake::FakeKernel},
    model::arbitrary,
    reconcile::reconcile,
};

/// A kernel with the links of [`arbitrary::example`].
fn kernel() -> FakeKernel {
    let mut kernel = FakeKernel::default();
    futures::executor::block_on(reconcile(&mut kernel, &arbitrary::example())).expect("it is possible");
    kernel
}

fn address(text: &str) -> Address {
    text.parse::<std::net::IpAddr>().expect("the test gives an address").into()
}

#[test]
fn an_endpoint_stands_under_its_address_and_its_link() {
    let (spec, kernel) = (arbitrary::example(), kernel());
    let contents = compile(&spec, &kernel.state);
    let wanted = ["10.0.0.2", "10.0.0.3", "10.1.0.2"].map(address);
    assert_eq!(contents.endpoints.keys().copied().collect::<BTreeSet<_>>(), BTreeSet::from(wanted));
    let entry = contents.endpoints[&address("10.1.0.2")];
    assert_eq!(entry.gateway, address("10.1.0.1"));
    assert_eq!(entry.mask, address("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ff00"));
    assert_eq!(entry.flags, EndpointFlags::ICC.union(EndpointFlags::INTERNAL));
    let bridge = &kernel.state.links[&entry.bridge];
    assert_eq!(
        (bridge.mac, kernel.state.links[&entry.ifindex].master),
        (entry.bridge_mac, Some(entry.bridge))
    );
    assert_eq!(contents.endpoint_links[&LinkKey::new(entry.ifindex, Family::V4)], entry);
    assert_eq!(contents.endpoint_links.len(), 3);
}

#[test]
fn a_port_leads_to_the_endpoint_that_is_not_internal() {
    let (spec, kernel) = (arbitrary::example(), kernel());
    let key = PublishKey::new(Address::UNSPECIFIED_V4, Port::new(8000), protocol::TCP);
    let published = compile(&spec, &kernel.state).published;
    assert_eq!(
        published.into_iter().collect::<Vec<_>>(),
        [(
            PublishBlock::single(key),
            PublishTarget::new(address("10.0.0.2"), Port::new(8000), Port::new(80))
        )]
    );
    let mut internal = spec;
    internal.networks.values_mut().for_each(|network| network.internal = true);
    assert!(compile(&internal, &kernel.state).published.is_empty());
}

#[test]
fn nothing_stands_for_links_that_are_not_there() {
    let contents = compile(&arbitrary::example(), &FakeKernel::default().state);
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
    let contents = compile(&arbitrary::example(), &kernel.state);
    for local in ["127.0.0.1", "192.0.2.1", "10.0.0.1", "10.1.0.1", "203.0.113.9", "198.51.100.1", "fe80::1"]
    {
        assert!(contents.locals.contains_key(&address(local)), "{local}");
    }
    let uplink =
        |ifindex, family| contents.uplinks.get(&LinkKey::new(ifindex, family)).map(|uplink| uplink.address);
    assert_eq!(uplink(2, Family::V4), Some(address("192.0.2.1")));
    assert_eq!(uplink(2, Family::V6), None);
    assert_eq!(uplink(second, Family::V4), Some(address("203.0.113.8")));
    assert_eq!(uplink(second, Family::V6), Some(address("2001:db8::1")));
    assert_eq!(contents.uplinks.len(), 3);
}

#[test]
fn a_gateway_is_local_before_its_bridge_has_it() {
    let mut kernel = kernel();
    kernel.state.links.values_mut().for_each(|link| link.addresses.clear());
    let contents = compile(&arbitrary::example(), &kernel.state);
    assert_eq!(contents.locals.into_keys().collect::<Vec<_>>(), [address("10.0.0.1"), address("10.1.0.1")]);
}

#[test]
fn settings_keep_seed_and_epoch_of_the_kernel() {
    let mut kernel = FakeKernel::default();
    let fresh = compile(&Spec::default(), &kernel.state).config.expect("settings");
    assert_eq!((fresh.abi, fresh.epoch, fresh.netns_cookie, fresh.seed), (ABI_VERSION, 0, 7, 4711));
    kernel.state.tables.config = Some(netebpf_common::abi::Config { epoch: 12, seed: 1, ..fresh });
    let next = compile(&Spec::default(), &kernel.state).config.expect("settings");
    assert_eq!((next.epoch, next.seed), (12, 1));
}
