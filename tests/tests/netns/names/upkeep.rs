//! What root in a sandbox may do to its interfaces without losing names.

use anyhow::{Context as _, Result};
use hickory_proto::rr::RecordType;
use netebpf_tests::{
    dns::{DOCKERS, Transport, exchange},
    installed::Program,
    probe::BRIEF,
    wait,
};

use super::{dig::dig, expect, idle, question, run_in, turn::Turn};
use crate::scene::NET;

#[test]
fn names_are_back_after_an_interface_was_down() -> Result<()> {
    let scene = Turn::wait()?;
    let server = idle(&scene, NET, "server", &[])?;
    idle(&scene, NET, "asker", &[])?;
    let address = format!("A {}", server.address);
    for turn in 0..2 {
        for state in ["down", "up"] {
            scene.engine.ok(&["exec", "asker", "ip", "link", "set", "eth0", state])?;
        }
        // The daemon finds that the way to the name server is gone, and makes it again.
        for transport in ["+notcp", "+tcp"] {
            let dug = wait::until("names are resolved again", wait::LONG, || {
                dig(&scene.engine, "asker", &format!("server {transport}")).ok()
            });
            let dug = dug.with_context(|| format!("{transport}, turn {turn}"))?;
            assert_eq!(dug.records.first().map(|record| &record.data), Some(&address));
        }
    }
    Ok(())
}

#[test]
fn names_go_on_by_the_interface_that_is_left() -> Result<()> {
    let scene = Turn::wait()?;
    scene.engine.ok(&["network", "create", "other"])?;
    let server = idle(&scene, "other", "server", &[])?;
    let asker = idle(&scene, NET, "asker", &["--network", "other"])?;
    expect(&asker.namespace, "server", &[server.address]);
    scene.engine.ok(&["network", "disconnect", NET, "asker"])?;
    expect(&asker.namespace, "server", &[server.address]);
    scene.engine.ok(&["network", "connect", NET, "asker"])?;
    expect(&asker.namespace, "server", &[server.address]);
    Ok(())
}

#[test]
fn who_has_forgotten_its_neighbours_or_had_another_mac_finds_the_server_again() -> Result<()> {
    let scene = Turn::wait()?;
    let server = idle(&scene, NET, "server", &[])?;
    let asker = idle(&scene, NET, "asker", &[])?;
    let query = question(RecordType::A, "server")?.to_vec()?;
    let ip = |command: &str| {
        let words: Vec<_> = ["exec", "asker", "ip"].into_iter().chain(command.split(' ')).collect();
        scene.engine.ok(&words).map(drop)
    };
    for command in ["neighbour flush dev eth0", "neighbour flush dev eth0 nud permanent", "route flush cache"]
    {
        ip(command)?;
        expect(&asker.namespace, "server", &[server.address]);
    }
    // With another MAC it is nobody, and with its own it is known again; announced or not.
    let mac = scene.engine.ok(&["exec", "asker", "cat", "/sys/class/net/eth0/address"])?;
    let set_mac = |mac: &str| ip(&format!("link set eth0 address {}", mac.trim()));
    for is_announced in [false, true] {
        set_mac("02:00:00:00:00:53")?;
        let lost = asker.namespace.run(|| exchange(DOCKERS, Transport::Udp, &query, BRIEF));
        assert!(!matches!(lost, Ok(Some(_))), "an answer to a MAC that is not the sandbox's: {lost:?}");
        set_mac(&mac)?;
        if is_announced {
            let address = asker.address.to_string();
            let words = ["arping", "-U", "-c", "1", "-w", "1", "-I", "eth0", &address];
            run_in(&scene.engine, "asker", Program::Busybox, &words)?;
        }
        expect(&asker.namespace, "server", &[server.address]);
    }
    // A program that takes the way out for itself, as those for private networks do, leaves ours.
    scene.engine.ok(&["exec", "asker", "ip", "route", "replace", "default", "dev", "lo"])?;
    expect(&asker.namespace, "server", &[server.address]);
    let found = run_in(&scene.engine, "asker", Program::Getent, &["ahostsv4", "server"])?.ok()?;
    assert!(found.starts_with(&server.address.to_string()), "{found}");
    Ok(())
}
