//! Every text with which networks, addresses and what is asked of them are refused: as Docker words it, with Docker's exit
//! code and HTTP status.

mod addresses;
mod options;
mod requests;

use std::{process::Command, sync::LazyLock};

use anyhow::{Context as _, Result, ensure};
use regex::Regex;

use crate::scene::Scene;

/// A request, its HTTP status, and the text.
///
/// A request is a command line of netebpf, in which `''` is an empty argument, or a call of the API: method, path and body.
/// In the text, `ID` stands for any identifier, and `SHORT` for the beginning of one.
type Refusal = (&'static str, u16, &'static str);

/// What stands for a status when the client refuses without asking.
const UNASKED: u16 = 0;

/// What a refused request is answered with.
#[derive(Debug, PartialEq, Eq)]
struct Answer {
    /// Of a command; a call has none.
    exit_code: Option<i32>,
    status: u16,
    text: String,
}

static ID: LazyLock<Regex> = LazyLock::new(|| Regex::new("[0-9a-f]{64}").expect("it is one"));
static SHORT: LazyLock<Regex> = LazyLock::new(|| Regex::new("\\b[0-9a-f]{12}\\b").expect("it is one"));

/// An engine with networks and sandboxes of every kind. Its log has the status of every refusal.
fn furnished(name: &str) -> Result<Scene> {
    let scene = Scene::new(name, &["--bridge=netebpf0", "--log=netebpf=debug"])?;
    let network = |arguments: &str| run(&scene, &format!("network create {arguments}"));
    network("--ipv6 --subnet 10.70.0.0/24 --subnet fd00:70::/64 front")?;
    network("--config-only --subnet 10.71.0.0/24 base")?;
    network("--config-from base made")?;
    network("--subnet 10.72.0.0/30 full")?;
    network("plain")?;
    for sandbox in [
        "run -d --name web --network front --ip 10.70.0.9 -p 8080:80 -- sleep 1d",
        "run -d --name last --network full -- sleep 1d",
        "run -d --name hosted --network host -- sleep 1d",
        "run -d --name lonely --network none -- sleep 1d",
        "run -d --name shared --network container:web -- sleep 1d",
        "create --name off --network front -- sleep 1d",
        "create --name late --network front -p 8080:80 -- sleep 1d",
    ] {
        run(&scene, sandbox)?;
    }
    Ok(scene)
}

fn run(scene: &Scene, line: &str) -> Result<()> {
    scene.engine.ok(&words(line)).map(drop)
}

fn words(line: &str) -> Vec<&str> {
    line.split(' ').map(|word| if word == "''" { "" } else { word }).collect()
}

/// Fails unless each request is refused as the table says, and no network comes of it.
fn all_refused(scene: &Scene, table: &[Refusal]) -> Result<()> {
    let before = scene.engine.ok(&["network", "ls"])?;
    let mut unlike = Vec::new();
    for &(request, status, text) in table {
        let exit_code = exit_code(request);
        let wanted = Answer { exit_code, status, text: text.to_owned() };
        let answer = if exit_code.is_some() { type_in(scene, request) } else { call(scene, request) }?;
        if answer != wanted {
            unlike.push(format!("{request}\n  {wanted:?}\n  {answer:?}"));
        }
    }
    ensure!(unlike.is_empty(), "wanted, and answered:\n{}", unlike.join("\n"));
    let after = scene.engine.ok(&["network", "ls"])?;
    ensure!(after == before, "something was made:\n{after}");
    Ok(())
}

/// Docker's exit code for a command that is refused.
fn exit_code(request: &str) -> Option<i32> {
    match request.split(' ').next().unwrap_or_default() {
        "GET" | "POST" | "DELETE" => None,
        "run" | "create" => Some(125),
        _ => Some(1),
    }
}

fn type_in(scene: &Scene, line: &str) -> Result<Answer> {
    let seen = scene.engine.log().len();
    let said = scene.engine.cli(&words(line))?;
    let text = said.stderr.trim_end();
    // The frame around a text is the command line's matter.
    let text = text.split("\n\n").next().unwrap_or_default().trim_start_matches("netebpf: ");
    let text = text.split("\nfailed to start containers").next().unwrap_or_default();
    let asked = text.strip_prefix("Error response from daemon: ");
    let status = match asked {
        Some(_) => last_status(scene.engine.log().get(seen..).unwrap_or_default())?,
        None => UNASKED,
    };
    Ok(Answer { exit_code: said.code, status, text: masked(asked.unwrap_or(text)) })
}

/// The status that the daemon has logged for the last of its refusals.
fn last_status(log: &str) -> Result<u16> {
    let told = log.lines().rfind(|line| line.contains("answered with an error"));
    let (_, status) = told.and_then(|line| line.split_once("status=")).context("no refusal in the log")?;
    Ok(status.split(' ').next().unwrap_or_default().parse()?)
}

fn call(scene: &Scene, request: &str) -> Result<Answer> {
    let mut parts = request.splitn(3, ' ');
    let mut part = || parts.next().unwrap_or_default();
    let (method, path, body) = (part(), part(), part());
    let mut curl = Command::new("curl");
    curl.args([
        "--silent",
        "--show-error",
        "--max-time",
        "30",
        "--request",
        method,
        "--write-out",
        "\n%{http_code}",
    ]);
    curl.arg("--unix-socket").arg(scene.world.run_dir().join("docker.sock"));
    if !body.is_empty() {
        curl.args(["--header", "Content-Type: application/json", "--data", body]);
    }
    curl.arg(format!("http://docker{path}"));
    let output = scene.world.host.run(|| Ok(curl.output()?))?;
    let answer = String::from_utf8(output.stdout)?;
    let (body, status) = answer.rsplit_once('\n').with_context(|| format!("{request}: {answer}"))?;
    let body: serde_json::Value = serde_json::from_str(body).with_context(|| body.to_owned())?;
    let text = body.get("message").and_then(serde_json::Value::as_str).unwrap_or_default();
    Ok(Answer { exit_code: None, status: status.parse()?, text: masked(text) })
}

fn masked(text: &str) -> String {
    SHORT.replace_all(&ID.replace_all(text, "ID"), "SHORT").into_owned()
}
