//! What the flags of `run` give a command, and which of them are refused.

use std::fs;

use anyhow::{Context as _, Result, ensure};
use netebpf_tests::{
    engine::{Engine, Said},
    probe::{Answer, Service, tcp},
    topology::{CLIENT, HOST},
};

use crate::scene::Scene;

/// What a command in a sandbox of its own says.
fn said_by(engine: &Engine, flags: &[&str], script: &str) -> Result<Said> {
    engine.cli(&[&["run", "--rm", "--network", "net"], flags, &["--", "sh", "-c", script]].concat())
}

fn told(engine: &Engine, flags: &[&str], script: &str) -> Result<String> {
    said_by(engine, flags, script)?.ok()
}

#[track_caller]
fn refused(said: &Said, code: i32, text: &str) {
    assert_eq!(said.code, Some(code), "{said:?}");
    assert!(said.stderr.contains(text), "no `{text}` in {said:?}");
    assert_eq!(said.stdout, "", "{said:?}");
}

#[test]
fn a_command_has_the_names_hosts_and_name_servers_that_were_asked_for() -> Result<()> {
    let scene = Scene::new("flags-names", &["--bridge=none"])?;
    let engine = &scene.engine;
    let script = "hostname; cat /proc/sys/kernel/domainname /etc/hostname; echo $HOSTNAME";
    let names = told(engine, &["-h", "box", "--domainname", "example.org"], script)?;
    assert_eq!(names, "box\nexample.org\nbox\nbox\n");
    let unnamed = told(engine, &["--name", "unnamed"], "hostname")?;
    assert!(
        unnamed.trim().len() == 12 && unnamed.trim().bytes().all(|byte| byte.is_ascii_hexdigit()),
        "{unnamed}"
    );

    let address = scene.network()?.subnet.hosts().nth(76).context("a large subnet")?.to_string();
    let hosts = ["-h", "box", "--ip", &address, "--add-host", "db=10.0.0.7", "--add-host", "six:fd00::7"];
    let hosts = told(engine, &hosts, "cat /etc/hosts")?;
    let own = format!("{address}\tbox");
    for line in ["127.0.0.1\tlocalhost", "10.0.0.7\tdb", "fd00::7\tsix", &own] {
        assert!(hosts.lines().any(|found| found == line), "no {line:?} in {hosts}");
    }
    let dns = ["--dns", "192.0.2.53", "--dns-search", "example.org", "--dns-option", "ndots:3"];
    let resolv_conf = told(engine, &dns, "cat /etc/resolv.conf")?;
    for part in ["search example.org", "ndots:3"] {
        assert!(resolv_conf.contains(part), "no {part} in {resolv_conf}");
    }
    Ok(())
}

#[test]
fn a_command_has_the_variables_and_the_directory_that_were_asked_for() -> Result<()> {
    let scene = Scene::new("flags-env", &["--bridge=none"])?;
    let engine = &scene.engine;
    let file = scene.world.directory().join("variables");
    fs::write(&file, "# a comment\nA=file\nB=two words\n")?;
    let file = file.display().to_string();
    let flags = ["--env-file", &file, "-e", "A=option", "--env", "C=", "-w", "/proc", "-l", "stage=test"];
    assert_eq!(told(engine, &flags, "echo \"$A|$B|${C-unset}\"; pwd")?, "option|two words|\n/proc\n");
    engine
        .ok(&[&["run", "-d", "--name", "web", "--network", "net"], &flags[..], &["--", "sleep", "1d"]]
            .concat())?;
    assert_eq!(engine.ok(&["exec", "web", "sh", "-c", "echo \"$A|$B|$PWD\""])?, "option|two words|/proc\n");
    assert_eq!(engine.ok(&["ps", "--format", "{{.Label \"stage\"}}"])?, "test\n");
    Ok(())
}

#[test]
fn a_sandbox_may_have_no_name_and_exposed_ports_are_published_all_at_once() -> Result<()> {
    let scene = Scene::new("flags-ports", &["--bridge=none"])?;
    let engine = &scene.engine;
    let web = scene.run(
        "web",
        &["-P", "--expose", "80", "-p", "8080:81"],
        &[Service::Tcp(80), Service::Tcp(81)],
    )?;
    let first = engine.ok(&["port", "web", "80"])?;
    let port: u16 =
        first.lines().next().and_then(|line| line.rsplit(':').next()).unwrap_or_default().parse()?;
    ensure!(port >= 32768, "{first}");
    for port in [port, 8080] {
        let seen = Answer::seen("web", CLIENT);
        assert_eq!(scene.world.client.run(|| tcp((HOST, port).into(), seen.patience()))?, seen);
    }
    assert_eq!(engine.ok(&["port", "web", "81/tcp"])?, "0.0.0.0:8080\n[::]:8080\n");
    let all = engine.ok(&["port", "web"])?;
    assert!(
        all.contains("81/tcp -> 0.0.0.0:8080\n") && all.contains(&format!("80/tcp -> [::]:{port}\n")),
        "{all}"
    );
    let missing = engine.cli(&["port", "web", "82"])?;
    refused(&missing, 1, "ublic port '82' published for web");

    let id = engine.ok(&["run", "-d", "--network", "net", "--", "sleep", "1d"])?;
    let name = engine.ok(&["ps", "--filter", &format!("id={}", id.trim()), "--format", "{{.Names}}"])?;
    assert!(name.trim().split_once('_').is_some(), "{name}");
    assert_ne!(id.trim(), web.id);
    Ok(())
}

#[test]
fn flags_that_make_no_sense_are_refused_in_dockers_words_and_leave_nothing() -> Result<()> {
    let scene = Scene::new("flags-refused", &["--bridge=none"])?;
    let engine = &scene.engine;
    scene.run("web", &["-p", "8080:80"], &[Service::Tcp(80)])?;
    let run = |flags: &[&str]| {
        engine.cli(&[&["run", "-d", "--name", "lost"], flags, &["--", "sleep", "1d"]].concat())
    };
    let alias = "network-scoped aliases are only supported for user-defined networks";
    for (flags, text) in [
        (&["--network", "net", "--network", "net"][..], "network \"net\" is specified multiple times"),
        (
            &["--network", "name=net,alias=a", "--network-alias", "b"],
            "conflicting options: cannot specify both --network-alias and per-network alias",
        ),
        (
            &["--network", "net", "--network", "host"],
            "conflicting options: cannot attach both user-defined and non-user-defined network-modes",
        ),
        (&["--network", "host", "--network-alias", "a"], alias),
        (&["--network", "net", "--mac-address", "zz"], "zz is not a valid mac address"),
        (&["--network", "net", "-w", "tmp"], "it needs to be an absolute path"),
        (&["--network", "net", "--env-file", "/no/such/file"], "open /no/such/file"),
        // What the daemon refuses.
        (&["--network", "nowhere"], "failed to set up container networking: network nowhere not found"),
        (&["--network", "net", "-p", "8080:80"], "port is already allocated"),
        (&["--network", "net", "--ip", "10.9.9.9"], "no configured subnet contains IP address 10.9.9.9"),
        (&["--network", "container:nobody"], "No such container: nobody"),
        (
            &["--network", "container:web", "-p", "81:81"],
            "conflicting options: port publishing and the container type network mode",
        ),
        (
            &["--network", "container:web", "--hostname", "x"],
            "conflicting options: hostname and the network mode",
        ),
        (
            &["--network", "container:web", "--dns", "192.0.2.1"],
            "conflicting options: dns and the network mode",
        ),
        (
            &["--network", "container:web", "--add-host", "a:192.0.2.1"],
            "conflicting options: custom host-to-IP mapping and the network mode",
        ),
        (&["--network", "host", "--link", "web"], "host type networking can't be used with links"),
        (
            &["--network", "net", "--link-local-ip", "10.9.9.9"],
            "failed to set up container networking: invalid link local IP address: 10.9.9.9",
        ),
    ] {
        refused(&run(flags)?, 125, text);
    }
    // What is no option at all.
    for (flags, text) in [
        (&["--network", "name=net,colour=red"][..], "invalid field key colour"),
        (&["--network", "name=net,gw-priority=x"], "invalid gw-priority (x): invalid syntax"),
        (&["--dns", "x"], "IP address is not correctly formatted: x"),
        (&["--add-host", "a"], "bad format for add-host"),
        (&["-p", "80:80/x"], "invalid proto: x"),
    ] {
        refused(&run(flags)?, 125, text);
    }
    assert_eq!(engine.ok(&["ps", "-a", "--format", "{{.Names}}"])?, "web\n");
    assert_eq!(engine.ok(&["plan"])?.trim(), "nothing to do");
    Ok(())
}

#[test]
fn every_command_explains_itself_and_has_a_manual_page() -> Result<()> {
    let scene = Scene::new("flags-help", &["--bridge=none"])?;
    let (manual, completions) = (scene.engine.ok(&["man"])?, scene.engine.ok(&["completions", "bash"])?);
    for command in [
        "run", "create", "exec", "attach", "start", "stop", "restart", "kill", "rm", "rename", "wait", "ps",
        "inspect", "port", "logs", "top",
    ] {
        let help = scene.engine.ok(&[command, "--help"])?;
        assert!(help.contains("Example"), "{help}");
        assert!(
            manual.contains(&format!("netebpf\\-{command}"))
                || manual.contains(&format!("netebpf {command}"))
        );
        assert!(
            completions.contains(&format!("netebpf__subcmd__{command}"))
                || completions.contains(&format!("netebpf__{command}"))
        );
    }
    Ok(())
}
