//! The names that sandboxes resolve, in step with the spec in force: the name server's, and the kernel's own table of them.

use std::{collections::BTreeMap, net::IpAddr, sync::Arc};

use netebpf_common::dns::client_address;
use tracing::{error, info};

use super::{Engine, Host, with_causes};
use crate::{
    compile::names::Names,
    dns::{Server, Surroundings, clients},
    kernel::link_index,
    model::EndpointId,
};

impl<H: Host> Engine<H> {
    /// Tells the name server and the kernel whose names are known by now. What cannot be told is told at the next change or
    /// tick; the kernel's own answers need no server.
    pub(super) async fn publish_names(&mut self) {
        self.listen_for_names();
        match self.host.endpoint_links().await {
            Ok(links) => self.publish_names_by(&links),
            Err(error) => error!(error = with_causes(&error), "cannot tell the name server who asks"),
        }
    }

    fn publish_names_by(&mut self, links: &BTreeMap<EndpointId, u32>) {
        let spec = self.spec();
        let names = Names::of(&spec);
        let table = names.table(&spec);
        let published = self.host.publish_names(&table.names(), &table.views(|id| links.get(&id).copied()));
        if let Err(error) = published {
            error!(error = with_causes(&error), "cannot write the kernel's table of names");
        }
        let address = |id| links.get(&id).and_then(|index| client_address(*index)).map(IpAddr::from);
        let files = self.host.files();
        let around =
            Surroundings { files: &files, options: &self.options, address: &address, link: &link_index };
        let clients = clients(&spec, &names, around);
        self.resolver.publish(names, clients);
    }

    /// Starts the name server as soon as there is a place for it.
    fn listen_for_names(&mut self) {
        if self.name_server.is_some() {
            return;
        }
        let bound = match self.host.listen_for_names() {
            Ok(None) => return,
            Ok(Some(sockets)) => {
                Server::bind(Arc::clone(&self.resolver), sockets).map_err(|error| error.to_string())
            }
            Err(error) => Err(with_causes(&error)),
        };
        match bound {
            Ok(server) => {
                info!("the name server listens");
                self.name_server = Some(server);
            }
            Err(error) => error!(error, "the name server cannot listen"),
        }
    }
}
