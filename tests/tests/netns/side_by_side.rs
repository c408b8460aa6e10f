//! Several engines live on one machine, each in its own namespace with its own directories.

use std::net::Ipv4Addr;

use anyhow::Result;
use netebpf_tests::{
    probe::Answer,
    scenario::{publish, reach, stage::WEB},
};

use crate::stage;

#[test]
fn two_engines_do_not_know_each_other() -> Result<()> {
    let (left, right) = (stage::alone("left"), stage::alone("right"));
    assert_eq!(left.front.subnet, right.front.subnet, "address spaces are separate");
    for stage in [&left, &right] {
        stage::holds(reach::containers_of_one_network_reach_each_other(stage));
        stage::holds(publish::the_host_reaches_a_published_port_by_loopback(stage));
    }

    drop(left);
    stage::holds(reach::containers_of_one_network_reach_each_other(&right));
    stage::holds(publish::the_host_reaches_a_published_port_by_loopback(&right));
    stage::holds(publish::a_published_port_keeps_the_address_of_the_client(&right));

    right.engine.ok(&["rm", "-f", "web"])?;
    let refused = right.host().tcp(Ipv4Addr::LOCALHOST, WEB, &Answer::Refused)?;
    assert!(refused.holds(), "{refused}");
    Ok(())
}
