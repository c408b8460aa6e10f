//! Does the first question after a command has returned have the new answer? Nothing here waits.

use std::net::Ipv4Addr;

use anyhow::Result;
use hickory_proto::rr::RecordType;
use netebpf_tests::{netns::Namespace, scenario::Sandbox};

use super::{UNKNOWN, address_in, expect, idle, reversed, short_id, told, turn::Turn};
use crate::scene::NET;

const OTHER: &str = "other";

/// A sandbox that asks on the first network, and one on another network that is asked about.
struct Play {
    scene: Turn,
    asker: Sandbox,
    web: Sandbox,
}

impl Play {
    fn new() -> Result<Self> {
        let scene = Turn::wait()?;
        scene.engine.ok(&["network", "create", OTHER])?;
        let asker = idle(&scene, NET, "asker", &[])?;
        let web = idle(&scene, OTHER, "web", &[])?;
        Ok(Self { scene, asker, web })
    }

    fn run(&self, command: &str) -> Result<()> {
        self.scene.engine.ok(&command.split(' ').collect::<Vec<_>>()).map(drop)
    }

    /// Runs a command; at once these names are known with the address of `web` on the asker's network, and those are not.
    #[track_caller]
    fn after(&self, command: &str, known: &[&str], unknown: &[&str]) -> Result<()> {
        self.run(command)?;
        let address: Vec<_> = address_in(&self.scene, NET, &self.web).into_iter().collect();
        for name in known {
            expect(self.asking(), name, &address);
        }
        for name in unknown {
            expect(self.asking(), name, &[]);
        }
        Ok(())
    }

    fn asking(&self) -> &Namespace {
        &self.asker.namespace
    }
}

#[test]
fn a_network_knows_a_sandbox_as_soon_and_as_long_as_it_is_connected() -> Result<()> {
    let play = Play::new()?;
    let id = short_id(&play.web);
    expect(play.asking(), "web", &[]);
    for _ in 0..3 {
        play.after("network connect net web", &["web", "web.net", id], &["fresh"])?;
        play.after("network disconnect net web", &[], &["web", "web.net", id])?;
        play.after("network connect --alias fresh net web", &["web", "fresh", "fresh.net"], &["stale"])?;
        play.after("network disconnect net web", &[], &["web", "fresh"])?;
    }
    Ok(())
}

#[test]
fn who_joins_a_network_knows_its_names_at_once_and_forgets_them_when_it_leaves() -> Result<()> {
    let play = Play::new()?;
    play.run("network connect other asker")?;
    expect(play.asking(), "web", &[play.web.address]);
    assert_eq!(
        told(play.asking(), RecordType::PTR, &reversed(play.web.address.into()))?,
        "NoError web.other."
    );
    play.run("network disconnect other asker")?;
    expect(play.asking(), "web", &[]);
    assert_eq!(told(play.asking(), RecordType::PTR, &reversed(play.web.address.into()))?, UNKNOWN);
    // The interface that the way to the server led by is gone, and another one takes its place.
    play.run("network connect other asker")?;
    play.run("network disconnect net asker")?;
    expect(play.asking(), "web", &[play.web.address]);
    expect(play.asking(), "web.other", &[play.web.address]);
    Ok(())
}

#[test]
fn a_new_name_is_known_at_once_and_the_old_one_is_free() -> Result<()> {
    let play = Play::new()?;
    play.run("network connect --alias service net web")?;
    play.after("rename web shop", &["shop", "shop.net", "service"], &["web", "web.net"])?;
    let address = address_in(&play.scene, NET, &play.web)?;
    assert_eq!(told(play.asking(), RecordType::PTR, &reversed(address.into()))?, "NoError shop.net.");
    let heir = idle(&play.scene, NET, "web", &[])?;
    expect(play.asking(), "web", &[heir.address]);
    play.after("rename asker guest", &["shop"], &["asker"])?;
    expect(play.asking(), "guest", &[play.asker.address]);
    Ok(())
}

#[test]
fn who_stops_is_not_known_until_it_starts_again() -> Result<()> {
    let play = Play::new()?;
    let pointer = |address: Ipv4Addr| told(play.asking(), RecordType::PTR, &reversed(address.into()));
    play.after("network connect --alias service net web", &["web", "service"], &[])?;
    let address = address_in(&play.scene, NET, &play.web)?;
    play.after("stop -t 0 web", &[], &["web", "service", "web.net"])?;
    assert_eq!(pointer(address)?, UNKNOWN);
    play.after("start web", &["web", "service", "web.net"], &[])?;
    play.after("restart -t 0 web", &["web", "service"], &[])?;
    let address = address_in(&play.scene, NET, &play.web)?;
    assert_eq!(pointer(address)?, "NoError web.net.");
    play.after("rm -f web", &[], &["web", "service", "web.net", short_id(&play.web)])?;
    Ok(())
}

#[test]
fn the_first_thing_that_a_command_does_may_be_to_ask_for_a_name() -> Result<()> {
    let play = Play::new()?;
    for name in ["asker", "myself"] {
        let run =
            ["run", "--rm", "--name", "myself", "--network", NET, "--", "dig", "+short", "+tries=1", name];
        let said = play.scene.engine.ok(&run)?;
        assert!(said.trim().parse::<Ipv4Addr>().is_ok(), "{name}: {said}");
    }
    // It is forgotten with its end.
    expect(play.asking(), "myself", &[]);
    Ok(())
}
