//! What goes on in a sandbox: its processes, what it wrote when, what was started beside its command.

use anyhow::{Context as _, Result, ensure};
use netebpf_tests::{engine::Engine, wait};

use crate::scene::{NET, Scene};

fn scene(name: &str) -> Result<Scene> {
    Scene::new(name, &["--bridge=none"])
}

fn background(engine: &Engine, options: &[&str], script: &str) -> Result<String> {
    let words = [&["run", "-d"], options, &["--", "sh", "-c", script]].concat();
    Ok(engine.ok(&words)?.trim().to_owned())
}

fn field(engine: &Engine, name: &str, field: &str) -> Result<String> {
    Ok(engine.ok(&["inspect", "-f", field, name])?.trim_end().to_owned())
}

/// The numbers of a sandbox's processes, by their commands.
fn processes(engine: &Engine, name: &str) -> Result<Vec<(i32, String)>> {
    let table = engine.ok(&["top", name])?;
    let rows = table.lines().skip(1).map(|line| {
        let cells: Vec<_> = line.split_whitespace().collect();
        let pid = cells.get(1).context("no number")?.parse()?;
        Ok((pid, cells.get(7..).context("no command")?.join(" ")))
    });
    rows.collect()
}

fn is_running(pid: i32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
}

#[test]
fn a_sandbox_to_be_removed_outlives_a_restart() -> Result<()> {
    let scene = scene("outlives")?;
    let engine = &scene.engine;
    let id = background(engine, &["--rm", "--name", "web", "--network", NET], "exec sleep 600")?;
    let first = field(engine, "web", "{{.State.Pid}}")?;
    assert_eq!(engine.ok(&["restart", "web"])?, "web\n");
    assert_eq!(field(engine, "web", "{{.Id}} {{.State.Status}}")?, format!("{id} running"));
    ensure!(field(engine, "web", "{{.State.Pid}}")? != first, "it was not started again");
    engine.ok(&["stop", "web"])?;
    wait::until("the sandbox goes with its command", wait::LONG, || {
        engine.cli(&["inspect", "web"]).is_ok_and(|said| said.code == Some(1)).then_some(())
    })
}

#[test]
fn processes_are_listed_in_the_columns_of_ps() -> Result<()> {
    let scene = scene("top")?;
    let engine = &scene.engine;
    for (name, network) in [("own", NET), ("host", "host"), ("shared", "container:own")] {
        background(engine, &["--name", name, "--network", network], "sleep 611 & exec sleep 612")?;
        let wanted = ["sleep 611", "sleep 612"];
        let found = wait::until("both commands are listed", wait::LONG, || {
            let found = processes(engine, name).ok()?;
            wanted.iter().all(|command| found.iter().any(|(_, listed)| listed == command)).then_some(found)
        })?;
        let pid: i32 = field(engine, name, "{{.State.Pid}}")?.parse()?;
        ensure!(found.contains(&(pid, "sleep 612".to_owned())), "{name}: {found:?}");
        // Who shares a network is not told from its owner by that.
        let expected = if name == "own" { 2 } else { found.len() };
        assert_eq!(found.len(), expected, "{found:?}");
    }
    let table = engine.ok(&["top", "own"])?;
    let heading: Vec<_> = table.lines().next().unwrap_or_default().split_whitespace().collect();
    assert_eq!(heading, ["UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD"]);
    ensure!(table.starts_with("UID                 PID                 PPID"), "{table}");
    assert_eq!(engine.ok(&["top", "own", "-ef"])?.lines().count(), table.lines().count());
    let refused = engine.cli(&["top", "own", "aux"])?;
    ensure!(refused.code == Some(1) && refused.stderr.contains("in the columns of ps -ef"), "{refused:?}");
    engine.ok(&["stop", "-t", "0", "own"])?;
    let refused = engine.cli(&["top", "own"])?;
    let id = field(engine, "own", "{{.Id}}")?;
    assert_eq!(
        refused.stderr.trim_end(),
        format!("Error response from daemon: container {id} is not running")
    );
    Ok(())
}

#[test]
fn what_exec_started_in_the_background_ends_with_the_sandbox() -> Result<()> {
    let scene = scene("beside")?;
    let engine = &scene.engine;
    background(engine, &["--name", "own", "--network", NET], "exec sleep 600")?;
    for (name, network) in [("host", "host"), ("shared", "container:own")] {
        background(engine, &["--name", name, "--network", network], "exec sleep 600")?;
        engine.ok(&["exec", "-d", name, "sh", "-c", "sleep 621 & exec sleep 622"])?;
        let further = wait::until("the further commands run", wait::LONG, || {
            let mut found = processes(engine, name).ok()?;
            found.retain(|(_, command)| command.starts_with("sleep 62"));
            (found.len() == 2).then_some(found)
        })?;
        engine.ok(&["stop", "-t", "0", name])?;
        wait::until("the further commands end", wait::LONG, || {
            further.iter().all(|(pid, _)| !is_running(*pid)).then_some(())
        })?;
        assert_eq!(field(engine, "own", "{{.State.Status}}")?, "running", "others stay");
    }
    Ok(())
}

#[test]
fn logs_tell_when_each_line_was_written() -> Result<()> {
    let scene = scene("times")?;
    let engine = &scene.engine;
    background(engine, &["--name", "job", "--network", NET], "echo one; sleep 1; echo two; exec sleep 600")?;
    let shown = wait::until("both lines are there", wait::LONG, || {
        let shown = engine.ok(&["logs", "-t", "job"]).ok()?;
        (shown.lines().count() == 2).then_some(shown)
    })?;
    let lines: Vec<_> = shown.lines().filter_map(|line| line.split_once(' ')).collect();
    let [(first, "one"), (second, "two")] = lines[..] else { anyhow::bail!("{shown}") };
    ensure!(first.len() == 30 && first.ends_with('Z') && second > first, "{shown}");
    let logs = |options: &[&str]| engine.ok(&[&["logs"], options, &["job"]].concat());
    assert_eq!(logs(&["--since", second])?, "two\n");
    assert_eq!(logs(&["--until", first])?, "one\n");
    assert_eq!(logs(&["--since", first, "--until", second])?, "one\ntwo\n");
    assert_eq!(logs(&["--since", "1h", "-n", "1"])?, "two\n");
    assert_eq!(logs(&["--since", "2099-01-01"])?, "");
    assert_eq!(logs(&["-f", "-t", "--until", second])?, shown);

    scene.engine.terminate()?;
    scene.engine.launch()?;
    assert_eq!(logs(&["--timestamps"])?, shown, "times are kept");
    let refused = engine.cli(&["logs", "--since", "soon", "job"])?;
    let text = "invalid value for \"since\": failed to parse value as time or duration: \"soon\"";
    assert_eq!((refused.code, refused.stderr.trim_end()), (Some(1), text));
    Ok(())
}

#[test]
fn logs_are_followed_with_times() -> Result<()> {
    let scene = scene("follow")?;
    let engine = &scene.engine;
    background(engine, &["--name", "slow", "--network", NET], "sleep 0.3; echo a; sleep 0.3; echo b")?;
    let shown = engine.ok(&["logs", "-f", "-t", "slow"])?;
    let words: Vec<_> = shown.lines().filter_map(|line| Some(line.split_once(' ')?.1)).collect();
    assert_eq!(words, ["a", "b"], "{shown}");
    Ok(())
}
