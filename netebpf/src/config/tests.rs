//! Every directive, every refusal, every contradiction.

use std::{fs, net::IpAddr, path::Path};

use serde_json::{Value, json};

use super::{Configuration, Given, configure, directives::Directives, load, schema};
use crate::model::{AddressChoice, DefaultBridge, Driver, EngineOptions, FlowTimeout};

fn given(value: &Value) -> Given {
    Given::by_flags(value)
}

fn by_file(text: &str, flags: &Value) -> Result<Configuration, String> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("daemon.json");
    fs::write(&path, text).expect("a file");
    load(Some(&path), given(flags)).map_err(|error| {
        let error = error.to_string();
        let start = format!("unable to configure the netebpf daemon with file {}: ", path.display());
        error.strip_prefix(&start).map_or_else(|| format!("without the file: {error}"), str::to_owned)
    })
}

#[track_caller]
fn configured(value: &Value) -> EngineOptions {
    by_file(&value.to_string(), &json!({})).expect("it is valid").options
}

#[track_caller]
fn bridge(value: &Value) -> DefaultBridge {
    configured(value).default_bridge.expect("it is not switched off")
}

#[track_caller]
fn refused(value: &Value, text: &str) {
    let error = by_file(&value.to_string(), &json!({})).expect_err(text);
    assert!(error.contains(text), "{value} gave {error:?} instead of {text:?}");
}

fn engine() -> EngineOptions {
    EngineOptions { default_bridge: Some(DefaultBridge::on("netebpf0")), ..EngineOptions::default() }
}

fn ip(text: &str) -> IpAddr {
    text.parse().expect("the test gives an address")
}

#[test]
fn without_file_and_flags_all_is_as_docker_has_it() {
    assert_eq!(configure(Given::default()).ok(), Some(Configuration { options: engine(), group: None }));
    for empty in ["", " \n", "\u{feff}{}", "{}", r#"{"icc": null}"#] {
        assert_eq!(by_file(empty, &json!({})).map(|read| read.options), Ok(engine()), "{empty:?}");
    }
}

#[test]
fn the_default_file_says_what_holds_without_it() {
    let read = by_file(&super::default_file(), &json!({}));
    assert_eq!(read, Ok(Configuration { options: engine(), group: None }));
}

#[test]
fn schema_default_file_and_struct_have_the_same_directives() {
    let schema: Value = serde_json::from_str(&schema()).expect("JSON");
    let properties = schema.get("properties").and_then(Value::as_object).expect("properties");
    let defaults: Value = serde_json::from_str(&super::default_file()).expect("JSON");
    let in_file: Vec<_> = defaults.as_object().expect("an object").keys().collect();
    let current = properties.iter().filter(|(_, property)| property.get("deprecated").is_none());
    assert_eq!(current.map(|(key, _)| key).collect::<Vec<_>>(), in_file);
    assert_eq!(schema.get("additionalProperties"), Some(&json!(false)));
    for (key, property) in properties {
        assert!(property.get("description").is_some(), "{key} is described");
        let example = property.pointer("/examples/0").unwrap_or_else(|| panic!("{key} has no example"));
        let directives = json!({ key: example });
        let read: Directives = serde_json::from_value(directives.clone()).expect("an example is valid");
        assert_ne!(read, Directives::default(), "the example of {key} says something");
        by_file(&directives.to_string(), &json!({})).unwrap_or_else(|error| panic!("{directives}: {error}"));
        if let Some(default) = property.get("default") {
            assert_eq!(defaults.get(key), Some(default), "{key}");
        }
    }
}

#[test]
fn every_directive_of_the_default_network_is_understood() {
    let own = DefaultBridge::on("netebpf0");
    let v4 = |choice| DefaultBridge { v4: choice, ..own.clone() };
    let v6 = |choice| DefaultBridge { v6: Some(choice), ..own.clone() };
    let net = |text: &str| text.parse().ok();
    let none = AddressChoice::default();
    for (directives, wanted) in [
        (json!({ "bridge": "lan0" }), DefaultBridge { is_users: true, ..DefaultBridge::on("lan0") }),
        (json!({ "bridge": "" }), own.clone()),
        (json!({ "bip": "" }), own.clone()),
        (json!({ "bip": "10.1.0.9/24" }), v4(AddressChoice { address: net("10.1.0.9/24"), ..none })),
        (json!({ "fixed-cidr": "10.1.0.7/25" }), v4(AddressChoice { range: net("10.1.0.0/25"), ..none })),
        (
            json!({ "default-gateway": "10.1.0.2" }),
            v4(AddressChoice { gateway: Some(ip("10.1.0.2")), ..none }),
        ),
        (json!({ "ipv6": true }), v6(none)),
        (
            json!({ "ipv6": true, "bip6": "fd00::9/64", "fixed-cidr-v6": "fd00::/80", "default-gateway-v6": "fd00::2" }),
            v6(AddressChoice {
                address: net("fd00::9/64"),
                range: net("fd00::/80"),
                gateway: Some(ip("fd00::2")),
            }),
        ),
        (json!({ "fixed-cidr-v6": "fd00::/80" }), own.clone()),
        (json!({ "mtu": 1400 }), DefaultBridge { mtu: 1400, ..own.clone() }),
        (json!({ "mtu": 0 }), DefaultBridge { mtu: 0, ..own.clone() }),
        (json!({ "icc": false }), DefaultBridge { icc: false, ..own.clone() }),
        (json!({ "ip-masq": false }), DefaultBridge { masquerade: false, ..own.clone() }),
        (json!({ "ip": "127.0.0.1" }), DefaultBridge { host_binding: ip("127.0.0.1"), ..own.clone() }),
        (json!({ "ip": "" }), own.clone()),
    ] {
        assert_eq!(bridge(&directives), wanted, "{directives}");
    }
    assert_eq!(configured(&json!({ "bridge": "none" })).default_bridge, None);
}

#[test]
fn every_directive_of_the_engine_is_understood() {
    assert!(configured(&json!({ "allow-direct-routing": true })).direct_routing);
    let pools = configured(&json!({ "default-address-pools": [{ "base": "10.9.0.0/16", "size": 24 }] }));
    assert_eq!(pools.default_pools, ["base=10.9.0.0/16,size=24".parse().expect("a pool")]);
    assert_eq!(configured(&json!({ "default-address-pools": [] })), engine(), "none are Docker's");
    let timeouts = configured(&json!({ "flow-timeouts": { "icmp": 5 } })).timeouts;
    let mut wanted = EngineOptions::default();
    wanted.set_timeout(FlowTimeout::named("icmp", 5).expect("a timeout"));
    assert_eq!(timeouts, wanted.timeouts);

    let resolver = configured(&json!({
        "dns": ["192.0.2.53", "2001:db8::53"],
        "dns-search": ["example.com.", " . ", "a-b.example"],
        "dns-opts": ["ndots:2"],
    }));
    let resolver = resolver.resolver;
    assert_eq!(resolver.servers, [ip("192.0.2.53"), ip("2001:db8::53")]);
    assert_eq!(resolver.search, ["example.com", ".", "a-b.example"]);
    assert_eq!(resolver.options, ["ndots:2"]);

    let both = json!({ "host-gateway-ips": ["192.0.2.1", "2001:db8::1"] });
    assert_eq!(configured(&both).host_gateways, [ip("192.0.2.1"), ip("2001:db8::1")]);
    assert_eq!(configured(&json!({ "host-gateway-ip": "192.0.2.1" })).host_gateways, [ip("192.0.2.1")]);

    let mtu = json!({ "com.docker.network.driver.mtu": "1400" });
    let options = configured(&json!({ "default-network-opts": { "bridge": mtu } })).network_options;
    assert_eq!(options[&Driver::Bridge]["com.docker.network.driver.mtu"], "1400");

    let group = by_file(r#"{"group": "netebpf"}"#, &json!({})).expect("it is valid").group;
    assert_eq!(group.as_deref(), Some("netebpf"));
}

#[test]
fn values_that_are_none_are_refused_with_one_that_would_do() {
    for (directives, text) in [
        (
            json!({ "bip": "x" }),
            r#"invalid bip: "x": invalid IP address syntax; write it as "192.168.1.1/24""#,
        ),
        (json!({ "bip": "10.0.0.1" }), r#"write it as "192.168.1.1/24""#),
        (json!({ "bip6": "10.0.0.1/24" }), r#"invalid bip6: "10.0.0.1/24""#),
        (json!({ "bip": 1 }), "invalid bip: 1: invalid type: integer `1`, expected a string"),
        (json!({ "fixed-cidr": "x" }), r#"write it as "192.168.1.0/25""#),
        (json!({ "fixed-cidr-v6": "x" }), r#"write it as "fd00:1::/64""#),
        (json!({ "default-gateway": "fd00::1" }), r#"write it as "192.168.1.254""#),
        (json!({ "default-gateway-v6": "x" }), r#"write it as "fd00:1::fe""#),
        (
            json!({ "icc": "no" }),
            r#"invalid icc: "no": invalid type: string "no", expected a boolean; write it as false"#,
        ),
        (json!({ "ip-masq": 0 }), "invalid ip-masq: 0"),
        (json!({ "ipv6": "yes" }), "write it as true"),
        (json!({ "allow-direct-routing": 1 }), "invalid allow-direct-routing: 1"),
        (json!({ "ip": "x" }), r#"write it as "127.0.0.1""#),
        (json!({ "mtu": "big" }), "write it as 1400"),
        (json!({ "mtu": 1.5 }), "invalid mtu: 1.5"),
        (json!({ "group": 7 }), r#"write it as "netebpf""#),
        (json!({ "dns": ["x"] }), r#"write it as ["192.0.2.53"]"#),
        (json!({ "dns": "192.0.2.53" }), r#"write it as ["192.0.2.53"]"#),
        (json!({ "dns-opts": [1] }), r#"write it as ["ndots:2"]"#),
        (json!({ "dns-search": {} }), r#"write it as ["example.com"]"#),
        (json!({ "host-gateway-ip": [] }), r#"write it as "192.0.2.1""#),
        (json!({ "host-gateway-ips": "x" }), r#"write it as ["192.0.2.1","2001:db8::1"]"#),
        (json!({ "bridge": true }), r#"write it as "none""#),
        (json!({ "flow-timeouts": { "icmp": -1 } }), r#"write it as {"udp_stream":300}"#),
        (
            json!({ "default-network-opts": { "bridge": { "a": 1 } } }),
            r#"{"com.docker.network.driver.mtu":"1400"}"#,
        ),
        (json!({ "default-address-pools": [{ "base": "10.0.0.0/8" }] }), "missing field `size`"),
        (json!({ "default-address-pools": [{ "base": "x", "size": 9 }] }), "invalid base prefix"),
        (
            json!({ "default-address-pools": [{ "base": "10.0.0.0/8", "size": 7 }] }),
            "size 7 is not from 8 to 32",
        ),
        (
            json!({ "default-address-pools": [{ "base": "10.0.0.0/8", "size": 9, "x": 1 }] }),
            "unknown field `x`",
        ),
    ] {
        refused(&directives, text);
    }
}

#[test]
fn values_that_make_no_sense_are_refused() {
    for (directives, text) in [
        (
            json!({ "bridge": "lan0", "bip": "10.0.0.1/8" }),
            "You specified -b & --bip, mutually exclusive options. Please specify only one",
        ),
        (json!({ "bridge": "none", "bip6": "fd00::1/64" }), "You specified -b & --bip6, mutually exclusive"),
        (
            json!({ "bridge": "sixteen-letters-" }),
            "invalid bridge: sixteen-letters-: a device's name has 1 to 15",
        ),
        (json!({ "bridge": "a/b" }), "without space, slash and colon"),
        (
            json!({ "bip": "10.0.0.0/24" }),
            "invalid bip: 10.0.0.0/24: this address stands for the subnet itself",
        ),
        (json!({ "bip": "10.0.0.255/24" }), "the bridge needs another one"),
        (json!({ "bip": "127.0.0.1/8" }), "invalid bip: 127.0.0.1/8: 127.0.0.0/8 is for loopback only"),
        (
            json!({ "fixed-cidr": "224.0.0.0/24" }),
            "invalid fixed-cidr: 224.0.0.0/24: addresses from 224.0.0.0 on",
        ),
        (
            json!({ "fixed-cidr-v6": "fe80::/80" }),
            "invalid fixed-cidr-v6: fe80::/80: 'fe80::/80' clashes with the Link-Local prefix 'fe80::/64'",
        ),
        (json!({ "ipv6": true, "bip6": "ff02::1/64" }), "invalid bip6: ff02::1/64: multicast"),
        (
            json!({ "bip": "10.0.0.1/24", "fixed-cidr": "10.1.0.0/25" }),
            "invalid fixed-cidr: 10.1.0.0/25: it must lie within 10.0.0.0/24, the subnet of bip",
        ),
        (json!({ "bip": "10.0.0.1/24", "fixed-cidr": "10.0.0.0/16" }), "it must lie within 10.0.0.0/24"),
        (
            json!({ "bip": "10.0.0.1/24", "default-gateway": "10.0.1.1" }),
            "invalid default-gateway: 10.0.1.1: default gateway ip must be part of the network, which is 10.0.0.0/24",
        ),
        (
            json!({ "fixed-cidr": "10.0.0.0/24", "default-gateway": "10.0.1.1" }),
            "must be part of the network",
        ),
        (json!({ "bip": "10.0.0.1/24", "default-gateway": "10.0.0.1" }), "the bridge has this address"),
        (json!({ "bip": "10.0.0.1/24", "default-gateway": "10.0.0.0" }), "no host can have this address"),
        (
            json!({ "ipv6": true, "bip6": "fd00::1/64", "default-gateway-v6": "fd01::1" }),
            "invalid default-gateway-v6",
        ),
        (
            json!({ "mtu": -5 }),
            "invalid default MTU: -5, mtu must be 0 for the kernel's default, or from 68 to 65535",
        ),
        (json!({ "mtu": 67 }), "invalid default MTU: 67"),
        (json!({ "mtu": 65536 }), "invalid default MTU: 65536"),
        (
            json!({ "mtu": 1279, "ipv6": true }),
            "invalid default MTU: 1279, with ipv6 mtu must be at least 1280",
        ),
        (
            json!({ "dns-search": ["-x.example"] }),
            "invalid dns-search: -x.example is not a valid domain; write it as example.com",
        ),
        (json!({ "dns-search": ["a..b"] }), "a..b is not a valid domain"),
        (json!({ "dns-search": ["1.2"] }), "1.2 is not a valid domain"),
        (
            json!({ "host-gateway-ips": ["192.0.2.1", "192.0.2.2"] }),
            "only one IPv4 host gateway IP address can be specified",
        ),
        (
            json!({ "host-gateway-ips": ["::1", "::2"] }),
            "only one IPv6 host gateway IP address can be specified",
        ),
        (
            json!({ "host-gateway-ips": [], "host-gateway-ip": "::2" }),
            "host-gateway-ip and host-gateway-ips must not both be specified in the config file",
        ),
        (
            json!({ "default-network-opts": { "overlay": {} } }),
            "invalid default-network-opts: there is no network driver \"overlay\", there are bridge, host, null",
        ),
        (
            json!({ "default-network-opts": { "bridge": { "com.docker.network.driver.mtu": "x" } } }),
            "invalid default-network-opts: failed to parse com.docker.network.driver.mtu value: x",
        ),
        (
            json!({ "flow-timeouts": { "dccp": 5 } }),
            "invalid flow-timeouts: invalid flow timeout \"dccp\": the names are tcp_unreplied",
        ),
        (json!({ "flow-timeouts": { "icmp": 0 } }), "seconds are a whole number from 1"),
    ] {
        refused(&directives, text);
    }
}

#[test]
fn unknown_directives_are_named_all_at_once() {
    refused(&json!({ "foo": 1 }), "the following directives don't match any configuration option: foo; ");
    refused(
        &json!({ "log-driver": "x", "icc": true, "hosts": [] }),
        "any configuration option: hosts, log-driver; ",
    );
}

#[test]
fn a_directive_is_a_flag_or_in_the_file() {
    let both = "the following directives are specified both as a flag and in the configuration file: ";
    for (file, flags, text) in [
        (json!({ "icc": false }), json!({ "icc": true }), "icc: (from flag: true, from file: false)"),
        (json!({ "mtu": 1400 }), json!({ "mtu": 1400 }), "mtu: (from flag: 1400, from file: 1400)"),
        (json!({ "bip": "" }), json!({ "bip": "10.0.0.1/8" }), "bip: (from flag: 10.0.0.1/8, from file: )"),
        (
            json!({ "dns": ["192.0.2.1", "192.0.2.2"], "bridge": "none" }),
            json!({ "dns": ["192.0.2.3"], "bridge": "lan0" }),
            "bridge: (from flag: lan0, from file: none), dns: (from flag: [192.0.2.3], from file: [192.0.2.1 192.0.2.2])",
        ),
        (
            json!({ "host-gateway-ip": "192.0.2.1" }),
            json!({ "host-gateway-ips": ["192.0.2.2"] }),
            "host-gateway-ip: (from flag: [192.0.2.2], from file: 192.0.2.1)",
        ),
        (
            json!({ "flow-timeouts": { "icmp": 1 } }),
            json!({ "flow-timeouts": { "icmp": 2 } }),
            "flow-timeouts: (from flag: map[icmp:2], from file: map[icmp:1])",
        ),
    ] {
        assert_eq!(by_file(&file.to_string(), &flags), Err(format!("{both}{text}")));
    }
    let merged = by_file(r#"{"icc": false}"#, &json!({ "mtu": 1400 })).expect("they do not meet").options;
    let wanted = DefaultBridge { icc: false, mtu: 1400, ..DefaultBridge::on("netebpf0") };
    assert_eq!(merged.default_bridge, Some(wanted));
    let apart = by_file(r#"{"bridge": "lan0"}"#, &json!({ "bip": "10.0.0.1/8" }))
        .expect_err("they exclude each other");
    assert!(apart.contains("You specified -b & --bip"), "{apart}");
    let wrong = by_file("{}", &json!({ "bip": "x" })).expect_err("no address");
    assert!(wrong.starts_with("without the file: invalid bip: \"x\""), "{wrong}");
}

#[test]
fn what_is_no_file_of_directives_is_refused_with_its_name() {
    let error =
        load(Some(Path::new("/nonexistent/daemon.json")), given(&json!({}))).expect_err("it is not there");
    let text = "unable to configure the netebpf daemon with file /nonexistent/daemon.json: No such file or directory";
    assert!(error.to_string().starts_with(text), "{error}");
    for (text, complaint) in [
        ("{", "invalid JSON: EOF while parsing an object at line 1 column 1"),
        (r#"{"icc": fals}"#, "invalid JSON: expected ident at line 1 column"),
        ("[]", "invalid JSON: it must be an object of directives"),
    ] {
        let error = by_file(text, &json!({})).expect_err(complaint);
        assert!(error.starts_with(complaint), "{text} gave {error}");
    }
}
