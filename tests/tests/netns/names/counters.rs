//! Is each query counted by who has answered it: the data path, or the server?

use anyhow::{Context as _, Result};
use hickory_proto::rr::RecordType::{self, A, AAAA, MX, PTR, TXT};
use netebpf_tests::{
    dns::{self, DOCKERS, Transport},
    probe::PATIENT,
    wait,
};
use serde_json::Value;

use super::{OPTIONS, idle, question, reversed, turn::Turn};
use crate::scene::{NET, Scene};

/// What has been counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Counts {
    /// Queries that the data path has answered.
    by_kernel: u64,
    /// Queries of the network that have come to the server, and what became of them.
    at_server: [u64; 4],
}

impl Counts {
    fn read(scene: &Scene) -> Result<Self> {
        let status = scene.engine.json(&["status", "--json"])?;
        let list = |key: &str| status.get(key).and_then(Value::as_array).with_context(|| format!("no {key}"));
        let number = |value: &Value, key: &str| value.get(key).and_then(Value::as_u64).unwrap_or_default();
        let answered = list("counters")?.iter().filter(|counter| counter["outcome"] == "answered");
        let of_network = list("queries")?.iter().find(|queries| queries["network"] == NET);
        let of_network = of_network.context("nothing is told of the network")?;
        Ok(Self {
            by_kernel: answered.map(|counter| number(counter, "packets")).sum(),
            at_server: ["queries", "answered", "forwarded", "failed"].map(|key| number(of_network, key)),
        })
    }

    fn since(self, before: Self) -> Self {
        let [now, then] = [self.at_server, before.at_server];
        let mut at_server = [0; 4];
        for ((more, now), then) in at_server.iter_mut().zip(now).zip(then) {
            *more = now - then;
        }
        Self { by_kernel: self.by_kernel - before.by_kernel, at_server }
    }
}

#[test]
fn queries_are_counted_by_who_answers_them() -> Result<()> {
    use Transport::{Tcp, Udp};
    const KERNEL: Counts = Counts { by_kernel: 1, at_server: [0; 4] };
    const SERVER: Counts = Counts { by_kernel: 0, at_server: [1, 1, 0, 0] };
    // A name server that refuses whoever asks.
    const NOBODYS: &str = "--dns=198.51.100.9";
    const NOBODY: Counts = Counts { by_kernel: 0, at_server: [1, 0, 1, 1] };
    let scene = Scene::new("names-counters", &[OPTIONS.as_slice(), &[NOBODYS]].concat())?;
    let asker = idle(&scene, NET, "asker", &["--link", "server:db"])?;
    let server = idle(&scene, NET, "server", &["--network-alias", "service"])?;
    let pointer = reversed(server.address.into());
    let cases: [(RecordType, &str, Transport, Counts); 12] = [
        (A, "server", Udp, KERNEL),
        (AAAA, "server", Udp, KERNEL),
        (A, "SERVICE.net", Udp, KERNEL),
        (MX, "server", Udp, KERNEL),
        (A, super::short_id(&server), Udp, KERNEL),
        (A, "db", Udp, KERNEL),
        (A, "server", Tcp, SERVER),
        (AAAA, "db.net", Tcp, SERVER),
        (PTR, &pointer, Udp, SERVER),
        (PTR, &pointer, Tcp, SERVER),
        (A, "nobody", Udp, NOBODY),
        (TXT, "server", Udp, NOBODY),
    ];
    for (kind, name, transport, expected) in cases {
        let before = Counts::read(&scene)?;
        dns::ask(&asker.namespace, DOCKERS, transport, &question(kind, name)?)?;
        // The server counts what it has sent by then, or soon.
        let counted = || Some(Counts::read(&scene).ok()?.since(before));
        wait::until("it is counted", PATIENT, || counted().filter(|counted| *counted == expected))
            .with_context(|| format!("{kind} {name} by {transport:?}: {:?}, not {expected:?}", counted()))?;
    }
    let shown = scene.engine.ok(&["status"])?;
    assert!(shown.contains("QUERIES ON NETWORK"), "{shown}");
    Ok(())
}

#[test]
fn the_rest_of_an_edns_query_does_not_keep_the_kernel_from_answering() -> Result<()> {
    let scene = Turn::wait()?;
    idle(&scene, NET, "asker", &[])?;
    idle(&scene, NET, "server", &[])?;
    for how in
        ["", "+noedns", "+bufsize=512", "+bufsize=1232", "+bufsize=4096", "+nocookie", "+dnssec", "+cdflag"]
    {
        let before = Counts::read(&scene)?;
        super::dig::dig(&scene.engine, "asker", &format!("server {how}"))?;
        assert_eq!(Counts::read(&scene)?.since(before).by_kernel, 1, "{how}");
    }
    Ok(())
}
