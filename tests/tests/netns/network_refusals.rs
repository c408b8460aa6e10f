//! Every text with which `network create`, `rm` and `connect` are refused, with its exit code and its status code.

use anyhow::{Context as _, Result, ensure};
use netebpf_tests::installed::Program;

use crate::scene::Scene;

/// The arguments of `network create` and what is said about them.
const CREATE: [(&str, &str); 30] = [
    (
        "-o com.docker.network.enable_ipv4=x",
        "driver-opt \"com.docker.network.enable_ipv4\" is not a valid bool",
    ),
    (
        "-o com.docker.network.bridge.enable_icc=x",
        "failed to parse com.docker.network.bridge.enable_icc value: x (strconv.ParseBool: parsing \"x\": invalid syntax)",
    ),
    (
        "-o com.docker.network.bridge.gateway_mode_ipv4=x",
        "failed to parse com.docker.network.bridge.gateway_mode_ipv4 value: x (unknown gateway mode x)",
    ),
    (
        "-o com.docker.network.bridge.gateway_mode_ipv4=isolated",
        "gateway mode 'isolated' can only be used for an internal network",
    ),
    (
        "-o com.docker.network.bridge.host_binding_ipv4=x",
        "failed to parse com.docker.network.bridge.host_binding_ipv4 value: x (nil ip)",
    ),
    ("-o com.docker.network.host_ipv4=x", "failed to parse com.docker.network.host_ipv4 value: x (nil ip)"),
    (
        "-o com.docker.network.driver.mtu=x",
        "failed to parse com.docker.network.driver.mtu value: x (strconv.Atoi: parsing \"x\": invalid syntax)",
    ),
    ("-o com.docker.network.driver.mtu=-1", "invalid MTU number: -1"),
    (
        "-o com.docker.network.advertise_addr_nmsgs=x",
        "value for option com.docker.network.advertise_addr_nmsgs \"x\" must be an integer",
    ),
    (
        "-o com.docker.network.advertise_addr_nmsgs=4",
        "com.docker.network.advertise_addr_nmsgs must be in the range 0 to 3",
    ),
    (
        "-o com.docker.network.advertise_addr_ms=1s",
        "value for option com.docker.network.advertise_addr_ms \"1s\" must be integer milliseconds",
    ),
    (
        "-o com.docker.network.advertise_addr_ms=99",
        "com.docker.network.advertise_addr_ms must be in the range 100 to 2000",
    ),
    ("-o com.docker.network.bridge.name=eth0", "existing interface eth0 is not a bridge"),
    ("--ipv4=false", "IPv4 or IPv6 must be enabled"),
    ("--ipam-driver null", "ipv4 pool is empty"),
    ("--ipam-driver other", "plugin \"other\" not found"),
    ("-d weave", "plugin \"weave\" not found"),
    (
        "-d overlay",
        "This node is not a swarm manager. Use \"docker swarm init\" or \"docker swarm join\" to connect this node to \
         swarm and try again.",
    ),
    ("-d host", "only one instance of \"host\" network is allowed"),
    ("-d null", "only one instance of \"null\" network is allowed"),
    ("--ingress", "Ingress network can only be global scope network"),
    ("--scope swarm", "cannot create a swarm scoped network when swarm is not active"),
    (
        "--config-only --internal",
        "configuration network can only contain network specific fields. Network operator fields like \
         [ ingress | internal | attachable | scope ] are not supported.",
    ),
    (
        "--config-only --config-from base",
        "a configuration network cannot depend on another configuration network",
    ),
    (
        "--config-from base --subnet 10.9.0.0/24",
        "user-specified configurations are not supported if the network depends on a configuration network",
    ),
    (
        "--config-from base -o a=b",
        "network driver options are not supported if the network depends on a configuration network",
    ),
    ("--config-from nowhere", "configuration network \"nowhere\" does not exist"),
    ("--subnet 10.8.0.0/24 --subnet 10.9.0.0/24", "bridge driver doesn't support multiple subnets"),
    (
        "--internal --subnet 10.9.0.0/24 --aux-address DefaultGatewayIPv4=10.9.0.9",
        "no gateway can be set on an internal bridge network",
    ),
    ("--ipv6 --subnet fe80::/80", "'fe80::1/80' clashes with the Link-Local prefix 'fe80::/64'"),
];

#[test]
fn networks_are_refused_with_dockers_texts() -> Result<()> {
    let scene = Scene::new("refusals", &["--bridge=none"])?;
    let engine = &scene.engine;
    engine.ok(&["network", "create", "--config-only", "--subnet", "10.70.0.0/24", "base"])?;
    let before = engine.ok(&["network", "ls", "--json"])?;
    for (arguments, text) in CREATE {
        let arguments: Vec<_> = arguments.split_whitespace().collect();
        let said = engine.cli(&[&["network", "create"], &arguments[..], &["new"]].concat())?;
        let told = format!("Error response from daemon: {text}");
        ensure!(said.code == Some(1) && said.stderr.trim_end() == told, "{said:?}");
        ensure!(said.stdout.is_empty(), "{said:?}");
    }
    ensure!(engine.ok(&["network", "ls", "--json"])? == before, "something was made");
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

    let refused = |arguments: &[&str], text: &str| {
        let said = engine.cli(arguments)?;
        let told = format!("Error response from daemon: {text}");
        ensure!(said.code == Some(1) && said.stderr.trim_end() == told, "{said:?}");
        anyhow::Ok(())
    };
    engine.terminate()?;
    engine.launch()?;
    refused(
        &["network", "rm", "base"],
        "error while removing network: configuration network \"base\" is in use",
    )?;
    scene.run("box", &[], &[netebpf_tests::probe::Service::Tcp(80)])?;
    refused(&["network", "connect", "base", "box"], "cannot create endpoint on configuration-only network")?;
    let pruned = engine.ok(&["network", "prune", "-f"])?;
    ensure!(pruned == "Deleted Networks:\nmade\n\n", "configurations stay: {pruned}");
    engine.ok(&["network", "rm", "base"])?;
    Ok(())
}

/// Asks the socket for a path; the answer's status and body.
fn ask(scene: &Scene, path: &str, body: Option<&str>) -> Result<(u16, String)> {
    let socket = scene.world.run_dir().join("docker.sock");
    let body = body.map(|body| format!("-H Content-Type:application/json -d {body}")).unwrap_or_default();
    let arguments =
        format!("-sS -w \\n%{{http_code}} --unix-socket {} {body} http://localhost{path}", socket.display());
    let said = Program::Curl.run(&scene.world.host, &arguments)?;
    ensure!(said.succeeded, "{}", said.told);
    let (text, code) = said.stdout.rsplit_once('\n').context("no status")?;
    Ok((code.parse()?, text.to_owned()))
}

#[test]
fn refusals_have_dockers_status_codes() -> Result<()> {
    let scene = Scene::new("status-codes", &["--bridge=none"])?;
    for (body, wanted) in [
        (r#"{"Name":"net"}"#, 409),
        (r#"{"Name":"host"}"#, 403),
        (r#"{"Name":"x","Driver":"overlay"}"#, 403),
        (r#"{"Name":"x","Driver":"weave"}"#, 404),
        (r#"{"Name":"x","ConfigFrom":{"Network":"nowhere"}}"#, 404),
        (r#"{"Name":"x","ConfigOnly":true,"Internal":true}"#, 403),
        (r#"{"Name":"x","IPAM":{"Config":[{"Subnet":"10.9.0.1/24"}]}}"#, 400),
        (r#"{"Name":"x","IPAM":{"Config":[{"Subnet":"172.17.0.0/24"}]}}"#, 403),
        (r#"{"Name":"x","IPAM":{"Config":[{"Subnet":"10.8.0.0/24"},{"Subnet":"10.9.0.0/24"}]}}"#, 403),
        (r#"{"Name":"x","EnableIPv4":false}"#, 400),
        (r#"{"Name":"x","Options":{"com.docker.network.driver.mtu":"x"}}"#, 400),
        (r#"{"Name":"x""#, 400),
    ] {
        let (status, answer) = ask(&scene, "/v1.50/networks/create", Some(body))?;
        ensure!(status == wanted && answer.contains("\"message\""), "{body}: {status} {answer}");
    }
    for (path, wanted) in [
        ("/networks/nowhere", 404),
        ("/networks/net?verbose=x", 400),
        ("/networks/net?scope=swarm", 404),
        ("/networks?filters=%7B%22colour%22%3A%5B%22x%22%5D%7D", 400),
        ("/networks?filters=%7B%22dangling%22%3A%5B%22x%22%5D%7D", 400),
        ("/networks/net?verbose=1&scope=local", 200),
    ] {
        let (status, answer) = ask(&scene, path, None)?;
        ensure!(status == wanted, "{path}: {status} {answer}");
    }
    Ok(())
}

#[test]
fn each_version_of_the_api_gets_its_shape() -> Result<()> {
    let scene = Scene::new("versions", &["--bridge=none"])?;
    let message = |path: &str| {
        let (status, answer) = ask(&scene, path, None)?;
        let answer: serde_json::Value = serde_json::from_str(&answer)?;
        let message = answer.get("message").and_then(|message| message.as_str()).unwrap_or_default();
        anyhow::Ok((status, message.to_owned()))
    };
    let old = "client version 1.24 is too old. Minimum supported API version is 1.40, please upgrade your client to a \
               newer version";
    ensure!(message("/v1.24/networks")? == (400, old.to_owned()), "{:?}", message("/v1.24/networks")?);
    let new = "client version 1.99 is too new. Maximum supported API version is 1.55";
    ensure!(message("/v1.99/networks")? == (400, new.to_owned()), "{:?}", message("/v1.99/networks")?);

    scene.engine.ok(&[
        "network",
        "create",
        "--subnet",
        "10.70.0.0/24",
        "--ip-range",
        "10.70.0.128/25",
        "small",
    ])?;
    scene.run_in("small", "box", &[], &[netebpf_tests::probe::Service::Tcp(80)])?;
    let status = r#""Status":{"IPAM":{"Subnets":{"10.70.0.0/24":{"IPsInUse":4,"DynamicIPsAvailable":125}}}}"#;
    for (path, has_status) in
        [("/v1.51/networks/small", false), ("/v1.52/networks/small", true), ("/networks/small", true)]
    {
        let (_, answer) = ask(&scene, path, None)?;
        ensure!(answer.contains(status) == has_status, "{path}: {answer}");
    }
    let (code, answer) = ask(&scene, "/v1.47/networks/create", Some(r#"{"Name":"x","EnableIPv4":false}"#))?;
    ensure!(code == 201, "before 1.48 there is no such switch: {answer}");
    Ok(())
}
