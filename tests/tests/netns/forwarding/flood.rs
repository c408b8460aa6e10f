//! A sandbox that asks as fast as it can, and one beside it that has to get its answers all the same.

use std::{
    io::Write as _,
    net::{Ipv4Addr, SocketAddr, TcpStream, UdpSocket},
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};
use hickory_proto::{op::Message, rr::RecordType};
use netebpf_tests::{
    dns::{DOCKERS, Elsewhere, Manner, OURS, Transport, exchange, framed, query},
    probe::PATIENT,
    scenario::Sandbox,
    wait,
};
use serde_json::Value;

use super::{consumption::Consumption, host::on_host, idle, idle_in};
use crate::scene::Scene;

const KNOWN: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 7);
/// Within this each answer comes to those who ask little.
const SOON: Duration = Duration::from_secs(3);
/// How often each kind of name is asked for under load.
const ROUNDS: usize = 15;
/// Connections that a flooder has at a time.
const CONNECTIONS: usize = 50;

/// What is asked by the one and the other.
struct Cast<'a> {
    scene: &'a Scene,
    flooder: Sandbox,
    modest: Sandbox,
    /// The server that the flooder has chosen, and that never answers.
    _silent: Elsewhere,
    _server: Elsewhere,
}

impl<'a> Cast<'a> {
    fn new(scene: &'a Scene) -> Result<Self> {
        scene.engine.ok(&["network", "create", "loud"])?;
        let flooder = idle_in(scene, "loud", "flooder", &["--dns", "127.0.0.1"])?;
        Ok(Self {
            scene,
            modest: idle(scene, "modest", &[])?,
            _silent: Elsewhere::start(&flooder.namespace, Ipv4Addr::LOCALHOST, Manner::Silent)?,
            _server: Elsewhere::start(&scene.world.host, Ipv4Addr::LOCALHOST, Manner::Knows(KNOWN))?,
            flooder,
        })
    }

    /// The modest one gets every answer soon, of the kernel, of the server, and of elsewhere.
    fn modest_is_answered(&self) -> Result<()> {
        self.modest.namespace.run(|| {
            for round in 0..ROUNDS {
                for (name, kind, transport) in [
                    ("modest.", RecordType::A, Transport::Udp),
                    ("modest.", RecordType::MX, Transport::Udp),
                    ("modest.", RecordType::A, Transport::Tcp),
                    ("far.example.", RecordType::A, Transport::Udp),
                    ("far.example.", RecordType::A, Transport::Tcp),
                ] {
                    let what = || format!("round {round}: {name} {kind} by {transport:?}");
                    let answer = exchange(DOCKERS, transport, &query(name, kind)?.to_vec()?, SOON)
                        .with_context(what)?
                        .with_context(|| format!("{}: no answer", what()))?;
                    let answer = Message::from_vec(&answer)?;
                    let records = usize::from(kind == RecordType::A);
                    ensure!(answer.answers.len() == records, "{}: {answer:?}", what());
                }
            }
            Ok(())
        })
    }

    /// The flooder's count of a sort on its network.
    fn count(&self, sort: &str) -> Result<u64> {
        let status = self.scene.engine.json(&["status", "--json"])?;
        let networks = status.get("queries").and_then(Value::as_array).context("no queries")?;
        let loud = networks.iter().find(|network| network.get("network").is_some_and(|name| name == "loud"));
        loud.and_then(|loud| loud.get(sort)).and_then(Value::as_u64).with_context(|| format!("no {sort}"))
    }

    /// Floods while the modest one asks, and until the flood has shown in its count.
    fn holds_under(&self, flood: impl Fn() -> Result<()> + Sync, shows: impl Fn() -> bool) -> Result<()> {
        let before = Consumption::of_daemon(self.scene)?;
        let is_over = AtomicBool::new(false);
        thread::scope(|scope| {
            let floods = [(); 2].map(|()| {
                scope.spawn(|| {
                    self.flooder.namespace.run(|| {
                        while !is_over.load(Ordering::Relaxed) {
                            flood()?;
                        }
                        Ok(())
                    })
                })
            });
            let visible = wait::until("the flood shows", wait::LONG, || shows().then_some(()));
            let answered = visible.and_then(|()| self.modest_is_answered());
            is_over.store(true, Ordering::Relaxed);
            for flood in floods {
                flood.join().expect("no panic")?;
            }
            answered
        })?;
        self.modest_is_answered()?;
        before.has_not_grown(self.scene)
    }
}

/// Sends each message a hundred times.
fn datagrams(messages: &[Vec<u8>], to: SocketAddr) -> Result<()> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
    for message in messages.iter().cycle().take(100 * messages.len()) {
        socket.send_to(message, to)?;
    }
    Ok(())
}

fn with_cast(name: &str, scenario: impl FnOnce(&Cast<'_>) -> Result<()> + Send) -> Result<()> {
    on_host(name, &[], "nameserver 127.0.0.1\n", |scene| scenario(&Cast::new(scene)?))
}

#[test]
fn queries_that_nobody_answers_are_refused_beyond_a_limit() -> Result<()> {
    with_cast("flood-unanswered", |cast| {
        let queries: Vec<_> = (0..50)
            .map(|number| Ok(query(&format!("flood-{number}.example."), RecordType::A)?.to_vec()?))
            .collect::<Result<_>>()?;
        cast.holds_under(
            || datagrams(&queries, DOCKERS),
            || cast.count("refused").is_ok_and(|count| count > 100),
        )
    })
}

#[test]
fn more_than_the_server_can_take_is_dropped_and_counted() -> Result<()> {
    with_cast("flood-datagrams", |cast| {
        // What the kernel answers itself, what it leaves to the server, and long ones, which count for several.
        let queries = [query("flooder.", RecordType::A)?, query("flooder.", RecordType::MX)?]
            .map(|query| query.to_vec());
        let [local, mail] = queries;
        let messages = [local?, mail?, vec![0x55; 1400], vec![0; 1400]];
        let before = cast.scene.dropped("queries_limited")?;
        cast.holds_under(
            || datagrams(&messages, OURS),
            || cast.scene.dropped("queries_limited").is_ok_and(|now| now > before + 100),
        )?;
        let of_flooder = ["drops", "--sandbox", "flooder", "--reason", "queries_limited", "--json"];
        let told = cast.scene.engine.json(&of_flooder)?;
        ensure!(told.as_array().is_some_and(|drops| !drops.is_empty()), "{told}");
        let of_modest = ["drops", "--sandbox", "modest", "--reason", "queries_limited", "--json"];
        assert_eq!(cast.scene.engine.json(&of_modest)?, serde_json::json!([]));
        Ok(())
    })
}

#[test]
fn connections_without_end_hold_up_nobody() -> Result<()> {
    with_cast("flood-streams", |cast| {
        let question = framed(&query("flood.example.", RecordType::A)?.to_vec()?)?;
        let flood = || {
            let connections: Vec<_> = (0..CONNECTIONS)
                .filter_map(|_| {
                    let mut stream = TcpStream::connect_timeout(&DOCKERS, SOON).ok()?;
                    stream.write_all(&question.repeat(20)).ok()?;
                    Some(stream)
                })
                .collect();
            drop(connections);
            Ok(())
        };
        cast.holds_under(flood, || cast.count("forwarded").is_ok_and(|count| count > 20))
    })
}

#[test]
fn a_flooder_is_answered_again_when_it_has_calmed_down() -> Result<()> {
    with_cast("flood-over", |cast| {
        cast.flooder.namespace.run(|| datagrams(&[vec![0x55; 1400]], OURS))?;
        let is_answered = || {
            let asked =
                || exchange(DOCKERS, Transport::Udp, &query("flooder.", RecordType::MX)?.to_vec()?, SOON);
            cast.flooder.namespace.run(asked).is_ok_and(|answer| answer.is_some())
        };
        wait::until("the flooder is answered", PATIENT, || is_answered().then_some(()))
    })
}
