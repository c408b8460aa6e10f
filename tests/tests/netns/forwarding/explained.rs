//! `netebpf dns query`: what a sandbox is told about a name, and why.

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::{host::on_host, idle, idle_in};
use crate::scene::Scene;

/// Fails unless the command explains this, as text and as JSON.
fn explains(scene: &Scene, args: &[&str], text: &str, document: &Value) -> Result<()> {
    let args = [&["dns", "query"], args].concat();
    let told = scene.engine.ok(&args)?;
    ensure!(told == text, "`{}` says {told:?}, not {text:?}", args.join(" "));
    let told = scene.engine.json(&[&args[..], &["--json"]].concat())?;
    for (key, expected) in document.as_object().into_iter().flatten() {
        ensure!(told.get(key) == Some(expected), "{key} is not {expected} in {told}");
    }
    Ok(())
}

#[test]
fn the_view_that_answers_is_named_with_its_records() -> Result<()> {
    on_host("explained", &[], "nameserver 127.0.0.1\nnameserver 203.0.113.9\n", |scene| {
        scene.engine.ok(&["network", "create", "--subnet", "10.79.0.0/24", "lan"])?;
        let db = idle_in(scene, "lan", "db", &["--ip", "10.79.0.7", "--network-alias", "store"])?;
        idle_in(scene, "lan", "store2", &["--ip", "10.79.0.8", "--network-alias", "store"])?;
        idle_in(scene, "lan", "web", &["--ip", "10.79.0.9", "--link", "db:data"])?;
        let short = &db.id[..12];
        for (args, text, document) in [
            (
                &["db", "--from", "web"][..],
                "10.79.0.7\n(network lan knows db)\n",
                json!({"name": "db", "type": "A", "sandbox": "web", "source": "network", "network": "lan",
                       "records": ["10.79.0.7"], "servers": []}),
            ),
            (
                &["DB.lan.", "--from", "web"],
                "10.79.0.7\n(network lan knows DB.lan.)\n",
                json!({"source": "network", "records": ["10.79.0.7"]}),
            ),
            (
                &["data", "--from", "web"],
                "10.79.0.7\n(web has a link data to db, which network lan knows)\n",
                json!({"source": "network", "linked": "db", "records": ["10.79.0.7"]}),
            ),
            (
                &["db", "--from", "web", "--type", "AAAA"],
                "(network lan knows db, but no AAAA record of it)\n",
                json!({"type": "AAAA", "source": "network", "records": []}),
            ),
            (
                &["db", "--from", "web", "--type", "mx"],
                "(network lan knows db, but no MX record of it)\n",
                json!({"type": "MX", "source": "network", "records": []}),
            ),
            (
                &["7.0.79.10.in-addr.arpa", "--from", "web", "--type", "PTR"],
                "db.lan\n(network lan knows 7.0.79.10.in-addr.arpa)\n",
                json!({"source": "network", "network": "lan", "records": ["db.lan"]}),
            ),
            (
                &["far.example", "--from", "web"],
                "(no network of web knows far.example by type A; asked next: host(127.0.0.1), host(203.0.113.9))\n",
                json!({"source": "forwarded", "servers": ["host(127.0.0.1)", "host(203.0.113.9)"], "records": []}),
            ),
            (
                &["db", "--from", "web", "--type", "TXT"],
                "(no network of web knows db by type TXT; asked next: host(127.0.0.1), host(203.0.113.9))\n",
                json!({"source": "forwarded"}),
            ),
        ] {
            explains(scene, args, text, &document)?;
        }
        let by_id = scene.engine.ok(&["dns", "query", short, "--from", &db.id])?;
        ensure!(by_id == format!("10.79.0.7\n(network lan knows {short})\n"), "{by_id}");
        let shared = scene.engine.json(&["dns", "query", "store", "--from", "web", "--json"])?;
        let mut records: Vec<_> = shared["records"].as_array().expect("it is a list").clone();
        records.sort_by_key(ToString::to_string);
        assert_eq!(records, ["10.79.0.7", "10.79.0.8"]);
        Ok(())
    })
}

#[test]
fn who_is_asked_next_is_told_for_each_sandbox() -> Result<()> {
    on_host("explained-next", &[], "nameserver 127.0.0.1\n", |scene| {
        scene.engine.ok(&["network", "create", "--internal", "inner"])?;
        idle(scene, "chooser", &["--dns", "192.0.2.53", "--dns", "127.0.0.1"])?;
        idle(scene, "careful", &["--dns-option", "ndots:1"])?;
        idle_in(scene, "inner", "locked", &[])?;
        for (from, source, servers, reason) in [
            (
                "chooser",
                "forwarded",
                json!(["192.0.2.53", "127.0.0.1"]),
                "no network of chooser knows far by type A; asked next: 192.0.2.53, 127.0.0.1",
            ),
            (
                "careful",
                "single_label",
                json!([]),
                "no network of careful knows far; it is not forwarded, because careful has an ndots option and the name \
                 one part",
            ),
            (
                "locked",
                "nobody",
                json!([]),
                "no network of locked knows far by type A, and there is no other server to ask",
            ),
        ] {
            let document = json!({"source": source, "servers": servers});
            explains(scene, &["far", "--from", from], &format!("({reason})\n"), &document)?;
        }
        Ok(())
    })
}

#[test]
fn a_question_that_makes_no_sense_is_refused_in_words() -> Result<()> {
    let scene = Scene::new("explained-refused", &["--bridge=netebpf0"])?;
    idle(&scene, "web", &[])?;
    idle_in(&scene, "bridge", "plain", &[])?;
    idle(&scene, "ended", &[])?;
    scene.engine.ok(&["kill", "ended"])?;
    let no_server = |name: &str| {
        format!(
            "sandbox {name} has no name server: it must run, and be on a network other than the default one"
        )
    };
    for (args, code, text) in [
        (&["db", "--from", "nobody"][..], 1, "No such container: nobody".to_owned()),
        (&["db", "--from", "plain"], 1, no_server("plain")),
        (&["db", "--from", "ended"], 1, no_server("ended")),
        (
            &["db", "--from", "web", "--type", "ADDRESS"],
            1,
            "invalid record type \"ADDRESS\": A, AAAA, PTR, MX and the like are known".to_owned(),
        ),
        (&["db"], 125, "--from <SANDBOX>".to_owned()),
        (&["--from", "web"], 1, "'netebpf dns query' requires 1 argument".to_owned()),
    ] {
        let said = scene.engine.cli(&[&["dns", "query"], args].concat())?;
        assert_eq!((said.code, said.stdout.as_str()), (Some(code), ""), "{said:?}");
        ensure!(said.stderr.contains(&text), "{text:?} is not in {said:?}");
    }
    Ok(())
}

#[test]
fn the_help_tells_what_there_is_to_ask_and_shows_how() -> Result<()> {
    let scene = Scene::new("explained-help", &[])?;
    let overview = scene.engine.ok(&["dns", "--help"])?;
    ensure!(
        overview.contains("query") && overview.contains("what a sandbox is told about a name, and why"),
        "{overview}"
    );
    let help = scene.engine.ok(&["dns", "query", "--help"])?;
    for part in
        ["--from <SANDBOX>", "--type <TYPE>", "[default: A]", "--json", "asks no other server", "Examples:"]
    {
        ensure!(help.contains(part), "no {part:?} in {help}");
    }
    // Its examples can be typed as they are.
    idle(&scene, "web", &[])?;
    for example in help.lines().filter_map(|line| line.trim().strip_prefix("netebpf ")) {
        scene.engine.ok(&example.split_whitespace().collect::<Vec<_>>())?;
    }
    Ok(())
}
