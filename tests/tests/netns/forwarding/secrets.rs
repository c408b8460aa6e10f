//! What a sandbox is not told: names of networks that it is not on, and what others call their neighbours.

use std::net::{IpAddr, Ipv4Addr};

use anyhow::{Result, ensure};
use hickory_proto::{op::ResponseCode::NXDomain, rr::RecordType};
use netebpf_tests::{
    dns::{DOCKERS, Elsewhere, Manner, OURS, Transport, ask, query, told},
    scenario::Sandbox,
};

use super::{host::on_host, idle, idle_in, resolves};

/// The name under which an address has a name (RFC 1035, 3.5; RFC 3596, 2.5).
fn reversed(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => {
            let [a, b, c, d] = address.octets();
            format!("{d}.{c}.{b}.{a}.in-addr.arpa.")
        }
        IpAddr::V6(address) => {
            let digits =
                address.octets().into_iter().rev().map(|byte| format!("{:x}.{:x}.", byte & 15, byte >> 4));
            format!("{}ip6.arpa.", digits.collect::<String>())
        }
    }
}

#[test]
fn names_of_other_networks_and_links_of_others_are_not_told() -> Result<()> {
    on_host("secrets", &[], "nameserver 127.0.0.1\n", |scene| {
        for network in ["here", "there"] {
            scene.engine.ok(&["network", "create", "--ipv6", network])?;
        }
        let _server = Elsewhere::start(&scene.world.host, Ipv4Addr::LOCALHOST, Manner::Says(NXDomain))?;
        let db = idle_in(scene, "there", "db", &["--network-alias", "store", "--hostname", "vault"])?;
        let neighbour = idle_in(scene, "here", "neighbour", &[])?;
        let linking = idle_in(scene, "here", "linking", &["--link", "neighbour:friend"])?;
        let asking = idle_in(scene, "here", "asking", &[])?;
        let address6 = db.address6.expect("the network has IPv6");
        let short = format!("{}.", &db.id[..12]);
        let secrets = [
            "db.",
            "store.",
            "vault.",
            "db.there.",
            "store.there.",
            "db.here.",
            "friend.",
            "friend.here.",
            &short,
        ];
        for (server, transport) in
            [(DOCKERS, Transport::Udp), (OURS, Transport::Udp), (DOCKERS, Transport::Tcp)]
        {
            let said = |sandbox: &Sandbox, name: &str, kind| -> Result<String> {
                Ok(told(&ask(&sandbox.namespace, server, transport, &query(name, kind)?)?))
            };
            for name in secrets {
                for kind in [RecordType::A, RecordType::AAAA, RecordType::MX] {
                    let told = said(&asking, name, kind)?;
                    ensure!(told == "NXDomain", "{name} {kind} by {transport:?}: {told}");
                }
            }
            for address in [IpAddr::from(db.address), address6.into()] {
                let told = said(&asking, &reversed(address), RecordType::PTR)?;
                ensure!(told == "NXDomain", "PTR of {address} by {transport:?}: {told}");
            }
            // All of it is known to whom it is meant for.
            for (sandbox, name, address) in [
                (&db, "db.", &db),
                (&db, "store.", &db),
                (&db, "vault.there.", &db),
                (&linking, "friend.", &neighbour),
                (&asking, "neighbour.", &neighbour),
            ] {
                let told = said(sandbox, name, RecordType::A)?;
                ensure!(told == format!("NoError {}", address.address), "{name} by {transport:?}: {told}");
            }
            let told = said(&db, &reversed(address6.into()), RecordType::PTR)?;
            ensure!(told == "NoError db.there.", "{told}");
        }
        Ok(())
    })
}

#[test]
fn what_a_sandbox_may_know_ends_with_its_network() -> Result<()> {
    on_host("secrets-left", &[], "nameserver 127.0.0.1\n", |scene| {
        scene.engine.ok(&["network", "create", "there"])?;
        let _server = Elsewhere::start(&scene.world.host, Ipv4Addr::LOCALHOST, Manner::Says(NXDomain))?;
        let db = idle_in(scene, "there", "db", &[])?;
        let asking = idle(scene, "asking", &[])?;
        let known = format!("NoError {}", db.address);
        for (change, expected) in
            [("connect", known.as_str()), ("disconnect", "NXDomain"), ("connect", &known)]
        {
            scene.engine.ok(&["network", change, "there", "asking"])?;
            resolves(&asking, "db.", expected)?;
        }
        Ok(())
    })
}
