//! By which devices a network's endpoints may be reached directly.

use netebpf_common::abi::TrustKey;

use super::{arbitrary, dual, kernel, tables};
use crate::kernel::LinkRole;

#[test]
fn trusted_devices_count_as_soon_as_they_are_there() {
    let (spec, mut kernel) = dual(&[("bridge.trusted_host_interfaces", "eth0:wg0")]);
    let bridge = kernel.ifindex("br-010000000000").expect("the bridge of net-0");
    let trust = |ingress| TrustKey { bridge, ingress };
    assert_eq!(tables(&spec, &kernel).trusted, [trust(2)].into());
    let tunnel = kernel.add_link("wg0", LinkRole::Netdev, &[]);
    assert_eq!(tables(&spec, &kernel).trusted, [trust(2), trust(tunnel)].into());
}

#[test]
fn ports_of_a_bridge_that_are_no_endpoints_are_trusted_and_then_the_bridge() {
    let (spec, mut kernel) = (arbitrary::example(), kernel());
    assert!(tables(&spec, &kernel).trusted.is_empty(), "endpoints have ports of their own");
    let bridge = kernel.ifindex("br-010000000000").expect("the bridge of net-0");
    let port = kernel.add_link("tap0", LinkRole::Other, &[]);
    assert!(tables(&spec, &kernel).trusted.is_empty(), "it is plugged into nothing");
    kernel.state.links.get_mut(&port).expect("a link").master = Some(bridge);
    let trust = |ingress| TrustKey { bridge, ingress };
    assert_eq!(tables(&spec, &kernel).trusted, [trust(bridge), trust(port)].into());
    kernel.state.links.get_mut(&port).expect("a link").master = Some(2);
    assert!(tables(&spec, &kernel).trusted.is_empty(), "that is a bridge of somebody else");
}
