//! What each request does.

use std::collections::BTreeMap;

use tracing::{debug, info};

use super::{Asked, Engine, Error, Host, Reply, Request, Status};
use crate::{
    change::{self, Happening},
    model::{Name, NetworkId, SandboxId, Spec},
};

impl<H: Host> Engine<H> {
    /// Fulfils a request and answers it.
    pub(super) async fn answer(&mut self, request: Request) {
        match request {
            Request::CreateNetwork(request, reply) => send(reply, self.create_network(request).await),
            Request::RemoveNetwork(reference, reply) => send(reply, self.remove_network(&reference).await),
            Request::PruneNetworks(choice, reply) => send(reply, self.prune_networks(&choice).await),
            Request::Connect { network, sandbox, settings, reply } => {
                let result = self
                    .commit(|spec, context| change::connect(spec, &network, &sandbox, *settings, context));
                send(reply, result.await);
            }
            Request::Disconnect { network, sandbox, force, reply } => {
                send(reply, self.disconnect(&network, &sandbox, force).await);
            }
            Request::CreateSandbox(request, starter, reply) => {
                send(reply, self.create_sandbox(*request, starter).await);
            }
            Request::StartSandbox(reference, starter, reply) => {
                send(reply, self.start_sandbox(&reference, starter).await);
            }
            Request::RenameSandbox(reference, name, reply) => {
                let result = self.commit(|spec, _| change::rename_sandbox(spec, &reference, name));
                send(reply, result.await);
            }
            Request::PruneSandboxes(choice, reply) => send(reply, self.prune_sandboxes(&choice).await),
            Request::Retain(id, retain, reply) => {
                self.retain(id, retain);
                send(reply, Ok(()));
            }
            Request::Signal(reference, signal, reply) => {
                send(reply, self.signal(&reference, signal).await);
            }
            Request::Started(reference, pid, reply) => send(reply, self.started(&reference, pid)),
            Request::Ended(reference, code, reply) => send(reply, self.ended(&reference, code).await),
            Request::RemoveSandbox { reference, force, reply } => {
                send(reply, self.remove_sandbox(&reference, force).await);
            }
            Request::Status(reply) => send(reply, self.status().await),
            Request::Plan(reply) => send(reply, self.preview().await),
        }
    }

    async fn create_network(&mut self, mut request: change::NetworkRequest) -> Result<NetworkId, Error> {
        // What is made from a configuration has the options of that.
        if request.config_from.is_none() {
            self.options.complete(request.driver, &mut request.options);
        }
        let is_choosing = request.may_choose_a_subnet();
        let create = |spec: &mut Spec, context: &mut change::Context<'_>| {
            change::create_network(spec, request, context)
        };
        let id = if is_choosing { self.commit_choosing(create).await? } else { self.commit(create).await? };
        info!(network = %id.short(), "network created");
        Ok(id)
    }

    async fn remove_network(&mut self, reference: &str) -> Result<(), Error> {
        let mut wanted = Spec::clone(&self.spec());
        let id = change::remove_network(&mut wanted, reference)?;
        self.settle(wanted).await?;
        info!(network = %id.short(), "network removed");
        Ok(())
    }

    async fn prune_networks(&mut self, choice: &change::PruneChoice) -> Result<Vec<Name>, Error> {
        let mut wanted = Spec::clone(&self.spec());
        let names = change::prune_networks(&mut wanted, choice);
        self.settle(wanted).await?;
        self.chronicle.tell([Happening::NetworksPruned]);
        info!(networks = names.len(), "networks pruned");
        Ok(names)
    }

    async fn prune_sandboxes(&mut self, choice: &change::PruneChoice) -> Result<Vec<SandboxId>, Error> {
        let mut wanted = Spec::clone(&self.spec());
        let ids = change::prune_sandboxes(&mut wanted, choice);
        self.settle(wanted).await?;
        self.chronicle.tell([Happening::SandboxesPruned]);
        info!(sandboxes = ids.len(), "sandboxes pruned");
        Ok(ids)
    }

    async fn disconnect(&mut self, network: &str, sandbox: &str, force: bool) -> Result<(), Error> {
        let mut wanted = Spec::clone(&self.spec());
        change::disconnect(&mut wanted, network, sandbox, force)?;
        self.settle(wanted).await
    }

    async fn status(&mut self) -> Result<Status, Error> {
        let data_plane = self.host.data_plane().await.map_err(Error::kernel)?;
        let spec = self.spec();
        let links = self.host.endpoint_links().await.map_err(Error::kernel)?;
        let mut asked: BTreeMap<_, Asked> = BTreeMap::new();
        for (_, endpoint, network) in spec.active_endpoints() {
            let counts = links.get(&endpoint.id).and_then(|link| data_plane.askers.get(link));
            if let Some(counts) = counts {
                asked.entry(network.id).or_default().add(counts);
            }
        }
        Ok(Status { data_plane, asked, networks: spec.networks.len(), sandboxes: spec.sandboxes.len() })
    }
}

fn send<T>(reply: Reply<T>, result: Result<T, Error>) {
    if let Err(error) = &result {
        info!(%error, "refused");
    }
    if reply.send(result).is_err() {
        debug!("the client did not wait for the answer");
    }
}
