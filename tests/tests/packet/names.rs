//! Queries of real sockets: answered in the kernel, or carried to a name server and back.
//!
//! ```text
//!   sandbox                          host                          server
//!     far1 10.1.0.2/24 ──────────── veth0   dns0 ──────────────── dns1 169.254.0.53
//! ```

use std::{
    io::{Read as _, Write as _},
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket},
    thread,
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};
use ipnet::IpNet;
use netebpf_common::{
    abi::{Family, Hook, Mac},
    dns::{self, RESOLVER},
    model::{Links, Query, World},
};
use netebpf_tests::{
    netns::{Mount, Namespace},
    wire::Wire,
};
use nix::net::if_::if_nametoindex;

use crate::{kernel::Kernel, scratch::Scratch};

const PATIENCE: Duration = Duration::from_secs(5);
const SERVER: SocketAddr = SocketAddr::new(IpAddr::V4(RESOLVER), dns::PORT);
const SANDBOX: Ipv4Addr = Ipv4Addr::new(10, 1, 0, 2);

/// The router by which each side sends; nobody has the address.
const ANYBODY: [Ipv4Addr; 2] = [Ipv4Addr::new(10, 1, 0, 1), Ipv4Addr::new(169, 254, 0, 1)];

struct Place {
    sandbox: Namespace,
    server: Namespace,
    link: u32,
}

/// Runs a test where the programs are attached.
fn with_place(test: impl FnOnce(&Place) -> Result<()>) {
    let scratch = Scratch::new().expect("a scratch directory");
    let [host, sandbox, server] = ["host", "sandbox", "server"].map(|name| scratch.namespace(name));
    wire(&host, &sandbox, &server).expect("devices of the test");
    let mac = Mac(sandbox.mac("far1").expect("the sandbox's MAC"));
    let bpffs = scratch.0.join("bpf");
    let _mount = Mount::bpffs(&bpffs).expect("a BPF file system");
    let attach = || {
        let (veth, resolver) = (if_nametoindex("veth0")?, if_nametoindex("dns0")?);
        let links = Links { veths: [veth, 90_001, 90_002, 90_003], resolver, ..Links::default() };
        let mut world = World::new(links, World::USUAL);
        for endpoint in world.tables.endpoint_links.values_mut().filter(|endpoint| endpoint.ifindex == veth) {
            endpoint.mac = mac;
        }
        let mut kernel = Kernel::load(&bpffs, &world)?;
        kernel.attach(Hook::FromContainer, "veth0")?;
        kernel.attach(Hook::FromResolver, "dns0")?;
        Ok((kernel, veth))
    };
    let (_kernel, link) = host.run(attach).expect("the programs");
    test(&Place { sandbox, server, link }).expect("the test");
}

fn wire(host: &Namespace, sandbox: &Namespace, server: &Namespace) -> Result<()> {
    netebpf_tests::links::join((host, "veth0"), (sandbox, "far1"))?;
    netebpf_tests::links::join((host, "dns0"), (server, "dns1"))?;
    host.up("veth0")?;
    host.up("dns0")?;
    sandbox.address("far1", IpNet::new(SANDBOX.into(), 24)?)?;
    server.address("dns1", IpNet::new(RESOLVER.into(), 24)?)?;
    let (clients, bits) = dns::CLIENTS;
    let ways = [
        (sandbox, "far1", ANYBODY[0], IpNet::new(RESOLVER.into(), 32)?),
        (server, "dns1", ANYBODY[1], IpNet::new(clients.into(), bits)?),
    ];
    for (namespace, link, router, destination) in ways {
        namespace.netlink(async |handle| {
            let neighbour = handle.neighbours().add(if_nametoindex(link)?, router.into());
            Ok(neighbour.link_layer_address(&[2, 0, 0, 0, 9, 9]).execute().await?)
        })?;
        namespace.route(destination, router)?;
    }
    Ok(())
}

/// Asks from the sandbox, and returns what comes back.
fn ask(place: &Place, message: &[u8]) -> Result<Vec<u8>> {
    place.sandbox.run(|| {
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
        socket.set_read_timeout(Some(PATIENCE))?;
        socket.connect(SERVER)?;
        socket.send(message)?;
        let mut answer = vec![0; 1 << 16];
        let length = socket.recv(&mut answer).context("no answer")?;
        answer.truncate(length);
        Ok(answer)
    })
}

fn queries() -> impl Iterator<Item = (Query, usize)> {
    // Names of even and odd length, so that what is added begins at both kinds of places.
    let names = [("a", 1), ("db", 1), ("b", 1), ("a.front", 1), ("all", 2), ("many", 8), ("nothing", 0)];
    let with = |edns: Option<Vec<u8>>| {
        names.map(|(name, count)| (Query { edns: edns.clone(), ..Query::new(name, Family::V4) }, count))
    };
    let cookie = [&[0, 10, 0, 8][..], b"a cookie"].concat();
    with(None).into_iter().chain(with(Some(Vec::new()))).chain(with(Some(cookie)))
}

#[test]
fn the_kernel_answers_a_socket() {
    with_place(|place| {
        for offload in [true, false] {
            if !offload {
                // The kernel then computes checksums itself when it sends, and looks at them when it receives.
                place.sandbox.without_offload("far1", "tx-checksum-ip-generic")?;
            }
            for (query, count) in queries() {
                let answer = ask(place, &query.build())?;
                ensure!(answer[..2] == query.id.to_be_bytes() && answer[2] == 0x81, "{query:?}: {answer:?}");
                ensure!(answer[7] == u8::try_from(count)?, "{query:?}: {answer:?}");
            }
        }
        Ok(())
    });
}

#[test]
fn a_checksum_that_a_device_would_finish_is_prepared_for_it() {
    with_place(|place| {
        let tap = Wire::tap(&place.sandbox, "far1")?;
        for (query, _) in queries() {
            ask(place, &query.build())?;
            let frame = tap.receive(PATIENCE, |frame| frame.get(34..36) == Some(&[0, 53]))?;
            let frame = frame.context("the answer")?;
            // Addresses, protocol and length, not complemented.
            let pseudo = [&frame[26..34], &[0, 17], &frame[38..40]].concat();
            let word = |bytes: &[u8]| u32::from(u16::from_be_bytes([bytes[0], bytes[1]]));
            let sum = pseudo.chunks(2).map(word).fold(0, |sum, word| {
                let sum = sum + word;
                (sum & 0xffff) + (sum >> 16)
            });
            ensure!(word(&frame[40..42]) == sum, "{query:?}: {:04x}, not {sum:04x}", word(&frame[40..42]));
        }
        Ok(())
    });
}

#[test]
fn what_the_kernel_does_not_know_goes_to_the_server_and_back() {
    with_place(|place| {
        let client: IpAddr = dns::client_address(place.link).context("an address")?.into();
        let (udp, tcp) = place.server.run(|| Ok((UdpSocket::bind(SERVER)?, TcpListener::bind(SERVER)?)))?;
        udp.set_read_timeout(Some(PATIENCE))?;
        let query = Query::new("example.com", Family::V4).build();
        // Longer than any device but that of the server takes at once.
        let long: Vec<u8> = (0..200_000_u32).map(|number| number.to_le_bytes()[0]).collect();
        thread::scope(|scope| {
            let server = scope.spawn(|| -> Result<()> {
                let mut buffer = [0; 1000];
                let (length, from) = udp.recv_from(&mut buffer)?;
                ensure!(from.ip() == client && buffer[..length] == query, "{from}");
                udp.send_to(&[7; 900], from)?;
                let (mut stream, from) = tcp.accept()?;
                stream.set_read_timeout(Some(PATIENCE))?;
                ensure!(from.ip() == client, "{from}");
                let mut got = vec![0; long.len()];
                stream.read_exact(&mut got)?;
                stream.write_all(&got)?;
                Ok(())
            });
            ensure!(ask(place, &query)? == [7; 900], "the answer is what the server sent");
            let mut stream = place.sandbox.run(|| Ok(TcpStream::connect_timeout(&SERVER, PATIENCE)?))?;
            stream.set_read_timeout(Some(PATIENCE))?;
            stream.write_all(&long)?;
            let mut got = vec![0; long.len()];
            stream.read_exact(&mut got)?;
            ensure!(got == long, "all that was sent comes back");
            server.join().expect("the server")
        })
    });
}
