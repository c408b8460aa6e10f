//! What becomes of the names that a sandbox's networks do not know.

use std::net::IpAddr;

use netebpf_common::dns;

use super::{
    HostFiles,
    of_sandbox::chosen,
    resolv::{ExternalServer, RESOLVER},
};
use crate::model::{EngineOptions, FAMILIES, Sandbox, Spec};

/// As many servers are asked at most.
const MAX_SERVERS: usize = 3;

/// Who is asked for names of elsewhere, in this order, and which are not asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Forwarding {
    /// The servers; empty if there are none, or none that the sandbox may ask.
    pub servers: Vec<ExternalServer>,
    /// Whether a name of one part is for the networks alone, because the user has said that such names are incomplete.
    pub keeps_single_labels: bool,
}

/// How a sandbox's queries are forwarded.
///
/// One that nothing leads out of does not ask the host's servers: these are asked from the host's network. Those that a
/// user names are asked from the sandbox's own.
#[must_use]
pub fn forwarding(spec: &Spec, sandbox: &Sandbox, host: &HostFiles, options: &EngineOptions) -> Forwarding {
    let file = chosen(sandbox, host, options);
    let leads_out = spec
        .joined(sandbox)
        .any(|(_, network)| FAMILIES.into_iter().any(|family| network.way_out(family).is_some()));
    let is_itself = |server: &ExternalServer| !server.from_host && is_resolver(server.server.address);
    let servers = file.external_servers().into_iter().filter(|server| !is_itself(server)).take(MAX_SERVERS);
    Forwarding {
        servers: servers.filter(|server| leads_out || !server.from_host).collect(),
        keeps_single_labels: file.says_ndots(),
    }
}

/// Whether a sandbox reaches its own resolver at an address.
fn is_resolver(address: IpAddr) -> bool {
    [RESOLVER, dns::RESOLVER].contains(&match address.to_canonical() {
        IpAddr::V4(address) => address,
        IpAddr::V6(_) => return false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{DnsServer, arbitrary};

    const FILE: &str = "nameserver 127.0.0.53\nnameserver ::1\nnameserver 10.9.0.1\nnameserver 10.9.0.2\n";

    /// Servers, and whether they are asked from the host, for a sandbox of the example.
    fn servers(number: usize, internal: bool, text: &str, own: &[&str]) -> Vec<(String, bool)> {
        let mut spec = arbitrary::example();
        if internal {
            spec.networks.values_mut().for_each(|network| network.internal = true);
        }
        let sandbox = spec.sandboxes.values_mut().nth(number).expect("there are three");
        let parse = |text: &&str| -> DnsServer { text.parse().expect("an address") };
        sandbox.config.dns.servers = own.iter().map(parse).collect();
        let sandbox = sandbox.clone();
        let host = HostFiles { resolv_conf: text.to_owned(), ..HostFiles::default() };
        let found = forwarding(&spec, &sandbox, &host, &EngineOptions::default());
        found.servers.iter().map(|one| (one.server.to_string(), one.from_host)).collect()
    }

    #[test]
    fn the_first_three_servers_of_the_host_are_asked_from_the_host() {
        let expected = ["127.0.0.53", "::1", "10.9.0.1"].map(|server| (server.to_owned(), true));
        assert_eq!(servers(0, false, FILE, &[]), expected);
        assert_eq!(servers(0, false, "", &[]), []);
    }

    #[test]
    fn a_users_servers_are_asked_from_the_sandbox_except_its_own_resolver() {
        let own = ["127.0.0.11", "169.254.0.53", "127.0.0.1", "fd00::1"];
        let expected = ["127.0.0.1", "fd00::1"].map(|server| (server.to_owned(), false));
        assert_eq!(servers(0, false, FILE, &own), expected);
    }

    #[test]
    fn who_cannot_get_out_does_not_ask_through_the_host() {
        assert_eq!(servers(0, true, FILE, &[]), []);
        assert_eq!(servers(0, true, FILE, &["10.1.0.9"]), [("10.1.0.9".to_owned(), false)]);
    }

    #[test]
    fn single_labels_stay_here_once_somebody_has_spoken_of_dots() {
        let spec = arbitrary::example();
        let sandbox = spec.sandboxes.values().next().expect("there are three");
        let keeps = |text: &str| {
            let host = HostFiles { resolv_conf: text.to_owned(), ..HostFiles::default() };
            forwarding(&spec, sandbox, &host, &EngineOptions::default()).keeps_single_labels
        };
        assert!(!keeps(FILE) && keeps("options ndots:1\n") && keeps("options edns0 ndots:0\n"));
    }
}
