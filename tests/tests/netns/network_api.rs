//! Networks through Docker's API: what queries mean, and what depends on the version.

use anyhow::{Context as _, Result, ensure};
use netebpf_tests::{installed::Program, probe::Service};

use crate::scene::Scene;

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
fn a_network_is_looked_for_where_and_as_the_query_says() -> Result<()> {
    let scene = Scene::new("queries", &["--bridge=none"])?;
    for (path, wanted) in [
        ("/networks/net?verbose=x", 400),
        ("/networks/net?scope=swarm", 404),
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
    scene.run_in("small", "box", &[], &[Service::Tcp(80)])?;
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
