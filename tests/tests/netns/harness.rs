//! The harness itself tells the truth: without netebpf, a bare host shows what it should.

use std::{fs::File, net::Ipv4Addr, time::Duration};

use anyhow::Result;
use netebpf_tests::{
    bench::Baselines,
    probe::{Answer, Connected, EchoWatch, PATIENT, Server, Service, Transfer, ping, tcp, udp},
    residue::{Footprint, assert_nothing_left},
    scenario::Actor,
    topology::{CLIENT, HOST, SERVER, World},
};

const PORT: u16 = 80;

#[test]
fn a_probe_sees_its_client() -> Result<()> {
    let world = World::new("probe")?;
    let _server = Server::start(&world.probe(), &world.host, &[Service::Tcp(PORT), Service::Udp(PORT)])?;
    let expected = Answer::seen("host", CLIENT);
    let to = (HOST, PORT).into();
    assert_eq!(world.client.run(|| tcp(to, PATIENT))?, expected);
    assert_eq!(world.client.run(|| udp(to, Connected::Yes, PATIENT))?, expected);
    assert_eq!(world.client.run(|| udp(to, Connected::No, PATIENT))?, expected);
    Ok(())
}

#[test]
fn a_probe_tells_refusal_silence_and_no_way_apart() -> Result<()> {
    let world = World::new("answers")?;
    let client = Actor(&world.client);
    // Nobody has this address, but asking for its MAC takes longer than the probe waits.
    let nobody = Ipv4Addr::new(198, 51, 100, 77);
    for (to, expected) in [(HOST, Answer::Refused), (nobody, Answer::TimedOut), (SERVER, Answer::Unreachable)]
    {
        let tried = client.tcp(to, PORT, &expected)?;
        assert!(tried.holds(), "{tried}");
    }
    Ok(())
}

#[test]
fn an_echo_is_seen_on_both_sides() -> Result<()> {
    let world = World::new("echo")?;
    let watch = world.host.run(EchoWatch::start)?;
    assert_eq!(world.client.run(|| ping(HOST, PATIENT))?, Answer::Echoed);
    assert_eq!(watch.next_source(PATIENT)?, Some(CLIENT.into()));
    Ok(())
}

#[test]
fn a_transfer_moves_and_ends_with_its_checksum() -> Result<()> {
    let world = World::new("transfer")?;
    let _server = Server::start(&world.probe(), &world.host, &[Service::Stream(PORT)])?;
    let transfer = Transfer::start(&world.client, (HOST, PORT).into())?;
    transfer.advance(1 << 20)?;
    assert!(transfer.finish()?.bytes >= 1 << 20);
    Ok(())
}

#[test]
fn a_broken_transfer_is_noticed() -> Result<()> {
    let world = World::new("broken")?;
    let server = Server::start(&world.probe(), &world.host, &[Service::Stream(PORT)])?;
    let transfer = Transfer::start(&world.client, (HOST, PORT).into())?;
    transfer.advance(1 << 16)?;
    drop(server);
    assert!(transfer.advance(1 << 20).is_err());
    Ok(())
}

#[test]
fn the_baselines_of_the_comparison_carry_packets() -> Result<()> {
    for course in Baselines::new()?.courses() {
        let (latency, throughput) = course.measure(Duration::from_millis(50))?;
        assert!(latency.per_second > 0.0 && throughput > 0.0, "{course:?}");
    }
    Ok(())
}

#[test]
fn residue_is_found_and_named() -> Result<()> {
    let world = World::new("residue")?;
    let before = Footprint::of(&world)?;
    assert_nothing_left(&world, &before)?;
    world.host.bridge("forgotten")?;
    std::fs::create_dir_all(world.run_dir())?;
    File::create(world.run_dir().join("socket"))?;
    let found = assert_nothing_left(&world, &before).expect_err("a link and a file are there").to_string();
    assert!(found.contains("link forgotten") && found.contains("run/socket"), "{found}");
    Ok(())
}

#[test]
fn a_world_leaves_no_directory_and_no_process() -> Result<()> {
    let world = World::new("gone")?;
    let directory = world.directory().to_owned();
    let server = Server::start(&world.probe(), &world.host, &[Service::Tcp(PORT)])?;
    drop(world);
    assert!(!directory.exists());
    drop(server);
    Ok(())
}
