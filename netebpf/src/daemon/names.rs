//! The names that sandboxes resolve, in step with the spec in force: the name server's, and the kernel's own table of them.

use std::{collections::BTreeMap, net::IpAddr, sync::Arc};

use netebpf_common::dns::client_address;
use tracing::{error, info};

use super::{Engine, Host, with_causes};
use crate::{
    compile::names::{Names, Table},
    dns::{Server, Surroundings, clients},
    kernel::link_index,
    model::{EndpointId, Spec},
};

/// The names that were last made known, of which spec, and as the kernel has them.
#[derive(Default)]
pub(super) struct Published {
    spec: Arc<Spec>,
    names: Names,
    table: Table,
}

impl Published {
    fn follow(&mut self, spec: Arc<Spec>) {
        let names = self.names.after(&self.spec, &spec);
        let table = self.table.after(&self.names, &names, &spec);
        *self = Self { spec, names, table };
    }
}

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
        self.published.follow(self.spec());
        let Published { spec, names, table } = &self.published;
        let views = table.views(|id| links.get(&id).copied());
        if let Err(error) = self.host.publish_names(&table.scopes, &views) {
            error!(error = with_causes(&error), "cannot write the kernel's table of names");
        }
        let address = |id| links.get(&id).and_then(|index| client_address(*index)).map(IpAddr::from);
        let files = self.host.files();
        let around =
            Surroundings { files: &files, options: &self.options, address: &address, link: &link_index };
        self.resolver.publish(names.clone(), clients(spec, names, around));
    }

    /// Starts the name server as soon as there is a place for it, and again if it is another one.
    fn listen_for_names(&mut self) {
        let Some(place) = self.host.place_of_names() else { return };
        if self.name_server.as_ref().is_some_and(|(known, _)| *known == place) {
            return;
        }
        let sockets = self.host.listen_for_names().map_err(|error| with_causes(&error));
        let server = sockets.and_then(|sockets| {
            Server::bind(Arc::clone(&self.resolver), sockets).map_err(|error| error.to_string())
        });
        match server {
            Ok(server) => {
                info!("the name server listens");
                self.name_server = Some((place, server));
            }
            Err(error) => error!(error, "the name server cannot listen"),
        }
    }
}
