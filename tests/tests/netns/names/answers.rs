//! What an answer looks like to whoever reads all of it: dig, over UDP and TCP, with EDNS and without.

use std::collections::BTreeSet;

use anyhow::Result;
use netebpf_tests::installed::Program;

use super::{
    dig::{Dug, dig},
    idle, run_in,
    turn::Turn,
    v6,
};
use crate::scene::NET;

/// Seconds that Docker lets its names hold.
const TTL: u32 = 600;

#[test]
fn answers_are_the_same_however_they_are_asked_for() -> Result<()> {
    let scene = Turn::wait()?;
    scene.engine.ok(&["network", "create", "four"])?;
    let server = idle(&scene, NET, "server", &[])?;
    let plain = idle(&scene, "four", "plain", &[])?;
    idle(&scene, NET, "asker", &["--network", "four"])?;
    let [a, aaaa] = [format!("A {}", server.address), format!("AAAA {}", v6(&server)?)];
    let [of_v4, of_v6] = [format!("-x {}", server.address), format!("-x {}", v6(&server)?)];
    let plain = format!("A {}", plain.address);
    for (question, status, record) in [
        ("server A", "NOERROR", Some(a.as_str())),
        ("server AAAA", "NOERROR", Some(&aaaa)),
        ("SeRvEr.NeT A", "NOERROR", Some(&a)),
        ("plain A", "NOERROR", Some(&plain)),
        // Docker says that there is nothing, and asks nobody else.
        ("plain AAAA", "NOERROR", None),
        ("plain.four AAAA", "NOERROR", None),
        ("server MX", "NOERROR", None),
        (&of_v4, "NOERROR", Some("PTR server.net.")),
        (&of_v6, "NOERROR", Some("PTR server.net.")),
        // These would be asked elsewhere, as Docker does, and there is nobody.
        ("nobody A", "SERVFAIL", None),
        ("nobody.net AAAA", "SERVFAIL", None),
        ("server.four A", "SERVFAIL", None),
        ("server TXT", "SERVFAIL", None),
    ] {
        for (how, edns) in [
            ("", true),
            ("+noedns", false),
            ("+bufsize=512", true),
            ("+bufsize=4096", true),
            ("+nocookie +norecurse", true),
            ("+tcp", true),
            ("+tcp +noedns", false),
        ] {
            let asked = format!("{question} {how}");
            let dug = dig(&scene.engine, "asker", &asked)?;
            let recursion = if how.contains("norecurse") { "qr ra" } else { "qr rd ra" };
            assert_eq!((dug.status.as_str(), dug.flags.as_str()), (status, recursion), "{asked}: {dug:?}");
            assert_eq!(dug.edns.is_some(), edns, "{asked}: {dug:?}");
            assert_record(&dug, record, question, &asked);
        }
    }
    Ok(())
}

/// The name is spelt as it was asked for, in the question and in the record.
fn assert_record(dug: &Dug, record: Option<&str>, question: &str, asked: &str) {
    let data: Vec<_> = dug.records.iter().map(|record| record.data.as_str()).collect();
    assert_eq!(data, record.into_iter().collect::<Vec<_>>(), "{asked}: {dug:?}");
    assert!(dug.records.iter().all(|record| record.ttl == TTL), "{asked}: {dug:?}");
    assert!(dug.records.iter().all(|record| record.owner == dug.question), "{asked}: {dug:?}");
    if let Some((name, _)) = question.split_once(' ').filter(|(name, _)| *name != "-x") {
        assert_eq!(dug.question, format!("{name}."), "{asked}: {dug:?}");
    }
}

#[test]
fn an_alias_of_several_sandboxes_gives_all_addresses_in_changing_order() -> Result<()> {
    const TIMES: usize = 40;
    let scene = Turn::wait()?;
    let mut addresses = BTreeSet::new();
    for name in ["one", "two", "three"] {
        addresses.insert(idle(&scene, NET, name, &["--network-alias", "several"])?.address.to_string());
    }
    for transport in ["+notcp", "+tcp"] {
        let asked = [["+short", transport].as_slice(), &["several"; TIMES]].concat();
        let said = run_in(&scene.engine, "one", Program::Dig, &asked)?.ok()?;
        let lines: Vec<_> = said.lines().map(str::to_owned).collect();
        assert_eq!(lines.len(), TIMES * addresses.len(), "{said}");
        for answer in lines.chunks(addresses.len()) {
            assert_eq!(answer.iter().cloned().collect::<BTreeSet<_>>(), addresses);
        }
        // That one address never comes first in so many answers happens once in a million times.
        let first: BTreeSet<_> = lines.chunks(addresses.len()).map(|answer| answer[0].clone()).collect();
        assert_eq!(first, addresses, "{transport}: the same ones always come first");
    }
    Ok(())
}

/// The data path has no room for so many, and a datagram without EDNS none for all of their IPv6 addresses.
#[test]
fn more_addresses_than_fit_into_a_datagram_are_read_by_tcp() -> Result<()> {
    const COUNT: usize = 18;
    let scene = Turn::wait()?;
    for number in 0..COUNT {
        let name = format!("one-{number}");
        let run =
            ["run", "-d", "--name", &name, "--network", NET, "--network-alias", "many", "--", "sleep", "1d"];
        scene.engine.ok(&run)?;
    }
    for (question, is_cut) in [
        ("many A +noedns +ignore", false),
        ("many AAAA +ignore", false),
        ("many AAAA +noedns", false),
        ("many AAAA +bufsize=512", false),
        ("many AAAA +tcp", false),
        ("many AAAA +noedns +ignore", true),
        ("many AAAA +bufsize=512 +ignore", true),
    ] {
        let dug = dig(&scene.engine, "one-0", question)?;
        assert_eq!(dug.flags.contains(" tc"), is_cut, "{question}: {dug:?}");
        let addresses: BTreeSet<_> = dug.records.iter().map(|record| &record.data).collect();
        assert_eq!(addresses.len() == COUNT, !is_cut, "{question}: {dug:?}");
    }
    for database in ["ahostsv4", "ahostsv6"] {
        let said = run_in(&scene.engine, "one-0", Program::Getent, &[database, "many"])?.ok()?;
        let found: BTreeSet<_> = said.lines().filter_map(|line| line.split_whitespace().next()).collect();
        assert_eq!(found.len(), COUNT, "{said}");
    }
    Ok(())
}
