//! "Use network-scoped aliases" and "Resolving multiple containers to a single alias".

use anyhow::{Result, ensure};

use super::{NAMED, linked};
use crate::{desk::Desk, named};

#[test]
fn an_alias_counts_for_a_whole_network() -> Result<()> {
    let desk = Desk::new("aliases")?;
    linked(&desk)?;
    let id = desk.runs("run --network=isolated_nw -itd --name=container6 --network-alias app")?;
    ensure!(aliases(&desk, "isolated_nw")? == r#"["app"]"#);
    named::follow(&desk, NAMED, "aliases 2")?;

    desk.makes("network create -d bridge --subnet 172.26.0.0/24 local_alias")?;
    desk.does("network connect --link container5:foo local_alias container4")?;
    desk.does("network connect --alias scoped-app local_alias container6")?;
    ensure!(aliases(&desk, "isolated_nw")? == r#"["app"]"#);
    ensure!(aliases(&desk, "local_alias")? == r#"["scoped-app"]"#);
    for (network, alias) in [("isolated_nw", "app"), ("local_alias", "scoped-app")] {
        let names = of_network(&desk, network, "DNSNames")?;
        ensure!(names == format!(r#"["container6","{alias}","{}"]"#, &id[..12]), "{network}: {names}");
    }
    named::follow(&desk, NAMED, "aliases 4")
}

#[test]
fn several_sandboxes_share_an_alias() -> Result<()> {
    let desk = Desk::new("shared")?;
    linked(&desk)?;
    // The address of `container5`, which has left, is free again.
    desk.does("network disconnect isolated_nw container5")?;
    desk.runs("run --network=isolated_nw -itd --name=container6 --network-alias app")?;
    // Steps 1 and 2.
    desk.runs("run --network=isolated_nw -itd --name=container7 --network-alias app")?;
    named::follow(&desk, NAMED, "one of several 2")?;
    // Step 3.
    ensure!(desk.says("stop container6")? == "container6\n");
    desk.pings_in_vain("container4", "172.25.0.4")?;
    // Step 4.
    named::follow(&desk, NAMED, "one of several 4")?;
    // Step 5.
    ensure!(desk.says("start container6")? == "container6\n");
    named::follow(&desk, NAMED, "one of several 5")
}

#[test]
fn the_default_network_has_no_aliases() -> Result<()> {
    let desk = Desk::new("no-aliases")?;
    let words = "network-scoped aliases are only supported for user-defined networks";
    let said = desk.typed("run -itd --name=container6 --network-alias app -- sleep infinity")?;
    ensure!(said.code == Some(125) && said.stderr.starts_with(&format!("netebpf: {words}\n")), "{said:?}");
    desk.runs("run -itd --name=container6 --network=none")?;
    desk.does("network disconnect none container6")?;
    let refused = format!("invalid endpoint settings:\n{words}");
    desk.is_refused("network connect --alias app bridge container6", &refused)
}

fn aliases(desk: &Desk, network: &str) -> Result<String> {
    of_network(desk, network, "Aliases")
}

fn of_network(desk: &Desk, network: &str, field: &str) -> Result<String> {
    desk.formatted(&format!("{{{{json .NetworkSettings.Networks.{network}.{field}}}}}"), "container6")
}
