//! The command line speaks as Docker's does.

use anyhow::Result;
use serde_json::Value;

use crate::stage;

#[test]
fn run_in_the_foreground_ends_with_the_commands_exit_code() -> Result<()> {
    let stage = stage::shared();
    let said = stage.engine.cli(&[
        "run",
        "--rm",
        "--name",
        "short",
        "--network",
        "front",
        "--",
        "/bin/sh",
        "-c",
        "echo out; echo err >&2; exit 7",
    ])?;
    assert_eq!(said.code, Some(7), "{said:?}");
    assert_eq!(said.stdout, "out\n");
    assert!(said.stderr.contains("err"), "{said:?}");
    assert!(!stage.engine.ok(&["ps", "-a"])?.contains("short"));
    Ok(())
}

#[test]
fn ids_have_64_hex_digits_and_short_forms_12() -> Result<()> {
    let stage = stage::shared();
    let full = &stage.web.id;
    assert!(full.len() == 64 && full.chars().all(|digit| digit.is_ascii_hexdigit()), "{full}");
    let listed = stage.engine.ok(&["ps", "-q"])?;
    assert!(listed.lines().any(|short| short.len() == 12 && full.starts_with(short)), "{listed}");
    let networks = stage.engine.ok(&["network", "ls", "-q"])?;
    assert!(networks.lines().all(|short| short.len() == 12), "{networks}");
    Ok(())
}

#[test]
fn ps_shows_names_published_ports_and_commands() -> Result<()> {
    let stage = stage::shared();
    let listed = stage.engine.ok(&["ps"])?;
    let header = listed.lines().next().unwrap_or_default();
    for column in ["CONTAINER ID", "IMAGE", "COMMAND", "CREATED", "STATUS", "PORTS", "NAMES"] {
        assert!(header.contains(column), "{listed}");
    }
    let web = listed.lines().find(|line| line.ends_with(" web")).unwrap_or_default();
    for part in ["0.0.0.0:8080->80/tcp", "0.0.0.0:8053->53/udp", "127.0.0.1:9090->80/tcp"] {
        assert!(web.contains(part), "{listed}");
    }
    Ok(())
}

#[test]
fn inspect_has_dockers_shape() -> Result<()> {
    let stage = stage::shared();
    let found = stage.engine.json(&["network", "inspect", "back"])?;
    let text = |path: &str| found.pointer(path).and_then(Value::as_str);
    assert_eq!(text("/0/Name"), Some("back"));
    assert_eq!(text("/0/Driver"), Some("bridge"));
    assert_eq!(text("/0/IPAM/Config/0/Subnet"), Some("192.0.2.0/24"));
    assert_eq!(text("/0/IPAM/Config/0/Gateway"), Some("192.0.2.1"));
    let db = format!("/0/Containers/{}", stage.db.id);
    assert_eq!(text(&format!("{db}/Name")), Some("db"));
    assert_eq!(text(&format!("{db}/IPv4Address")), Some(format!("{}/24", stage.db.address).as_str()));
    Ok(())
}

#[test]
fn status_tells_what_is_attached_and_counted() -> Result<()> {
    let stage = stage::shared();
    let status = stage.engine.json(&["status", "--json"])?;
    let counters = status.get("counters").and_then(Value::as_array).expect("counters");
    assert!(
        counters.iter().any(|counter| counter.get("packets").and_then(Value::as_u64) > Some(0)),
        "{status}"
    );
    let text = stage.engine.ok(&["status"])?;
    assert!(text.contains("from_container") && text.contains("tcx"), "{text}");
    Ok(())
}

#[test]
fn plan_has_nothing_to_do() -> Result<()> {
    let stage = stage::shared();
    assert_eq!(stage.engine.ok(&["plan"])?.trim(), "nothing to do");
    Ok(())
}
