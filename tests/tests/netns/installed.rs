//! What do the programs say that everybody knows a network by: ping, traceroute, curl, dig, ethtool, and a common
//! web server?

use std::{
    fs::{self, File},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream},
    path::PathBuf,
};

use anyhow::{Context as _, Result, ensure};
use netebpf_tests::{
    installed::Program,
    netns::Namespace,
    probe::{Answer, Connected, Direction, PATIENT, Service, addresses_of, bulk, udp},
    process::Process,
    scenario::Sandbox,
    topology::{
        CLIENT, CLIENT6, EXCHANGE, EXCHANGE6, FAR, FAR6, HOST, HOST_BY_ROUTER, HOST6, HOST6_BY_ROUTER,
        ROUTER, ROUTER6,
    },
    wait,
};

use crate::scene::{Scene, VERSIONS, address_like, client_like};

/// Small pages of the web server, and the bytes of its large one.
const PAGES: usize = 40;
const LARGE: usize = 5_000_000;

/// The gateways of the scene's first network, IPv4 first.
fn gateways(scene: &Scene) -> Result<[IpAddr; 2]> {
    let network = scene.network()?;
    let (_, gateway6) = network.ipv6.context("the network has no IPv6")?;
    Ok([network.gateway.into(), gateway6.into()])
}

/// The time to live, or hop limit, of each reply that ping tells about.
fn pinged(from: &Namespace, options: &str, to: IpAddr) -> Result<Vec<u8>> {
    let version = if to.is_ipv4() { 4 } else { 6 };
    let said = Program::Ping.run(from, &format!("-{version} -n -c 3 -i 0.2 -W 1 {options} {to}"))?;
    let ttls = said.stdout.lines().filter_map(|line| line.split_once("ttl=")?.1.split(' ').next());
    let ttls = ttls.map(|ttl| ttl.parse().with_context(|| said.told.clone())).collect::<Result<Vec<_>>>()?;
    ensure!(said.succeeded != ttls.is_empty(), "{}", said.told);
    Ok(ttls)
}

#[test]
fn ping_counts_the_routers_and_is_silent_across_networks() -> Result<()> {
    let scene = Scene::new("ping", &[])?;
    let far = scene.world.far(1500)?;
    scene.engine.ok(&["network", "create", "--ipv6", "other"])?;
    let [one, two] = ["one", "two"].map(|name| scene.run(name, &[], &[Service::Udp(9)]));
    let (one, two) = (one?, two?);
    let stranger = scene.run_in("other", "stranger", &[], &[Service::Udp(9)])?;
    for (like, gateway, far) in [
        (IpAddr::from(CLIENT), gateways(&scene)?[0], IpAddr::from(FAR)),
        (CLIENT6.into(), gateways(&scene)?[1], FAR6.into()),
    ] {
        let own = address_like(&one, like)?;
        for (from, to, ttls) in [
            (&one.namespace, address_like(&two, like)?, Some(64)),
            (&one.namespace, gateway, Some(64)),
            (&one.namespace, like, Some(63)),
            (&one.namespace, far, Some(61)),
            (&scene.world.host, own, Some(64)),
            (&stranger.namespace, own, None),
            (&one.namespace, address_like(&stranger, like)?, None),
        ] {
            let expected = ttls.map_or_else(Vec::new, |ttl| vec![ttl; 3]);
            for options in ["", "-s 1400", "-s 4000"] {
                let seen = pinged(from, options, to)?;
                ensure!(seen == expected, "ping {options} {to} from {}: {seen:?}", from.name());
            }
        }
    }
    drop(far);
    Ok(())
}

#[test]
fn ping_learns_the_mtu_of_a_narrow_path() -> Result<()> {
    let scene = Scene::new("ping-mtu", &[])?;
    let far = scene.world.far(1400)?;
    let sandbox = scene.run("pinger", &[], &[Service::Udp(9)])?;
    for (to, fits, header) in [(IpAddr::from(FAR), 1372, 28), (FAR6.into(), 1352, 48)] {
        let seen = pinged(&sandbox.namespace, &format!("-M do -s {fits}"), to)?;
        ensure!(seen == [61; 3], "{fits} bytes to {to}: {seen:?}");
        let long = Program::Ping
            .run(&sandbox.namespace, &format!("-n -c 3 -i 0.2 -W 1 -M do -s {} {to}", 1500 - header))?;
        ensure!(!long.succeeded && long.stdout.contains("mtu"), "{}", long.told);
        ensure!(long.told.contains("1400"), "{}", long.told);
    }
    drop(far);
    Ok(())
}

#[test]
fn ping_records_the_route_through_masquerade() -> Result<()> {
    let scene = Scene::new("ping-route", &[])?;
    let sandbox = scene.run("pinger", &[], &[Service::Udp(9)])?;
    let said = Program::Ping.run(&sandbox.namespace, &format!("-n -c 1 -W 2 -R {CLIENT}"))?;
    let lines = said.stdout.lines().skip_while(|line| !line.starts_with("RR:"));
    let recorded: Vec<IpAddr> =
        lines.filter_map(|line| line.trim_start_matches("RR:").trim().parse().ok()).collect();
    ensure!(said.succeeded && said.stdout.contains("ttl=63"), "{}", said.told);
    // NAT leaves the option alone, as iptables does: the sandbox's address stands in it.
    ensure!(recorded.first() == Some(&sandbox.address.into()), "{}", said.told);
    ensure!(recorded.contains(&CLIENT.into()), "{}", said.told);
    ensure!(recorded.contains(&HOST.into()), "the host is a router on the way out: {}", said.told);
    ensure!(recorded.contains(&scene.network()?.gateway.into()), "and on the way back: {}", said.told);
    Ok(())
}

/// Who answers at each hop, as traceroute tells it; a star for nobody.
fn traced(from: &Namespace, options: &str, to: IpAddr) -> Result<Vec<Option<IpAddr>>> {
    let said = Program::Traceroute.run(from, &format!("-n -q 1 -w 2 -m 6 {options} {to}"))?;
    let hops = said.stdout.lines().skip(1).filter_map(|line| line.split_whitespace().nth(1));
    let hops: Vec<_> = hops.map(|hop| hop.parse().ok()).collect();
    ensure!(said.succeeded && !hops.is_empty(), "{}", said.told);
    Ok(hops)
}

#[test]
fn traceroute_shows_every_router_by_udp_icmp_and_tcp() -> Result<()> {
    let scene = Scene::new("traceroute", &[])?;
    let far = scene.world.far(1500)?;
    let sandbox = scene.run("walker", &[], &[Service::Udp(9)])?;
    let [gateway, gateway6] = gateways(&scene)?;
    let paths: [[IpAddr; 4]; 2] = [
        [gateway, ROUTER.into(), EXCHANGE.into(), FAR.into()],
        [gateway6, ROUTER6.into(), EXCHANGE6.into(), FAR6.into()],
    ];
    for path in paths {
        for way in ["", "-I", "-T", "-U"] {
            let [.., target] = path;
            let hops = traced(&sandbox.namespace, way, target)?;
            ensure!(hops == path.map(Some), "traceroute {way} {target}: {hops:?}");
        }
    }
    drop(far);
    Ok(())
}

#[test]
fn traceroute_walks_from_outside_to_a_published_port() -> Result<()> {
    let scene = Scene::new("traceroute-in", &[])?;
    let far = scene.world.far(1500)?;
    let _sandbox = scene.run("server", &["-p", "8080:80"], &[Service::Tcp(80)])?;
    let paths: [[IpAddr; 4]; 2] = [
        [
            Ipv4Addr::new(198, 18, 2, 1).into(),
            Ipv4Addr::new(198, 18, 1, 1).into(),
            HOST_BY_ROUTER.into(),
            HOST_BY_ROUTER.into(),
        ],
        [
            Ipv6Addr::new(0x2001, 0xdb8, 5, 0, 0, 0, 0, 1).into(),
            Ipv6Addr::new(0x2001, 0xdb8, 4, 0, 0, 0, 0, 1).into(),
            HOST6_BY_ROUTER.into(),
            HOST6_BY_ROUTER.into(),
        ],
    ];
    for path in paths {
        let [.., target] = path;
        let hops = traced(&far.machine, "-T -p 8080", target)?;
        // The host is a router on the way to its own port, as it is with iptables.
        ensure!(hops == path.map(Some), "traceroute -T -p 8080 {target}: {hops:?}");
    }
    Ok(())
}

/// What a virtual Ethernet device leaves to the one that receives: checksums, cutting and joining.
const OFFLOADS: &str = "eth0 tx off rx off sg off tso off gso off gro off";

#[test]
fn transfers_arrive_whole_with_offloads_switched_off() -> Result<()> {
    const BYTES: u64 = 50_000_000;
    let mut scene = Scene::new("ethtool", &[])?;
    let services = [Service::Bulk(9999), Service::Udp(9999)];
    scene.serve_outside(&services)?;
    let server = scene.run("server", &["-p", "9999:9999", "-p", "9999:9999/udp"], &services)?;
    let (client, host) = (&scene.world.client, &scene.world.host);
    // One end after the other, so that each has met one that still leaves its work to others.
    for place in [client, host, &server.namespace] {
        let said = Program::Ethtool.run(place, &format!("-K {OFFLOADS}"))?;
        ensure!(said.succeeded, "{}", said.told);
        for like in VERSIONS {
            for (from, to) in [(client, like), (&server.namespace, client_like(like)), (host, like)] {
                let to = SocketAddr::new(to, 9999);
                for direction in [Direction::Up, Direction::Down] {
                    let moved = from.run(|| bulk(to, direction, BYTES));
                    moved.with_context(|| format!("{} to {to}, {direction:?}", from.name()))?;
                }
                let answer = from.run(|| udp(to, Connected::Yes, PATIENT))?;
                ensure!(matches!(answer, Answer::Reached { .. }), "{} at {to}: {answer}", from.name());
            }
        }
    }
    Ok(())
}

/// Python's web server in a sandbox, with its access log.
struct WebServer {
    _process: Process,
    log: PathBuf,
}

impl WebServer {
    /// Starts it on port 80 of both IP versions.
    fn start(scene: &Scene, sandbox: &Sandbox) -> Result<Self> {
        let (pages, log) =
            (scene.world.directory().join("pages"), scene.world.directory().join("access.log"));
        fs::create_dir_all(&pages)?;
        for number in 0..PAGES {
            fs::write(pages.join(number.to_string()), format!("page {number}\n"))?;
        }
        fs::write(pages.join("large"), vec![b'x'; LARGE])?;
        let mut command = Program::Python.command()?;
        command.args(["-u", "-m", "http.server", "--protocol", "HTTP/1.1", "--bind", "::", "80"]);
        command.current_dir(pages).stdout(File::create("/dev/null")?).stderr(File::create(&log)?);
        let process = sandbox.namespace.spawn(command)?;
        wait::until("the web server listens", wait::LONG, || {
            let connected =
                sandbox.namespace.run(|| Ok(TcpStream::connect((Ipv6Addr::LOCALHOST, 80)).is_ok()));
            connected.is_ok_and(|is_there| is_there).then_some(())
        })?;
        Ok(Self { _process: process, log })
    }

    /// The clients of all requests so far.
    fn seen(&self) -> Result<Vec<IpAddr>> {
        let log = fs::read_to_string(&self.log)?;
        let requests = log.lines().filter(|line| line.contains("\"GET "));
        let clients = requests.filter_map(|line| line.split(' ').next()?.parse::<IpAddr>().ok());
        Ok(clients.map(|client| client.to_canonical()).collect())
    }

    /// Lets a client fetch pages as a browser does and checks what curl and the server tell about it.
    fn is_browsed(&self, from: &Namespace, authority: &str, expected: IpAddr) -> Result<()> {
        let before = self.seen()?.len();
        let version = if expected.is_ipv4() { 4 } else { 6 };
        let options = format!("-{version} -sS --http1.1 --max-time 20 -o /dev/null");
        let kept = Program::Curl.run(
            from,
            &format!(
                "{options} -w %{{num_connects}}:%{{http_code}}:%{{size_download}}\\n {}",
                pages(authority, 0..10)
            ),
        )?;
        let first = kept.stdout.lines().next();
        ensure!(kept.succeeded && first == Some("1:200:7"), "{}", kept.told);
        ensure!(kept.stdout.lines().skip(1).all(|line| line == "0:200:7"), "{}", kept.told);
        let many = Program::Curl.run(
            from,
            &format!(
                "{options} -Z --parallel-immediate --parallel-max 20 -w %{{http_code}}\\n {}",
                pages(authority, 0..PAGES)
            ),
        )?;
        ensure!(many.succeeded && many.stdout == "200\n".repeat(PAGES), "{}", many.told);
        let large =
            Program::Curl.run(from, &format!("{options} -w %{{size_download}} http://{authority}/large"))?;
        ensure!(large.succeeded && large.stdout == LARGE.to_string(), "{}", large.told);
        let clients = self.seen()?.split_off(before);
        ensure!(
            clients.len() == 10 + PAGES + 1,
            "{} at {authority}: {} requests",
            from.name(),
            clients.len()
        );
        let odd: Vec<_> = clients.iter().filter(|client| **client != expected).collect();
        ensure!(odd.is_empty(), "{} at {authority} was seen as {odd:?}, not {expected}", from.name());
        Ok(())
    }
}

/// The addresses of some pages; each takes an output option of its own.
fn pages(authority: &str, numbers: std::ops::Range<usize>) -> String {
    let pages: Vec<_> = numbers.map(|number| format!("http://{authority}/{number}")).collect();
    pages.join(" -o /dev/null ")
}

#[test]
fn curl_browses_a_web_server_from_everywhere() -> Result<()> {
    let scene = Scene::new("curl", &[])?;
    scene.engine.ok(&["network", "create", "--ipv6", "other"])?;
    let server = scene.run("server", &["-p", "8080:80"], &[Service::Udp(9)])?;
    let neighbour = scene.run("neighbour", &[], &[Service::Udp(9)])?;
    let stranger = scene.run_in("other", "stranger", &[], &[Service::Udp(9)])?;
    let web = WebServer::start(&scene, &server)?;
    for (like, gateway) in VERSIONS.into_iter().zip(gateways(&scene)?) {
        let loopback: IpAddr =
            if like.is_ipv4() { Ipv4Addr::LOCALHOST.into() } else { Ipv6Addr::LOCALHOST.into() };
        let published = SocketAddr::new(like, 8080);
        let direct = SocketAddr::new(address_like(&server, like)?, 80);
        for (from, to, seen) in [
            (&scene.world.client, published, client_like(like)),
            (&scene.world.host, SocketAddr::new(loopback, 8080), gateway),
            (&scene.world.host, published, gateway),
            (&scene.world.host, direct, gateway),
            (&neighbour.namespace, direct, address_like(&neighbour, like)?),
            (&neighbour.namespace, published, gateway),
            (&server.namespace, published, gateway),
            (&stranger.namespace, published, gateway),
        ] {
            web.is_browsed(from, &to.to_string(), seen)?;
        }
        // By name, with either version.
        web.is_browsed(&scene.world.host, "localhost:8080", gateway)?;
        let refused =
            Program::Curl.run(&stranger.namespace, &format!("-sS --connect-timeout 1 http://{direct}/0"))?;
        ensure!(!refused.succeeded, "another network's server answered: {}", refused.told);
    }
    Ok(())
}

#[test]
fn dig_asks_a_published_name_server_by_udp_and_tcp() -> Result<()> {
    let services = [Service::DnsTcp(53), Service::DnsUdp(53)];
    let scene = Scene::new("dig", &[])?;
    scene.engine.ok(&["network", "create", "--ipv6", "other"])?;
    let server = scene.run("server", &["-p", "53:53", "-p", "53:53/udp"], &services)?;
    let neighbour = scene.run("neighbour", &[], &[Service::Udp(9)])?;
    let stranger = scene.run_in("other", "stranger", &[], &[Service::Udp(9)])?;
    for (like, loopback) in
        [(IpAddr::from(HOST), IpAddr::from(Ipv4Addr::LOCALHOST)), (HOST6.into(), Ipv6Addr::LOCALHOST.into())]
    {
        for (from, to) in [
            (&scene.world.client, like),
            (&scene.world.host, loopback),
            (&scene.world.host, like),
            (&neighbour.namespace, like),
            (&neighbour.namespace, address_like(&server, like)?),
            (&server.namespace, like),
            (&stranger.namespace, like),
        ] {
            // The large answer does not fit a datagram: dig comes again by TCP.
            for (how, name) in
                [("+notcp", "small-1.example"), ("+tcp", "small-2.example"), ("+notcp", "large-3.example")]
            {
                let asked = format!("@{to} +time=2 +tries=1 +noedns +short {how} {name} A");
                let said = Program::Dig.run(from, &asked)?;
                let found: Vec<Ipv4Addr> = said.stdout.lines().filter_map(|line| line.parse().ok()).collect();
                ensure!(said.succeeded && found == addresses_of(name), "{}", said.told);
            }
        }
    }
    Ok(())
}
