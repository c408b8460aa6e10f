//! Programs that are attached as filters, as kernels before 6.6 need it: found, replaced and removed again?

use std::{process::Stdio, sync::Arc};

use anyhow::{Result, ensure};
use aya::programs::tc::qdisc_add_clsact;
use futures::TryStreamExt as _;
use netebpf_tests::{engine::Engine, process::Process, topology::World, wait};
use nix::{net::if_::if_nametoindex, sys::signal::Signal};
use rtnetlink::packet_route::tc::{TcAttribute, TcHandle};

/// Which of the host's devices have a clsact qdisc.
fn qdiscs(world: &World) -> Result<Vec<&'static str>> {
    let index = |name: &'static str| world.host.run(|| Ok((if_nametoindex(name)?, name)));
    let links = [index("eth0")?, index("eth1")?];
    let all: Vec<_> =
        world.host.netlink(async |handle| Ok(handle.qdisc().get().execute().try_collect().await?))?;
    let clsact = TcAttribute::Kind("clsact".to_owned());
    let has = |index: u32| {
        all.iter()
            .any(|qdisc| qdisc.header.index == index.cast_signed() && qdisc.attributes.contains(&clsact))
    };
    Ok(links.into_iter().filter(|(index, _)| has(*index)).map(|(_, name)| name).collect())
}

/// Starts a daemon that attaches in the given way, and waits until it answers.
fn daemon(world: &World, engine: &Engine, attach: &str) -> Result<Process> {
    let mut command = engine.command(&["daemon"]);
    command.env("NETEBPF_ATTACH", attach).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let process = world.host.spawn(command)?;
    wait::until("the daemon answers", wait::LONG, || engine.ok(&["status"]).ok())?;
    Ok(process)
}

/// How programs are attached, and whether they are on both of the host's devices with nothing left to do.
fn mode(engine: &Engine) -> Result<String> {
    let status = engine.json(&["status", "--json"])?;
    let programs = status["programs"].as_array().cloned().unwrap_or_default();
    for name in ["from_netdev", "to_netdev"] {
        let links = programs.iter().find(|program| program["name"] == name);
        let links = links.map(|program| program["attached_to"].to_string()).unwrap_or_default();
        ensure!(links.contains("eth0") && links.contains("eth1"), "{name} is attached to {links}");
    }
    ensure!(engine.ok(&["plan"])?.trim() == "nothing to do", "something is left to do");
    Ok(status["attach_mode"].as_str().unwrap_or_default().to_owned())
}

fn end(mut daemon: Process, signal: Signal) -> Result<()> {
    daemon.signal(signal)?;
    daemon.wait(wait::LONG).map(drop)
}

#[test]
fn filters_outlive_their_daemon_and_the_next_one_replaces_them() -> Result<()> {
    let world = Arc::new(World::new("filters")?);
    let engine = Engine::stopped(Arc::clone(&world))?;
    let first = daemon(&world, &engine, "clsact")?;
    assert_eq!(mode(&engine)?, "clsact");
    end(first, Signal::SIGKILL)?;
    assert_eq!(qdiscs(&world)?, ["eth0", "eth1"]);

    let second = daemon(&world, &engine, "clsact")?;
    assert_eq!(mode(&engine)?, "clsact");
    end(second, Signal::SIGTERM)?;

    engine.ok(&["cleanup", "--yes"])?;
    assert_eq!(qdiscs(&world)?, [""; 0]);
    Ok(())
}

#[test]
fn a_daemon_that_can_have_tcx_takes_over_from_filters() -> Result<()> {
    let world = Arc::new(World::new("to-tcx")?);
    let engine = Engine::stopped(Arc::clone(&world))?;
    end(daemon(&world, &engine, "clsact")?, Signal::SIGTERM)?;
    let next = daemon(&world, &engine, "")?;
    // Kernels before 6.6 have nothing to change to.
    if mode(&engine)? == "tcx" {
        assert_eq!(qdiscs(&world)?, [""; 0]);
    }
    end(next, Signal::SIGTERM)
}

#[test]
fn a_qdisc_that_somebody_else_has_made_stays() -> Result<()> {
    let world = Arc::new(World::new("foreign-qdisc")?);
    world.host.run(|| Ok(qdisc_add_clsact("eth0")?))?;
    let engine = Engine::stopped(Arc::clone(&world))?;
    let running = daemon(&world, &engine, "clsact")?;
    assert_eq!(mode(&engine)?, "clsact");
    end(running, Signal::SIGTERM)?;
    engine.ok(&["cleanup", "--yes"])?;
    assert_eq!(qdiscs(&world)?, ["eth0"]);
    Ok(())
}

#[test]
fn a_filter_that_somebody_removed_is_attached_again() -> Result<()> {
    let world = Arc::new(World::new("removed-filter")?);
    let engine = Engine::stopped(Arc::clone(&world))?;
    let running = daemon(&world, &engine, "clsact")?;
    let index = world.host.run(|| Ok(if_nametoindex("eth0")?))?;
    world.host.netlink(async |handle| {
        let mut request = handle.qdisc().del(index.cast_signed());
        request.message_mut().header.parent = TcHandle::CLSACT;
        Ok(request.execute().await?)
    })?;
    wait::until("the filter is back", wait::LONG, || {
        (qdiscs(&world).ok()? == ["eth0", "eth1"]).then_some(())
    })?;
    assert_eq!(mode(&engine)?, "clsact");
    end(running, Signal::SIGTERM)
}
