//! A host process that is connected to a published UDP port notices when the port leads elsewhere.

use std::{
    io::ErrorKind,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket},
};

use anyhow::{Context as _, Result, ensure};
use netebpf_tests::{
    probe::{PATIENT, Service},
    wait,
};

use crate::scene::Scene;

const PORT: u16 = 5353;
const LOOPBACKS: [IpAddr; 2] = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];

/// A socket of the host that the published server has answered.
fn talking(scene: &Scene, to: IpAddr) -> Result<UdpSocket> {
    scene.world.host.run(|| {
        let socket = unbound(to)?;
        socket.connect((to, PORT))?;
        socket.set_read_timeout(Some(PATIENT))?;
        speak(&socket)?;
        Ok(socket)
    })
}

/// A socket that leaves its own address to the kernel.
fn unbound(like: IpAddr) -> Result<UdpSocket> {
    let any: IpAddr =
        if like.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    Ok(UdpSocket::bind((any, 0))?)
}

fn speak(socket: &UdpSocket) -> Result<()> {
    let mut answer = [0; 64];
    socket.send(b"who am I?")?;
    socket.recv(&mut answer)?;
    Ok(())
}

#[test]
fn connected_sockets_end_with_their_port_and_find_the_next_server() -> Result<()> {
    let scene = Scene::new("stale", &[])?;
    let publish = ["-p", "5353:9/udp"];
    let _web = scene.run("web", &publish, &[Service::Udp(9)])?;
    let _other = scene.run("other", &["-p", "5454:9/udp"], &[Service::Udp(9)])?;
    let talks = LOOPBACKS.map(|to| talking(&scene, to));
    let bystander = scene.world.host.run(|| {
        let socket = unbound(Ipv4Addr::LOCALHOST.into())?;
        socket.connect((Ipv4Addr::LOCALHOST, 5454))?;
        Ok(socket)
    })?;

    scene.engine.ok(&["rm", "-f", "web"])?;
    let _web = scene.run("next", &publish, &[Service::Udp(9)])?;
    for (to, socket) in LOOPBACKS.into_iter().zip(talks) {
        let socket = socket.with_context(|| format!("to {to}"))?;
        let error = wait::until("the socket is ended", wait::LONG, || socket.take_error().ok().flatten())?;
        assert_eq!(error.kind(), ErrorKind::ConnectionAborted, "{to}");
        ensure!(speak(&socket).is_err(), "{to}: nothing goes to the old server");
        socket.connect(SocketAddr::new(to, PORT))?;
        speak(&socket).with_context(|| format!("to the next server by {to}"))?;
    }
    bystander.set_read_timeout(Some(PATIENT))?;
    speak(&bystander).context("to another port")
}
