//! A machine without cgroup v2: nothing leads from Docker's address to the name server, so sandboxes are told its own.

use std::{fs, sync::Arc};

use anyhow::{Context as _, Result, ensure};
use hickory_proto::rr::RecordType;
use netebpf_tests::{
    dns::{OURS, Transport, ask, query, told},
    engine::Engine,
    probe::Service,
    scenario::Sandbox,
    topology::World,
};
use nix::mount::{MntFlags, umount2};

use super::host::{Files, on_host_with};
use crate::scene::NET;

#[test]
fn without_socket_hooks_sandboxes_are_told_the_name_servers_own_address() -> Result<()> {
    on_host_with(Files { resolv_conf: "", behind_stub: None }, || {
        hide_cgroups()?;
        let world = Arc::new(World::new("hookless")?);
        // Nor can the daemon mount it for itself where a file is.
        let in_the_way = world.run_dir().join("cgroup2");
        fs::create_dir_all(world.run_dir())?;
        fs::write(&in_the_way, "")?;
        let engine = Engine::start(Arc::clone(&world));
        fs::remove_file(in_the_way)?;
        let engine = engine?;
        engine.ok(&["network", "create", NET])?;
        let run = |name| Sandbox::run(&world, &engine, (name, NET), &[], &[Service::Udp(9)]);
        let (web, db) = (run("web")?, run("db")?);

        let status = engine.json(&["status", "--json"])?;
        ensure!(status["resolver"] == "169.254.0.53", "{status}");
        let text = engine.ok(&["exec", "web", "cat", "/etc/resolv.conf"])?;
        ensure!(text.contains("nameserver 169.254.0.53\n"), "{text}");
        for transport in [Transport::Udp, Transport::Tcp] {
            let answer = told(&ask(&web.namespace, OURS, transport, &query("db.", RecordType::A)?)?);
            ensure!(answer.contains(&db.address.to_string()), "{transport:?}: {answer}");
        }
        let found = engine.ok(&["exec", "web", "getent", "hosts", "db"])?;
        ensure!(found.starts_with(&db.address.to_string()), "{found}");
        Ok(())
    })
}

/// Takes the mounts of cgroup v2 away from the calling thread and all that it starts.
fn hide_cgroups() -> Result<()> {
    let mounts = fs::read_to_string("/proc/thread-self/mountinfo")?;
    let is_cgroup = |line: &&str| line.split(" - ").nth(1).is_some_and(|kind| kind.starts_with("cgroup2 "));
    for line in mounts.lines().filter(is_cgroup) {
        let point = line.split(' ').nth(4).context("a line without mount point")?;
        umount2(point, MntFlags::MNT_DETACH)?;
    }
    Ok(())
}
