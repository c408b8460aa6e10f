//! The servers of the host's resolv.conf.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    time::Duration,
};

use anyhow::{Result, ensure};
use hickory_proto::op::ResponseCode::{self, FormErr, NXDomain, NotImp, Refused, ServFail};
use netebpf_tests::{
    dns::{Elsewhere, Manner},
    topology::{HOST_BY_SERVER, SERVER},
};

use super::{
    host::{Files, on_host, on_host_with, write_resolv_conf},
    idle, idle_in, resolve, resolves,
};
use crate::scene::Scene;

/// What servers of elsewhere know.
const KNOWN: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 7);
const TOLD: &str = "NoError 192.0.2.7";

/// Addresses that are the host's, and everybody's own.
const LOOPBACK: [Ipv4Addr; 4] = [
    Ipv4Addr::LOCALHOST,
    Ipv4Addr::new(127, 0, 0, 2),
    Ipv4Addr::new(127, 0, 0, 3),
    Ipv4Addr::new(127, 0, 0, 4),
];
const FOUR: &str = "nameserver 127.0.0.1\nnameserver 127.0.0.2\nnameserver 127.0.0.3\nnameserver 127.0.0.4\n";

#[test]
fn the_servers_of_the_host_are_asked_from_the_host() -> Result<()> {
    for (name, resolv_conf, server, from) in [
        ("loopback", "nameserver 127.0.0.1\n", LOOPBACK[0].into(), LOOPBACK[0].into()),
        ("loopback6", "nameserver ::1\n", Ipv6Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()),
        ("outside", "nameserver 203.0.113.9\n", IpAddr::from(SERVER), IpAddr::from(HOST_BY_SERVER)),
    ] {
        on_host(&format!("host-{name}"), &[], resolv_conf, |scene| {
            // A sandbox's own packets would show its own address.
            let plain = "com.docker.network.bridge.enable_ip_masquerade=false";
            scene.engine.ok(&["network", "create", "-o", plain, "plain"])?;
            let place = if server == SERVER { &scene.world.server } else { &scene.world.host };
            let server = Elsewhere::start(place, server, Manner::Knows(KNOWN))?;
            let web = idle_in(scene, "plain", "web", &[])?;
            resolves(&web, "far.example.", TOLD)?;
            let asked = server.asked_about("far.example.")?;
            ensure!(asked.from.ip() == from, "{name}: the server was asked from {}", asked.from);
            Ok(())
        })?;
    }
    Ok(())
}

#[test]
fn behind_the_stub_of_systemd_resolved_its_servers_are_asked() -> Result<()> {
    let files = Files {
        resolv_conf: "nameserver 127.0.0.53\noptions edns0 trust-ad\nsearch .\n",
        behind_stub: Some("nameserver 203.0.113.9\nsearch example.org\n"),
    };
    on_host_with(files, || {
        let scene = Scene::new("stub", &[])?;
        let stub = Elsewhere::start(&scene.world.host, Ipv4Addr::new(127, 0, 0, 53), Manner::Silent)?;
        let server = Elsewhere::start(&scene.world.server, SERVER, Manner::Knows(KNOWN))?;
        let web = idle(&scene, "web", &[])?;
        resolves(&web, "far.example.", TOLD)?;
        ensure!(server.asked_about("far.example.")?.from.ip() == IpAddr::from(HOST_BY_SERVER));
        ensure!(stub.asked().is_empty(), "the stub was asked: {:?}", stub.asked());
        let resolv_conf = scene.engine.ok(&["exec", "web", "cat", "/etc/resolv.conf"])?;
        for line in ["nameserver 127.0.0.11", "search example.org", "# ExtServers: [host(203.0.113.9)]"] {
            ensure!(resolv_conf.lines().any(|found| found == line), "no {line:?} in {resolv_conf}");
        }
        Ok(())
    })
}

#[test]
fn the_next_server_is_asked_when_one_will_not_or_cannot_answer() -> Result<()> {
    /// What the client is told when the first server says a code.
    const CASES: [(ResponseCode, &str); 5] =
        [(ServFail, TOLD), (Refused, TOLD), (NXDomain, "NXDomain"), (FormErr, "FormErr"), (NotImp, "NotImp")];
    on_host("next", &[], FOUR, |scene| {
        let web = idle(scene, "web", &[])?;
        // Nobody listens on the other two yet.
        let first = Elsewhere::start(&scene.world.host, LOOPBACK[0], Manner::Silent)?;
        let third = Elsewhere::start(&scene.world.host, LOOPBACK[2], Manner::Knows(KNOWN))?;
        for (code, expected) in CASES {
            first.behave(Manner::Says(code));
            let name = format!("after-{}.example.", u16::from(code));
            resolves(&web, &name, expected)?;
            let asked = [&first, &third].map(|server| server.times_asked_about(&name));
            ensure!(asked == [1, usize::from(expected == TOLD)], "{code}: asked {asked:?} times");
        }
        first.behave(Manner::Says(ServFail));
        third.behave(Manner::Says(Refused));
        let fourth = Elsewhere::start(&scene.world.host, LOOPBACK[3], Manner::Knows(KNOWN))?;
        resolves(&web, "nowhere.example.", "ServFail")?;
        ensure!(fourth.asked().is_empty(), "three servers are enough, but {:?}", fourth.asked());
        Ok(())
    })
}

#[test]
fn a_silent_server_is_waited_for_as_long_as_docker_does() -> Result<()> {
    on_host("silent", &[], FOUR, |scene| {
        let web = idle(scene, "web", &[])?;
        let silent = Elsewhere::start(&scene.world.host, LOOPBACK[0], Manner::Silent)?;
        let second = Elsewhere::start(&scene.world.host, LOOPBACK[1], Manner::Knows(KNOWN))?;
        resolves(&web, "slow.example.", TOLD)?;
        let [first, second] = [&silent, &second].map(|server| server.asked_about("slow.example."));
        let waited = second?.at - first?.at;
        let expected = Duration::from_secs(4)..Duration::from_secs(5);
        ensure!(expected.contains(&waited), "the second server was asked after {waited:?}");
        Ok(())
    })
}

#[test]
fn a_sandbox_that_starts_later_asks_the_servers_of_then() -> Result<()> {
    on_host("changed", &[], "# none yet\n", |scene| {
        let early = idle(scene, "early", &[])?;
        resolves(&early, "far.example.", "ServFail")?;
        let server = Elsewhere::start(&scene.world.host, LOOPBACK[1], Manner::Knows(KNOWN))?;
        write_resolv_conf("nameserver 127.0.0.2\n")?;
        let late = idle(scene, "late", &[])?;
        resolves(&late, "far.example.", TOLD)?;
        server.asked_about("far.example.").map(drop)
    })
}

#[test]
fn networks_that_lead_nowhere_do_not_ask_the_servers_of_the_host() -> Result<()> {
    on_host("internal", &[], "nameserver 127.0.0.1\n", |scene| {
        scene.engine.ok(&["network", "create", "--internal", "inner"])?;
        let server = Elsewhere::start(&scene.world.host, LOOPBACK[0], Manner::Knows(KNOWN))?;
        let inner = idle_in(scene, "inner", "web", &[])?;
        resolves(&inner, "far.example.", "ServFail")?;
        ensure!(server.asked().is_empty(), "{:?}", server.asked());
        // As soon as one of its networks leads out, it may.
        scene.engine.ok(&["network", "connect", "net", "web"])?;
        resolves(&inner, "far.example.", TOLD)?;
        scene.engine.ok(&["network", "disconnect", "net", "web"])?;
        ensure!(resolve(&inner, "other.example.")? == "ServFail");
        ensure!(server.asked().len() == 1, "{:?}", server.asked());
        Ok(())
    })
}
