//! Texts as Docker's engine writes them, with our name in the header.

use std::net::IpAddr;

use super::{Overrides, RESOLVER, Reach, ResolvConf, write::HEADER};

const SOURCE: &str = "/etc/resolv.conf";

fn conf(text: &str) -> ResolvConf {
    ResolvConf::parse(text, SOURCE)
}

fn replaced(text: &str, servers: &[&str], search: &[&str], options: &[&str]) -> ResolvConf {
    let servers: Vec<IpAddr> = servers.iter().map(|text| text.parse().expect("an address")).collect();
    let [search, options] = [search, options].map(|list| list.iter().map(ToString::to_string).collect());
    let (search, options): (Vec<_>, Vec<_>) = (search, options);
    let mut conf = conf(text);
    conf.replace(&Overrides { servers: &servers, search: &search, options: &options });
    conf
}

#[track_caller]
fn assert_writes(conf: &ResolvConf, reach: Reach, expected: &str) {
    assert_eq!(conf.write(reach), format!("{HEADER}\n\n{expected}"));
}

#[test]
fn in_the_hosts_network_the_hosts_file_is_copied() {
    assert_writes(
        &conf("; old\nnameserver 127.0.0.53\nsortlist 192.0.2.0\nsearch a b\noptions edns0\n\n  # x\n"),
        Reach::Host,
        "nameserver 127.0.0.53\nsearch a b\noptions edns0\nsortlist 192.0.2.0\n  # x\n\n\
         # Based on host file: '/etc/resolv.conf'\n# Overrides: []\n",
    );
}

#[test]
fn on_the_default_bridge_servers_out_of_reach_are_left_out() {
    let conf = conf("nameserver 127.0.0.1\nnameserver ::1\nnameserver 10.0.0.1\nnameserver fd3e::1\n");
    let rest = "\n# Based on host file: '/etc/resolv.conf' (legacy)\n# Overrides: []\n";
    let direct = |ipv6| Reach::Direct { ipv6 };
    assert_writes(&conf, direct(false), &format!("nameserver 10.0.0.1\n{rest}"));
    assert_writes(&conf, direct(true), &format!("nameserver 10.0.0.1\nnameserver fd3e::1\n{rest}"));
}

#[test]
fn without_a_server_in_reach_public_ones_are_asked() {
    let rest =
        "\n# Based on host file: '/etc/resolv.conf' (legacy)\n# Used default nameservers.\n# Overrides: []\n";
    let v4 = "nameserver 8.8.8.8\nnameserver 8.8.4.4\n";
    let v6 = "nameserver 2001:4860:4860::8888\nnameserver 2001:4860:4860::8844\n";
    let conf = conf("nameserver 127.0.0.53\n");
    assert_writes(&conf, Reach::Direct { ipv6: false }, &format!("{v4}{rest}"));
    assert_writes(&conf, Reach::Direct { ipv6: true }, &format!("{v4}{v6}{rest}"));
}

#[test]
fn servers_that_a_user_names_are_taken_as_they_are() {
    assert_writes(
        &replaced("nameserver 10.0.0.1\nsearch a\n", &["127.0.0.1", "::1"], &["."], &["ndots:2", "rotate"]),
        Reach::Direct { ipv6: false },
        "nameserver 127.0.0.1\nnameserver ::1\noptions ndots:2 rotate\n\n\
         # Based on host file: '/etc/resolv.conf' (legacy)\n\
         # Overrides: [nameservers search options]\n# Option ndots from: override\n",
    );
}

#[test]
fn on_user_networks_the_resolver_stands_for_the_hosts_servers() {
    assert_writes(
        &conf("nameserver 127.0.0.53\n"),
        Reach::Resolver(RESOLVER),
        "nameserver 127.0.0.11\noptions ndots:0\n\n\
         # Based on host file: '/etc/resolv.conf' (internal resolver)\n\
         # ExtServers: [host(127.0.0.53)]\n# Overrides: []\n# Option ndots from: internal\n",
    );
    assert_writes(
        &replaced("nameserver 10.0.0.1\nsearch a\n", &["10.0.0.2", "fd00::2"], &["b", "c"], &[]),
        Reach::Resolver(RESOLVER),
        "nameserver 127.0.0.11\nsearch b c\noptions ndots:0\n\n\
         # Based on host file: '/etc/resolv.conf' (internal resolver)\n\
         # ExtServers: [10.0.0.2 fd00::2]\n# Overrides: [nameservers search]\n# Option ndots from: internal\n",
    );
}

#[test]
fn on_user_networks_a_valid_ndots_stays() {
    let rest =
        "\n# Based on host file: '/etc/resolv.conf' (internal resolver)\n# NO EXTERNAL NAMESERVERS DEFINED\n";
    for (options, written, origin) in [
        ("options ndots:5 edns0\n", "ndots:5 edns0", "host"),
        ("options ndots: edns0\n", "edns0 ndots:0", "internal"),
        ("options ndots:-1\noptions ndots\n", "ndots:0", "internal"),
        ("options ndots:x\noptions ndots:3\n", "ndots:3", "host"),
    ] {
        let expected = format!(
            "nameserver 127.0.0.11\noptions {written}\n{rest}# Overrides: []\n# Option ndots from: {origin}\n"
        );
        assert_writes(&conf(options), Reach::Resolver(RESOLVER), &expected);
    }
}

#[test]
fn what_is_no_address_is_named_and_a_zone_is_kept() {
    assert_writes(
        &conf("nameserver 1.2.3.4.5\nnameserver\nnameserver fe80::1%eth0\nnameserver 1.2.3.4%x\ndomain a\n"),
        Reach::Host,
        "nameserver fe80::1%eth0\nsearch a\n\n# Based on host file: '/etc/resolv.conf'\n\
         # Invalid nameservers: [1.2.3.4.5 1.2.3.4%x]\n# Overrides: []\n",
    );
}

#[test]
fn the_resolver_asks_the_hosts_servers_from_the_host_and_a_users_from_the_sandbox() {
    let servers = |conf: ResolvConf| -> Vec<_> {
        conf.external_servers().iter().map(|one| (one.server.to_string(), one.from_host)).collect()
    };
    let host = "nameserver 127.0.0.53\n";
    assert_eq!(servers(conf(host)), [("127.0.0.53".to_owned(), true)]);
    assert_eq!(servers(replaced(host, &["127.0.0.1"], &[], &[])), [("127.0.0.1".to_owned(), false)]);
}
