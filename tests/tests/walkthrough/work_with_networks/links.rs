//! "Linking containers without using user-defined networks" and "Network alias scoping example".

use anyhow::{Result, ensure};
use netebpf_tests::probe::{Answer, BRIEF, PATIENT, Service, tcp};

use super::{NAMED, basic, linked};
use crate::{
    desk::{DEFAULT_NETWORK, Desk},
    named,
};

#[test]
fn on_the_default_network_a_link_gives_names_and_opens_ports() -> Result<()> {
    let desk = Desk::with("legacy", 0, &[DEFAULT_NETWORK, "--icc=false"])?;
    let services = [Service::Tcp(80), Service::Tcp(81)];
    let db = desk.serves(("db", "bridge"), &["--expose", "80"], &services)?;
    desk.serves(("web", "bridge"), &["--link", "db:store"], &[Service::Tcp(80)])?;
    desk.serves(("other", "bridge"), &[], &[Service::Tcp(80)])?;

    let hosts = desk.inside("web", "cat /etc/hosts")?;
    let line = format!("172.17.0.2\tstore {} db", &db.id[..12]);
    ensure!(hosts.lines().any(|found| found == line), "no line {line:?} in:\n{hosts}");
    for name in ["store", "db"] {
        let found = desk.inside("web", &format!("getent hosts {name}"))?;
        ensure!(found.starts_with("172.17.0.2 "), "{found}");
    }
    // The document's engine also set variables such as STORE_PORT; since 29.0 none does.
    let variables = desk.inside("web", "env")?;
    ensure!(!variables.contains("STORE_"), "{variables}");

    let tries = |from: &str, port: u16, patience| {
        let id = desk.formatted("{{.Id}}", from)?;
        desk.engine.sandbox(&id, from)?.run(|| tcp((db.address, port).into(), patience))
    };
    let seen = tries("web", 80, PATIENT)?;
    ensure!(matches!(&seen, Answer::Reached { by, .. } if by == "db"), "{seen}");
    for (from, port) in [("web", 81), ("other", 80)] {
        let seen = tries(from, port, BRIEF)?;
        ensure!(seen == Answer::TimedOut, "{from} at {port}: {seen}");
    }
    Ok(())
}

#[test]
fn on_a_users_network_a_link_may_lead_to_what_is_not_there_yet() -> Result<()> {
    let desk = Desk::new("links")?;
    basic(&desk)?;
    desk.runs("run --network=isolated_nw -itd --name=container4 --link container5:c5")?;
    ensure!(links_of(&desk, "container4", "isolated_nw")? == r#"["container5:c5"]"#);
    named::follow(&desk, NAMED, "links 1")?;

    desk.runs("run --network=isolated_nw -itd --name=container5 --link container4:c4")?;
    ensure!(links_of(&desk, "container5", "isolated_nw")? == r#"["container4:c4"]"#);
    named::follow(&desk, NAMED, "links 2")?;
    named::follow(&desk, NAMED, "links 3")
}

#[test]
fn links_count_within_one_network() -> Result<()> {
    let desk = Desk::new("scopes")?;
    linked(&desk)?;
    desk.makes("network create -d bridge --subnet 172.26.0.0/24 local_alias")?;
    desk.does("network connect --link container5:foo local_alias container4")?;
    desk.does("network connect --link container4:bar local_alias container5")?;
    for (sandbox, network, links) in [
        ("container4", "isolated_nw", "container5:c5"),
        ("container4", "local_alias", "container5:foo"),
        ("container5", "isolated_nw", "container4:c4"),
        ("container5", "local_alias", "container4:bar"),
    ] {
        let found = links_of(&desk, sandbox, network)?;
        ensure!(found == format!(r#"["{links}"]"#), "{sandbox} in {network}: {found}");
    }
    // Step 3.
    named::follow(&desk, NAMED, "scopes 3")?;
    // Step 4.
    desk.does("network disconnect isolated_nw container5")?;
    desk.pings_in_vain("container4", "172.25.0.4")?;
    named::follow(&desk, NAMED, "scopes 4")
}

fn links_of(desk: &Desk, sandbox: &str, network: &str) -> Result<String> {
    desk.formatted(&format!("{{{{json .NetworkSettings.Networks.{network}.Links}}}}"), sandbox)
}
