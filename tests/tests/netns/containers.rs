//! Sandboxes as containers: what Docker's API, its client and its Python package make of them.

use std::{
    env,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, ensure};
use netebpf_tests::{installed::Program, wait};
use serde_json::Value;

use crate::scene::{NET, Scene};

/// What the sandbox's command does: it says two lines, and waits until it is told to end.
const TALKER: [&str; 3] = ["sh", "-c", "echo hello; echo world; exec sleep 1d"];

fn run(scene: &Scene, name: &str, options: &[&str], command: &[&str]) -> Result<String> {
    let all = [&["run", "-d", "--name", name], options, &["--"], command].concat();
    Ok(scene.engine.ok(&all)?.trim().to_owned())
}

fn socket(scene: &Scene) -> PathBuf {
    scene.world.run_dir().join("docker.sock")
}

/// Asks as curl does; returns the status and the body.
fn ask(scene: &Scene, method: &str, path: &str) -> Result<(u16, String)> {
    let socket = socket(scene);
    let arguments = format!(
        "--silent --max-time 30 --request {method} --write-out %{{http_code}} --unix-socket {} http://docker{path}",
        socket.display()
    );
    let said = Program::Curl.run(&scene.world.host, &arguments)?;
    ensure!(said.succeeded, "{}", said.told);
    let (body, status) = said.stdout.split_at(said.stdout.len() - 3);
    Ok((status.parse()?, body.to_owned()))
}

fn message(body: &str) -> Result<String> {
    let body: Value = serde_json::from_str(body).with_context(|| body.to_owned())?;
    Ok(body["message"].as_str().unwrap_or_default().to_owned())
}

#[test]
fn containers_are_changed_through_dockers_api() -> Result<()> {
    let scene = Scene::new("containers", &["--bridge=none"])?;
    let id = run(&scene, "web", &["--network", NET], &TALKER)?;
    run(&scene, "stubborn", &["--network", NET], &["sh", "-c", "trap '' TERM; while :; do sleep 1; done"])?;
    let conflict = format!(
        "Error when allocating new name: Conflict. The container name \"/web\" is already in use by container \"{id}\". \
         You have to remove (or rename) that container to be able to reuse that name."
    );
    let not_running = format!("cannot kill container: web: container {id} is not running");
    for (method, path, status, text) in [
        ("POST", "/containers/web/start", 304, ""),
        (
            "POST",
            "/containers/web/rename?name=web",
            400,
            "Renaming a container with the same name as its current name",
        ),
        ("POST", "/containers/stubborn/rename?name=web", 409, &conflict),
        ("POST", "/containers/web/rename?name=", 400, "Neither old nor new names may be empty"),
        (
            "POST",
            "/containers/web/rename?name=a/b",
            400,
            "Error when allocating new name: Invalid container name (/a/b), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed",
        ),
        (
            "DELETE",
            "/containers/web",
            409,
            "cannot remove container \"web\": container is running: stop the container before removing or force remove",
        ),
        ("POST", "/containers/web/wait?condition=odd", 400, "invalid condition: \"odd\""),
        ("POST", "/containers/web/stop?t=x", 400, "strconv.Atoi: parsing \"x\": invalid syntax"),
        ("POST", "/containers/web/kill?signal=ODD", 400, "cannot kill container: web: invalid signal: ODD"),
        ("POST", "/containers/nobody/stop", 404, "No such container: nobody"),
        ("DELETE", "/containers/json", 404, "No such container: json"),
        ("DELETE", "/v1.47/containers/prune?force=1", 404, "No such container: prune"),
        ("DELETE", "/containers/create", 404, "No such container: create"),
        ("POST", "/containers/nobody/kill", 404, "cannot kill container: nobody: No such container: nobody"),
        ("GET", "/containers/nobody/json", 404, "No such container: nobody"),
        ("GET", "/containers/web/logs", 400, "must specify at least one of 'stdout' or 'stderr'"),
        ("GET", "/containers/json?filters=%7B%22odd%22:%5B%22x%22%5D%7D", 400, "invalid filter 'odd'"),
        (
            "GET",
            "/containers/json?filters=%7B%22status%22:%5B%22odd%22%5D%7D",
            400,
            "invalid filter 'status=odd': invalid value for state (odd): must be one of created, running, paused, \
             restarting, removing, exited, dead",
        ),
        ("GET", "/events?since=9&until=5", 400, "`since` time (9) cannot be after `until` time (5)"),
        ("POST", "/containers/web/stop", 204, ""),
        ("POST", "/containers/web/stop", 304, ""),
        ("POST", "/containers/web/kill", 409, &not_running),
        ("POST", "/containers/web/start", 204, ""),
        ("POST", "/containers/web/restart?t=1", 204, ""),
        // It does not listen to the signal, so that it is killed when the time is over.
        ("POST", "/containers/stubborn/stop?t=0", 204, ""),
        ("POST", "/containers/stubborn/rename?name=gone", 204, ""),
        ("DELETE", "/containers/gone", 204, ""),
        ("DELETE", "/containers/web?force=1", 204, ""),
        ("DELETE", "/containers/web?force=1", 404, "No such container: web"),
    ] {
        let (answered, body) = ask(&scene, method, path)?;
        let said = if body.is_empty() { String::new() } else { message(&body)? };
        assert_eq!((answered, said.as_str()), (status, text), "{method} {path}");
    }
    assert_eq!(ask(&scene, "GET", "/containers/json?all=1")?, (200, "[]".to_owned()));
    Ok(())
}

#[test]
fn who_waits_learns_the_exit_code_also_of_what_goes_with_its_command() -> Result<()> {
    let scene = Scene::new("waiting", &["--bridge=none"])?;
    run(
        &scene,
        "once",
        &["--rm", "--network", NET],
        &["sh", "-c", "trap 'exit 7' TERM; while :; do sleep 0.1; done"],
    )?;
    // Each has the head of its answer, and so follows, before the end comes.
    let waiting =
        ["not-running", "next-exit", "removed"].map(|condition| begin_to_wait(&scene, "once", condition));
    assert_eq!(ask(&scene, "POST", "/containers/once/stop?t=20")?, (204, String::new()));
    for answer in waiting {
        let mut body = String::new();
        answer?.read_to_string(&mut body)?;
        ensure!(body.contains("{\"StatusCode\":7}\n"), "{body}");
    }
    Ok(())
}

fn begin_to_wait(scene: &Scene, name: &str, condition: &str) -> Result<BufReader<UnixStream>> {
    let mut stream = UnixStream::connect(socket(scene))?;
    stream.set_read_timeout(Some(wait::stretched(wait::LONG)))?;
    let path = format!("/containers/{name}/wait?condition={condition}");
    write!(stream, "POST {path} HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n\r\n")?;
    let mut answer = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        ensure!(answer.read_line(&mut head)? > 0, "{head}");
    }
    ensure!(head.starts_with("HTTP/1.1 200"), "{head}");
    Ok(answer)
}

/// The environment that `cargo xtask setup` makes, beside the folder of the build profile that this program is from.
fn python() -> Result<PathBuf> {
    let this = env::current_exe()?;
    let mut candidates = this.ancestors().skip(1).map(|folder| folder.join("python/bin/python"));
    let found = candidates.find(|python| python.is_file());
    found.context("no Python with the docker package; `cargo xtask setup` makes an environment with it")
}

#[test]
fn dockers_python_package_works_on_networks_and_sandboxes() -> Result<()> {
    let scene = Scene::new("python", &["--bridge=none"])?;
    run(&scene, "web", &["--label", "tier=web", "--network", NET], &TALKER)?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/netns/docker_package.py");
    let mut command = Command::new(python()?);
    command.arg("-I").arg(script).arg(socket(&scene)).env_clear().env("PATH", "/usr/bin:/bin");
    let output = scene.world.host.run(|| Ok(command.output()?))?;
    let told = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{told}\n{}", scene.engine.log());
    assert_eq!(String::from_utf8_lossy(&output.stdout), "all is well\n");
    Ok(())
}
