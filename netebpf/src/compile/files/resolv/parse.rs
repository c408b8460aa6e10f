//! How the host's file is read: resolv.conf(5), leniently.

use super::{NameServer, ResolvConf};

pub(super) fn parse(text: &str, source: &str) -> ResolvConf {
    let mut found = ResolvConf { source: source.to_owned(), ..ResolvConf::default() };
    for line in text.lines().filter(|line| !line.starts_with(['#', ';'])) {
        let mut words = line.split_whitespace();
        let Some(directive) = words.next() else { continue };
        let words: Vec<_> = words.map(str::to_owned).collect();
        match (directive, words.as_slice()) {
            ("nameserver" | "domain" | "search" | "options", []) => {}
            ("nameserver", [address, ..]) => match server(address) {
                Some(server) => found.servers.push(server),
                None => found.invalid.push(address.clone()),
            },
            // The last one counts; `domain` is its old name.
            ("domain" | "search", _) => found.search = words,
            ("options", _) => found.options.extend(words),
            _ => found.other.push(line.to_owned()),
        }
    }
    found.ndots_from = found.has_option("ndots").then_some("host");
    found
}

fn server(text: &str) -> Option<NameServer> {
    let Some((address, zone)) = text.split_once('%') else {
        return text.parse().ok().map(|address| NameServer { address, zone: None });
    };
    let address = address.parse().ok().filter(std::net::IpAddr::is_ipv6)?;
    (!zone.is_empty()).then(|| NameServer { address, zone: Some(zone.to_owned()) })
}
