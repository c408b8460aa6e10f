//! What of a network is kept?

use std::{collections::BTreeMap, net::IpAddr};

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::to_json;
use crate::{
    model::{BridgeOptions, Driver, Name, Network, NetworkId, Pool},
    store::Damage,
};

#[derive(Serialize, Deserialize)]
struct NetworkRecord {
    name: String,
    driver: String,
    created: u64,
    pools: Vec<PoolRecord>,
    internal: bool,
    attachable: bool,
    ipam_options: BTreeMap<String, String>,
    options: BTreeMap<String, String>,
    labels: BTreeMap<String, String>,
}

#[derive(Serialize, Deserialize)]
struct PoolRecord {
    subnet: IpNet,
    ip_range: Option<IpNet>,
    gateway: Option<IpAddr>,
    auxiliary: BTreeMap<String, IpAddr>,
}

pub(in crate::store) fn write_network(network: &Network) -> Vec<u8> {
    let pool = |pool: &Pool| PoolRecord {
        subnet: pool.subnet,
        ip_range: pool.ip_range,
        gateway: pool.gateway,
        auxiliary: pool.auxiliary.clone(),
    };
    to_json(&NetworkRecord {
        name: network.name.to_string(),
        driver: network.driver.to_string(),
        created: network.created,
        attachable: network.attachable,
        ipam_options: network.ipam_options.clone(),
        pools: network.pools.iter().map(pool).collect(),
        internal: network.internal,
        options: network.options.clone(),
        labels: network.labels.clone(),
    })
}

pub(in crate::store) fn read_network(id: NetworkId, row: &[u8]) -> Result<Network, Damage> {
    let record: NetworkRecord = serde_json::from_slice(row)?;
    let pool = |PoolRecord { subnet, ip_range, gateway, auxiliary }: PoolRecord| Pool {
        subnet,
        ip_range,
        gateway,
        auxiliary,
    };
    Ok(Network {
        id,
        name: Name::of_network(&record.name)?,
        driver: Driver::named(&record.driver).ok_or_else(|| Damage::Driver(record.driver.clone()))?,
        created: record.created,
        attachable: record.attachable,
        ipam_options: record.ipam_options,
        pools: record.pools.into_iter().map(pool).collect(),
        internal: record.internal,
        bridge: BridgeOptions::parse(&record.options)?,
        options: record.options,
        labels: record.labels,
    })
}
