//! What users call the devices and addresses that packets were seen with.

use std::{collections::BTreeMap, net::IpAddr};

use netebpf_common::abi::Address;

use crate::{daemon::link_name, model::Spec};

/// The names of everything in use right now.
#[derive(Debug, Default)]
pub(super) struct Names {
    addresses: BTreeMap<IpAddr, String>,
    links: BTreeMap<String, Place>,
}

/// Where a device belongs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Place {
    /// The device's name, or its index if it is gone.
    pub(super) device: String,
    /// The sandbox behind it.
    pub(super) sandbox: Option<String>,
    /// The network that it belongs to.
    pub(super) network: Option<String>,
}

impl Names {
    /// Collects the names.
    pub(super) fn new(spec: &Spec) -> Self {
        let mut names = Self::default();
        for network in spec.networks.values() {
            let network_name = Some(network.name.to_string());
            names.add(Place { device: network.bridge_name(), sandbox: None, network: network_name });
        }
        for (sandbox, endpoint, network) in spec.active_endpoints() {
            for address in &endpoint.addresses {
                names.addresses.insert(*address, sandbox.name.to_string());
            }
            names.add(Place {
                device: endpoint.link_name(),
                sandbox: Some(sandbox.name.to_string()),
                network: Some(network.name.to_string()),
            });
        }
        names
    }

    fn add(&mut self, place: Place) {
        self.links.insert(place.device.clone(), place);
    }

    /// The sandbox that has an address.
    pub(super) fn sandbox_at(&self, address: Address) -> Option<&str> {
        self.addresses.get(&IpAddr::from(address)).map(String::as_str)
    }

    /// The device with an index.
    pub(super) fn place(&self, ifindex: u32) -> Place {
        let device = link_name(ifindex).unwrap_or_else(|| ifindex.to_string());
        self.links.get(&device).cloned().unwrap_or(Place { device, ..Place::default() })
    }
}
