//! Names belong to networks: who knows which?

use std::{net::IpAddr, sync::Arc};

use anyhow::{Result, ensure};
use hickory_proto::rr::RecordType;
use netebpf_tests::{
    dns::{DOCKERS, Transport, exchange},
    engine::Engine,
    installed::Program,
    probe::{BRIEF, Service},
    scenario::{Sandbox, stage},
    topology::World,
};

use super::{OPTIONS, UNKNOWN, address_in, expect, idle, reversed, run_in, short_id, told, turn::Turn, v6};
use crate::scene::NET;

const OTHER: &str = "other";

#[test]
fn names_are_known_on_their_networks_alone() -> Result<()> {
    let scene = Turn::wait()?;
    scene.engine.ok(&["network", "create", OTHER])?;
    let here = idle(&scene, NET, "here", &["-h", "box", "--network-alias", "alias"])?;
    let there = idle(&scene, OTHER, "there", &[])?;
    let both = idle(&scene, NET, "both", &[])?;
    scene.engine.ok(&["network", "connect", "--alias", "scoped", OTHER, "both"])?;
    let both_there = address_in(&scene, OTHER, &both)?;

    for name in ["here", "box", "alias", "here.net", "alias.net", short_id(&here)] {
        expect(&here.namespace, name, &[here.address]);
        expect(&both.namespace, name, &[here.address]);
        expect(&there.namespace, name, &[]);
    }
    for (name, from_here, from_there, from_both) in [
        ("there", None, Some(there.address), Some(there.address)),
        ("there.other", None, Some(there.address), Some(there.address)),
        ("there.net", None, None, None),
        ("here.other", None, None, None),
        // An alias is of one network; the name is of both.
        ("scoped", None, Some(both_there), Some(both_there)),
        ("scoped.net", None, None, None),
        ("both", Some(both.address), Some(both_there), Some(both.address)),
        ("both.net", Some(both.address), None, Some(both.address)),
        ("both.other", None, Some(both_there), Some(both_there)),
    ] {
        for (asker, address) in [(&here, from_here), (&there, from_there), (&both, from_both)] {
            expect(&asker.namespace, name, &Vec::from_iter(address));
        }
    }
    for (asker, address, name) in [
        (&here, both.address, "NoError both.net."),
        (&there, both_there, "NoError both.other."),
        (&both, there.address, "NoError there.other."),
        (&here, there.address, UNKNOWN),
        (&there, here.address, UNKNOWN),
    ] {
        assert_eq!(told(&asker.namespace, RecordType::PTR, &reversed(address.into()))?, name);
    }
    Ok(())
}

/// As Docker asks them: internal networks come last, else by name; who says a priority comes first.
#[test]
fn of_two_networks_with_the_same_name_the_first_one_answers() -> Result<()> {
    let scene = Turn::wait()?;
    scene.engine.ok(&["network", "create", "a-inner", "--internal"])?;
    scene.engine.ok(&["network", "create", "b-outer"])?;
    scene.engine.ok(&["network", "create", "c-outer"])?;
    let inner = idle(&scene, "a-inner", "in-a", &["--network-alias", "db"])?;
    let b = idle(&scene, "b-outer", "in-b", &["--network-alias", "db"])?;
    let c = idle(&scene, "c-outer", "in-c", &["--network-alias", "db"])?;
    for (name, networks, first) in [
        ("usual", ["a-inner", "b-outer", "c-outer"], &b),
        ("chosen", ["a-inner", "b-outer", "name=c-outer,gw-priority=1"], &c),
        ("last", ["name=a-inner,gw-priority=1", "b-outer", "c-outer"], &inner),
    ] {
        let [network, others @ ..] = networks;
        let others: Vec<_> = others.into_iter().flat_map(|other| ["--network", other]).collect();
        let run = [["run", "-d", "--name", name, "--network", network].as_slice(), &others].concat();
        let id = scene.engine.ok(&[&run[..], &["--", "sleep", "1d"]].concat())?;
        let asker = scene.engine.sandbox(id.trim(), name)?;
        expect(&asker, "db", &[first.address]);
        for (network, sandbox) in [("a-inner", &inner), ("b-outer", &b), ("c-outer", &c)] {
            expect(&asker, &format!("db.{network}"), &[sandbox.address]);
        }
    }
    Ok(())
}

#[test]
fn sandboxes_without_ipv4_and_without_a_way_out_resolve_each_other() -> Result<()> {
    let scene = Turn::wait()?;
    scene.engine.ok(&["network", "create", "--ipv6", "--ipv4=false", "six"])?;
    scene.engine.ok(&["network", "create", "--internal", "inner"])?;
    let [six, six_server] = [idle(&scene, "six", "six", &[])?, idle(&scene, "six", "server6", &[])?];
    let [inner, inner_server] =
        [idle(&scene, "inner", "inner", &[])?, idle(&scene, "inner", "server4", &[])?];
    let address6 = v6(&six_server)?;
    let known = format!("NoError {address6}");
    for name in ["server6", "server6.six", short_id(&six_server)] {
        assert_eq!(told(&six.namespace, RecordType::AAAA, name)?, known);
        assert_eq!(told(&six.namespace, RecordType::A, name)?, "NoError");
    }
    let pointer = told(&six.namespace, RecordType::PTR, &reversed(IpAddr::from(address6)))?;
    assert_eq!(pointer, "NoError server6.six.");
    expect(&inner.namespace, "server4", &[inner_server.address]);
    expect(&inner.namespace, "server6", &[]);
    let found = run_in(&scene.engine, "six", Program::Getent, &["hosts", "server6"])?.ok()?;
    ensure!(found.starts_with(&address6.to_string()), "{found}");
    let found = run_in(&scene.engine, "inner", Program::Busybox, &["nslookup", "server4"])?.ok()?;
    ensure!(found.contains(&inner_server.address.to_string()), "{found}");
    Ok(())
}

#[test]
fn the_default_network_has_no_names_until_another_one_is_joined() -> Result<()> {
    let world = Arc::new(World::new("names-default")?);
    let engine = Engine::start_with(Arc::clone(&world), &[&["--bridge=netebpf0"], &OPTIONS[1..]].concat())?;
    engine.ok(&["network", "create", NET])?;
    let run = |name, network| Sandbox::run(&world, &engine, (name, network), &[], &[Service::Udp(9)]);
    let [plain, _other] = [run("plain", "bridge")?, run("other", "bridge")?];
    let server = run("server", NET)?;
    let names =
        |transport| run_in(&engine, "plain", Program::Dig, &["@127.0.0.11", "+tries=1", transport, "other"]);
    for transport in ["+notcp", "+tcp"] {
        let said = names(transport)?;
        assert_eq!(said.code, Some(9), "{said:?}");
        assert!(said.stdout.contains("connection refused"), "{said:?}");
    }
    let file = || engine.ok(&["exec", "plain", "cat", "/etc/resolv.conf"]);
    assert!(!file()?.contains("127.0.0.11"), "{}", file()?);

    engine.ok(&["network", "connect", NET, "plain"])?;
    assert!(file()?.contains("nameserver 127.0.0.11\n"), "{}", file()?);
    expect(&plain.namespace, "server", &[server.address]);
    expect(&plain.namespace, "other", &[]);
    Ok(())
}

/// Its files are others' business, but the server is where it is in all sandboxes.
#[test]
fn a_namespace_that_others_made_has_names_while_it_is_attached() -> Result<()> {
    let scene = Turn::wait()?;
    let server = idle(&scene, NET, "server", &[])?;
    let guest = scene.world.machine("guest")?;
    let path = scene.world.directory().join("machines/guest").display().to_string();
    for _ in 0..2 {
        let id = scene.engine.ok(&["attach", "--netns", &path, "--name", "guest", "--network", NET])?;
        expect(&guest, "server", &[server.address]);
        let address = stage::address_in(&scene.engine, NET, id.trim())?;
        expect(&server.namespace, "guest", &[address]);
        scene.engine.ok(&["rm", "-f", "guest"])?;
        expect(&server.namespace, "guest", &[]);
        let refused = guest.run(|| exchange(DOCKERS, Transport::Tcp, &[0; 12], BRIEF));
        ensure!(refused.is_err(), "somebody answers at {DOCKERS}");
    }
    Ok(())
}
