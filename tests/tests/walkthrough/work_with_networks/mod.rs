//! "Work with network commands", on one host.
//!
//! Left out: making overlay networks, which takes a swarm or a key-value store.

use anyhow::Result;

use crate::{desk::Desk, named::Named};

mod create;

mod basic;

mod links;

mod aliases;

mod disconnect;

mod stale;

mod remove;

/// The pings by name. The document's engine gave out addresses one after the other (172.25.0.4 for `container4`); today
/// the lowest free one is taken.
const NAMED: &[Named] = &[
    named("basic 8", "container2", "container3", &["172.25.3.3"]),
    named("basic 8", "container2", "container1", &[]),
    named("links 1", "container4", "container5", &[]),
    named("links 1", "container4", "c5", &[]),
    named("links 2", "container4", "c5", &["172.25.0.4"]),
    named("links 2", "container4", "container5", &["172.25.0.4"]),
    named("links 3", "container5", "c4", &["172.25.0.3"]),
    named("links 3", "container5", "container4", &["172.25.0.3"]),
    named("scopes 3", "container4", "foo", &["172.26.0.3"]),
    named("scopes 3", "container4", "c5", &["172.25.0.4"]),
    named("scopes 3", "container5", "bar", &["172.26.0.2"]),
    named("scopes 4", "container4", "c5", &[]),
    named("scopes 4", "container4", "foo", &["172.26.0.3"]),
    named("scopes 4", "container5", "c4", &[]),
    named("aliases 2", "container4", "app", &["172.25.0.5"]),
    named("aliases 2", "container4", "container6", &["172.25.0.5"]),
    named("aliases 4", "container4", "scoped-app", &["172.26.0.3"]),
    named("aliases 4", "container5", "scoped-app", &[]),
    named("one of several 2", "container4", "app", &["172.25.0.4", "172.25.0.5"]),
    named("one of several 4", "container4", "app", &["172.25.0.5"]),
    named("one of several 5", "container4", "app", &["172.25.0.4", "172.25.0.5"]),
    named("disconnect 2", "container2", "container3", &[]),
    named("disconnect 3", "container2", "container1", &[]),
];

const fn named(
    step: &'static str,
    from: &'static str,
    name: &'static str,
    leads_to: &'static [&'static str],
) -> Named {
    Named { step, from, name, leads_to }
}

/// The ids of what [`basic`] makes.
struct Basic {
    container2: String,
    container3: String,
}

/// `container1` on the default network, `container3` on `isolated_nw`, `container2` on both.
fn basic(desk: &Desk) -> Result<Basic> {
    desk.runs("run -itd --name=container1")?;
    let container2 = desk.runs("run -itd --name=container2")?;
    desk.makes("network create -d bridge --subnet 172.25.0.0/16 isolated_nw")?;
    desk.does("network connect isolated_nw container2")?;
    let container3 = desk.runs("run --network=isolated_nw --ip=172.25.3.3 -itd --name=container3")?;
    Ok(Basic { container2, container3 })
}

/// As [`basic`], and then `container4` and `container5` on `isolated_nw`, linked to each other.
fn linked(desk: &Desk) -> Result<Basic> {
    let basic = basic(desk)?;
    desk.runs("run --network=isolated_nw -itd --name=container4 --link container5:c5")?;
    desk.runs("run --network=isolated_nw -itd --name=container5 --link container4:c4")?;
    Ok(basic)
}
