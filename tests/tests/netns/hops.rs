//! How many hops does a path have, and how many are left when a packet arrives?

use std::net::IpAddr;

use anyhow::{Context as _, Result, ensure};
use netebpf_tests::{
    probe::{EchoWatch, PATIENT, Service, hop_limit_of_reply, who_answers},
    topology::{CLIENT, CLIENT6, EXCHANGE, EXCHANGE6, FAR, FAR6, HOST, HOST6, ROUTER, ROUTER6},
};

use crate::scene::{Scene, address_like};

#[test]
fn a_container_sees_every_router_on_its_way() -> Result<()> {
    let scene = Scene::new("hops", &[])?;
    let far = scene.world.far(1500)?;
    let sandbox = scene.run("walker", &[], &[Service::Udp(9)])?;
    let network = scene.network()?;
    let (_, gateway6) = network.ipv6.context("the network has no IPv6")?;
    let paths: [[IpAddr; 4]; 2] = [
        [network.gateway.into(), ROUTER.into(), EXCHANGE.into(), FAR.into()],
        [gateway6.into(), ROUTER6.into(), EXCHANGE6.into(), FAR6.into()],
    ];
    for path in paths {
        let [.., target] = path;
        for (hops, expected) in (1..).zip(path) {
            let answers = sandbox.namespace.run(|| who_answers(target, hops, PATIENT))?;
            ensure!(answers == Some(expected), "hop {hops} to {target}: {answers:?} in place of {expected}");
        }
    }
    drop(far);
    Ok(())
}

#[test]
fn each_router_takes_one_hop_and_a_network_takes_none() -> Result<()> {
    let scene = Scene::new("hop-limits", &[])?;
    let far = scene.world.far(1500)?;
    let [one, two] = ["one", "two"].map(|name| scene.run(name, &[], &[Service::Udp(9)]));
    let (one, two) = (one?, two?);
    for (client, far) in [(IpAddr::from(CLIENT), IpAddr::from(FAR)), (CLIENT6.into(), FAR6.into())] {
        for (to, expected) in [(address_like(&two, client)?, 64), (client, 63), (far, 61)] {
            let limit = one.namespace.run(|| hop_limit_of_reply(to, PATIENT))?;
            ensure!(limit == Some(expected), "an echo of {to} has {limit:?} hops left, not {expected}");
        }
    }
    drop(far);
    Ok(())
}

#[test]
fn an_echo_leaves_with_the_hosts_address_in_both_versions() -> Result<()> {
    let scene = Scene::new("echo-out", &[])?;
    let sandbox = scene.run("pinger", &[], &[Service::Udp(9)])?;
    for (client, host) in [(IpAddr::from(CLIENT), IpAddr::from(HOST)), (CLIENT6.into(), HOST6.into())] {
        let watch = scene.world.client.run(|| EchoWatch::start(client))?;
        let limit = sandbox.namespace.run(|| hop_limit_of_reply(client, PATIENT))?;
        ensure!(limit.is_some(), "no echo of {client}");
        let source = watch.next_source(PATIENT)?;
        ensure!(source == Some(host), "the echo request came from {source:?}, not {host}");
    }
    Ok(())
}
