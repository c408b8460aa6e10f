//! `netebpf network` as Docker users know it: the networks that are there by themselves, options, lists, pruning.

use std::sync::Arc;

use anyhow::{Result, ensure};
use netebpf_tests::{
    engine::{Engine, Said},
    installed::Program,
    probe::{Answer, Service, tcp},
    scenario::Sandbox,
    topology::{CLIENT, HOST, World},
};

use crate::scene::Scene;

const DEFAULT: &str = "--bridge=netebpf0";

fn refused(said: &Said, text: &str) {
    assert_eq!(said.code, Some(1), "{said:?}");
    assert_eq!(said.stderr.trim_end(), format!("Error response from daemon: {text}"));
}

fn names(engine: &Engine, filter: &str) -> Result<String> {
    let listed = engine.ok(&["network", "ls", "--filter", filter, "--format", "{{.Name}}"])?;
    Ok(listed.split_whitespace().collect::<Vec<_>>().join(" "))
}

#[test]
fn three_networks_are_there_by_themselves_and_sandboxes_join_the_first() -> Result<()> {
    let world = Arc::new(World::new("predefined")?);
    let engine = Engine::start_with(Arc::clone(&world), &[DEFAULT])?;
    let listed = engine.ok(&["network", "ls", "--format", "{{.Name}} {{.Driver}} {{.Scope}}"])?;
    assert_eq!(listed, "bridge bridge local\nhost host local\nnone null local\n");
    let bridge = engine.json(&["network", "inspect", "bridge"])?;
    let option = |name: &str| bridge.pointer(&format!("/0/Options/com.docker.network.{name}")).cloned();
    assert_eq!(option("bridge.default_bridge"), Some("true".into()));
    assert_eq!(option("bridge.name"), Some("netebpf0".into()));
    assert!(world.host.links()?.contains(&"netebpf0".to_owned()));

    let web = Sandbox::run(&world, &engine, ("web", "bridge"), &["-p", "8080:80"], &[Service::Tcp(80)])?;
    assert_eq!(web.address.to_string(), "172.17.0.2");
    let seen = world.client.run(|| tcp((HOST, 8080).into(), Answer::seen("web", CLIENT).patience()))?;
    assert_eq!(seen, Answer::seen("web", CLIENT));
    let probe = world.probe().display().to_string();
    engine.ok(&["run", "-d", "--name", "bare", "--", &probe, "serve", "--name", "bare", "tcp:80"])?;
    let on_bridge =
        engine.ok(&["network", "inspect", "-f", "{{range .Containers}}{{.Name}} {{end}}", "bridge"])?;
    assert!(on_bridge.contains("web ") && on_bridge.contains("bare "), "{on_bridge}");

    for name in ["bridge", "host", "none"] {
        refused(
            &engine.cli(&["network", "rm", name])?,
            &format!("{name} is a pre-defined network and cannot be removed"),
        );
        let made = engine.cli(&["network", "create", name])?;
        refused(&made, &format!("operation is not permitted on predefined {name} network"));
    }
    let host = "cannot connect container to host network - container must be created in host network mode";
    refused(&engine.cli(&["network", "connect", "host", "web"])?, host);

    let id = engine.ok(&["network", "ls", "-q", "--no-trunc", "--filter", "name=^bridge$"])?;
    engine.terminate()?;
    engine.launch()?;
    assert_eq!(engine.ok(&["network", "ls", "-q", "--no-trunc", "--filter", "name=^bridge$"])?, id);
    Ok(())
}

#[test]
fn the_default_network_can_be_switched_off() -> Result<()> {
    let scene = Scene::new("no-default", &["--bridge=none"])?;
    assert_eq!(names(&scene.engine, "type=builtin")?, "host none");
    let said = scene.engine.cli(&["run", "-d", "--name", "lost", "--", "sleep", "1d"])?;
    assert_eq!(said.code, Some(125), "{said:?}");
    assert_eq!(
        said.stderr.trim_end(),
        "Error response from daemon: failed to set up container networking: network bridge not found"
    );
    Ok(())
}

#[test]
fn networks_are_listed_by_dockers_filters_and_formats() -> Result<()> {
    let scene = Scene::new("filters", &["--bridge=none"])?;
    let engine = &scene.engine;
    for (name, label) in [("web10", "tier=web"), ("web9", "tier=web"), ("db", "tier=data")] {
        engine.ok(&["network", "create", "--label", label, name])?;
    }
    scene.run("box", &[], &[Service::Tcp(80)])?;
    for (filter, wanted) in [
        ("type=custom", "db net web9 web10"),
        ("name=web", "web9 web10"),
        ("name=^web9$", "web9"),
        ("label=tier", "db web9 web10"),
        ("label=tier=data", "db"),
        ("driver=null", "none"),
        ("scope=swarm", ""),
        ("dangling=true", "db web9 web10"),
        ("dangling=false", "host net none"),
    ] {
        assert_eq!(names(engine, filter)?, wanted, "{filter}");
    }
    refused(&engine.cli(&["network", "ls", "--filter", "colour=red"])?, "invalid filter 'colour'");
    refused(&engine.cli(&["network", "ls", "--filter", "type=odd"])?, "invalid filter: 'type'='odd'");
    let said = engine.cli(&["network", "ls", "--filter", "odd"])?;
    assert_eq!(said.code, Some(125), "{said:?}");

    let table = engine.ok(&["network", "ls"])?;
    assert!(table.starts_with("NETWORK ID     NAME      DRIVER    SCOPE\n"), "{table}");
    let short = engine.ok(&["network", "ls", "-q", "--filter", "name=db"])?;
    let full = engine.ok(&["network", "ls", "-q", "--no-trunc", "--filter", "name=db"])?;
    assert!(short.trim().len() == 12 && full.trim().len() == 64 && full.starts_with(short.trim()));
    assert_eq!(
        engine.ok(&["network", "inspect", "-f", "{{.Labels.tier}} {{.Internal}}", "db"])?,
        "data false\n"
    );
    Ok(())
}

#[test]
fn unused_networks_are_pruned_and_missing_ones_may_be_removed_by_force() -> Result<()> {
    let scene = Scene::new("prune", &["--bridge=none"])?;
    let engine = &scene.engine;
    scene.run("box", &[], &[Service::Tcp(80)])?;
    engine.ok(&["network", "create", "--label", "keep", "kept"])?;
    engine.ok(&["network", "create", "old"])?;
    let unasked = engine.cli(&["network", "prune"])?;
    assert!(unasked.code == Some(0) && unasked.stdout.ends_with("[y/N] "), "no answer is no: {unasked:?}");
    assert_eq!(engine.ok(&["network", "prune", "-f", "--filter", "until=24h"])?, "", "all are younger");
    let pruned = engine.ok(&["network", "prune", "-f", "--filter", "label!=keep"])?;
    assert_eq!(pruned, "Deleted Networks:\nold\n\n");
    assert_eq!(names(engine, "type=custom")?, "kept net");
    assert_eq!(engine.ok(&["network", "rm", "-f", "old", "kept"])?, "kept\n");
    refused(&engine.cli(&["network", "rm", "old"])?, "network old not found");
    Ok(())
}

#[test]
fn addresses_come_from_where_the_user_says() -> Result<()> {
    let options = ["--bridge=none", "--default-address-pool", "base=10.60.0.0/16,size=24"];
    let scene = Scene::new("pools", &options)?;
    let engine = &scene.engine;
    assert_eq!(scene.network()?.subnet.to_string(), "10.60.0.0/24");
    engine.ok(&[
        "network",
        "create",
        "--subnet",
        "10.61.0.0/16",
        "--ip-range",
        "10.61.5.0/24",
        "--gateway",
        "10.61.5.254",
        "--aux-address",
        "router=10.61.5.1",
        "ranged",
    ])?;
    let config = engine.ok(&["network", "inspect", "-f", "{{json .IPAM.Config}}", "ranged"])?;
    let wanted = r#"[{"Subnet":"10.61.0.0/16","IPRange":"10.61.5.0/24","Gateway":"10.61.5.254","AuxiliaryAddresses":{"router":"10.61.5.1"}}]"#;
    assert_eq!(config.trim(), wanted);
    let first = scene.run_in("ranged", "first", &[], &[Service::Tcp(80)])?;
    let second = scene.run_in("ranged", "second", &[], &[Service::Tcp(80)])?;
    assert_eq!(
        (first.address.to_string(), second.address.to_string()),
        ("10.61.5.0".into(), "10.61.5.2".into())
    );
    let seen = first
        .namespace
        .run(|| tcp((second.address, 80).into(), Answer::seen("second", first.address).patience()))?;
    assert_eq!(seen, Answer::seen("second", first.address));

    for (arguments, text) in [
        (
            &["--subnet", "10.9.0.1/24"][..],
            "invalid network config:\ninvalid subnet 10.9.0.1/24: it should be 10.9.0.0/24",
        ),
        (
            &["--subnet", "10.61.0.0/24"],
            "invalid pool request: Pool overlaps with other one on this address space",
        ),
        (&["--driver", "host"], "only one instance of \"host\" network is allowed"),
        (&["--ipam-driver", "other"], "plugin \"other\" not found"),
    ] {
        let said = engine.cli(&[&["network", "create"], arguments, &["bad"]].concat())?;
        refused(&said, text);
    }
    let said = engine.cli(&["network", "create", "--gateway", "10.9.0.1", "bad"])?;
    assert_eq!(said.stderr.trim_end(), "every ip-range or gateway must have a corresponding subnet");
    ensure!(names(engine, "name=bad")?.is_empty());
    Ok(())
}

#[test]
fn bridges_and_interfaces_have_the_names_that_a_network_asks_for() -> Result<()> {
    let scene = Scene::new("names", &["--bridge=none"])?;
    let options =
        ["-o", "com.docker.network.bridge.name=lan0", "-o", "com.docker.network.container_iface_prefix=port"];
    scene.engine.ok(&[&["network", "create"][..], &options, &["lan"]].concat())?;
    ensure!(scene.world.host.links()?.contains(&"lan0".to_owned()));
    let sandbox = scene.run_in("lan", "box", &[], &[Service::Tcp(80)])?;
    let links = sandbox.namespace.links()?;
    ensure!(links.contains(&"port0".to_owned()), "{links:?}");
    let said = scene.engine.cli(&[&["network", "create"][..], &options, &["again"]].concat())?;
    ensure!(said.stderr.contains("networks have same bridge name"), "{said:?}");
    Ok(())
}

#[test]
fn dockers_clients_find_an_engine_behind_the_socket_that_they_know() -> Result<()> {
    let scene = Scene::new("docker-sock", &["--bridge=none"])?;
    let socket = scene.world.run_dir().join("docker.sock");
    let ask = |path: &str| {
        let said = Program::Curl.run(
            &scene.world.host,
            &format!("-sS -i --unix-socket {} http://localhost{path}", socket.display()),
        )?;
        ensure!(said.succeeded, "{}", said.told);
        Ok(said.stdout)
    };
    let pong = ask("/_ping")?.to_lowercase();
    ensure!(
        pong.contains("api-version: 1.55") && pong.contains("ostype: linux") && pong.ends_with("ok"),
        "{pong}"
    );
    let version = ask("/v1.55/version")?;
    ensure!(
        version.contains(r#""ApiVersion":"1.55""#) && version.contains(r#""MinAPIVersion":"1.40""#),
        "{version}"
    );
    let info = ask("/info")?;
    ensure!(info.contains(r#""Network":["bridge","host","null"]"#), "{info}");
    let networks = ask("/v1.40/networks?filters=%7B%22name%22%3A%5B%22net%22%5D%7D")?;
    ensure!(networks.contains(r#""Name":"net""#), "{networks}");
    scene.engine.terminate()?;
    ensure!(!socket.exists());
    Ok(())
}

#[test]
fn a_configuration_is_kept_shown_and_used() -> Result<()> {
    let scene = Scene::new("config", &["--bridge=none"])?;
    let engine = &scene.engine;
    engine.ok(&[
        "network",
        "create",
        "--config-only",
        "--subnet=10.70.0.0/24",
        "--label=stage=test",
        "-o",
        "com.docker.network.bridge.enable_icc=false",
        "base",
    ])?;
    engine.ok(&["network", "create", "--config-from", "base", "--internal", "made"])?;
    let shown = |name: &str, template: &str| engine.ok(&["network", "inspect", "-f", template, name]);
    let base = "{{.ConfigOnly}} {{.Driver}} {{.Scope}} {{json .IPAM.Config}} {{.Labels.stage}}";
    ensure!(shown("base", base)? == "true null local null test\n", "{}", shown("base", base)?);
    let made = "{{.ConfigFrom.Network}} {{.Driver}} {{.Internal}} {{(index .IPAM.Config 0).Subnet}} {{.Labels.stage}}";
    ensure!(shown("made", made)? == "base bridge true 10.70.0.0/24 test\n", "{}", shown("made", made)?);

    engine.terminate()?;
    engine.launch()?;
    let in_use = "error while removing network: configuration network \"base\" is in use";
    refused(&engine.cli(&["network", "rm", "base"])?, in_use);
    scene.run("box", &[], &[Service::Tcp(80)])?;
    let join = "cannot create endpoint on configuration-only network";
    refused(&engine.cli(&["network", "connect", "base", "box"])?, join);
    let pruned = engine.ok(&["network", "prune", "-f"])?;
    ensure!(pruned == "Deleted Networks:\nmade\n\n", "configurations stay: {pruned}");
    engine.ok(&["network", "rm", "base"])?;
    Ok(())
}
