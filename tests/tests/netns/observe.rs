//! What users see of the data path: what was dropped, which flows there are, and both as they happen.

use std::{fs::File, net::SocketAddr, path::PathBuf, process::Stdio};

use anyhow::{Context as _, Result, ensure};
use netebpf_tests::{
    probe::{Connected, PATIENT, Service, udp},
    process::Process,
    scenario::Sandbox,
    topology::HOST,
    wait,
};
use nix::sys::signal::Signal;
use serde_json::Value;

use crate::scene::{NET, Scene};

const PORT: u16 = 5353;

/// A network with a published server, and a sandbox in another network.
struct Cast {
    scene: Scene,
    web: Sandbox,
    stranger: Sandbox,
}

impl Cast {
    fn new(name: &str) -> Result<Self> {
        let scene = Scene::new(name, &[])?;
        scene.engine.ok(&["network", "create", "other"])?;
        let web = scene.run_in(NET, "web", &["-p", "5353:9/udp"], &[Service::Udp(9)])?;
        let stranger = scene.run_in("other", "stranger", &[], &[Service::Udp(9)])?;
        Ok(Self { scene, web, stranger })
    }

    /// The stranger sends to the server's own address, which is dropped.
    fn trespass(&self) -> Result<()> {
        let to = SocketAddr::new(self.web.address.into(), 9);
        self.stranger.namespace.run(|| udp(to, Connected::Yes, BLINK)).map(drop)
    }

    /// The client asks the published port.
    fn ask(&self) -> Result<()> {
        let to = SocketAddr::new(HOST.into(), PORT);
        self.scene.world.client.run(|| udp(to, Connected::Yes, PATIENT)).map(drop)
    }
}

/// Nobody waits for an answer that does not come.
const BLINK: std::time::Duration = std::time::Duration::from_millis(20);

/// A command of netebpf that goes on until it is interrupted, and the file with what it says.
struct Following {
    process: Process,
    said: PathBuf,
}

impl Following {
    fn start(scene: &Scene, name: &str, args: &[&str]) -> Result<Self> {
        let said = scene.world.directory().join(name);
        let mut command = scene.engine.command(args);
        command.stdin(Stdio::null()).stdout(File::create(&said)?);
        Ok(Self { process: scene.world.host.spawn(command)?, said })
    }

    fn lines(&self) -> Vec<String> {
        let text = std::fs::read_to_string(&self.said).unwrap_or_default();
        text.split_inclusive('\n').filter(|line| line.ends_with('\n')).map(str::to_owned).collect()
    }

    /// Acts again and again until something was said of it.
    fn until_said(&self, mut act: impl FnMut() -> Result<()>) -> Result<String> {
        let mut failure = None;
        let line = wait::until("a line is said", wait::LONG, || {
            if let Err(error) = act() {
                failure = Some(error);
            }
            self.lines().first().cloned()
        });
        failure.map_or(line, Err)
    }

    /// Ctrl-C ends it without a complaint.
    fn interrupt(mut self) -> Result<Vec<String>> {
        self.process.signal(Signal::SIGINT)?;
        let status = self.process.wait(wait::LONG)?;
        ensure!(status.code() == Some(0), "it ended with {status}");
        Ok(self.lines())
    }
}

/// The text at a path of keys.
fn text<'a>(value: &'a Value, path: &str) -> Option<&'a str> {
    value.pointer(path).and_then(Value::as_str)
}

#[test]
fn drops_are_counted_by_sandbox_and_reason_and_told_as_they_happen() -> Result<()> {
    let cast = Cast::new("drops")?;
    let engine = &cast.scene.engine;
    let all = Following::start(&cast.scene, "all", &["drops", "--follow", "--json"])?;
    let web = Following::start(
        &cast.scene,
        "web",
        &["drops", "--follow", "--sandbox", "web", "--reason", "isolated", "--port", "9"],
    )?;
    let other = Following::start(&cast.scene, "other", &["drops", "-f", "--reason", "spoofed"])?;
    all.until_said(|| cast.trespass())?;
    let line = web.until_said(|| cast.trespass())?;
    ensure!(line.contains(" isolated at from_container of stranger: udp "), "{line}");
    ensure!(line.contains(&format!("(stranger) → {}:9 (web)", cast.web.address)), "{line}");
    for line in all.interrupt()? {
        let event: Value = serde_json::from_str(&line).context("one document a line")?;
        assert_eq!(text(&event, "/kind"), Some("drop"), "{line}");
        assert_eq!(text(&event, "/outcome"), Some("isolated"), "{line}");
        assert_eq!(text(&event, "/ends/source/sandbox"), Some("stranger"), "{line}");
        assert_eq!(text(&event, "/ends/destination/sandbox"), Some("web"), "{line}");
    }
    web.interrupt()?;
    assert_eq!(other.interrupt()?, [""; 0], "nothing was spoofed");

    let counted = engine.json(&["drops", "--sandbox", "stranger", "--reason", "isolated", "--json"])?;
    let [drops] = counted.as_array().map(Vec::as_slice).unwrap_or_default() else {
        panic!("one sort of drops, not {counted}")
    };
    assert_eq!((text(drops, "/direction"), text(drops, "/network")), (Some("from_container"), Some("other")));
    ensure!(drops.pointer("/packets").and_then(Value::as_u64) >= Some(2), "{drops}");
    assert_eq!(engine.json(&["drops", "--sandbox", "web", "--json"])?, serde_json::json!([]));
    let table = engine.ok(&["drops"])?;
    for column in ["DEVICE", "SANDBOX", "NETWORK", "DIRECTION", "REASON", "PACKETS", "MEANING"] {
        ensure!(table.lines().next().is_some_and(|heading| heading.contains(column)), "{table}");
    }
    Ok(())
}

#[test]
fn flows_are_listed_with_both_directions_and_told_as_they_begin() -> Result<()> {
    let cast = Cast::new("flows")?;
    let engine = &cast.scene.engine;
    let following = Following::start(&cast.scene, "began", &["flows", "--follow", "--port", "5353"])?;
    let line = following.until_said(|| cast.ask())?;
    ensure!(line.contains(" began: udp ") && line.contains(&format!(" → {HOST}:{PORT}")), "{line}");
    following.interrupt()?;

    let flows = engine.json(&["flows", "--sandbox", "web", "--protocol", "udp", "--json"])?;
    let flow = flows.as_array().and_then(|flows| flows.first()).context("there is a flow")?;
    assert_eq!(text(flow, "/state"), Some("established"));
    assert_eq!(text(flow, "/original/destination/address"), Some(HOST.to_string().as_str()));
    assert_eq!(text(flow, "/translated/destination/sandbox"), Some("web"));
    for direction in ["/sent/packets", "/received/packets"] {
        ensure!(flow.pointer(direction).and_then(Value::as_u64) >= Some(1), "{flow}");
    }
    for nobody in [["--sandbox", "stranger"], ["--port", "80"], ["--protocol", "sctp"]] {
        let args = [&["flows", "--json"], &nobody[..]].concat();
        assert_eq!(engine.json(&args)?, serde_json::json!([]), "{nobody:?}");
    }
    Ok(())
}

#[test]
fn who_asks_for_what_is_not_there_is_told_what_is() -> Result<()> {
    let scene = Scene::new("ask", &[])?;
    for (args, answer) in [
        (&["drops", "--reason", "mood"][..], "unknown reason \"mood\": known are malformed, spoofed"),
        (&["drops", "-f", "--protocol", "tpc"], "unknown protocol \"tpc\": known are tcp, udp"),
        (&["flows", "--sandbox", "nobody"], "No such container: nobody"),
        (&["flows", "-f", "--sandbox", "nobody"], "No such container: nobody"),
    ] {
        let said = scene.engine.cli(args)?;
        assert_eq!((said.code, said.stdout.as_str()), (Some(1), ""), "{said:?}");
        ensure!(said.stderr.contains(answer), "{said:?}");
    }
    let said = scene.engine.cli(&["drops", "--port", "80"])?;
    assert_eq!(said.code, Some(125), "counters know no ports: {said:?}");
    Ok(())
}
