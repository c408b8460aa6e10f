//! The life of a sandbox by the command line: made, started, stopped, looked at, renamed, removed.

use std::{
    io::{Read as _, Write as _},
    os::unix::net::UnixStream,
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, ensure};
use netebpf_tests::{
    engine::{Engine, Said},
    probe::{Answer, PATIENT, Service, ping, tcp},
    process::Process,
    topology::{CLIENT, HOST},
    wait,
};
use nix::sys::signal::Signal;

use crate::scene::Scene;

fn scene(name: &str) -> Result<Scene> {
    Scene::new(name, &["--bridge=none"])
}

/// Runs a shell script in the background.
fn background(engine: &Engine, name: &str, script: &str) -> Result<String> {
    let id = engine.ok(&["run", "-d", "--name", name, "--network", "net", "--", "sh", "-c", script])?;
    Ok(id.trim().to_owned())
}

fn listed(engine: &Engine, name: &str, field: &str) -> Result<String> {
    let filter = format!("name=^{name}$");
    Ok(engine.ok(&["ps", "-a", "--filter", &filter, "--format", field])?.trim_end().to_owned())
}

fn until_state(engine: &Engine, name: &str, state: &str) -> Result<()> {
    wait::until(&format!("{name} is {state}"), wait::LONG, || {
        listed(engine, name, "{{.State}}").is_ok_and(|found| found == state).then_some(())
    })
}

#[track_caller]
fn refused(said: &Said, text: &str) {
    assert_eq!((said.code, said.stderr.trim_end()), (Some(1), text), "{said:?}");
}

#[test]
fn a_sandbox_that_is_stopped_and_started_has_the_same_configured_addresses() -> Result<()> {
    let scene = scene("again")?;
    let engine = &scene.engine;
    let net = scene.network()?;
    let address = net.subnet.hosts().nth(76).context("a large subnet")?;
    let wish = address.to_string();
    let web = scene.run("web", &["--ip", &wish, "-p", "8080:80"], &[Service::Tcp(80)])?;
    assert_eq!(web.address, address);
    let published = || scene.world.client.run(|| tcp((HOST, 8080).into(), PATIENT));
    assert_eq!(published()?, Answer::seen("web", CLIENT));

    assert_eq!(engine.ok(&["stop", "web"])?, "web\n");
    assert_eq!(listed(engine, "web", "{{.State}} {{.Ports}}")?, "exited");
    assert_eq!(published()?, Answer::Refused);
    assert_eq!(engine.ok(&["stop", "web"])?, "web\n");
    for call in ["start", "restart"] {
        assert_eq!(engine.ok(&[call, "web"])?, "web\n");
        assert_eq!(
            engine.ok(&["inspect", "-f", "{{.NetworkSettings.Networks.net.IPAddress}}", "web"])?.trim(),
            wish
        );
        wait::until("the port answers", wait::LONG, || {
            published().is_ok_and(|seen| seen == Answer::seen("web", CLIENT)).then_some(())
        })?;
        assert_eq!(scene.world.host.run(|| ping(address, PATIENT))?, Answer::Echoed);
    }
    assert_eq!(engine.ok(&["start", "web"])?, "web\n");
    Ok(())
}

#[test]
fn commands_are_stopped_with_patience_and_signalled_by_name() -> Result<()> {
    let scene = scene("signals")?;
    let engine = &scene.engine;
    background(
        engine,
        "polite",
        "trap 'exit 7' TERM; trap 'exit 8' USR1; trap 'exit 9' INT; echo ready; while :; do sleep 0.1; done",
    )?;
    background(engine, "deaf", "trap '' TERM; echo ready; while :; do sleep 0.1; done")?;
    let ready = |name: &str| {
        wait::until("the traps are set", wait::LONG, || {
            engine.ok(&["logs", name]).is_ok_and(|said| said.ends_with("ready\n")).then_some(())
        })
    };
    let again = |name: &str| -> Result<()> {
        engine.ok(&["rm", name])?;
        background(
            engine,
            name,
            "trap 'exit 8' USR1; trap 'exit 9' INT; echo ready; while :; do sleep 0.1; done",
        )?;
        ready(name)
    };
    ready("polite")?;
    ready("deaf")?;
    assert_eq!(engine.ok(&["stop", "-t", "1", "polite", "deaf"])?, "polite\ndeaf\n");
    assert_eq!(engine.ok(&["wait", "polite", "deaf"])?, "7\n137\n");
    again("polite")?;
    assert_eq!(engine.ok(&["kill", "-s", "USR1", "polite"])?, "polite\n");
    assert_eq!(engine.ok(&["wait", "polite"])?, "8\n");
    again("polite")?;
    engine.ok(&["stop", "-s", "INT", "polite"])?;
    assert_eq!(engine.ok(&["wait", "polite"])?, "9\n");
    assert!(listed(engine, "polite", "{{.Status}}")?.starts_with("Exited (9) "));
    let id = engine.ok(&["inspect", "-f", "{{.Id}}", "polite"])?;
    let said = engine.cli(&["kill", "polite"])?;
    ensure!(said.stderr.contains(&format!("container {} is not running", id.trim())), "{said:?}");
    refused(&engine.cli(&["stop", "nobody"])?, "Error response from daemon: No such container: nobody");
    refused(&engine.cli(&["wait", "nobody"])?, "Error response from daemon: No such container: nobody");
    ensure!(engine.cli(&["kill", "-s", "ODD", "deaf"])?.stderr.contains("nvalid signal: ODD"));
    Ok(())
}

#[test]
fn what_a_command_writes_in_the_background_can_be_read_while_it_runs_and_after() -> Result<()> {
    let scene = scene("logs")?;
    let engine = &scene.engine;
    background(engine, "job", "echo one; echo two >&2; echo three; exit 3")?;
    assert_eq!(engine.ok(&["wait", "job"])?, "3\n");
    let both = |said: &Said| [said.stdout.as_str(), &said.stderr].concat();
    let said = engine.cli(&["logs", "job"])?;
    assert_eq!((said.code, both(&said).as_str()), (Some(0), "one\ntwo\nthree\n"));
    assert_eq!(both(&engine.cli(&["logs", "-n", "1", "job"])?), "three\n");
    assert_eq!(both(&engine.cli(&["logs", "--tail", "0", "job"])?), "");
    background(engine, "slow", "echo begin; sleep 0.3; echo end")?;
    assert_eq!(both(&engine.cli(&["logs", "-f", "slow"])?), "begin\nend\n");
    refused(&engine.cli(&["logs", "nobody"])?, "Error response from daemon: No such container: nobody");
    Ok(())
}

#[test]
fn further_commands_run_beside_the_first() -> Result<()> {
    let scene = scene("exec")?;
    let engine = &scene.engine;
    let id = engine.ok(&[
        "run",
        "-d",
        "--name",
        "box",
        "-h",
        "box-host",
        "--network",
        "net",
        "--",
        "sleep",
        "1d",
    ])?;
    let inside = [
        "exec",
        "-e",
        "A=1",
        "-w",
        "/tmp",
        "box",
        "sh",
        "-c",
        "echo $A $HOSTNAME; pwd; hostname; tail -n1 /etc/hosts",
    ];
    let said = engine.ok(&inside)?;
    let address = engine.ok(&["inspect", "-f", "{{.NetworkSettings.Networks.net.IPAddress}}", "box"])?;
    ensure!(said.starts_with("1 box-host\n/tmp\nbox-host\n") && said.contains("box-host\n"), "{said}");
    ensure!(
        engine.ok(&["exec", "box", "cat", "/etc/hosts"])?.contains(&format!("{}\tbox-host", address.trim()))
    );
    for (command, code, text) in [
        (&["sh", "-c", "exit 7"][..], 7, ""),
        (&["sh", "-c", "kill -KILL $$"], 137, ""),
        (&["no-such-program"], 127, "exec: \"no-such-program\": executable file not found in $PATH"),
        (&["/etc"], 126, "ermission denied"),
    ] {
        let said = engine.cli(&[&["exec", "box"], command].concat())?;
        ensure!(said.code == Some(code) && said.stderr.contains(text), "{said:?}");
    }
    let mark = scene.world.directory().join("mark");
    let script = format!("echo here > {}", mark.display());
    engine.ok(&["exec", "-d", "box", "sh", "-c", &script])?;
    wait::until("the command in the background has run", wait::LONG, || mark.exists().then_some(()))?;

    engine.ok(&["stop", "-t", "0", "box"])?;
    let stopped = engine.cli(&["exec", "box", "true"])?;
    refused(&stopped, &format!("Error response from daemon: container {} is not running", id.trim()));
    let nobody = engine.cli(&["exec", "nobody", "true"])?;
    refused(&nobody, "Error response from daemon: No such container: nobody");
    Ok(())
}

#[test]
fn who_may_ask_the_daemon_but_not_enter_a_sandbox_is_told_so() -> Result<()> {
    let scene = Scene::new("rights", &["--bridge=none", "--group", "nogroup"])?;
    scene.run("web", &[], &[Service::Tcp(80)])?;
    let user = 65534;
    let listed = scene.engine.cli_as(user, &["ps", "--format", "{{.Names}}"])?;
    assert_eq!((listed.code, listed.stdout.as_str()), (Some(0), "web\n"), "{listed:?}");
    let refused = scene.engine.cli_as(user, &["exec", "web", "true"])?;
    ensure!(
        refused.code == Some(1) && refused.stderr.contains("only root can start commands"),
        "{refused:?}"
    );
    let refused = scene.engine.cli_as(user, &["run", "--network", "net", "--", "true"])?;
    ensure!(
        refused.code == Some(125) && refused.stderr.contains("only root can start commands"),
        "{refused:?}"
    );
    scene
        .engine
        .cli_as(user, &["run", "-d", "--name", "by-daemon", "--network", "net", "--", "sleep", "1d"])?
        .ok()?;
    assert_eq!(scene.engine.ok(&["ps", "-a", "--format", "{{.Names}}"])?, "by-daemon\nweb\n");
    Ok(())
}

#[test]
fn sandboxes_are_listed_and_shown_by_dockers_formats() -> Result<()> {
    let scene = scene("listed")?;
    let engine = &scene.engine;
    let web = scene.run("web", &["-p", "8080:80", "-l", "tier=web"], &[Service::Tcp(80)])?;
    engine.ok(&["create", "--name", "idle", "--network", "net", "--", "sleep", "1d"])?;
    let table = engine.ok(&["ps"])?;
    let heading =
        table.lines().next().unwrap_or_default().split("  ").map(str::trim).filter(|text| !text.is_empty());
    assert_eq!(
        heading.collect::<Vec<_>>(),
        ["CONTAINER ID", "IMAGE", "COMMAND", "CREATED", "STATUS", "PORTS", "NAMES"]
    );
    ensure!(table.contains("0.0.0.0:8080->80/tcp, [::]:8080->80/tcp") && !table.contains("idle"), "{table}");
    for (flags, names) in [
        (&["-a"][..], "idle\nweb\n"),
        (&["-l"], "idle\n"),
        (&["-n", "2"], "idle\nweb\n"),
        (&["-a", "--filter", "status=created"], "idle\n"),
        (&["-f", "label=tier=web"], "web\n"),
        (&["-a", "-f", "network=net", "-f", "name=we"], "web\n"),
    ] {
        assert_eq!(engine.ok(&[&["ps", "--format", "{{.Names}}"], flags].concat())?, names, "{flags:?}");
    }
    assert_eq!(engine.ok(&["ps", "-q", "--no-trunc"])?.trim(), web.id);
    assert_eq!(engine.ok(&["ps", "-q"])?.trim(), &web.id[..12]);
    assert_eq!(
        engine.json(&["ps", "--format", "json"])?.pointer("/Names").and_then(|name| name.as_str()),
        Some("web")
    );
    refused(&engine.cli(&["ps", "-f", "colour=red"])?, "Error response from daemon: invalid filter 'colour'");

    let shown = engine.ok(&["inspect", "-f", "{{.Name}}", "web", "net"])?;
    assert_eq!(shown, "/web\nnet\n");
    let shown = engine.ok(&["inspect", "--type", "network", "-f", "{{.Name}}", "net"])?;
    assert_eq!(shown, "net\n");
    for (arguments, text) in [
        (&["inspect", "nothing"][..], "error: no such object: nothing"),
        (&["inspect", "--type", "container", "net"], "Error response from daemon: No such container: net"),
        (&["inspect", "--type", "network", "web"], "Error response from daemon: network web not found"),
    ] {
        let said = engine.cli(arguments)?;
        refused(&said, text);
        assert_eq!(said.stdout, "[]\n");
    }
    let odd = engine.cli(&["inspect", "--type", "image", "web"])?;
    ensure!(odd.stderr.starts_with("unknown type: \"image\": must be one of"), "{odd:?}");
    Ok(())
}

#[test]
fn sandboxes_are_renamed_and_removed() -> Result<()> {
    let scene = scene("removed")?;
    let engine = &scene.engine;
    background(engine, "first", "sleep 1d")?;
    background(engine, "second", "exit 0")?;
    engine.ok(&["rename", "first", "renamed"])?;
    until_state(engine, "renamed", "running")?;
    until_state(engine, "second", "exited")?;
    let taken = engine.cli(&["rename", "second", "renamed"])?;
    ensure!(taken.code == Some(1), "{taken:?}");
    ensure!(
        taken.stderr.starts_with("failed to rename container: Error response from daemon: "),
        "{taken:?}"
    );
    let said = engine.cli(&["rm", "renamed", "nobody", "second"])?;
    assert_eq!((said.code, said.stdout.as_str()), (Some(1), "second\n"), "{said:?}");
    ensure!(said.stderr.contains("No such container: nobody") && said.stderr.contains("renamed"), "{said:?}");
    assert_eq!(engine.ok(&["rm", "-f", "renamed", "nobody"])?, "renamed\n");
    assert_eq!(engine.ok(&["ps", "-aq"])?, "");
    assert_eq!(engine.ok(&["plan"])?.trim(), "nothing to do");
    Ok(())
}

/// Starts a command of netebpf and does not wait for its end.
fn begin(scene: &Scene, arguments: &[&str]) -> Result<Process> {
    let mut command = scene.engine.command(arguments);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    scene.world.host.spawn(command)
}

#[test]
fn signals_are_passed_on_to_a_command_in_the_foreground() -> Result<()> {
    let scene = scene("foreground")?;
    let script = "trap 'echo got; exit 5' USR1; echo ready; while :; do sleep 0.1; done";
    scene.engine.ok(&["run", "-d", "--name", "box", "--network", "net", "--", "sleep", "1d"])?;
    for arguments in [
        &["run", "--rm", "--name", "front", "--network", "net", "--", "sh", "-c", script][..],
        &["exec", "box", "sh", "-c", script],
    ] {
        let mut client = begin(&scene, arguments)?;
        let mut output = client.child().stdout.take().context("a pipe")?;
        let mut ready = [0; 6];
        output.read_exact(&mut ready)?;
        client.signal(Signal::SIGUSR1)?;
        assert_eq!(client.wait(wait::LONG)?.code(), Some(5));
        let mut rest = String::new();
        output.read_to_string(&mut rest)?;
        assert_eq!((&ready, rest.as_str()), (b"ready\n", "got\n"));
    }
    assert_eq!(scene.engine.ok(&["ps", "-a", "--format", "{{.Names}}"])?, "box\n");
    Ok(())
}

#[test]
fn a_client_that_dies_before_it_starts_the_command_leaves_a_sandbox_without_a_place() -> Result<()> {
    let scene = scene("late")?;
    let mut command = Command::new("sleep");
    command.arg("1d");
    let mut client = scene.world.host.spawn(command)?;
    let body = format!(
        r#"{{"Name":"late","Networks":[{{"Network":"net"}}],"Command":["true"],"Start":{{"client":{}}}}}"#,
        client.child().id()
    );
    let mut socket = UnixStream::connect(scene.world.run_dir().join("netebpf.sock"))?;
    write!(
        socket,
        "POST /netebpf/sandboxes HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )?;
    let mut answer = String::new();
    socket.read_to_string(&mut answer)?;
    ensure!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    let members = || scene.engine.ok(&["network", "inspect", "-f", "{{len .Containers}}", "net"]);
    assert_eq!(members()?, "1\n");
    client.child().kill()?;
    client.wait(wait::LONG)?;
    wait::until("the addresses are free", wait::LONG, || members().is_ok_and(|n| n == "0\n").then_some(()))?;
    assert_eq!(listed(&scene.engine, "late", "{{.State}}")?, "created");
    scene.engine.ok(&["start", "late"])?;
    until_state(&scene.engine, "late", "exited")
}
