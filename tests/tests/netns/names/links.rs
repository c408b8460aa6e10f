//! Links on networks of users: what one sandbox alone calls another.

use anyhow::Result;
use hickory_proto::rr::RecordType;

use super::{expect, idle, reversed, told, turn::Turn};
use crate::scene::NET;

#[test]
fn a_link_is_known_to_the_sandbox_that_has_it() -> Result<()> {
    let scene = Turn::wait()?;
    let server = idle(&scene, NET, "server", &[])?;
    let linking = idle(&scene, NET, "linking", &["--link", "server:Db", "--link", "server"])?;
    let neighbour = idle(&scene, NET, "neighbour", &[])?;
    for name in ["db", "DB", "db.net", "server", "server.net"] {
        expect(&linking.namespace, name, &[server.address]);
    }
    for name in ["db", "db.net"] {
        expect(&neighbour.namespace, name, &[]);
        expect(&server.namespace, name, &[]);
    }
    let pointer = told(&linking.namespace, RecordType::PTR, &reversed(server.address.into()))?;
    assert_eq!(pointer, "NoError server.net.");
    // Who has the name itself is hidden from who links, and from nobody else.
    let real = idle(&scene, NET, "db", &[])?;
    expect(&linking.namespace, "db", &[server.address]);
    expect(&neighbour.namespace, "db", &[real.address]);
    Ok(())
}

#[test]
fn a_link_follows_the_sandbox_that_it_leads_to() -> Result<()> {
    let scene = Turn::wait()?;
    let server = idle(&scene, NET, "server", &[])?;
    let linking = idle(&scene, NET, "linking", &["--link", "server:db"])?;
    expect(&linking.namespace, "db", &[server.address]);
    scene.engine.ok(&["stop", "-t", "0", "server"])?;
    expect(&linking.namespace, "db", &[]);
    scene.engine.ok(&["start", "server"])?;
    expect(&linking.namespace, "db", &[server.address]);
    Ok(())
}

#[test]
fn links_of_two_sandboxes_lead_elsewhere_by_the_same_name() -> Result<()> {
    let scene = Turn::wait()?;
    scene.engine.ok(&["network", "create", "other"])?;
    let [a, b] = [idle(&scene, NET, "server-a", &[])?, idle(&scene, NET, "server-b", &[])?];
    let c = idle(&scene, "other", "server-c", &[])?;
    for (name, target, server) in [("ask-a", "server-a:db", &a), ("ask-b", "server-b:db", &b)] {
        let asker = idle(&scene, NET, name, &["--link", target])?;
        expect(&asker.namespace, "db", &[server.address]);
        // A link is of one network as well.
        scene.engine.ok(&["network", "connect", "--link", "server-c:cache", "other", name])?;
        expect(&asker.namespace, "db", &[server.address]);
        expect(&asker.namespace, "db.other", &[]);
        expect(&asker.namespace, "cache", &[c.address]);
        expect(&asker.namespace, "cache.other", &[c.address]);
        expect(&asker.namespace, "cache.net", &[]);
    }
    Ok(())
}
