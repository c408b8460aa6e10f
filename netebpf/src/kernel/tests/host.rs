//! What the host itself has: ports, settings, routes and addresses.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    net::{TcpListener, UdpSocket},
    time::Duration,
};

use futures::StreamExt as _;
use netebpf_common::abi::{Address, Mac, Port, PublishKey, protocol};
use rtnetlink::{LinkBridge, LinkUnspec};
use tokio::time::timeout;

use super::{
    super::{
        Link, LinkRole, addresses,
        digest::RouteDigest,
        links, netlink,
        ports::{HeldPorts, has_ipv6, is_free},
        routes, sysctl,
        watch::{self, Notices},
    },
    on_a_host, subnet,
};

#[test]
fn a_held_port_is_taken_and_a_taken_port_is_an_error() {
    on_a_host("ports", async |settings| {
        let mut ports = HeldPorts::new(settings);
        let key = |port, protocol| PublishKey::new(Address::UNSPECIFIED_V4, Port::new(port), protocol);
        let wanted = [key(8080, protocol::TCP), key(8080, protocol::UDP)];
        for wanted in wanted.into_iter().chain(wanted) {
            ports.hold(wanted).expect("the port is free");
        }
        assert_eq!(ports.keys(), wanted.into());
        TcpListener::bind("0.0.0.0:8080").expect_err("the port is taken");
        ports.release(&wanted[0]).await;
        let taken = TcpListener::bind("0.0.0.0:8080").expect("the port is free again");
        assert!(!is_free(wanted[0]) && is_free(key(8081, protocol::TCP)));

        let error = ports.hold(wanted[0]).expect_err("the port is taken");
        assert_eq!(error.to_string(), "failed to bind host port 0.0.0.0:8080/tcp: address already in use");
        drop(taken);
    });
}

#[test]
fn ipv6_and_sctp_ports_are_held_on_their_own() {
    on_a_host("ports6", async |settings| {
        let netlink = netlink::connect().expect("a netlink socket");
        links::set_up(&netlink, links::LOOPBACK).await.expect("loopback can be set up");
        assert!(has_ipv6());
        let mut ports = HeldPorts::new(settings);
        let key = |address, protocol| PublishKey::new(address, Port::new(8080), protocol);
        for (address, protocol) in [
            (Address::UNSPECIFIED_V6, protocol::UDP),
            (Address::UNSPECIFIED_V4, protocol::UDP),
            (Address::UNSPECIFIED_V6, protocol::TCP),
        ] {
            ports.hold(key(address, protocol)).expect("an IPv6 socket is for IPv6 only");
        }
        UdpSocket::bind("[::1]:8080").expect_err("the port is taken");
        match ports.hold(key(Address::UNSPECIFIED_V6, protocol::SCTP)) {
            Ok(()) => {}
            Err(error) => assert_eq!(
                error.to_string(),
                "failed to bind host port [::]:8080/sctp: this kernel does not support the protocol"
            ),
        }
    });
}

#[test]
fn a_host_that_begins_to_forward_goes_on_listening_to_routers() {
    on_a_host("forwarding", async |_| {
        let setting = |link: &str, name: &str| {
            let path = format!("/proc/sys/net/ipv6/conf/{link}/{name}");
            fs::read_to_string(path).expect("there is IPv6").trim().to_owned()
        };
        let netlink = netlink::connect().expect("a netlink socket");
        let (listening, deaf) = (LinkBridge::new("listening").build(), LinkBridge::new("deaf").build());
        for link in [listening, deaf] {
            netlink.link().add(link).execute().await.expect("a bridge");
        }
        fs::write("/proc/sys/net/ipv6/conf/listening/accept_ra", "1").expect("it can be set");
        fs::write("/proc/sys/net/ipv6/conf/deaf/accept_ra", "0").expect("it can be set");
        assert!(!sysctl::forwards_ipv6());
        for _ in 0..2 {
            sysctl::enable_ipv6_forwarding().expect("it can be set");
        }
        assert!(sysctl::forwards_ipv6());
        assert_eq!(
            (setting("listening", "accept_ra"), setting("deaf", "accept_ra")),
            ("2".into(), "0".into())
        );
        assert_eq!(setting("listening", "forwarding"), "1");
    });
}

#[test]
fn a_route_of_the_host_changes_the_digest_and_one_of_ours_does_not() {
    on_a_host("routes", async |_| {
        let netlink = netlink::connect().expect("a netlink socket");
        netlink.link().add(LinkBridge::new("wire").build()).execute().await.expect("a bridge");
        let index = links::list(&netlink).await.expect("links").last().expect("the bridge").index;
        links::set_up(&netlink, index).await.expect("it can be set up");
        let (nothing, ours) = (BTreeSet::new(), BTreeSet::from([index]));
        let digest = async |except| routes::digest(&netlink, except).await.expect("routes");
        let before = digest(&nothing).await;
        for address in ["192.0.2.1/24", "2001:db8::1/64"] {
            let without = digest(&nothing).await;
            addresses::add(&netlink, index, subnet(address)).await.expect("an address");
            assert_ne!(digest(&nothing).await, without, "{address}");
        }
        assert_eq!(digest(&ours).await, before);
        let with = digest(&nothing).await;
        routes::set_default(&netlink, [192, 0, 2, 254].into()).await.expect("a default route");
        assert_ne!(digest(&nothing).await, with);
        routes::delete_default(&netlink, [192, 0, 2, 254].into()).await.expect("it goes");
        assert_eq!(digest(&nothing).await, with);
    });
}

#[test]
fn routes_are_read_again_after_a_notice_and_when_a_link_takes_them_along_in_silence() {
    on_a_host("digest", async |_| {
        let netlink = netlink::connect().expect("a netlink socket");
        netlink.link().add(LinkBridge::new("wire").build()).execute().await.expect("a bridge");
        let index = links::list(&netlink).await.expect("links").last().expect("the bridge").index;
        links::set_up(&netlink, index).await.expect("it can be set up");
        addresses::add(&netlink, index, subnet("192.0.2.1/24")).await.expect("an address");

        let notices = Notices::default();
        let mut events = watch::events(notices.clone()).expect("routes can be watched");
        let uplink = |up| BTreeMap::from([(index, link("wire", up))]);
        let mut routes = RouteDigest::default();
        let before = routes.now(&netlink, &notices, &uplink(true)).await.expect("routes");
        routes::set_default(&netlink, [192, 0, 2, 254].into()).await.expect("a default route");
        while routes.now(&netlink, &notices, &uplink(true)).await.expect("routes") == before {
            timeout(Duration::from_secs(5), events.next()).await.expect("the kernel tells");
        }

        let with = routes.now(&netlink, &notices, &uplink(true)).await.expect("routes");
        let down = LinkUnspec::new_with_index(index).down().build();
        netlink.link().change(down).execute().await.expect("it can be set down");
        let without = routes.now(&netlink, &notices, &uplink(false)).await.expect("routes");
        assert_ne!(without, with);
        let afresh = RouteDigest::default().now(&netlink, &notices, &uplink(false)).await.expect("routes");
        assert_eq!(without, afresh);
    });
}

fn link(name: &str, up: bool) -> Link {
    Link {
        name: name.to_owned(),
        mac: Mac::default(),
        up,
        mtu: 1500,
        bare: false,
        master: None,
        bridge: false,
        role: LinkRole::Netdev,
        addresses: BTreeSet::new(),
        sources: Vec::new(),
        forwarding: BTreeSet::new(),
    }
}

#[test]
fn the_source_of_a_link_is_its_first_address_that_is_good_outside() {
    on_a_host("sources", async |_| {
        let netlink = netlink::connect().expect("a netlink socket");
        netlink.link().add(LinkBridge::new("wire").build()).execute().await.expect("a bridge");
        let index = links::list(&netlink).await.expect("links").last().expect("the bridge").index;
        for address in ["169.254.1.1/16", "192.0.2.9/24", "192.0.2.1/24", "fd00::1/64", "2001:db8::1/64"] {
            addresses::add(&netlink, index, subnet(address)).await.expect("an address");
        }
        let found = addresses::list(&netlink).await.expect("addresses");
        let sources: BTreeSet<String> = found[&index].sources.iter().map(ToString::to_string).collect();
        assert_eq!(sources, ["192.0.2.9", "2001:db8::1"].map(str::to_owned).into());
    });
}
