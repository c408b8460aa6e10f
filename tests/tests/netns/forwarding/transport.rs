//! How queries go to other servers, and which answers come back.

use std::{collections::BTreeSet, net::Ipv4Addr};

use anyhow::{Result, ensure};
use hickory_proto::{op::Message, rr::RecordType};
use netebpf_tests::{
    dns::{DOCKERS, Elsewhere, Lie, Manner, Transport, ask, query, told, with_room},
    scenario::Sandbox,
};

use super::{host::on_host, idle, resolve_by, resolves};

const KNOWN: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 7);
const TOLD: &str = "NoError 192.0.2.7";

/// Runs a scenario with a sandbox and the only server of its host.
fn with_server(
    name: &str,
    manner: Manner,
    scenario: impl FnOnce(&Sandbox, &Elsewhere) -> Result<()> + Send,
) -> Result<()> {
    on_host(name, &[], "nameserver 127.0.0.1\n", |scene| {
        let server = Elsewhere::start(&scene.world.host, Ipv4Addr::LOCALHOST, manner)?;
        scenario(&idle(scene, "web", &[])?, &server)
    })
}

#[test]
fn a_query_goes_on_as_it_came_in() -> Result<()> {
    with_server("as-it-came", Manner::Knows(KNOWN), |web, server| {
        for (name, transport) in [("u.example.", Transport::Udp), ("t.example.", Transport::Tcp)] {
            ensure!(resolve_by(web, transport, name)? == TOLD);
            let asked = server.asked_about(name)?;
            ensure!(asked.by == transport, "{name} was asked for by {:?}", asked.by);
        }
        for kind in [RecordType::TXT, RecordType::MX, RecordType::SRV, RecordType::CAA, RecordType::ANY] {
            let name = format!("{kind}.example.").to_lowercase();
            ask(&web.namespace, DOCKERS, Transport::Udp, &query(&name, kind)?)?;
            let asked = server.asked_about(&name)?.query;
            ensure!(asked.queries[0].query_type() == kind, "{asked:?}");
            ensure!(asked.metadata.recursion_desired && asked.edns.is_none(), "{asked:?}");
        }
        let mut careful = with_room(query("careful.example.", RecordType::A)?, 1400);
        careful.metadata.checking_disabled = true;
        if let Some(edns) = &mut careful.edns {
            edns.set_dnssec_ok(true);
        }
        ask(&web.namespace, DOCKERS, Transport::Udp, &careful)?;
        let asked = server.asked_about("careful.example.")?.query;
        let edns = asked.edns.as_ref().expect("it was sent");
        ensure!(asked.metadata.checking_disabled && edns.flags().dnssec_ok, "{asked:?}");
        ensure!(edns.max_payload() == 1400, "{edns:?}");
        Ok(())
    })
}

#[test]
fn long_answers_come_back_whole_and_cut_ones_with_the_remark() -> Result<()> {
    const MANY: u8 = 130;
    with_server("long", Manner::KnowsMany(MANY), |web, _| {
        let short = query("many.example.", RecordType::A)?;
        let long = with_room(short.clone(), 4096);
        let seen = |transport, query: &Message| -> Result<(bool, usize)> {
            let answer = ask(&web.namespace, DOCKERS, transport, query)?;
            ensure!(answer.edns.is_some() == query.edns.is_some(), "{answer:?}");
            Ok((answer.metadata.truncation, answer.answers.len()))
        };
        assert_eq!(seen(Transport::Udp, &short)?, (true, 0));
        assert_eq!(seen(Transport::Udp, &long)?, (false, MANY.into()), "it is longer than a packet is");
        assert_eq!(seen(Transport::Tcp, &short)?, (false, MANY.into()));
        Ok(())
    })
}

#[test]
fn numbers_and_ports_cannot_be_guessed() -> Result<()> {
    const TIMES: usize = 20;
    with_server("guessed", Manner::Knows(KNOWN), |web, server| {
        let query = query("guess.example.", RecordType::A)?;
        for _ in 0..TIMES {
            ensure!(told(&ask(&web.namespace, DOCKERS, Transport::Udp, &query)?) == TOLD);
        }
        let asked = server.asked();
        assert_eq!(asked.len(), TIMES, "nothing is kept");
        let numbers: Vec<_> = asked.iter().map(|asked| asked.query.metadata.id).collect();
        let ports: Vec<_> = asked.iter().map(|asked| asked.from.port()).collect();
        // Chance may make two of them equal, and one of them what the client chose.
        for values in [&numbers, &ports] {
            let different: BTreeSet<_> = values.iter().collect();
            let steps: BTreeSet<_> = values.windows(2).map(|pair| pair[1].wrapping_sub(pair[0])).collect();
            ensure!(different.len() >= TIMES - 2 && steps.len() >= TIMES - 3, "{values:?}");
            let spread = different.last().zip(different.first()).map_or(0, |(last, first)| **last - **first);
            ensure!(spread > 1 << 12, "{values:?}");
        }
        let kept = numbers.iter().filter(|number| **number == query.metadata.id).count();
        ensure!(kept <= 1, "the client's number {} went on: {numbers:?}", query.metadata.id);
        Ok(())
    })
}

#[test]
fn forged_answers_are_ignored() -> Result<()> {
    with_server("forged", Manner::Silent, |web, server| {
        for lie in [Lie::Number, Lie::Question, Lie::Port, Lie::Mark, Lie::Noise] {
            server.behave(Manner::Lies(lie, KNOWN));
            let name = format!("{lie:?}.example.").to_lowercase();
            resolves(web, &name, TOLD)?;
            ensure!(server.times_asked_about(&name) == 1, "{lie:?}: the server was asked again");
        }
        Ok(())
    })
}
