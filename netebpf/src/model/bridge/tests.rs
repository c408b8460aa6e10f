//! Options as users give them, what they come to, and what is refused.

use std::{collections::BTreeMap, net::Ipv6Addr, time::Duration};

use super::{parse::PREFIX, *};

fn parse(option: &str, value: &str) -> Result<BridgeOptions, String> {
    let options = BTreeMap::from([(format!("{PREFIX}{option}"), value.to_owned())]);
    BridgeOptions::parse(&options).map_err(|error| error.to_string())
}

fn announced(count: Option<u8>, interval: Option<u64>) -> BridgeOptions {
    let announcements = Announcements { count, interval: interval.map(Duration::from_millis) };
    BridgeOptions { announcements, ..BridgeOptions::default() }
}

#[test]
fn every_option_is_understood() {
    let none = BridgeOptions::default();
    for (option, value, wanted) in [
        ("bridge.enable_icc", "false", BridgeOptions { icc: false, ..none.clone() }),
        ("bridge.enable_ip_masquerade", "0", BridgeOptions { masquerade: false, ..none.clone() }),
        ("bridge.inhibit_ipv4", "true", BridgeOptions { inhibits_ipv4: true, ..none.clone() }),
        ("advertise_addr_nmsgs", "0", announced(Some(0), None)),
        ("advertise_addr_nmsgs", "3", announced(Some(3), None)),
        ("advertise_addr_ms", "100", announced(None, Some(100))),
        ("advertise_addr_ms", "2000", announced(None, Some(2000))),
        ("no.such.option", "any", none.clone()),
        (
            "bridge.gateway_mode_ipv4",
            "routed",
            BridgeOptions { mode_v4: GatewayMode::Routed, ..none.clone() },
        ),
        (
            "bridge.gateway_mode_ipv6",
            "nat-unprotected",
            BridgeOptions { mode_v6: GatewayMode::NatUnprotected, ..none.clone() },
        ),
        (
            "bridge.host_binding_ipv4",
            "::",
            BridgeOptions { host_binding: Ipv6Addr::UNSPECIFIED.into(), ..none.clone() },
        ),
        (
            "bridge.trusted_host_interfaces",
            "eth1::wg0",
            BridgeOptions { trusted_interfaces: vec!["eth1".to_owned(), "wg0".to_owned()], ..none.clone() },
        ),
        ("host_ipv4", "192.0.2.7", BridgeOptions { source_v4: Some([192, 0, 2, 7].into()), ..none.clone() }),
        ("driver.mtu", "1400", BridgeOptions { mtu: Some(1400), ..none.clone() }),
        ("driver.mtu", "0", none.clone()),
        ("enable_ipv6", "true", BridgeOptions { ipv6: Some(true), ..none.clone() }),
        ("bridge.name", "lan0", BridgeOptions { device: Some("lan0".to_owned()), ..none.clone() }),
        ("bridge.name", "", none.clone()),
        (
            "container_iface_prefix",
            "net",
            BridgeOptions { interface_prefix: Some("net".to_owned()), ..none.clone() },
        ),
        ("container_iface_prefix", "", none.clone()),
    ] {
        assert_eq!(parse(option, value), Ok(wanted), "{option}={value}");
    }
    let theirs = BTreeMap::from([("org.example.key".to_owned(), "any".to_owned())]);
    assert_eq!(BridgeOptions::parse(&theirs), Ok(none));
}

#[test]
fn nonsense_is_refused_with_dockers_text() {
    for (option, value, text) in [
        (
            "bridge.enable_icc",
            "no",
            "failed to parse com.docker.network.bridge.enable_icc value: no \
             (strconv.ParseBool: parsing \"no\": invalid syntax)",
        ),
        (
            "bridge.gateway_mode_ipv4",
            "x",
            "failed to parse com.docker.network.bridge.gateway_mode_ipv4 value: x (unknown gateway mode x)",
        ),
        ("bridge.gateway_mode_ipv6", "", "unknown gateway mode "),
        ("enable_ipv4", "x", "driver-opt \"com.docker.network.enable_ipv4\" is not a valid bool"),
        ("enable_ipv6", "", "driver-opt \"com.docker.network.enable_ipv6\" is not a valid bool"),
        (
            "advertise_addr_nmsgs",
            "x",
            "value for option com.docker.network.advertise_addr_nmsgs \"x\" must be an integer",
        ),
        ("advertise_addr_nmsgs", "4", "com.docker.network.advertise_addr_nmsgs must be in the range 0 to 3"),
        ("advertise_addr_nmsgs", "-1", "com.docker.network.advertise_addr_nmsgs must be in the range 0 to 3"),
        (
            "advertise_addr_ms",
            "1s",
            "value for option com.docker.network.advertise_addr_ms \"1s\" must be integer milliseconds",
        ),
        ("advertise_addr_ms", "99", "com.docker.network.advertise_addr_ms must be in the range 100 to 2000"),
        (
            "advertise_addr_ms",
            "2001",
            "com.docker.network.advertise_addr_ms must be in the range 100 to 2000",
        ),
        ("bridge.host_binding_ipv4", "x", "(nil ip)"),
        ("host_ipv4", "::1", "(nil ip)"),
        ("host_ipv6", "192.0.2.1", "(nil ip)"),
        (
            "driver.mtu",
            "x",
            "failed to parse com.docker.network.driver.mtu value: x (strconv.Atoi: parsing \"x\"",
        ),
        (
            "driver.mtu",
            "99999999999999999999",
            "(strconv.Atoi: parsing \"99999999999999999999\": value out of range)",
        ),
        ("driver.mtu", "-1", "invalid MTU number: -1"),
        ("driver.mtu", "65536", "invalid MTU number: 65536"),
        ("bridge.name", "sixteen-letters-", "at most 15 characters"),
        ("bridge.name", "a/b", "without space, slash and colon"),
        ("container_iface_prefix", "twelve-chars", "at most 11 characters"),
        ("bridge.inhibit_ipv4", "2", "parsing \"2\": invalid syntax"),
    ] {
        let error = parse(option, value).expect_err(text);
        assert!(error.contains(text), "{option}={value} gave {error:?}");
    }
}
