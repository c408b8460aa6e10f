//! What `/etc/hosts` of a sandbox says.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// One line: an address and its names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The address.
    pub address: IpAddr,
    /// The names, separated by spaces.
    pub names: String,
}

/// What a sandbox's file depends on, apart from a copy of the host's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hosts<'a> {
    /// Whether the sandbox has IPv6 at all, be it on loopback only; if not, no IPv6 address is written.
    pub ipv6: bool,
    /// Extra hosts in the order given, then those of legacy links.
    pub extra: Vec<Entry>,
    /// The sandbox's addresses, endpoint by endpoint, IPv4 first.
    pub own: Vec<IpAddr>,
    /// Its host name, which may have a domain in it.
    pub hostname: &'a str,
    /// Its domain name, or nothing.
    pub domainname: &'a str,
}

const LOOPBACK: (IpAddr, &str) = (IpAddr::V4(Ipv4Addr::LOCALHOST), "localhost");

const LOOPBACK6: [(IpAddr, &str); 5] = [
    (IpAddr::V6(Ipv6Addr::LOCALHOST), "localhost ip6-localhost ip6-loopback"),
    (IpAddr::V6(Ipv6Addr::new(0xfe00, 0, 0, 0, 0, 0, 0, 0)), "ip6-localnet"),
    (IpAddr::V6(Ipv6Addr::new(0xff00, 0, 0, 0, 0, 0, 0, 0)), "ip6-mcastprefix"),
    (IpAddr::V6(Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1)), "ip6-allnodes"),
    (IpAddr::V6(Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 2)), "ip6-allrouters"),
];

/// The whole file.
#[must_use]
pub fn write(hosts: &Hosts<'_>) -> String {
    let own = own_names(hosts.hostname, hosts.domainname);
    let fixed = [LOOPBACK].into_iter().chain(LOOPBACK6);
    let extra = hosts.extra.iter().map(|entry| (entry.address, entry.names.as_str()));
    let own = hosts.own.iter().map(|address| (*address, own.as_str()));
    let lines = fixed.chain(extra).chain(own).map(|(address, names)| (address.to_canonical(), names));
    let lines = lines.filter(|(address, _)| hosts.ipv6 || address.is_ipv4());
    lines.fold(String::new(), |text, (address, names)| text + &format!("{address}\t{names}\n"))
}

/// The file of a sandbox in the host's network: the host's own, unless there are extra hosts, which might contradict it.
#[must_use]
pub fn of_host_network(host: &str, extra: Vec<Entry>) -> String {
    if extra.is_empty() {
        return host.to_owned();
    }
    write(&Hosts { ipv6: true, extra, own: Vec::new(), hostname: "", domainname: "" })
}

/// The names of a sandbox that a legacy link leads to: its alias, its host name, and its name unless that is the alias.
#[must_use]
pub fn link_names(alias: &str, hostname: &str, name: &str) -> String {
    if alias == name { format!("{alias} {hostname}") } else { format!("{alias} {hostname} {name}") }
}

/// The full name and, where that has a domain, its first part.
fn own_names(hostname: &str, domainname: &str) -> String {
    let full = if domainname.is_empty() { hostname.to_owned() } else { format!("{hostname}.{domainname}") };
    match full.split_once('.') {
        Some((first, _)) => format!("{full} {first}"),
        None => full,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIXED: &str = "127.0.0.1\tlocalhost\n\
        ::1\tlocalhost ip6-localhost ip6-loopback\n\
        fe00::\tip6-localnet\n\
        ff00::\tip6-mcastprefix\n\
        ff02::1\tip6-allnodes\n\
        ff02::2\tip6-allrouters\n";

    fn entry(address: &str, names: &str) -> Entry {
        Entry { address: address.parse().expect("an address"), names: names.to_owned() }
    }

    fn example() -> Hosts<'static> {
        Hosts {
            ipv6: true,
            extra: vec![entry("192.0.2.3", "other.invalid"), entry("2001:db8::1234", "other.invalid")],
            own: ["192.168.123.2", "fde6:be58:aedf::2", "192.168.124.2"]
                .map(|address| address.parse().expect("an address"))
                .to_vec(),
            hostname: "c1.invalid",
            domainname: "",
        }
    }

    #[test]
    fn fixed_lines_then_extra_hosts_then_own_addresses() {
        let expected = "192.0.2.3\tother.invalid\n2001:db8::1234\tother.invalid\n\
            192.168.123.2\tc1.invalid c1\nfde6:be58:aedf::2\tc1.invalid c1\n192.168.124.2\tc1.invalid c1\n";
        assert_eq!(write(&example()), format!("{FIXED}{expected}"));
    }

    #[test]
    fn without_ipv6_no_ipv6_address_is_written() {
        let expected = "127.0.0.1\tlocalhost\n192.0.2.3\tother.invalid\n\
            192.168.123.2\tc1.invalid c1\n192.168.124.2\tc1.invalid c1\n";
        assert_eq!(write(&Hosts { ipv6: false, ..example() }), expected);
    }

    #[test]
    fn a_name_with_a_domain_is_also_known_without_it() {
        assert_eq!(own_names("web", ""), "web");
        assert_eq!(own_names("web", "example.org"), "web.example.org web");
        assert_eq!(own_names("web.example.org", ""), "web.example.org web");
    }

    #[test]
    fn an_ipv4_address_in_ipv6_form_is_written_as_ipv4() {
        let hosts = Hosts { extra: vec![entry("::ffff:192.0.2.1", "old")], own: Vec::new(), ..example() };
        assert_eq!(write(&hosts), format!("{FIXED}192.0.2.1\told\n"));
    }

    #[test]
    fn in_the_hosts_network_extra_hosts_replace_what_the_host_says() {
        assert_eq!(of_host_network("127.0.1.1 me\n", Vec::new()), "127.0.1.1 me\n");
        let extra = vec![entry("192.0.2.1", "db")];
        assert_eq!(of_host_network("127.0.1.1 me\n", extra), format!("{FIXED}192.0.2.1\tdb\n"));
    }

    #[test]
    fn a_link_names_alias_host_name_and_name_once_each() {
        assert_eq!(link_names("db", "0123456789ab", "postgres"), "db 0123456789ab postgres");
        assert_eq!(link_names("db", "0123456789ab", "db"), "db 0123456789ab");
    }
}
