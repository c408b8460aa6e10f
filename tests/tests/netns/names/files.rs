//! What `/etc/resolv.conf` says where there are names, and whether resolvers live by it.

use anyhow::Result;
use hickory_proto::rr::RecordType;
use netebpf_tests::installed::Program;

use super::{idle, run_in, told, turn::Turn};
use crate::scene::{NET, Scene};

fn file(scene: &Scene, sandbox: &str) -> Result<String> {
    scene.engine.ok(&["exec", sandbox, "cat", "/etc/resolv.conf"])
}

#[test]
fn the_file_names_our_server_and_tells_whom_that_asks() -> Result<()> {
    let scene = Turn::wait()?;
    let chosen =
        ["--dns=192.0.2.53", "--dns=2001:db8::53", "--dns-search=example.org", "--dns-search=example.com"];
    let options = ["--dns-option=timeout:3", "--dns-option=ndots:2"];
    for (name, flags, expected) in [
        (
            "all",
            [chosen.as_slice(), &options].concat(),
            "nameserver 127.0.0.11\nsearch example.org example.com\noptions timeout:3 ndots:2\n\n\
             # Based on host file: '/etc/resolv.conf' (internal resolver)\n\
             # ExtServers: [192.0.2.53 2001:db8::53]\n\
             # Overrides: [nameservers search options]\n\
             # Option ndots from: override\n",
        ),
        (
            "some",
            [chosen.as_slice(), &options[..1]].concat(),
            "nameserver 127.0.0.11\nsearch example.org example.com\noptions timeout:3 ndots:0\n\n\
             # Based on host file: '/etc/resolv.conf' (internal resolver)\n\
             # ExtServers: [192.0.2.53 2001:db8::53]\n\
             # Overrides: [nameservers search options]\n\
             # Option ndots from: internal\n",
        ),
    ] {
        idle(&scene, NET, name, &flags)?;
        let text = file(&scene, name)?;
        assert!(text.ends_with(expected), "{text}");
    }
    // Whose servers are asked depends on the machine.
    idle(&scene, NET, "none", &[])?;
    let text = file(&scene, "none")?;
    let ours: Vec<_> = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).collect();
    assert_eq!(ours, ["nameserver 127.0.0.11", "options timeout:5 ndots:0"], "{text}");
    assert!(text.ends_with("# Overrides: [search options]\n# Option ndots from: internal\n"), "{text}");
    Ok(())
}

#[test]
fn search_domains_and_dots_make_names_whole() -> Result<()> {
    let scene = Turn::wait()?;
    let server = idle(&scene, NET, "server", &["--network-alias", "db.example"])?;
    idle(&scene, NET, "searching", &["--dns-search=example", "--dns-option=ndots:1"])?;
    let bare = idle(&scene, NET, "plain", &["--dns-option=ndots:1"])?;
    let address = server.address.to_string();
    for (program, words) in [
        (Program::Getent, ["ahostsv4", "db"].as_slice()),
        (Program::Busybox, &["nslookup", "-type=a", "db"]),
        (Program::Dig, &["+search", "+short", "db"]),
        (Program::Getent, &["ahostsv4", "server"]),
        (Program::Getent, &["ahostsv4", "db.example"]),
    ] {
        let said = run_in(&scene.engine, "searching", program, words)?.ok()?;
        assert!(said.contains(&address), "{program:?} {words:?}: {said}");
    }
    // Who says that names of one part are incomplete does not want them asked for elsewhere.
    assert_eq!(told(&bare.namespace, RecordType::A, "db")?, "NoError");
    assert_eq!(told(&bare.namespace, RecordType::A, "server")?, format!("NoError {address}"));
    Ok(())
}
