//! Subnets of networks, and addresses of sandboxes.

use anyhow::Result;

use super::{Refusal, UNASKED, all_refused, furnished};
use crate::scene::Scene;

const SUBNETS: &[Refusal] = &[
    (
        "network create --subnet 10.70.0.0/25 new",
        403,
        "invalid pool request: Pool overlaps with other one on this address space",
    ),
    (
        "network create --subnet 10.9.0.1/24 new",
        400,
        "invalid network config:\ninvalid subnet 10.9.0.1/24: it should be 10.9.0.0/24",
    ),
    (
        "network create --subnet 10.9.0.0/24 --ip-range 10.9.0.0/16 new",
        400,
        "invalid network config:\ninvalid ip-range 10.9.0.0/16: CIDR block is bigger than its parent subnet 10.9.0.0/24",
    ),
    (
        r#"POST /networks/create {"Name":"new","IPAM":{"Config":[{"Subnet":"10.9.0.0/24","IPRange":"10.9.0.1/25"}]}}"#,
        400,
        "invalid network config:\ninvalid ip-range 10.9.0.1/25: it should be 10.9.0.0/25",
    ),
    (
        "network create --subnet 10.9.0.0/24 --ip-range 10.8.0.0/25 new",
        UNASKED,
        "no matching subnet for range 10.8.0.0/25",
    ),
    (
        r#"POST /networks/create {"Name":"new","IPAM":{"Config":[{"Subnet":"10.9.0.0/24","IPRange":"10.8.0.0/25"}]}}"#,
        400,
        "invalid network config:\ninvalid ip-range 10.8.0.0/25: parent subnet 10.9.0.0/24 doesn't contain ip-range",
    ),
    (
        "network create --subnet 10.9.0.0/24 --gateway 10.8.0.1 new",
        UNASKED,
        "no matching subnet for gateway 10.8.0.1",
    ),
    (
        r#"POST /networks/create {"Name":"new","IPAM":{"Config":[{"Subnet":"10.9.0.0/24","Gateway":"10.8.0.1"}]}}"#,
        400,
        "invalid network config:\ninvalid gateway 10.8.0.1: parent subnet 10.9.0.0/24 doesn't contain this address",
    ),
    (
        r#"POST /networks/create {"Name":"new","IPAM":{"Config":[{"Subnet":"10.9.0.0/24","Gateway":"fd00::1"}]}}"#,
        400,
        "invalid network config:\ninvalid gateway fd00::1: parent subnet is an IPv4 block",
    ),
    (
        r#"POST /networks/create {"Name":"new","IPAM":{"Config":[{"Subnet":"10.9.0.0/24","AuxiliaryAddresses":{"a":"10.8.0.1"}}]}}"#,
        400,
        "invalid network config:\ninvalid auxiliary address a: parent subnet 10.9.0.0/24 doesn't contain this address",
    ),
    (
        "network create --ipv6 --subnet 10.9.0.1/24 --subnet fd00:9::1/64 new",
        400,
        "invalid network config:\n* invalid subnet 10.9.0.1/24: it should be 10.9.0.0/24\n\
         * invalid subnet fd00:9::1/64: it should be fd00:9::/64",
    ),
    (
        "network create --subnet 10.9.0.0/24 --gateway 10.9.0.255 new",
        500,
        "failed to allocate gateway (10.9.0.255): Address already in use",
    ),
    (
        "network create --subnet 10.9.0.0/24 --aux-address a=10.9.0.1 new",
        500,
        "failed to allocate secondary ip address (a:10.9.0.1): Address already in use",
    ),
    (
        "network create --subnet 0.0.0.0/24 --gateway 0.0.0.1 new",
        500,
        "failed to allocate gateway (0.0.0.1): requested address is out of range",
    ),
    (
        "network create --subnet 0.0.0.0/24 --aux-address a=0.0.0.5 new",
        403,
        "auxiliary address: (a:0.0.0.5) must belong to the master pool: 172.20.0.0/24",
    ),
    ("network create --ipam-driver other new", 404, "plugin \"other\" not found"),
];

const ADDRESSES: &[Refusal] = &[
    ("network connect --ip 10.70.0.9 front last", 403, "Address already in use"),
    (
        "network connect --ip 10.9.0.9 front last",
        400,
        "invalid endpoint settings:\nno configured subnet contains IP address 10.9.0.9",
    ),
    (
        "network connect --ip 172.17.0.9 bridge last",
        400,
        "invalid endpoint settings:\nuser-specified IP address is supported on user-defined networks only",
    ),
    (
        "network connect --alias a bridge last",
        400,
        "invalid endpoint settings:\nnetwork-scoped aliases are only supported for user-defined networks",
    ),
    (
        "network connect --ip 172.17.0.9 --alias a bridge last",
        400,
        "invalid endpoint settings:\n* user-specified IP address is supported on user-defined networks only\n\
         * network-scoped aliases are only supported for user-defined networks",
    ),
    (
        "network connect full web",
        500,
        "no available IPv4 addresses on this network's address pools: full (ID)",
    ),
    (
        "run -d --network full -- true",
        500,
        "failed to set up container networking: no available IPv4 addresses on this network's address pools: full (ID)",
    ),
    (
        "run -d --network front --ip 10.70.0.9 -- true",
        403,
        "failed to set up container networking: Address already in use",
    ),
    (
        "run -d --network front --ip 10.9.0.9 -- true",
        400,
        "invalid config for network front: invalid endpoint settings:\nno configured subnet contains IP address 10.9.0.9",
    ),
    (
        "run -d --network bridge --ip 172.17.0.9 -- true",
        400,
        "invalid config for network bridge: invalid endpoint settings:\n\
         user-specified IP address is supported on user-defined networks only",
    ),
    (
        "run -d --network bridge --network-alias a -- true",
        UNASKED,
        "network-scoped aliases are only supported for user-defined networks",
    ),
];

#[test]
fn subnets_and_addresses_are_refused_with_dockers_texts() -> Result<()> {
    let scene = furnished("addresses")?;
    [SUBNETS, ADDRESSES].into_iter().try_for_each(|table| all_refused(&scene, table))
}

#[test]
fn default_pools_come_to_an_end() -> Result<()> {
    let pool = "--default-address-pool=base=10.60.0.0/24,size=24";
    let scene = Scene::new("last-pool", &["--bridge=none", "--log=netebpf=debug", pool])?;
    let text = "all predefined address pools have been fully subnetted";
    all_refused(&scene, &[("network create new", 400, text)])
}
