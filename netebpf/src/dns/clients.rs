//! Which endpoints ask the server, from where, and who is asked for them.

use std::net::{IpAddr, SocketAddr, SocketAddrV6};

use super::{Client, Origin, Upstream};
use crate::{
    compile::{
        files::{
            HostFiles, forwarding,
            resolv::{ExternalServer, NameServer},
        },
        names::Names,
    },
    model::{EndpointId, EngineOptions, SandboxId, Spec},
};

/// The port of name servers.
const PORT: u16 = 53;

/// The host, as far as it matters to those who ask.
#[derive(Clone, Copy)]
pub struct Surroundings<'a> {
    /// Its files.
    pub files: &'a HostFiles,
    /// How the engine was started.
    pub options: &'a EngineOptions,
    /// The address that an endpoint's queries come from; none while the endpoint has no link.
    pub address: &'a dyn Fn(EndpointId) -> Option<IpAddr>,
    /// The number of a link by its name.
    pub link: &'a dyn Fn(&str) -> Option<u32>,
}

/// Every endpoint of a sandbox that resolves names, by the address that it asks from.
#[must_use]
pub fn clients(spec: &Spec, names: &Names, around: Surroundings<'_>) -> Vec<(IpAddr, Client)> {
    let asking = spec.active_sandboxes().filter(|sandbox| names.view(sandbox.id).is_some());
    let all = asking.flat_map(|sandbox| {
        let forwarding = forwarding(spec, sandbox, around.files, around.options);
        let upstreams = forwarding.servers.iter().filter_map(|server| upstream(server, sandbox.id, around));
        let upstreams: Vec<_> = upstreams.collect();
        spec.joined(sandbox).filter_map(move |(endpoint, network)| {
            let client = Client {
                sandbox: sandbox.id,
                network: network.id,
                upstreams: upstreams.clone(),
                keeps_single_labels: forwarding.keeps_single_labels,
            };
            Some(((around.address)(endpoint.id)?, client))
        })
    });
    all.collect()
}

/// A server of a link that is not there cannot be asked.
fn upstream(external: &ExternalServer, sandbox: SandboxId, around: Surroundings<'_>) -> Option<Upstream> {
    let from = if external.from_host { Origin::Host } else { Origin::Sandbox(sandbox) };
    let address = match &external.server {
        NameServer { address, zone: None } => SocketAddr::new(*address, PORT),
        NameServer { address: IpAddr::V6(address), zone: Some(zone) } => {
            let link = zone.parse().ok().or_else(|| (around.link)(zone))?;
            SocketAddrV6::new(*address, PORT, 0, link).into()
        }
        NameServer { address: IpAddr::V4(_), zone: Some(_) } => return None,
    };
    Some(Upstream { address, from })
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;
    use crate::model::arbitrary;

    #[test]
    fn endpoints_with_a_link_ask_and_servers_of_links_have_their_number() {
        let spec = arbitrary::example();
        let resolv_conf =
            "nameserver 192.0.2.1\nnameserver fe80::1%eth0\nnameserver fe80::2%gone\n".to_owned();
        let files = HostFiles { resolv_conf, ..HostFiles::default() };
        let ids: Vec<_> = spec.active_endpoints().map(|(_, endpoint, _)| endpoint.id).collect();
        let address = |id: EndpointId| {
            let place = ids.iter().position(|known| *known == id).filter(|place| *place != 1)?;
            Some(IpAddr::V4(Ipv4Addr::new(240, 0, 0, u8::try_from(place).expect("it is small"))))
        };
        let around = Surroundings {
            files: &files,
            options: &EngineOptions::default(),
            address: &address,
            link: &|name| (name == "eth0").then_some(7),
        };
        let clients = clients(&spec, &Names::of(&spec), around);
        let asking: Vec<_> =
            clients.iter().map(|(address, client)| (address.to_string(), client.network)).collect();
        let net = |number: usize| *spec.networks.keys().nth(number).expect("there are two");
        assert_eq!(asking, [("240.0.0.0".to_owned(), net(0)), ("240.0.0.2".to_owned(), net(0))]);
        let upstreams: Vec<_> = clients[0].1.upstreams.iter().map(|one| one.address.to_string()).collect();
        assert_eq!(upstreams, ["192.0.2.1:53", "[fe80::1%7]:53"]);
    }
}
