//! Two that want the same port towards the same server each get their own answers.

use std::net::{IpAddr, SocketAddr};

use anyhow::{Context as _, Result};
use netebpf_tests::{
    probe::{Service, Talk},
    topology::{CLIENT, CLIENT6, HOST, HOST6},
};

use crate::scene::{SERVICE, Scene, VERSIONS, client_like};

/// The source port that everybody wants.
const PORT: u16 = 5000;
/// Enough to mix up two conversations if they could be.
const ROUNDS: usize = 50;

/// Both conversations go on, word by word.
fn go_on(talks: &mut [Talk]) -> Result<()> {
    for _ in 0..ROUNDS {
        for talk in &mut *talks {
            talk.say()?;
        }
    }
    Ok(())
}

#[test]
fn two_containers_with_the_same_source_port_reach_the_same_server() -> Result<()> {
    let mut scene = Scene::new("same-port", &[])?;
    scene.serve_outside(&[Service::Echo(SERVICE), Service::Reflect(SERVICE)])?;
    let sandboxes = ["one", "two", "three"].map(|name| scene.run(name, &[], &[Service::Udp(9)]));
    let sandboxes = sandboxes.into_iter().collect::<Result<Vec<_>>>()?;
    for like in VERSIONS {
        let to = SocketAddr::new(client_like(like), SERVICE);
        let mut talks = Vec::new();
        for sandbox in &sandboxes {
            talks.push(Talk::tcp_from(&sandbox.namespace, PORT, to)?);
            talks.push(Talk::udp_from(&sandbox.namespace, PORT, to)?);
        }
        go_on(&mut talks).with_context(|| format!("to {to}"))?;
    }
    Ok(())
}

#[test]
fn a_container_does_not_take_the_port_of_a_host_socket() -> Result<()> {
    let mut scene = Scene::new("host-port", &[])?;
    scene.serve_outside(&[Service::Echo(SERVICE), Service::Reflect(SERVICE)])?;
    let sandbox = scene.run("sandbox", &[], &[Service::Udp(9)])?;
    for (like, reverse) in [
        (IpAddr::from(CLIENT), false),
        (CLIENT6.into(), false),
        (CLIENT.into(), true),
        (CLIENT6.into(), true),
    ] {
        let to = SocketAddr::new(like, SERVICE);
        let port = if reverse { PORT + 1 } else { PORT };
        let mut ends = [&scene.world.host, &sandbox.namespace];
        if reverse {
            ends.reverse();
        }
        let mut talks = Vec::new();
        for end in ends {
            talks.push(Talk::tcp_from(end, port, to).with_context(|| format!("{} to {to}", end.name()))?);
            talks.push(Talk::udp_from(end, port, to)?);
        }
        go_on(&mut talks).with_context(|| format!("to {to}, reverse: {reverse}"))?;
    }
    Ok(())
}

#[test]
fn a_listening_port_of_the_host_is_not_lent_to_a_container() -> Result<()> {
    let mut scene = Scene::new("listening-port", &[])?;
    scene.serve_outside(&[Service::Echo(SERVICE), Service::Reflect(SERVICE)])?;
    scene.serve_on_host(&[Service::Echo(PORT), Service::Reflect(PORT)])?;
    let sandbox = scene.run("sandbox", &[], &[Service::Udp(9)])?;
    for (client, host) in [(IpAddr::from(CLIENT), IpAddr::from(HOST)), (CLIENT6.into(), HOST6.into())] {
        let mut talks = vec![
            Talk::udp_from(&sandbox.namespace, PORT, SocketAddr::new(client, SERVICE))?,
            Talk::tcp_from(&sandbox.namespace, PORT, SocketAddr::new(client, SERVICE))?,
        ];
        go_on(&mut talks)?;
        talks.push(Talk::udp(&scene.world.client, SocketAddr::new(host, PORT))?);
        talks.push(Talk::tcp(&scene.world.client, SocketAddr::new(host, PORT))?);
        go_on(&mut talks).with_context(|| format!("with the host at {host}"))?;
    }
    Ok(())
}

#[test]
fn a_host_process_and_a_neighbour_with_the_same_source_port_reach_the_same_published_port() -> Result<()> {
    let scene = Scene::new("hairpin-port", &[])?;
    let _server = scene.run(
        "server",
        &["-p", "7000:7000", "-p", "7000:7000/udp"],
        &[Service::Echo(7000), Service::Reflect(7000)],
    )?;
    let neighbour = scene.run("neighbour", &[], &[Service::Udp(9)])?;
    for like in VERSIONS {
        let to = SocketAddr::new(like, 7000);
        for (number, ends) in
            [[&scene.world.host, &neighbour.namespace], [&neighbour.namespace, &scene.world.host]]
                .into_iter()
                .enumerate()
        {
            let port = PORT + u16::try_from(number)?;
            let mut talks = Vec::new();
            for end in ends {
                let context = || format!("{} to {to} from port {port}", end.name());
                talks.push(Talk::tcp_from(end, port, to).with_context(context)?);
                talks.push(Talk::udp_from(end, port, to).with_context(context)?);
            }
            go_on(&mut talks).with_context(|| format!("at {to}"))?;
        }
    }
    Ok(())
}

#[test]
fn several_clients_outside_with_the_same_source_port_keep_apart() -> Result<()> {
    let scene = Scene::new("client-port", &[])?;
    let _server = scene.run(
        "server",
        &["-p", "7000:7000", "-p", "7001:7000"],
        &[Service::Echo(7000), Service::Udp(9)],
    )?;
    for like in VERSIONS {
        let mut talks = Vec::new();
        // The same client and port at two host ports that lead to one container port: the tuples inside collide.
        for host_port in [7000, 7001] {
            let to = SocketAddr::new(like, host_port);
            let talk = Talk::tcp_from(&scene.world.client, PORT, to);
            talks.push(talk.with_context(|| format!("from port {PORT} to {to}"))?);
        }
        go_on(&mut talks)?;
    }
    Ok(())
}
