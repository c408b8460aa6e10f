//! "Docker Networks", a tutorial in five steps. Its commands are pictures: these are what its words describe.

use anyhow::{Result, ensure};
use netebpf_tests::{
    probe::{Answer, PATIENT, Service, tcp},
    topology::{CLIENT, HOST},
};

use crate::{
    desk::Desk,
    named::{self, Named},
    shown,
};

/// The pings by name.
const NAMED: &[Named] = &[
    Named { step: "2", from: "client", name: "redis", leads_to: &["172.18.0.2"] },
    Named { step: "3", from: "web", name: "redis", leads_to: &["172.19.0.2"] },
    Named { step: "4", from: "client", name: "db", leads_to: &["172.20.0.2"] },
    Named { step: "4 by a link", from: "client", name: "db", leads_to: &["172.19.0.2"] },
    Named { step: "4 by a link", from: "client", name: "redis", leads_to: &["172.19.0.2"] },
    Named { step: "4 by a link", from: "other", name: "db", leads_to: &[] },
    Named { step: "5 connected", from: "client", name: "redis", leads_to: &["172.19.0.2"] },
    Named { step: "5 disconnected", from: "client", name: "redis", leads_to: &[] },
];

/// Steps 1 and 3: `redis` in the first network, then also in the second.
fn networks(name: &str) -> Result<(Desk, String)> {
    let desk = Desk::fresh(name)?;
    desk.makes("network create backend-network")?;
    let redis = desk.serves(("redis", "backend-network"), &[], &[Service::Tcp(6379)])?;
    desk.makes("network create frontend-network")?;
    desk.does("network connect frontend-network redis")?;
    Ok((desk, redis.id))
}

#[test]
fn step_1_a_sandbox_is_started_in_a_network() -> Result<()> {
    let desk = Desk::fresh("tutorial-1")?;
    desk.makes("network create backend-network")?;
    let redis = desk.runs("run -d --name=redis --net=backend-network")?;
    let members = shown::members(&[(&redis, "redis", "172.18.0.2/16")]);
    let expected = shown::network("backend-network", "172.18.0.0/16", "172.18.0.1");
    desk.shows_network("backend-network", &shown::with(&expected, "/Containers", members))
}

#[test]
fn step_2_sandboxes_of_a_network_are_no_links_of_each_other() -> Result<()> {
    let desk = Desk::fresh("tutorial-2")?;
    desk.makes("network create backend-network")?;
    desk.runs("run -d --name=redis --net=backend-network")?;
    let variables = desk.says("run --rm --net=backend-network -- env")?;
    ensure!(!variables.contains("REDIS"), "{variables}");
    let hosts = desk.says("run --rm --net=backend-network -- cat /etc/hosts")?;
    ensure!(!hosts.contains("redis") && !hosts.contains("172.18.0.2"), "{hosts}");

    let client = desk.runs("run -d --name=client --net=backend-network")?;
    let hosts = desk.inside("client", "cat /etc/hosts")?;
    ensure!(hosts.ends_with(&format!("\n172.18.0.3\t{}\n", &client[..12])), "{hosts}");
    named::follow(&desk, NAMED, "2")
}

#[test]
fn step_3_a_running_sandbox_is_connected_to_a_second_network() -> Result<()> {
    let (desk, redis) = networks("tutorial-3")?;
    let members = shown::members(&[(&redis, "redis", "172.19.0.2/16")]);
    let expected = shown::network("frontend-network", "172.19.0.0/16", "172.19.0.1");
    desk.shows_network("frontend-network", &shown::with(&expected, "/Containers", members))?;

    desk.serves(("web", "frontend-network"), &["-p", "3000:3000"], &[Service::Tcp(3000)])?;
    named::follow(&desk, NAMED, "3")?;
    let seen = desk.world.client.run(|| tcp((HOST, 3000).into(), PATIENT))?;
    ensure!(seen == Answer::seen("web", CLIENT), "{seen}");
    // The first network is another one.
    desk.pings_in_vain("web", "172.18.0.2")
}

#[test]
fn step_4_a_sandbox_has_an_alias_in_one_network() -> Result<()> {
    let (desk, redis) = networks("tutorial-4")?;
    desk.makes("network create frontend-network2")?;
    desk.does("network connect --alias db frontend-network2 redis")?;
    for (network, aliases, names) in [
        ("backend-network", "null", r#""redis""#),
        // Joined later: Docker's client sends what was not typed as an empty list.
        ("frontend-network", "[]", r#""redis""#),
        ("frontend-network2", r#"["db"]"#, r#""redis","db""#),
    ] {
        let field = format!("index .NetworkSettings.Networks \"{network}\"");
        let found = desk.formatted(&format!("{{{{json ({field}).Aliases}}}}"), "redis")?;
        ensure!(found == aliases, "{network}: {found}");
        let found = desk.formatted(&format!("{{{{json ({field}).DNSNames}}}}"), "redis")?;
        ensure!(found == format!(r#"[{names},"{}"]"#, &redis[..12]), "{network}: {found}");
    }
    desk.runs("run -d --name=client --net=frontend-network2")?;
    named::follow(&desk, NAMED, "4")
}

#[test]
fn step_4_a_link_gives_the_linking_sandbox_a_further_name() -> Result<()> {
    let (desk, _) = networks("tutorial-link")?;
    desk.runs("run -d --name=client --net=frontend-network --link redis:db")?;
    let links = desk.formatted("{{range .NetworkSettings.Networks}}{{json .Links}}{{end}}", "client")?;
    ensure!(links == r#"["redis:db"]"#, "{links}");
    desk.runs("run -d --name=other --net=frontend-network")?;
    named::follow(&desk, NAMED, "4 by a link")
}

#[test]
fn step_5_networks_are_listed_explored_and_left() -> Result<()> {
    let (desk, redis) = networks("tutorial-5")?;
    desk.runs("run -d --name=client --net=frontend-network")?;
    let rows = desk.rows("network ls")?;
    let names: Vec<_> = rows.iter().map(|row| row[1].as_str()).collect();
    ensure!(names == ["backend-network", "bridge", "frontend-network", "host", "none"], "{rows:?}");

    let member = |field: &str| {
        let template = format!("{{{{(index .Containers \"{redis}\").{field}}}}}");
        desk.formatted(&template, "frontend-network")
    };
    ensure!((member("Name")?, member("IPv4Address")?) == ("redis".to_owned(), "172.19.0.2/16".to_owned()));
    named::follow(&desk, NAMED, "5 connected")?;

    desk.does("network disconnect frontend-network redis")?;
    named::follow(&desk, NAMED, "5 disconnected")?;
    desk.pings_in_vain("client", "172.19.0.2")?;
    let left = desk.formatted("{{range .Containers}}{{.Name}} {{end}}", "frontend-network")?;
    ensure!(left == "client ", "{left}");
    let interfaces = desk.interfaces("redis")?;
    ensure!(interfaces.len() == 2 && interfaces[1].addresses == ["172.18.0.2/16"], "{interfaces:?}");
    Ok(())
}
