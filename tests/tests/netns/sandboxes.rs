//! Sandboxes on several networks, on none, on the host's and on each other's, and namespaces that others made.

use std::{net::Ipv4Addr, process::Command};

use anyhow::{Context as _, Result, ensure};
use netebpf_tests::{
    engine::Engine,
    probe::{Answer, PATIENT, Server, Service, ping, tcp},
    scenario::stage::address_in,
    topology::{CLIENT, HOST},
    wait,
};

use crate::scene::Scene;

/// A scene with the networks front, 10.1.0.0/24, and back, 10.2.0.0/24.
fn scene(name: &str) -> Result<Scene> {
    let scene = Scene::new(name, &["--bridge=none"])?;
    scene.engine.ok(&["network", "create", "--subnet", "10.1.0.0/24", "front"])?;
    scene.engine.ok(&["network", "create", "--subnet", "10.2.0.0/24", "back"])?;
    Ok(scene)
}

/// Runs a sleeper; prints its id.
fn sleeper(engine: &Engine, flags: &[&str]) -> Result<String> {
    Ok(engine.ok(&[&["run", "-d"], flags, &["--", "sleep", "1d"]].concat())?.trim().to_owned())
}

/// The network devices that a command in a sandbox sees.
fn devices(engine: &Engine, sandbox: &str) -> Result<String> {
    let listed = engine.ok(&["exec", sandbox, "ls", "/sys/class/net"])?;
    Ok(listed.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Where the default route of a sandbox leads, if there is one.
fn gateway(engine: &Engine, sandbox: &str) -> Result<Option<Ipv4Addr>> {
    let routes = engine.ok(&["exec", sandbox, "cat", "/proc/net/route"])?;
    let fields = routes.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let default = fields.into_iter().find(|route| route.get(1) == Some(&"00000000"));
    // In the host's byte order.
    default.map(|route| Ok(u32::from_str_radix(route[2], 16)?.to_ne_bytes().into())).transpose()
}

fn led_by(text: &str) -> Option<Ipv4Addr> {
    text.parse().ok()
}

#[test]
fn several_networks_are_joined_at_once_and_the_priority_chooses_the_way_out() -> Result<()> {
    let scene = scene("several")?;
    let engine = &scene.engine;
    let peer = scene.run_in("front", "peer", &[], &[Service::Tcp(80)])?;
    let id = sleeper(
        engine,
        &[
            "--name",
            "box",
            "--network",
            "name=front,ip=10.1.0.50",
            "--network",
            "name=back,ip=10.2.0.50,gw-priority=1,mac-address=02:42:0a:02:00:99",
        ],
    )?;
    assert_eq!(devices(engine, "box")?, "eth0 eth1 lo");
    assert_eq!(gateway(engine, "box")?, led_by("10.2.0.1"));
    let mac = engine.ok(&["exec", "box", "cat", "/sys/class/net/eth1/address"])?;
    assert_eq!(mac, "02:42:0a:02:00:99\n");
    let addresses = "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}";
    assert_eq!(engine.ok(&["inspect", "-f", addresses, "box"])?, "10.2.0.50 10.1.0.50 \n");
    assert_eq!(peer.namespace.run(|| ping(Ipv4Addr::new(10, 1, 0, 50), PATIENT))?, Answer::Echoed);
    let own = engine.sandbox(&id, "box")?;
    let seen = Answer::seen("peer", Ipv4Addr::new(10, 1, 0, 50));
    assert_eq!(own.run(|| tcp((peer.address, 80).into(), seen.patience()))?, seen);

    // Without priorities the first of their names leads out.
    sleeper(engine, &["--name", "plain", "--network", "front", "--network", "back"])?;
    assert_eq!(gateway(engine, "plain")?, led_by("10.2.0.1"));
    Ok(())
}

#[test]
fn networks_come_and_go_under_a_running_sandbox() -> Result<()> {
    let scene = scene("live")?;
    let engine = &scene.engine;
    let id = sleeper(engine, &["--name", "box", "--network", "front"])?;
    assert_eq!(
        (devices(engine, "box")?, gateway(engine, "box")?),
        ("eth0 lo".to_owned(), led_by("10.1.0.1"))
    );
    let peer = scene.run_in("back", "peer", &[], &[Service::Tcp(80)])?;
    let away = || peer.namespace.run(|| ping(Ipv4Addr::new(10, 2, 0, 77), Answer::TimedOut.patience()));
    ensure!(away()? != Answer::Echoed);

    engine.ok(&[
        "network",
        "connect",
        "--ip",
        "10.2.0.77",
        "--alias",
        "a,b",
        "--gw-priority",
        "5",
        "--driver-opt",
        "com.docker.network.endpoint.ifname=lan7",
        "--mac-address",
        "02:42:0a:02:00:77",
        "back",
        "box",
    ])?;
    assert_eq!(
        (devices(engine, "box")?, gateway(engine, "box")?),
        ("eth0 lan7 lo".to_owned(), led_by("10.2.0.1"))
    );
    // The peer may still be waiting for an answer to its first question who that is.
    wait::until("the box answers on its new network", wait::LONG, || {
        matches!(away(), Ok(Answer::Echoed)).then_some(())
    })?;
    let aliases = engine.ok(&["inspect", "-f", "{{json .NetworkSettings.Networks.back.Aliases}}", "box"])?;
    assert_eq!(aliases, "[\"a\",\"b\"]\n");
    let again = engine.cli(&["network", "connect", "back", "box"])?;
    assert_eq!(
        again.stderr.trim_end(),
        "Error response from daemon: endpoint with name box already exists in network back"
    );

    engine.ok(&["network", "disconnect", "front", "box"])?;
    assert_eq!(
        (devices(engine, "box")?, gateway(engine, "box")?),
        ("lan7 lo".to_owned(), led_by("10.2.0.1"))
    );
    let gone = engine.cli(&["network", "disconnect", "front", "box"])?;
    let text = format!("Error response from daemon: container {id} is not connected to network front");
    assert_eq!((gone.code, gone.stderr.trim_end()), (Some(1), text.as_str()));
    engine.ok(&["network", "connect", "front", "box"])?;
    assert_eq!(devices(engine, "box")?, "eth0 lan7 lo");
    engine.ok(&["network", "disconnect", "-f", "back", "box"])?;
    ensure!(away()? != Answer::Echoed);
    assert_eq!(
        (devices(engine, "box")?, gateway(engine, "box")?),
        ("eth0 lo".to_owned(), led_by("10.1.0.1"))
    );
    let odd = engine.cli(&["network", "connect", "--driver-opt", "x", "back", "box"])?;
    assert_eq!(
        (odd.code, odd.stderr.as_str()),
        (Some(1), "invalid key/value pair format in driver options\n")
    );
    Ok(())
}

#[test]
fn what_is_connected_before_the_start_is_there_after_it() -> Result<()> {
    let scene = scene("before")?;
    let engine = &scene.engine;
    engine.ok(&["create", "--name", "box", "--network", "front", "--", "sleep", "1d"])?;
    engine.ok(&["network", "connect", "--ip", "10.2.0.9", "back", "box"])?;
    assert_eq!(
        engine.ok(&["ps", "-a", "--format", "{{.Names}} {{.State}} {{.Networks}}"])?,
        "box created back,front\n"
    );
    engine.ok(&["start", "box"])?;
    assert_eq!(devices(engine, "box")?, "eth0 eth1 lo");
    let address = "{{.NetworkSettings.Networks.back.IPAddress}}";
    assert_eq!(engine.ok(&["inspect", "-f", address, "box"])?, "10.2.0.9\n");
    Ok(())
}

#[test]
fn published_ports_follow_the_network_that_leads_out() -> Result<()> {
    let scene = scene("follow")?;
    let engine = &scene.engine;
    let web = scene.run_in("front", "web", &["-p", "8080:80"], &[Service::Tcp(80)])?;
    let seen = || {
        let seen = Answer::seen("web", CLIENT);
        scene.world.client.run(|| tcp((HOST, 8080).into(), seen.patience()))
    };
    assert_eq!(seen()?, Answer::seen("web", CLIENT));
    // From now on the port leads to the address on the other network.
    engine.ok(&["network", "connect", "--gw-priority", "1", "back", "web"])?;
    assert_eq!(gateway(engine, "web")?, led_by("10.2.0.1"));
    assert_eq!(seen()?, Answer::seen("web", CLIENT));
    engine.ok(&["network", "disconnect", "front", "web"])?;
    assert_eq!(seen()?, Answer::seen("web", CLIENT));
    assert_eq!(address_in(engine, "back", &web.id)?, Ipv4Addr::new(10, 2, 0, 2));
    engine.ok(&["network", "disconnect", "back", "web"])?;
    let refused = scene.world.client.run(|| tcp((HOST, 8080).into(), Answer::Refused.patience()))?;
    assert_eq!(refused, Answer::Refused);
    Ok(())
}

#[test]
fn a_sandbox_may_have_no_network_the_hosts_or_that_of_another() -> Result<()> {
    let scene = scene("modes")?;
    let engine = &scene.engine;
    sleeper(engine, &["--name", "alone", "--network", "none"])?;
    assert_eq!((devices(engine, "alone")?.as_str(), gateway(engine, "alone")?), ("lo", None));
    let refused = engine.cli(&["network", "connect", "front", "alone"])?;
    ensure!(refused.stderr.contains("one of the networks in private (none) mode"), "{refused:?}");

    sleeper(engine, &["--name", "hosted", "--network", "host", "-h", "own"])?;
    ensure!(devices(engine, "hosted")?.contains("eth1"), "the host has two cables");
    assert_eq!(engine.ok(&["exec", "hosted", "hostname"])?, "own\n");
    let refused = engine.cli(&["network", "connect", "front", "hosted"])?;
    ensure!(refused.code == Some(1), "{refused:?}");

    let web = scene.run_in("front", "web", &["-h", "web-host"], &[Service::Tcp(80)])?;
    let rider = sleeper(engine, &["--name", "rider", "--network", "container:web"])?;
    let script = "echo $HOSTNAME; hostname; ls /sys/class/net; readlink /proc/self/ns/net";
    let [shown, same] = ["rider", "web"].map(|name| engine.ok(&["exec", name, "sh", "-c", script]));
    let shown = shown?;
    assert_eq!(shown, same?);
    ensure!(shown.starts_with("web-host\nweb-host\neth0\nlo\n"), "{shown}");
    assert_eq!(
        engine.ok(&["inspect", "-f", "{{.HostConfig.NetworkMode}}", "rider"])?,
        format!("container:{}\n", web.id)
    );
    // It ends with the one whose network it has.
    engine.ok(&["stop", "-t", "0", "web"])?;
    wait::until("the rider ends", wait::LONG, || {
        let state = engine.ok(&["ps", "-a", "--filter", &format!("id={rider}"), "--format", "{{.State}}"]);
        state.is_ok_and(|state| state == "exited\n").then_some(())
    })?;
    let refused = engine.cli(&["start", "rider"])?;
    let text = "cannot join network namespace of a non running container: container web is exited";
    ensure!(refused.code == Some(1) && refused.stderr.contains(text), "{refused:?}");
    ensure!(refused.stderr.ends_with("failed to start containers: rider\n"), "{refused:?}");
    engine.ok(&["start", "web", "rider"])?;
    Ok(())
}

#[test]
fn a_namespace_of_somebody_else_joins_networks_and_is_let_go_unharmed() -> Result<()> {
    let scene = scene("adopted")?;
    let engine = &scene.engine;
    let guest = scene.world.machine("guest")?;
    let server = Server::start(&scene.world.probe(), &guest, &[Service::Tcp(80)])?;
    let path = scene.world.directory().join("machines/guest").display().to_string();
    let peer = scene.run_in("front", "peer", &[], &[Service::Tcp(80)])?;
    let id =
        engine.ok(&["attach", "--netns", &path, "--name", "guest", "--network", "front", "-p", "8080:80"])?;
    let address = address_in(engine, "front", id.trim())?;
    assert_eq!(guest.links()?, ["eth0", "lo"]);
    assert_eq!(devices(engine, "guest")?, "eth0 lo");
    assert_eq!(peer.namespace.run(|| ping(address, PATIENT))?, Answer::Echoed);
    let published = || scene.world.client.run(|| tcp((HOST, 8080).into(), PATIENT));
    assert_eq!(published()?, Answer::seen("guest", CLIENT));
    engine.ok(&["network", "connect", "back", "guest"])?;
    assert_eq!(devices(engine, "guest")?, "eth0 eth1 lo");
    let state = || engine.ok(&["ps", "-a", "--filter", "name=guest", "--format", "{{.State}}"]);
    assert_eq!(state()?, "running\n");

    engine.ok(&["stop", "guest"])?;
    assert_eq!((state()?.as_str(), guest.links()?), ("exited\n", vec!["lo".to_owned()]));
    assert_eq!(published()?, Answer::Refused);
    engine.ok(&["start", "guest"])?;
    assert_eq!((state()?.as_str(), published()?), ("running\n", Answer::seen("guest", CLIENT)));
    engine.ok(&["rm", "-f", "guest"])?;
    assert_eq!(guest.links()?, ["lo"]);
    // The server has lived through all of it.
    let alive = guest.run(|| tcp((Ipv4Addr::LOCALHOST, 80).into(), PATIENT))?;
    assert_eq!(alive, Answer::seen("guest", Ipv4Addr::LOCALHOST));
    drop(server);

    for (wrong, text) in [("/etc/passwd", "/etc/passwd"), ("/no/such/file", "/no/such/file")] {
        let said = engine.cli(&["attach", "--netns", wrong, "--network", "front"])?;
        ensure!(said.code == Some(1) && said.stderr.contains(text), "{said:?}");
    }
    Ok(())
}

#[test]
fn the_namespace_of_a_process_is_let_go_when_that_ends() -> Result<()> {
    let scene = scene("adopted-pid")?;
    let engine = &scene.engine;
    let guest = scene.world.machine("guest")?;
    let mut command = Command::new("sleep");
    command.arg("1d");
    let mut process = guest.spawn(command)?;
    let pid = process.child().id().to_string();
    engine.ok(&["attach", "--pid", &pid, "--name", "guest", "--network", "front"])?;
    assert_eq!(guest.links()?, ["eth0", "lo"]);
    // Beside the process: what it sees in /sys is its own affair.
    ensure!(engine.ok(&["exec", "guest", "cat", "/proc/net/dev"])?.contains("eth0:"));
    let state = || engine.ok(&["ps", "-a", "--filter", "name=guest", "--format", "{{.State}}"]);
    engine.ok(&["stop", "guest"])?;
    ensure!(state()? == "exited\n" && process.ended().is_none());
    engine.ok(&["rm", "guest"])?;

    engine.ok(&["attach", "--pid", &pid, "--name", "guest", "--network", "front"])?;
    process.child().kill().context("end the process")?;
    process.wait(wait::LONG)?;
    wait::until("the sandbox ends", wait::LONG, || {
        state().is_ok_and(|state| state == "exited\n").then_some(())
    })?;
    assert_eq!(guest.links()?, ["lo"]);
    Ok(())
}
