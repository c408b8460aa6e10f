//! What of a network is kept?

use std::{collections::BTreeMap, net::IpAddr};

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::to_json;
use crate::{
    model::{BridgeOptions, Driver, Name, Network, NetworkId, Pool, PoolWish, Template},
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
    ipam_options: Option<BTreeMap<String, String>>,
    options: BTreeMap<String, String>,
    labels: BTreeMap<String, String>,
    template: Option<TemplateRecord>,
    config_from: Option<String>,
}

/// A configuration that other networks are made from.
#[derive(Serialize, Deserialize)]
struct TemplateRecord {
    ipv4: bool,
    ipv6: bool,
    pools: Vec<PoolRecord>,
}

#[derive(Serialize, Deserialize)]
struct PoolRecord {
    subnet: IpNet,
    ip_range: Option<IpNet>,
    gateway: Option<IpAddr>,
    auxiliary: BTreeMap<String, IpAddr>,
    is_named: bool,
}

pub(in crate::store) fn write_network(network: &Network) -> Vec<u8> {
    to_json(&NetworkRecord {
        name: network.name.to_string(),
        driver: network.driver.to_string(),
        created: network.created,
        attachable: network.attachable,
        ipam_options: network.ipam_options.clone(),
        pools: network.pools.iter().map(PoolRecord::from).collect(),
        internal: network.internal,
        options: network.options.clone(),
        labels: network.labels.clone(),
        template: network.template.as_ref().map(TemplateRecord::from),
        config_from: network.config_from.as_ref().map(ToString::to_string),
    })
}

pub(in crate::store) fn read_network(id: NetworkId, row: &[u8]) -> Result<Network, Damage> {
    let record: NetworkRecord = serde_json::from_slice(row)?;
    let bridge = match record.template {
        // Its options are those of whatever driver comes to use them.
        Some(_) => BridgeOptions::default(),
        None => BridgeOptions::parse(&record.options)?,
    };
    Ok(Network {
        id,
        name: Name::of_network(&record.name)?,
        driver: Driver::named(&record.driver)?,
        created: record.created,
        attachable: record.attachable,
        ipam_options: record.ipam_options,
        pools: record.pools.into_iter().map(Pool::from).collect(),
        internal: record.internal,
        bridge,
        options: record.options,
        labels: record.labels,
        template: record.template.map(Template::from),
        config_from: record.config_from.as_deref().map(Name::of_network).transpose()?,
    })
}

impl From<&Pool> for PoolRecord {
    fn from(pool: &Pool) -> Self {
        let Pool { subnet, ip_range, gateway, auxiliary, is_named } = pool.clone();
        Self { subnet, ip_range, gateway, auxiliary, is_named }
    }
}

impl From<PoolRecord> for Pool {
    fn from(record: PoolRecord) -> Self {
        let PoolRecord { subnet, ip_range, gateway, auxiliary, is_named } = record;
        Self { subnet, ip_range, gateway, auxiliary, is_named }
    }
}

impl From<&PoolWish> for PoolRecord {
    fn from(wish: &PoolWish) -> Self {
        let PoolWish { subnet, ip_range, gateway, auxiliary } = wish.clone();
        Self { subnet, ip_range, gateway, auxiliary, is_named: true }
    }
}

impl From<PoolRecord> for PoolWish {
    fn from(PoolRecord { subnet, ip_range, gateway, auxiliary, is_named: _ }: PoolRecord) -> Self {
        Self { subnet, ip_range, gateway, auxiliary }
    }
}

impl From<&Template> for TemplateRecord {
    fn from(template: &Template) -> Self {
        let pools = template.pools.iter().map(PoolRecord::from).collect();
        Self { ipv4: template.ipv4, ipv6: template.ipv6, pools }
    }
}

impl From<TemplateRecord> for Template {
    fn from(record: TemplateRecord) -> Self {
        let pools = record.pools.into_iter().map(PoolWish::from).collect();
        Self { ipv4: record.ipv4, ipv6: record.ipv6, pools }
    }
}
