//! Do the resolvers that programs bring along find sandboxes by all their names?

use std::{collections::BTreeSet, net::IpAddr};

use anyhow::Result;
use netebpf_tests::installed::Program;

use super::{idle, resolver::Resolver, run_in, short_id, turn::Turn, v6};
use crate::scene::NET;

#[test]
fn every_resolver_finds_a_sandbox_by_all_its_names() -> Result<()> {
    let scene = Turn::wait()?;
    let (world, engine) = (&*scene.world, &scene.engine);
    idle(&scene, NET, "asker", &[])?;
    let server = idle(&scene, NET, "server", &["-h", "box", "--network-alias", "Service"])?;
    for name in
        ["server", "SerVer", "service", "box", short_id(&server), "server.net", "service.NET", "server."]
    {
        for (is_v4, expected) in [(true, IpAddr::from(server.address)), (false, v6(&server)?.into())] {
            for resolver in Resolver::ALL {
                let found = resolver.addresses((world, engine), "asker", (name, is_v4))?;
                assert_eq!(found, BTreeSet::from([expected]), "{resolver:?} asks for {name}");
            }
        }
    }
    Ok(())
}

#[test]
fn names_and_addresses_are_found_as_programs_ask_for_them() -> Result<()> {
    const BY_NAME: &str = "import socket, sys; print(socket.gethostbyname(sys.argv[1]))";
    const BY_ADDRESS: &str = "import socket, sys; print(socket.gethostbyaddr(sys.argv[1])[0])";
    let scene = Turn::wait()?;
    idle(&scene, NET, "asker", &[])?;
    let server = idle(&scene, NET, "server", &["--network-alias", "service"])?;
    let [v4, v6] = [server.address.to_string(), v6(&server)?.to_string()];
    for (program, words, expected) in [
        (Program::Getent, ["hosts", "server"].as_slice(), format!("{v6} server")),
        (Program::Getent, &["hosts", &v4], format!("{v4} server.net")),
        (Program::Getent, &["hosts", &v6], format!("{v6} server.net")),
        (Program::Python, &["-I", "-c", BY_NAME, "service"], v4.clone()),
        (Program::Python, &["-I", "-c", BY_ADDRESS, &v4], "server.net".to_owned()),
        (Program::Python, &["-I", "-c", BY_ADDRESS, &v6], "server.net".to_owned()),
        (Program::Dig, &["+short", "-x", &v4], "server.net.".to_owned()),
        (Program::Dig, &["+short", "-x", &v6], "server.net.".to_owned()),
    ] {
        let said = run_in(&scene.engine, "asker", program, words)?.ok()?;
        let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(said, expected, "{program:?} {words:?}");
    }
    let both = run_in(&scene.engine, "asker", Program::Busybox, &["nslookup", "server"])?.ok()?;
    for line in [format!("Address: {v4}"), format!("Address: {v6}"), "Server:\t\t127.0.0.11".to_owned()] {
        assert!(both.lines().any(|said| said == line), "no `{line}` in {both}");
    }
    Ok(())
}

#[test]
fn a_resolver_is_told_that_nobody_knows_a_name() -> Result<()> {
    let scene = Turn::wait()?;
    idle(&scene, NET, "asker", &[])?;
    for (program, words, code) in [
        (Program::Getent, ["hosts", "nobody"].as_slice(), 2),
        (Program::Busybox, &["nslookup", "nobody"], 1),
        (Program::Python, &["-I", "-c", "import socket; socket.gethostbyname('nobody')"], 1),
    ] {
        let said = run_in(&scene.engine, "asker", program, words)?;
        assert_eq!(said.code, Some(code), "{said:?}");
    }
    Ok(())
}

#[test]
fn commands_that_join_a_sandbox_resolve_what_it_does() -> Result<()> {
    let scene = Turn::wait()?;
    let host = idle(&scene, NET, "host", &[])?;
    let server = idle(&scene, NET, "server", &[])?;
    idle(&scene, NET, "stranger", &["--link", "server:db"])?;
    let address = format!("{}\n", server.address);
    let dig = Program::Dig.command()?.get_program().display().to_string();
    for transport in ["+notcp", "+tcp"] {
        let run = ["run", "--rm", "--network", "container:host", "--", &dig, "+short", transport, "server"];
        assert_eq!(scene.engine.ok(&run)?, address);
        assert_eq!(
            run_in(&scene.engine, "host", Program::Dig, &["+short", transport, "server"])?.ok()?,
            address
        );
    }
    // The guest is called by nobody: it has no address of its own.
    scene.engine.ok(&["run", "-d", "--name", "guest", "--network", "container:host", "--", "sleep", "1d"])?;
    super::expect(&server.namespace, "guest", &[]);
    super::expect(&server.namespace, "host", &[host.address]);
    Ok(())
}
