//! The harness itself tells the truth: without netebpf, a bare host shows what it should.

use std::{
    fs::File,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket},
    time::{Duration, Instant},
};

use anyhow::Result;
use ipnet::{Ipv4Net, Ipv6Net};
use netebpf_tests::{
    bench::Baselines,
    frame,
    probe::{
        Answer, Connected, EchoWatch, Icmp, Kind, PATIENT, Server, Service, Transfer, hop_limit_of_reply,
        ping, tcp, udp, who_answers,
    },
    residue::{Footprint, assert_nothing_left},
    scenario::Actor,
    topology::{
        CLIENT, CLIENT6, EXCHANGE, EXCHANGE6, FAR, FAR6, HOST, HOST_BY_SERVER, HOST6, HOST6_BY_SERVER,
        ROUTER, ROUTER6, SERVER, World,
    },
    wire::Wire,
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

    let expected = Answer::seen("host", CLIENT6);
    let to = (HOST6, PORT).into();
    assert_eq!(world.client.run(|| tcp(to, PATIENT))?, expected);
    assert_eq!(world.client.run(|| udp(to, Connected::Yes, PATIENT))?, expected);
    assert_eq!(world.client.run(|| udp(to, Connected::No, PATIENT))?, expected);
    Ok(())
}

#[test]
fn a_datagram_is_answered_from_the_address_that_was_asked() -> Result<()> {
    let world = World::new("asked")?;
    world.client.route(Ipv4Net::new(HOST_BY_SERVER, 24)?, HOST)?;
    world.client.route(Ipv6Net::new(HOST6_BY_SERVER, 64)?, HOST6)?;
    let _server = Server::start(&world.probe(), &world.host, &[Service::Udp(PORT)])?;
    for (to, from) in
        [(IpAddr::from(HOST_BY_SERVER), IpAddr::from(CLIENT)), (HOST6_BY_SERVER.into(), CLIENT6.into())]
    {
        let to = SocketAddr::new(to, PORT);
        assert_eq!(world.client.run(|| udp(to, Connected::No, PATIENT))?, Answer::seen("host", from));
    }
    Ok(())
}

#[test]
fn a_far_machine_is_behind_two_routers_and_a_narrow_cable() -> Result<()> {
    let world = World::new("far")?;
    let far = world.far(1300)?;
    let paths: [[IpAddr; 3]; 2] =
        [[ROUTER.into(), EXCHANGE.into(), FAR.into()], [ROUTER6.into(), EXCHANGE6.into(), FAR6.into()]];
    for path in paths {
        let machine = path[2];
        for (hops, expected) in (1..).zip(path) {
            assert_eq!(world.host.run(|| who_answers(machine, hops, PATIENT))?, Some(expected));
        }
        assert_eq!(world.host.run(|| hop_limit_of_reply(machine, PATIENT))?, Some(62));
    }
    let server = Server::start(&world.probe(), &far.machine, &[Service::Reflect(PORT)])?;
    let heard = world.host.run(|| Icmp::open(FAR6.into()))?;
    world.host.run(|| {
        let socket = UdpSocket::bind((Ipv6Addr::UNSPECIFIED, 0))?;
        socket.send_to(&[7; 1400], (FAR6, PORT))?;
        Ok(())
    })?;
    let end = Instant::now() + PATIENT;
    let message =
        std::iter::from_fn(|| heard.receive(end).ok().flatten()).find(|said| said.kind == Kind::TooBig);
    assert_eq!(message.map(|message| message.source), Some(ROUTER6.into()));
    drop(server);
    Ok(())
}

#[test]
fn a_frame_made_by_hand_arrives_as_it_was_sent() -> Result<()> {
    let world = World::new("frame")?;
    let (near, far) = (Wire::tap(&world.client, "eth0")?, Wire::tap(&world.host, "eth0")?);
    let (from, to) = (SocketAddr::from((CLIENT, 5000)), SocketAddr::from((HOST, 5001)));
    let packet = frame::ip(from.ip(), to.ip(), frame::protocol::UDP, &frame::udp(from, to, b"by hand"));
    let sent = frame::around(far.mac()?, near.mac()?, &packet);
    let listener = world.host.run(|| Ok(UdpSocket::bind(to)?))?;
    near.send(&sent)?;
    assert_eq!(far.receive(PATIENT, |frame| frame.ends_with(b"by hand"))?, Some(sent));
    let mut words = [0; 16];
    listener.set_read_timeout(Some(PATIENT))?;
    assert_eq!(listener.recv_from(&mut words)?, (7, from), "the kernel found the checksums right");
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
    let watch = world.host.run(|| EchoWatch::start(HOST))?;
    assert_eq!(world.client.run(|| ping(HOST, PATIENT))?, Answer::Echoed);
    assert_eq!(watch.next_source(PATIENT)?, Some(CLIENT.into()));
    let watch = world.host.run(|| EchoWatch::start(HOST6))?;
    assert_eq!(world.client.run(|| ping(HOST6, PATIENT))?, Answer::Echoed);
    assert_eq!(watch.next_source(PATIENT)?, Some(CLIENT6.into()));
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
