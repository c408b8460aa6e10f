//! Which containers a list has.

use std::collections::BTreeSet;

use crate::{
    change,
    frontend::api::{Error, body::number, convert, filters::Filters, timestamp::now, wire::ContainerSummary},
    model::{ExposedPorts, Sandbox, SandboxState, Spec},
};

/// Filters of `GET /containers/json`. Sandboxes have no images, volumes, tasks and checks, so that those filters choose
/// all or none.
const KNOWN: [&str; 15] = [
    "ancestor",
    "before",
    "exited",
    "expose",
    "health",
    "id",
    "is-task",
    "isolation",
    "label",
    "name",
    "network",
    "publish",
    "since",
    "status",
    "volume",
];

/// What a container of Docker's can be.
const STATES: [&str; 7] = ["created", "running", "paused", "restarting", "removing", "exited", "dead"];

/// How healthy a container of Docker's can be.
const HEALTH: [&str; 4] = ["none", "starting", "healthy", "unhealthy"];

/// What a client wants to see.
pub(super) struct Choice {
    all: bool,
    limit: Option<usize>,
    filters: Filters,
    exit_codes: BTreeSet<i32>,
    is_task: Option<bool>,
    /// Only what was created before this.
    before: Option<Age>,
    /// Only what was created after this.
    since: Option<Age>,
    published: BTreeSet<(u16, String)>,
    exposed: BTreeSet<(u16, String)>,
}

/// Where a sandbox stands in a list: by the time of its creation, then by name.
type Age = (u64, std::cmp::Reverse<String>);

impl Choice {
    /// Reads the parameters of a list.
    pub(super) fn read(
        spec: &Spec,
        all: bool,
        limit: Option<&str>,
        filters: Option<&str>,
    ) -> Result<Self, Error> {
        let filters = Filters::read(filters, &KNOWN)?;
        for (name, what, known) in [("status", "state", &STATES[..]), ("health", "health", &HEALTH[..])] {
            if let Some(value) = filters.values(name).find(|value| !known.contains(value)) {
                let value = value.to_owned();
                return Err(Error::FilterChoice { name, what, value, known });
            }
        }
        let code = |text: &str| {
            number(text).map_err(|source| Error::FilterNumber {
                name: "exited",
                value: text.to_owned(),
                source,
            })
        };
        let age_in = |name| {
            let age = |reference| change::find_sandbox(spec, reference).map(age);
            filters.values(name).last().map(age).transpose()
        };
        let limit = limit.filter(|text| !text.is_empty()).map(number::<i64>).transpose()?;
        Ok(Self {
            all: all || filters.values("status").next().is_some(),
            limit: limit.and_then(|limit| usize::try_from(limit).ok()).filter(|limit| *limit > 0),
            exit_codes: filters.values("exited").map(code).collect::<Result<_, _>>()?,
            is_task: filters.truth("is-task")?,
            before: age_in("before")?,
            since: age_in("since")?,
            published: ports(&filters, "publish")?,
            exposed: ports(&filters, "expose")?,
            filters,
        })
    }

    /// The containers, the newest first.
    pub(super) fn select(&self, spec: &Spec) -> Vec<ContainerSummary> {
        let mut sandboxes: Vec<_> = spec.sandboxes.values().filter(|sandbox| self.admits(sandbox)).collect();
        sandboxes.sort_by_cached_key(|sandbox| std::cmp::Reverse(age(sandbox)));
        let now = now();
        let summaries = sandboxes.into_iter().map(|sandbox| convert::container_summary(spec, sandbox, now));
        summaries
            .filter(|summary| self.admits_ports(summary))
            .take(self.limit.unwrap_or(usize::MAX))
            .collect()
    }

    fn admits(&self, sandbox: &Sandbox) -> bool {
        let Self { filters, .. } = self;
        let (name, age) = (&sandbox.name, age(sandbox));
        let has_code = |code: i32| self.exit_codes.is_empty() || self.exit_codes.contains(&code);
        (sandbox.is_running() || self.all || self.limit.is_some())
            && (filters.matches("name", name.as_str()) || filters.matches("name", &format!("/{name}")))
            && filters.matches("id", &sandbox.id.to_string())
            && filters.has_labels("label", &sandbox.config.labels)
            && filters.admits("status", sandbox.state.name())
            && filters.admits("health", "none")
            && self.is_task != Some(true)
            && filters.values("ancestor").chain(filters.values("volume")).next().is_none()
            && self.before.as_ref().is_none_or(|before| age < *before)
            && self.since.as_ref().is_none_or(|since| age > *since)
            && self.admits_networks(sandbox)
            && match sandbox.state {
                SandboxState::Exited { code, .. } => has_code(code),
                SandboxState::Created | SandboxState::Starting(_) | SandboxState::Running { .. } => {
                    self.exit_codes.is_empty()
                }
            }
    }

    /// Networks are named, or meant by the beginning of their identifier.
    fn admits_networks(&self, sandbox: &Sandbox) -> bool {
        let mut wanted = self.filters.values("network").peekable();
        let is_on = |wanted: &str| {
            let mut attachments = sandbox.attachments.iter();
            attachments.any(|on| on.name.as_str() == wanted || on.network.to_string().starts_with(wanted))
        };
        wanted.peek().is_none() || wanted.any(is_on)
    }

    fn admits_ports(&self, summary: &ContainerSummary) -> bool {
        (self.published.is_empty() && self.exposed.is_empty())
            || convert::is_published(&summary.ports, &self.published)
            || convert::is_exposed(&summary.ports, &self.exposed)
    }
}

fn age(sandbox: &Sandbox) -> Age {
    (sandbox.created, std::cmp::Reverse(sandbox.name.to_string()))
}

/// The ports that a filter names: `80`, `80/udp`, `80-90/tcp`.
fn ports(filters: &Filters, name: &'static str) -> Result<BTreeSet<(u16, String)>, Error> {
    let mut ports = BTreeSet::new();
    for text in filters.values(name) {
        let value = || text.to_owned();
        if text.contains(':') {
            return Err(Error::FilterColon { name, value: value() });
        }
        let read: Result<ExposedPorts, _> = text.parse();
        let ExposedPorts { ports: range, protocol } =
            read.map_err(|_| Error::FilterPort { name, value: value() })?;
        ports.extend(range.iter().map(|port| (port, protocol.to_string())));
    }
    Ok(ports)
}
