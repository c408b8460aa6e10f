//! What can be configured. The sentences are those of the schema, the names are Docker's unless they say otherwise.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use ipnet::{Ipv4Net, Ipv6Net};
use netebpf_common::abi::Timeouts;
use schemars::{JsonSchema, Schema, schema_for};
use serde::{Deserialize, Serialize};

use super::{AddressPool, text::Optional};
use crate::model::{DefaultPool, FlowTimeout};

/// Configuration of the netebpf daemon
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
#[schemars(title = "netebpf daemon.json")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "they are independent of each other, and one directive each"
)]
pub(super) struct Directives {
    /// Let other hosts reach sandboxes at their own addresses, at published ports
    #[schemars(example = true)]
    pub(super) allow_direct_routing: bool,

    /// IPv4 address of the default network's bridge, with the prefix length of the network's subnet
    #[schemars(example = "192.168.1.1/24")]
    pub(super) bip: Optional<Ipv4Net>,

    /// IPv6 address of the default network's bridge, with the prefix length of the network's subnet
    #[schemars(example = "fd00:1::1/64")]
    pub(super) bip6: Optional<Ipv6Net>,

    /// Bridge device of the default network: empty for the engine's own, none for no default network
    #[schemars(example = &"none")]
    pub(super) bridge: String,

    /// Where subnets come from that nobody names
    #[schemars(example = example_pools())]
    pub(super) default_address_pools: Vec<AddressPool>,

    /// Where IPv4 default routes in the default network lead, if not to the bridge
    #[schemars(example = "192.168.1.254")]
    pub(super) default_gateway: Optional<Ipv4Addr>,

    /// Where IPv6 default routes in the default network lead, if not to the bridge
    #[schemars(example = "fd00:1::fe")]
    pub(super) default_gateway_v6: Optional<Ipv6Addr>,

    /// Options of new networks by driver, where the user gives none
    #[schemars(example = example_network_opts())]
    pub(super) default_network_opts: BTreeMap<String, BTreeMap<String, String>>,

    /// Name servers of sandboxes; without any, those of the host
    #[schemars(example = ["192.0.2.53"])]
    pub(super) dns: Vec<IpAddr>,

    /// Options of the resolver in sandboxes
    #[schemars(example = ["ndots:2"])]
    pub(super) dns_opts: Vec<String>,

    /// Domains that sandboxes search
    #[schemars(example = ["example.com"])]
    pub(super) dns_search: Vec<String>,

    /// What IPv4 addresses in the default network are chosen from; without bip its subnet as well
    #[schemars(example = "192.168.1.0/25")]
    pub(super) fixed_cidr: Optional<Ipv4Net>,

    /// What IPv6 addresses in the default network are chosen from; without bip6 its subnet as well
    #[schemars(example = "fd00:1::/64")]
    pub(super) fixed_cidr_v6: Optional<Ipv6Net>,

    /// Seconds for which flows may be idle, by kind; netebpf's own directive
    #[schemars(example = example_timeouts())]
    pub(super) flow_timeouts: BTreeMap<String, u32>,

    /// Group whose members may use the socket; empty for root's alone
    #[schemars(example = &"netebpf")]
    pub(super) group: String,

    /// One address that host-gateway stands for; the old name of host-gateway-ips
    #[serde(skip_serializing)]
    #[schemars(example = "192.0.2.1", extend("deprecated" = true))]
    pub(super) host_gateway_ip: Optional<IpAddr>,

    /// Addresses that host-gateway stands for, at most one of each IP version; without any, those of the default
    /// network's bridge
    #[schemars(example = ["192.0.2.1", "2001:db8::1"])]
    pub(super) host_gateway_ips: Vec<IpAddr>,

    /// Let sandboxes of the default network talk to each other
    #[schemars(example = false)]
    pub(super) icc: bool,

    /// Host address of ports that are published from the default network without one
    #[schemars(example = "127.0.0.1")]
    pub(super) ip: Optional<IpAddr>,

    /// Let what leaves the default network come as an address of the host
    #[schemars(example = false)]
    pub(super) ip_masq: bool,

    /// Give IPv6 addresses to the default network
    #[schemars(example = true)]
    pub(super) ipv6: bool,

    /// The longest packet of the default network, in bytes; 0 for the kernel's default
    #[schemars(example = 1400, range(min = 0, max = 65535))]
    pub(super) mtu: i64,
}

impl Default for Directives {
    fn default() -> Self {
        Self {
            allow_direct_routing: false,
            bip: Optional(None),
            bip6: Optional(None),
            bridge: String::new(),
            default_address_pools: DefaultPool::dockers().into_iter().map(AddressPool).collect(),
            default_gateway: Optional(None),
            default_gateway_v6: Optional(None),
            default_network_opts: BTreeMap::new(),
            dns: Vec::new(),
            dns_opts: Vec::new(),
            dns_search: Vec::new(),
            fixed_cidr: Optional(None),
            fixed_cidr_v6: Optional(None),
            flow_timeouts: FlowTimeout::all_of(Timeouts::default())
                .map(|timeout| (timeout.name().to_owned(), timeout.seconds()))
                .collect(),
            group: String::new(),
            host_gateway_ip: Optional(None),
            host_gateway_ips: Vec::new(),
            icc: true,
            ip: Optional(Some(Ipv4Addr::UNSPECIFIED.into())),
            ip_masq: true,
            ipv6: false,
            mtu: 1500,
        }
    }
}

/// The schema of a file with directives.
pub(super) fn schema() -> Schema {
    schema_for!(Directives)
}

fn example_pools() -> Vec<AddressPool> {
    "base=10.10.0.0/16,size=24".parse().map(AddressPool).into_iter().collect()
}

fn example_network_opts() -> BTreeMap<String, BTreeMap<String, String>> {
    let option = ("com.docker.network.driver.mtu".to_owned(), "1400".to_owned());
    BTreeMap::from([("bridge".to_owned(), BTreeMap::from([option]))])
}

fn example_timeouts() -> BTreeMap<String, u32> {
    BTreeMap::from([("udp_stream".to_owned(), 300)])
}
