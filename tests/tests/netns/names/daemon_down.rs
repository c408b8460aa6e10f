//! What becomes of names while there is no daemon, and of all else once there is one again?

use anyhow::Result;
use hickory_proto::rr::RecordType;
use netebpf_tests::{
    dns::{self, DOCKERS, Transport},
    engine::Engine,
    installed::Program,
    probe::BRIEF,
    scenario::Sandbox,
};

use super::{OPTIONS, expect, idle, question, reversed, told, v6};
use crate::scene::{NET, Scene};

fn by_udp(asker: &Sandbox, kind: RecordType, name: &str) -> Result<String> {
    Ok(dns::told(&dns::ask(&asker.namespace, DOCKERS, Transport::Udp, &question(kind, name)?)?))
}

fn outlive(name: &str, end: fn(&Engine) -> Result<()>) -> Result<()> {
    let scene = Scene::new(name, &OPTIONS)?;
    let server = idle(&scene, NET, "server", &["--network-alias", "service"])?;
    let asker = idle(&scene, NET, "asker", &["--link", "server:db"])?;
    let [v4, v6] = [format!("NoError {}", server.address), format!("NoError {}", v6(&server)?)];
    let pointer = reversed(server.address.into());
    end(&scene.engine)?;
    for name in ["server", "SERVICE", "server.net", "db"] {
        assert_eq!(by_udp(&asker, RecordType::A, name)?, v4, "{name}");
        assert_eq!(by_udp(&asker, RecordType::AAAA, name)?, v6, "{name}");
        assert_eq!(by_udp(&asker, RecordType::MX, name)?, "NoError", "{name}");
    }
    // What only the server knows is not made up.
    let query = question(RecordType::PTR, &pointer)?.to_vec()?;
    for transport in [Transport::Udp, Transport::Tcp] {
        let answer = asker.namespace.run(|| dns::exchange(DOCKERS, transport, &query, BRIEF));
        assert!(!matches!(answer, Ok(Some(_))), "{transport:?}: {answer:?}");
    }
    scene.engine.launch()?;
    expect(&asker.namespace, "server", &[server.address]);
    expect(&asker.namespace, "db", &[server.address]);
    assert_eq!(told(&asker.namespace, RecordType::PTR, &pointer)?, "NoError server.net.");
    let late = idle(&scene, NET, "late", &[])?;
    expect(&asker.namespace, "late", &[late.address]);
    Ok(())
}

#[test]
fn names_are_known_while_the_daemon_is_dead_and_all_is_well_when_it_is_back() -> Result<()> {
    outlive("names-killed", Engine::kill)
}

#[test]
fn names_are_known_while_the_daemon_is_stopped_and_all_is_well_when_it_is_back() -> Result<()> {
    outlive("names-ended", Engine::terminate)
}

/// A program of the sandbox needs no more than the file that it has always had.
#[test]
fn a_running_program_resolves_while_the_daemon_is_dead() -> Result<()> {
    let scene = Scene::new("names-running", &OPTIONS)?;
    let getent = Program::Getent.command()?.get_program().display().to_string();
    let gate = scene.world.directory().join("gate");
    let told = scene.world.directory().join("told");
    let [gate_path, told_path] = [&gate, &told].map(|path| path.display().to_string());
    let script = format!(
        "while [ ! -e {gate_path} ]; do sleep 0.02; done; {getent} ahostsv4 server > {told_path}.new; \
         mv {told_path}.new {told_path}; exec sleep 1d"
    );
    let server = idle(&scene, NET, "server", &[])?;
    scene.engine.ok(&["run", "-d", "--name", "waiting", "--network", NET, "--", "sh", "-c", &script])?;
    scene.engine.kill()?;
    std::fs::write(&gate, "")?;
    let said = netebpf_tests::wait::until("the program has asked", netebpf_tests::wait::LONG, || {
        std::fs::read_to_string(&told).ok()
    })?;
    assert!(said.starts_with(&server.address.to_string()), "{said}");
    scene.engine.launch()
}
