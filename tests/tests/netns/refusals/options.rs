//! Options of bridge networks.

use anyhow::Result;

use super::{Refusal, UNASKED, all_refused, furnished};

const PARSED: &[Refusal] = &[
    (
        "network create -o com.docker.network.enable_ipv4=x new",
        400,
        "driver-opt \"com.docker.network.enable_ipv4\" is not a valid bool",
    ),
    (
        "network create -o com.docker.network.enable_ipv6=x new",
        400,
        "driver-opt \"com.docker.network.enable_ipv6\" is not a valid bool",
    ),
    (
        "network create -o com.docker.network.bridge.enable_icc=x new",
        400,
        "failed to parse com.docker.network.bridge.enable_icc value: x (strconv.ParseBool: parsing \"x\": invalid syntax)",
    ),
    (
        "network create -o com.docker.network.bridge.enable_ip_masquerade=x new",
        400,
        "failed to parse com.docker.network.bridge.enable_ip_masquerade value: x \
         (strconv.ParseBool: parsing \"x\": invalid syntax)",
    ),
    (
        "network create -o com.docker.network.bridge.inhibit_ipv4=x new",
        400,
        "failed to parse com.docker.network.bridge.inhibit_ipv4 value: x (strconv.ParseBool: parsing \"x\": invalid syntax)",
    ),
    (
        "network create -o com.docker.network.bridge.gateway_mode_ipv4=x new",
        400,
        "failed to parse com.docker.network.bridge.gateway_mode_ipv4 value: x (unknown gateway mode x)",
    ),
    (
        "network create -o com.docker.network.bridge.gateway_mode_ipv6=x new",
        400,
        "failed to parse com.docker.network.bridge.gateway_mode_ipv6 value: x (unknown gateway mode x)",
    ),
    (
        "network create -o com.docker.network.bridge.host_binding_ipv4=x new",
        400,
        "failed to parse com.docker.network.bridge.host_binding_ipv4 value: x (nil ip)",
    ),
    (
        "network create -o com.docker.network.host_ipv4=x new",
        400,
        "failed to parse com.docker.network.host_ipv4 value: x (nil ip)",
    ),
    (
        "network create -o com.docker.network.host_ipv6=x new",
        400,
        "failed to parse com.docker.network.host_ipv6 value: x (nil ip)",
    ),
    (
        "network create -o com.docker.network.driver.mtu=x new",
        400,
        "failed to parse com.docker.network.driver.mtu value: x (strconv.Atoi: parsing \"x\": invalid syntax)",
    ),
    ("network create -o com.docker.network.driver.mtu=-1 new", 400, "invalid MTU number: -1"),
];

/// Docker says the same of these, but with the status of a fault of its own, which it is not.
const UNTYPED: &[Refusal] = &[
    (
        "network create -o com.docker.network.bridge.gateway_mode_ipv4=isolated new",
        400,
        "gateway mode 'isolated' can only be used for an internal network",
    ),
    (
        "network create -o com.docker.network.advertise_addr_nmsgs=x new",
        400,
        "value for option com.docker.network.advertise_addr_nmsgs \"x\" must be an integer",
    ),
    (
        "network create -o com.docker.network.advertise_addr_nmsgs=4 new",
        400,
        "com.docker.network.advertise_addr_nmsgs must be in the range 0 to 3",
    ),
    (
        "network create -o com.docker.network.advertise_addr_ms=1s new",
        400,
        "value for option com.docker.network.advertise_addr_ms \"1s\" must be integer milliseconds",
    ),
    (
        "network create -o com.docker.network.advertise_addr_ms=99 new",
        400,
        "com.docker.network.advertise_addr_ms must be in the range 100 to 2000",
    ),
    (
        "network create -o com.docker.network.bridge.name=eth0 new",
        400,
        "existing interface eth0 is not a bridge",
    ),
];

const TOGETHER: &[Refusal] = &[
    ("network create --ipv4=false new", 400, "IPv4 or IPv6 must be enabled"),
    ("network create --ipam-driver null new", 400, "ipv4 pool is empty"),
    ("network create --ipam-driver null --ipv4=false --ipv6 new", 400, "ipv6 pool is empty"),
    (
        "network create --subnet 10.8.0.0/24 --subnet 10.9.0.0/24 new",
        403,
        "bridge driver doesn't support multiple subnets",
    ),
    (
        "network create --internal --subnet 10.9.0.0/24 --aux-address DefaultGatewayIPv4=10.9.0.9 new",
        400,
        "no gateway can be set on an internal bridge network",
    ),
    (
        "network create --subnet 10.9.0.0/24 --aux-address DefaultGatewayIPv4=10.8.0.9 new",
        UNASKED,
        "no matching subnet for aux-address 10.8.0.9",
    ),
    (
        "network create --ipv6 --subnet fe80::/80 new",
        400,
        "'fe80::1/80' clashes with the Link-Local prefix 'fe80::/64'",
    ),
    (
        "network create -o com.docker.network.bridge.name=netebpf0 new",
        403,
        "cannot create network ID (netebpf0): conflicts with network ID (netebpf0): networks have same bridge name",
    ),
    (
        "network create --subnet 10.70.0.0/25 --ip-range 10.70.0.0/26 new",
        403,
        "cannot create network ID (br-SHORT): conflicts with network ID (br-SHORT): networks have overlapping IPv4",
    ),
    (
        "network create --ipv6 --subnet fd00:70::/80 --ip-range fd00:70::/96 new",
        403,
        "cannot create network ID (br-SHORT): conflicts with network ID (br-SHORT): networks have overlapping IPv6",
    ),
];

#[test]
fn options_are_refused_with_dockers_texts() -> Result<()> {
    let scene = furnished("options")?;
    [PARSED, UNTYPED, TOGETHER].into_iter().try_for_each(|table| all_refused(&scene, table))
}
