//! The state of the loop, and the two ways to change it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use ipnet::{IpNet, Ipv6Net};
use tokio::sync::{mpsc, watch};
use tracing::{error, info, warn};

use super::{
    Error, Event, Handle, Host, chronicle::Chronicle, names::Published, refusal::refusal, with_causes,
};
use crate::{
    change::{self, Context, HostView},
    compile::files::SandboxFiles,
    dns::{Limits, Resolver, Server},
    ipam,
    kernel::file_limit,
    model::{EngineOptions, SandboxId, Spec},
    plan::Action,
    reconcile,
    store::Store,
};

/// What the loop owns.
pub(super) struct Engine<H> {
    pub(super) host: H,
    store: Store,
    pub(super) options: EngineOptions,
    /// Where IPv6 subnets are cut from.
    own_prefix: Ipv6Net,
    /// The spec in force: stored, and driven into the kernel as far as it let us.
    spec: watch::Sender<Arc<Spec>>,
    events: mpsc::Sender<Event>,
    pub(super) chronicle: Chronicle,
    /// Answers the queries of sandboxes.
    pub(super) resolver: Arc<Resolver>,
    /// What listens for it, as soon as that can be, and the inode of its namespace.
    pub(super) name_server: Option<(u64, Server)>,
    pub(super) published: Published,
    /// What the files of active sandboxes say.
    pub(super) files: BTreeMap<SandboxId, SandboxFiles>,
    /// Sandboxes that do not go with their command this time.
    pub(super) retained: BTreeSet<SandboxId>,
    /// The kernel's revision at which nothing was left to do for the spec in force.
    settled: Option<u64>,
    /// Changes that the kernel has refused so far; they fail no request that did not ask for them.
    refused: Vec<Action>,
}

impl<H: Host> Engine<H> {
    /// An engine over what is stored; `events` is where tasks of the engine report to.
    pub(super) fn new(
        host: H,
        store: Store,
        options: EngineOptions,
        events: mpsc::Sender<Event>,
    ) -> Result<Self, Error> {
        let spec = watch::Sender::new(Arc::new(store.spec()));
        let own_prefix = ipam::ula(store.global_id()?);
        let resolver = Arc::new(Resolver::new(host.dialer(), Limits::default().within(file_limit())));
        Ok(Self {
            host,
            store,
            options,
            own_prefix,
            spec,
            events,
            chronicle: Chronicle::new(),
            resolver,
            name_server: None,
            published: Published::default(),
            refused: Vec::new(),
            files: BTreeMap::new(),
            retained: BTreeSet::new(),
            settled: None,
        })
    }

    /// How others talk to the loop.
    pub(super) fn handle(&self) -> Handle {
        let resolver = Arc::clone(&self.resolver);
        Handle::new(self.events.clone(), self.spec.subscribe(), self.chronicle.clone(), resolver)
    }

    /// Where tasks of the engine report to.
    pub(super) fn events(&self) -> mpsc::Sender<Event> {
        self.events.clone()
    }

    /// The spec in force.
    pub(super) fn spec(&self) -> Arc<Spec> {
        self.spec.borrow().clone()
    }

    /// Applies a change to a copy of the spec and puts it in force, all or nothing. It chooses no subnet.
    pub(super) async fn commit<T>(
        &mut self,
        change: impl FnOnce(&mut Spec, &mut Context<'_>) -> Result<T, change::Error>,
    ) -> Result<T, Error> {
        self.commit_around(&[], change).await
    }

    /// The same for a change that may choose a subnet, which is to be none of the host's.
    pub(super) async fn commit_choosing<T>(
        &mut self,
        change: impl FnOnce(&mut Spec, &mut Context<'_>) -> Result<T, change::Error>,
    ) -> Result<T, Error> {
        let taken = self.host.taken_subnets().await.map_err(Error::kernel)?;
        self.commit_around(&taken, change).await
    }

    async fn commit_around<T>(
        &mut self,
        taken: &[IpNet],
        change: impl FnOnce(&mut Spec, &mut Context<'_>) -> Result<T, change::Error>,
    ) -> Result<T, Error> {
        let previous = self.spec();
        let mut wanted = Spec::clone(&previous);
        let result = self.with_context(taken, |context| change(&mut wanted, context))?;
        self.store.save(&wanted)?;
        match self.drive(&previous, &wanted).await {
            Err(error) if !self.is_known(&error) => {
                warn!(error = with_causes(&error), "the request failed, going back to what was before");
                self.go_back_to(&previous).await;
                Err(refusal(error, &wanted))
            }
            Ok(_) | Err(_) => {
                self.put_in_force(wanted);
                self.settled = self.host.revision().filter(|_| self.refused.is_empty());
                self.write_changed_files(&previous);
                self.publish_names().await;
                Ok(result)
            }
        }
    }

    /// Adds the networks that are there without being asked for. One that cannot be had is no reason not to start.
    pub(super) async fn ensure_predefined(&mut self) -> Result<(), Error> {
        let mut wanted = Spec::clone(&self.spec());
        let taken = self.host.taken_subnets().await.map_err(Error::kernel)?;
        let ensure =
            |context: &mut Context<'_>| change::ensure_predefined(&mut wanted, &self.options, context);
        match self.with_context(&taken, ensure) {
            Ok(None) => {}
            Ok(Some(postponed)) => warn!("{postponed}"),
            Err(error) => {
                warn!(%error, "the default network cannot be as it is configured: choose other addresses or another device, or switch it off");
            }
        }
        if *self.spec() == wanted { Ok(()) } else { self.record(wanted) }
    }

    /// Puts a removal in force. It stays even if the kernel resists: what is left over goes with a later reconcile,
    /// and the trouble that made someone remove a thing never keeps it from being removed.
    pub(super) async fn settle(&mut self, wanted: Spec) -> Result<(), Error> {
        self.settle_after(None, wanted).await
    }

    /// The same for a removal before which something else has happened: who follows sees the spec in between as well.
    pub(super) async fn settle_after(&mut self, between: Option<Spec>, wanted: Spec) -> Result<(), Error> {
        let previous = self.spec();
        self.store.save(&wanted)?;
        let result = self.drive(&previous, &wanted).await;
        self.take_note(result);
        // Who is told that something is gone finds it gone.
        between.into_iter().chain([wanted]).for_each(|spec| self.put_in_force(spec));
        self.write_changed_files(&previous);
        self.publish_names().await;
        let spec = self.spec();
        for sandbox in previous.sandboxes.keys().filter(|id| !spec.sandboxes.contains_key(id)) {
            if let Err(error) = self.host.remove_files(*sandbox) {
                warn!(sandbox = %sandbox.short(), %error, "cannot remove the sandbox's files");
            }
        }
        Ok(())
    }

    /// Writes down which boot of the host this is; returns whether it is another one than the last daemon's.
    pub(super) fn note_boot(&mut self) -> Result<bool, Error> {
        Ok(self.store.note_boot(self.host.boot())?)
    }

    /// Stores a change that the kernel has no part in.
    pub(super) fn record(&mut self, wanted: Spec) -> Result<(), Error> {
        self.store.save(&wanted)?;
        self.put_in_force(wanted);
        Ok(())
    }

    /// Lets everybody see a spec, and tells what has happened by it.
    pub(super) fn put_in_force(&mut self, wanted: Spec) {
        let wanted = Arc::new(wanted);
        let previous = self.spec.send_replace(Arc::clone(&wanted));
        self.chronicle.tell(change::between(&previous, &wanted));
    }

    /// What a reconcile would change first.
    pub(super) async fn preview(&mut self) -> Result<Vec<Action>, Error> {
        let spec = self.spec();
        reconcile::preview(&mut self.host, &spec, &self.options).await.map_err(Error::kernel)
    }

    /// Looks at the kernel itself, in case it has changed without telling, and drives it to the spec in force.
    pub(super) async fn look_again(&mut self) {
        self.host.distrust();
        self.repair().await;
        self.write_files();
        self.publish_names().await;
    }

    /// Drives the kernel to the spec in force.
    pub(super) async fn repair(&mut self) {
        if self.is_settled().await {
            return;
        }
        let spec = self.spec();
        let result = reconcile::reconcile(&mut self.host, &spec, &self.options).await;
        self.take_note(result);
    }

    fn take_note(&mut self, result: Result<reconcile::Report, reconcile::Error<H::Error>>) {
        self.settled = None;
        self.refused = match result {
            Ok(_) => {
                self.settled = self.host.revision();
                Vec::new()
            }
            Err(error) => {
                error!(
                    error = with_causes(&error),
                    "the kernel differs from what was asked for; trying again at the next change or tick"
                );
                refused_by(&error).cloned().collect()
            }
        };
    }

    /// Drives the kernel from one spec to the next; looks at all of it unless it is known to be as the first one asks.
    async fn drive(
        &mut self,
        previous: &Spec,
        wanted: &Spec,
    ) -> Result<reconcile::Report, reconcile::Error<H::Error>> {
        if self.is_settled().await {
            return reconcile::reconcile_change(&mut self.host, previous, wanted, &self.options).await;
        }
        reconcile::reconcile(&mut self.host, wanted, &self.options).await
    }

    /// Whether the kernel is as it was when the spec in force was driven into it: most notices are about our own doing.
    async fn is_settled(&mut self) -> bool {
        self.settled.is_some() && self.host.observe().await.is_ok() && self.settled == self.host.revision()
    }

    /// Whether an error tells of nothing but what was refused before.
    fn is_known(&self, error: &reconcile::Error<H::Error>) -> bool {
        matches!(error, reconcile::Error::Apply { .. })
            && refused_by(error).all(|action| self.refused.contains(action))
    }

    /// Hands out what the pure `change` functions may not get themselves.
    fn with_context<T>(&self, taken: &[IpNet], use_it: impl FnOnce(&mut Context<'_>) -> T) -> T {
        let now = now();
        let mut entropy = || {
            let mut bytes = [0; 32];
            getrandom::fill(&mut bytes)
                .expect("getrandom(2) gives up to 256 bytes without failing (random(7))");
            bytes
        };
        let host = HostView {
            subnets: ipam::Sources {
                pools: &self.options.default_pools,
                own_prefix: self.own_prefix,
                avoided: taken,
            },
            is_other_link: &|name| self.host.is_other_link(name),
            has_ipv6: self.host.has_ipv6(),
            is_free: &|port| self.host.is_port_free(port),
        };
        use_it(&mut Context { now, entropy: &mut entropy, host: &host })
    }

    async fn go_back_to(&mut self, previous: &Spec) {
        if let Err(error) = self.store.save(previous) {
            error!(
                error = with_causes(&error),
                "cannot write down that the request was undone; a restart would try it again"
            );
        }
        self.settled = None;
        match reconcile::reconcile(&mut self.host, previous, &self.options).await {
            Ok(_) => info!("the failed request left nothing behind"),
            Err(error) => error!(
                error = with_causes(&error),
                "the failed request left something behind; trying again at the next tick"
            ),
        }
    }
}

/// The present time, in nanoseconds since the Unix epoch.
pub(super) fn now() -> u64 {
    nanoseconds(SystemTime::now())
}

/// A time in nanoseconds since the Unix epoch.
pub(super) fn nanoseconds(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

fn refused_by<E: std::error::Error>(error: &reconcile::Error<E>) -> impl Iterator<Item = &Action> {
    let (first, others) = match error {
        reconcile::Error::Apply { action, others, .. } => (Some(&**action), others.as_slice()),
        reconcile::Error::Observe(_) | reconcile::Error::Unsettled(_) => (None, [].as_slice()),
    };
    first.into_iter().chain(others.iter().map(|(action, _)| action))
}
