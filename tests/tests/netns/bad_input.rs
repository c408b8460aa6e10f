//! Bad input: a clear error, an exit code other than 0, and nothing changed.

use std::sync::Arc;

use anyhow::Result;
use netebpf_tests::{
    engine::{Engine, Said},
    scenario::stage::{SERVICE, WEB},
    topology::World,
};
use nix::{
    mount::{MsFlags, mount},
    sched::{CloneFlags, unshare},
};

use crate::stage;

const NOBODY: u32 = 65534;

/// Fails unless the command is refused with this text and leaves no change.
#[track_caller]
fn refuses(args: &[&str], text: &str) {
    let stage = stage::shared();
    let before = state(&stage.engine).expect("state");
    let said = stage.engine.cli(args).expect("the command ran");
    assert_refused(&said, text);
    assert_eq!(state(&stage.engine).expect("state"), before, "`netebpf {}` changed something", said.command);
}

#[track_caller]
fn assert_refused(said: &Said, text: &str) {
    assert!(matches!(said.code, Some(1 | 125 | 127)), "{said:?}");
    assert!(said.stderr.contains(text), "no `{text}` in {said:?}");
    assert!(!said.stderr.contains("panicked"), "{said:?}");
    // `network inspect` shows what it found before it fails, as Docker's does.
    assert!(matches!(said.stdout.as_str(), "" | "[]\n"), "{said:?}");
}

/// All a user can see of what is there.
fn state(engine: &Engine) -> Result<[String; 3]> {
    Ok([engine.ok(&["network", "ls", "--json"])?, engine.ok(&["ps", "-a", "-q"])?, engine.ok(&["plan"])?])
}

#[test]
fn an_unknown_network_is_named() {
    for args in [
        &["network", "inspect", "nowhere"][..],
        &["network", "rm", "nowhere"],
        &["network", "connect", "nowhere", "web"],
        &["network", "disconnect", "nowhere", "web"],
        &["run", "-d", "--name", "lost", "--network", "nowhere", "--", "/bin/true"],
    ] {
        refuses(args, "network nowhere not found");
    }
}

#[test]
fn an_unknown_sandbox_is_named() {
    for args in [&["rm", "nobody"][..], &["network", "connect", "front", "nobody"]] {
        refuses(args, "No such container: nobody");
    }
}

#[test]
fn who_is_meant_must_be_said() {
    for args in [&["inspect", ""][..], &["exec", "", "true"], &["top", ""], &["logs", ""]] {
        refuses(args, "invalid container name or ID: value is empty");
    }
    refuses(&["inspect", "--type", "network", ""], "invalid network name or ID: value is empty");
}

#[test]
fn a_path_that_is_empty_names_no_file() {
    let run = ["run", "-d", "--network", "front", "--env-file", "", "--", "/bin/true"];
    for args in [&run[..], &["exec", "--env-file", "", "web", "true"], &["attach", "--netns", ""]] {
        refuses(args, "No such file or directory");
    }
}

#[test]
fn a_network_name_is_given_once() {
    refuses(
        &["network", "create", "front"],
        "Error response from daemon: network with name front already exists",
    );
}

#[test]
fn a_sandbox_name_is_given_once() {
    let text = "Conflict. The container name \"/web\" is already in use by container";
    refuses(&["run", "-d", "--name", "web", "--network", "front", "--", "/bin/true"], text);
}

#[test]
fn overlapping_subnets_are_refused() {
    for subnet in ["192.0.2.0/24", "192.0.2.128/25", "192.0.0.0/16"] {
        let args = ["network", "create", "--subnet", subnet, "overlap"];
        refuses(&args, "invalid pool request: Pool overlaps with other one on this address space");
    }
}

#[test]
fn malformed_subnets_are_named() {
    for subnet in ["192.0.3.0/40", "192.0.3.0", "nonsense"] {
        refuses(&["network", "create", "--subnet", subnet, "malformed"], subnet);
    }
}

#[test]
fn a_gateway_outside_its_subnet_is_refused() {
    let args = ["network", "create", "--subnet", "203.0.113.128/25", "--gateway", "203.0.113.5", "skew"];
    refuses(&args, "203.0.113.5");
}

#[test]
fn an_address_outside_the_subnet_or_taken_is_refused() {
    let taken = stage::shared().db.address.to_string();
    for address in ["198.18.0.1", &taken] {
        refuses(
            &["run", "-d", "--name", "squatter", "--network", "back", "--ip", address, "--", "/bin/true"],
            "ddress",
        );
    }
}

#[test]
fn a_port_that_we_publish_is_taken() {
    let port = format!("{WEB}:80");
    let args = ["run", "-d", "--name", "second", "--network", "back", "-p", &port, "--", "/bin/true"];
    refuses(&args, &format!("Bind for 0.0.0.0:{WEB} failed: port is already allocated"));
}

#[test]
fn a_port_that_another_process_holds_is_taken() {
    let port = format!("{SERVICE}:80");
    let args = ["run", "-d", "--name", "second", "--network", "back", "-p", &port, "--", "/bin/true"];
    refuses(&args, &format!("failed to bind host port 0.0.0.0:{SERVICE}/tcp: address already in use"));
}

#[test]
fn malformed_ports_are_named() {
    for (port, fault) in [
        ("70000:80", "invalid hostPort: 70000"),
        ("80:http", "invalid containerPort: http"),
        ("1:2:3:4", "invalid IP address: 1:2"),
        ("8080:80/sctpp", "invalid proto: sctpp"),
    ] {
        refuses(&["run", "-d", "--name", "odd", "--network", "back", "-p", port, "--", "/bin/true"], fault);
    }
}

#[test]
fn names_too_long_or_with_bad_characters_are_refused() {
    let long = "n".repeat(300);
    for name in [" ", "", &long] {
        refuses(&["network", "create", "--", name], "invalid name");
    }
    for name in ["bad/name", "-dash", "sp ace", "a", &long] {
        let option = format!("--name={name}");
        refuses(&["run", "-d", &option, "--network", "back", "--", "/bin/true"], "name");
    }
}

#[test]
fn a_network_in_use_cannot_be_removed() {
    refuses(&["network", "rm", "front"], "error while removing network: network front has active endpoints");
}

#[test]
fn a_running_sandbox_is_not_removed_without_force() {
    refuses(&["rm", "web"], "web");
}

#[test]
fn a_command_that_does_not_exist_is_named() {
    let args = ["run", "-d", "--name", "ghost", "--network", "back", "--", "/no/such/program"];
    refuses(&args, "/no/such/program");
}

#[test]
fn an_unprivileged_daemon_says_what_it_lacks() -> Result<()> {
    let engine = Engine::stopped(Arc::new(World::new("unprivileged")?))?;
    let said = engine.cli_as(NOBODY, &["daemon"])?;
    assert_refused(&said, "root");
    Ok(())
}

#[test]
fn an_unprivileged_client_is_told_so() -> Result<()> {
    let said = stage::shared().engine.cli_as(NOBODY, &["network", "ls"])?;
    assert_refused(&said, "ermission denied");
    Ok(())
}

#[test]
fn without_a_daemon_a_client_says_where_it_looked() -> Result<()> {
    let world = Arc::new(World::new("nobody-home")?);
    let engine = Engine::stopped(Arc::clone(&world))?;
    assert_refused(&engine.cli(&["network", "ls"])?, &world.run_dir().display().to_string());
    Ok(())
}

#[test]
fn a_second_daemon_on_the_same_state_is_refused() {
    refuses(&["daemon"], "state");
}

#[test]
fn a_daemon_without_cgroup_v2_says_what_is_missing() -> Result<()> {
    let engine = Engine::stopped(Arc::new(World::new("no-cgroup")?))?;
    let said = std::thread::scope(|scope| {
        let blind = scope.spawn(|| {
            unshare(CloneFlags::CLONE_NEWNS)?;
            let none = None::<&str>;
            mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none)?;
            mount(Some("tmpfs"), "/sys/fs/cgroup", Some("tmpfs"), MsFlags::MS_RDONLY, none)?;
            engine.cli_here(&["daemon"])
        });
        blind.join().expect("no panic")
    })?;
    assert_refused(&said, "cgroup");
    Ok(())
}
