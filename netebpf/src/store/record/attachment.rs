//! What of a sandbox's belonging to a network is kept?

use std::{collections::BTreeMap, net::IpAddr};

use netebpf_common::abi::Mac;
use serde::{Deserialize, Serialize};

use crate::{
    model::{
        AddressWishes, Attachment, Endpoint, EndpointId, EndpointOptions, EndpointSettings, LinkRequest,
        Name, NetworkId,
    },
    store::Damage,
};

#[derive(Serialize, Deserialize)]
pub(super) struct AttachmentRecord {
    network: String,
    name: String,
    settings: SettingsRecord,
    endpoint: Option<EndpointRecord>,
    joined_later: bool,
}

#[derive(Serialize, Deserialize)]
struct SettingsRecord {
    addresses: Option<WishesRecord>,
    aliases: Option<Vec<String>>,
    links: Vec<String>,
    driver_options: Option<BTreeMap<String, String>>,
    gateway_priority: i64,
    mac: Option<[u8; 6]>,
}

#[derive(Serialize, Deserialize)]
struct WishesRecord {
    v4: Option<IpAddr>,
    v6: Option<IpAddr>,
    link_local: Vec<IpAddr>,
}

#[derive(Serialize, Deserialize)]
struct EndpointRecord {
    id: String,
    addresses: Vec<IpAddr>,
    mac: [u8; 6],
    interface: String,
}

impl From<&Attachment> for AttachmentRecord {
    fn from(attachment: &Attachment) -> Self {
        Self {
            network: attachment.network.to_string(),
            name: attachment.name.to_string(),
            settings: SettingsRecord::from(&attachment.settings),
            endpoint: attachment.endpoint.as_ref().map(EndpointRecord::from),
            joined_later: attachment.joined_later,
        }
    }
}

impl TryFrom<AttachmentRecord> for Attachment {
    type Error = Damage;

    fn try_from(record: AttachmentRecord) -> Result<Self, Damage> {
        let network = record.network.parse::<NetworkId>()?;
        Ok(Self {
            network,
            name: Name::of_network(&record.name)?,
            settings: record.settings.try_into()?,
            endpoint: record.endpoint.map(|endpoint| endpoint.read(network)).transpose()?,
            joined_later: record.joined_later,
        })
    }
}

impl From<&EndpointSettings> for SettingsRecord {
    fn from(settings: &EndpointSettings) -> Self {
        Self {
            addresses: settings.addresses.clone().map(WishesRecord::from),
            aliases: settings.aliases.clone(),
            links: settings.links.iter().map(ToString::to_string).collect(),
            driver_options: settings.driver_options.clone(),
            gateway_priority: settings.gateway_priority,
            mac: settings.mac.map(|mac| mac.0),
        }
    }
}

impl TryFrom<SettingsRecord> for EndpointSettings {
    type Error = Damage;

    fn try_from(record: SettingsRecord) -> Result<Self, Damage> {
        let links = record.links.iter().map(|text| text.parse::<LinkRequest>());
        let options = record.driver_options.as_ref().map(EndpointOptions::parse).transpose();
        Ok(Self {
            addresses: record.addresses.map(AddressWishes::from),
            aliases: record.aliases,
            links: links.collect::<Result<_, _>>().map_err(|_| Damage::Inconsistent)?,
            options: options.map_err(|_| Damage::Inconsistent)?.unwrap_or_default(),
            driver_options: record.driver_options,
            gateway_priority: record.gateway_priority,
            mac: record.mac.map(Mac),
        })
    }
}

impl From<AddressWishes> for WishesRecord {
    fn from(AddressWishes { v4, v6, link_local }: AddressWishes) -> Self {
        Self { v4, v6, link_local }
    }
}

impl From<WishesRecord> for AddressWishes {
    fn from(WishesRecord { v4, v6, link_local }: WishesRecord) -> Self {
        Self { v4, v6, link_local }
    }
}

impl From<&Endpoint> for EndpointRecord {
    fn from(endpoint: &Endpoint) -> Self {
        Self {
            id: endpoint.id.to_string(),
            addresses: endpoint.addresses.clone(),
            mac: endpoint.mac.0,
            interface: endpoint.interface.clone(),
        }
    }
}

impl EndpointRecord {
    fn read(self, network: NetworkId) -> Result<Endpoint, Damage> {
        Ok(Endpoint {
            id: self.id.parse::<EndpointId>()?,
            network,
            addresses: self.addresses,
            mac: Mac(self.mac),
            interface: self.interface,
        })
    }
}
