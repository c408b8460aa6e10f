//! The servers that users choose, for a sandbox or for all.

use std::net::{IpAddr, Ipv4Addr};

use anyhow::{Result, ensure};
use hickory_proto::op::ResponseCode::Refused;
use netebpf_tests::{
    dns::{Elsewhere, Manner},
    topology::{HOST_BY_SERVER, SERVER},
};

use super::{host::on_host, idle, idle_in, resolves};

const KNOWN: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 7);
const TOLD: &str = "NoError 192.0.2.7";
/// What the host's server would say.
const WRONG: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 8);
/// The only server of the host.
const OF_HOST: &str = "nameserver 127.0.0.1\n";

#[test]
fn a_chosen_server_is_asked_from_the_sandbox() -> Result<()> {
    on_host("chosen", &[], OF_HOST, |scene| {
        scene.engine.ok(&["network", "create", "--subnet", "10.77.0.0/24", "--ipv6", "lan"])?;
        let of_host = Elsewhere::start(&scene.world.host, Ipv4Addr::LOCALHOST, Manner::Knows(WRONG))?;
        let neighbour = idle_in(scene, "lan", "neighbour", &["--ip", "10.77.0.53"])?;
        let address6 = neighbour.address6.expect("lan has IPv6").to_string();
        let outside = Elsewhere::start(&scene.world.server, SERVER, Manner::Knows(KNOWN))?;
        let at = |address: IpAddr| Elsewhere::start(&neighbour.namespace, address, Manner::Knows(KNOWN));
        let (inside, inside6) = (at(neighbour.address.into())?, at(address6.parse()?)?);
        for (name, dns, server) in [
            ("web-a", "10.77.0.53", Some(&inside)),
            ("web-b", address6.as_str(), Some(&inside6)),
            ("web-c", "203.0.113.9", Some(&outside)),
            ("web-d", "127.0.0.1", None),
        ] {
            let sandbox = idle_in(scene, "lan", name, &["--dns", dns])?;
            let own = Elsewhere::start(&sandbox.namespace, Ipv4Addr::LOCALHOST, Manner::Knows(KNOWN))?;
            let question = format!("{name}.example.");
            resolves(&sandbox, &question, TOLD)?;
            let from = server.unwrap_or(&own).asked_about(&question)?.from.ip();
            let expected: IpAddr = match dns {
                "10.77.0.53" => sandbox.address.into(),
                "203.0.113.9" => HOST_BY_SERVER.into(),
                "127.0.0.1" => Ipv4Addr::LOCALHOST.into(),
                _ => sandbox.address6.expect("lan has IPv6").into(),
            };
            ensure!(from == expected, "{dns} was asked from {from}, not {expected}");
        }
        ensure!(of_host.asked().is_empty(), "{:?}", of_host.asked());
        Ok(())
    })
}

#[test]
fn a_chosen_server_is_asked_where_nothing_leads_out() -> Result<()> {
    on_host("chosen-internal", &[], OF_HOST, |scene| {
        scene.engine.ok(&["network", "create", "--internal", "--subnet", "10.78.0.0/24", "inner"])?;
        let neighbour = idle_in(scene, "inner", "neighbour", &["--ip", "10.78.0.53"])?;
        let server = Elsewhere::start(&neighbour.namespace, neighbour.address, Manner::Knows(KNOWN))?;
        let of_host = Elsewhere::start(&scene.world.host, Ipv4Addr::LOCALHOST, Manner::Knows(WRONG))?;
        let web = idle_in(scene, "inner", "web", &["--dns", "203.0.113.9", "--dns", "10.78.0.53"])?;
        resolves(&web, "far.example.", TOLD)?;
        ensure!(server.asked_about("far.example.")?.from.ip() == IpAddr::from(web.address));
        ensure!(of_host.asked().is_empty(), "{:?}", of_host.asked());
        Ok(())
    })
}

#[test]
fn three_chosen_servers_are_asked_in_their_order() -> Result<()> {
    on_host("chosen-three", &[], OF_HOST, |scene| {
        let addresses = ["127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4"];
        let web = idle(scene, "web", &addresses.map(|address| ["--dns", address]).concat())?;
        let start = |address: &str, manner| {
            Elsewhere::start(&web.namespace, address.parse::<IpAddr>().expect("it is one"), manner)
        };
        let refusing: Vec<_> = addresses[..3]
            .iter()
            .map(|address| start(address, Manner::Says(Refused)))
            .collect::<Result<_>>()?;
        let fourth = start(addresses[3], Manner::Knows(KNOWN))?;
        resolves(&web, "far.example.", "ServFail")?;
        let asked: Vec<_> = refusing
            .iter()
            .map(|server| Ok(server.asked_about("far.example.")?.at))
            .collect::<Result<_>>()?;
        ensure!(asked.is_sorted(), "the servers were asked in another order");
        ensure!(fourth.asked().is_empty(), "{:?}", fourth.asked());
        Ok(())
    })
}

#[test]
fn the_servers_of_the_daemon_are_for_sandboxes_that_choose_none() -> Result<()> {
    let options = ["--dns=203.0.113.9", "--dns-search=of.daemon", "--dns-opt=timeout:2"];
    on_host("chosen-daemon", &options, OF_HOST, |scene| {
        let of_daemon = Elsewhere::start(&scene.world.server, SERVER, Manner::Knows(KNOWN))?;
        let plain = idle(scene, "plain", &[])?;
        resolves(&plain, "far.example.", TOLD)?;
        of_daemon.asked_about("far.example.")?;
        let chooser = ["--dns", "127.0.0.1", "--dns-search", "of.sandbox", "--dns-option", "ndots:2"];
        let chooser = idle(scene, "chooser", &chooser)?;
        let own = Elsewhere::start(&chooser.namespace, Ipv4Addr::LOCALHOST, Manner::Knows(WRONG))?;
        resolves(&chooser, "far.example.", "NoError 192.0.2.8")?;
        own.asked_about("far.example.")?;
        for (name, lines) in [
            ("plain", ["search of.daemon", "options timeout:2 ndots:0", "# ExtServers: [203.0.113.9]"]),
            ("chooser", ["search of.sandbox", "options ndots:2", "# ExtServers: [127.0.0.1]"]),
        ] {
            let text = scene.engine.ok(&["exec", name, "cat", "/etc/resolv.conf"])?;
            for line in lines.into_iter().chain(["nameserver 127.0.0.11"]) {
                ensure!(text.lines().any(|found| found == line), "{name}: no {line:?} in {text}");
            }
        }
        Ok(())
    })
}

#[test]
fn names_of_one_part_are_forwarded_unless_ndots_says_that_they_are_incomplete() -> Result<()> {
    for (resolv_conf, own, is_forwarded) in [
        ("nameserver 127.0.0.1\n", &[][..], true),
        ("nameserver 127.0.0.1\noptions ndots:1\n", &[], false),
        ("nameserver 127.0.0.1\n", &["--dns-option", "ndots:1"], false),
        ("nameserver 127.0.0.1\n", &["--dns-option", "timeout:1"], true),
    ] {
        on_host("ndots", &[], resolv_conf, |scene| {
            let server = Elsewhere::start(&scene.world.host, Ipv4Addr::LOCALHOST, Manner::Knows(KNOWN))?;
            let web = idle(scene, "web", own)?;
            resolves(&web, "single.", if is_forwarded { TOLD } else { "NoError" })?;
            resolves(&web, "two.parts.", TOLD)?;
            let times = server.times_asked_about("single.");
            ensure!(times == usize::from(is_forwarded), "{resolv_conf:?} {own:?}: asked {times} times");
            Ok(())
        })?;
    }
    Ok(())
}
