//! Our own calls about the names that sandboxes resolve.

use std::collections::BTreeMap;

use axum::{Json, extract::State};
use serde::Deserialize;

use super::{
    Context, Error,
    body::Parameters,
    wire::{Queries, Resolution, Source},
};
use crate::{
    change,
    daemon::Asked,
    dns::{Explanation, Kind, Upstream},
    model::{NetworkId, NetworkMode, Sandbox, Spec},
};

/// Parameters of `GET /netebpf/names`.
#[derive(Deserialize)]
pub(super) struct NameParameters {
    name: String,
    sandbox: String,
    #[serde(rename = "type", default = "address")]
    kind: String,
}

/// What is asked for when nobody says it.
fn address() -> String {
    "A".to_owned()
}

/// What a sandbox is told about a name.
pub(super) async fn explain(
    State(context): State<Context>,
    Parameters(NameParameters { name, sandbox, kind }): Parameters<NameParameters>,
) -> Result<Json<Resolution>, Error> {
    let kind: Kind = kind.parse()?;
    let spec = context.daemon.spec();
    let sandbox = change::find_sandbox(&spec, &sandbox)?;
    let explanation = context.daemon.resolver().explain(whose_network(&spec, sandbox).id, &name, kind);
    let explanation = explanation.ok_or_else(|| Error::NoNameServer(sandbox.name.to_string()))?;
    Ok(Json(resolution(&spec, (name, kind, sandbox), explanation)))
}

/// What was asked on each network that is there, by name; `asked` is what the kernel has counted.
pub(super) fn queries(context: &Context, asked: &BTreeMap<NetworkId, Asked>) -> Vec<Queries> {
    let (spec, counts) = (context.daemon.spec(), context.daemon.resolver().counts());
    let known = counts.into_iter().filter_map(|(network, counts)| {
        let Asked { answered, limited } = asked.get(&network).copied().unwrap_or_default();
        Some(Queries {
            answered_in_kernel: answered,
            limited,
            network: spec.networks.get(&network)?.name.to_string(),
            queries: counts.queries,
            answered: counts.answered,
            forwarded: counts.forwarded,
            failed: counts.failed,
            refused: counts.refused,
        })
    });
    let mut all: Vec<_> = known.collect();
    all.sort_by(|a, b| a.network.cmp(&b.network));
    all
}

/// The sandbox whose namespace this one is in.
fn whose_network<'a>(spec: &'a Spec, sandbox: &'a Sandbox) -> &'a Sandbox {
    match &sandbox.mode {
        NetworkMode::Container(donor) => spec.sandboxes.get(donor).unwrap_or(sandbox),
        NetworkMode::Own(_) | NetworkMode::Host | NetworkMode::Adopted(_) => sandbox,
    }
}

fn resolution(
    spec: &Spec,
    (name, kind, sandbox): (String, Kind, &Sandbox),
    explanation: Explanation,
) -> Resolution {
    let mut resolution = Resolution {
        name,
        kind: kind.to_string(),
        sandbox: sandbox.name.to_string(),
        source: Source::Network,
        network: None,
        linked: None,
        records: Vec::new(),
        servers: Vec::new(),
    };
    let called = |id: NetworkId| spec.networks.get(&id).map(|network| network.name.to_string());
    match explanation {
        Explanation::Network { network, linked, addresses } => {
            resolution.network = called(network);
            resolution.linked = linked;
            resolution.records = addresses.iter().map(ToString::to_string).collect();
        }
        Explanation::Pointer { network, name } => {
            resolution.network = called(network);
            resolution.records = vec![name];
        }
        Explanation::SingleLabel => resolution.source = Source::SingleLabel,
        Explanation::Forwarded(servers) => {
            resolution.source = Source::Forwarded;
            resolution.servers = servers.iter().map(Upstream::to_string).collect();
        }
        Explanation::Nobody => resolution.source = Source::Nobody,
    }
    resolution
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::dns::play;

    fn resolved(name: &str, kind: &str) -> Value {
        let (spec, kind) = (play::spec(), kind.parse().expect("a type"));
        let sandbox = change::find_sandbox(&spec, "web").expect("it is there");
        let explanation = play::resolver().explain(sandbox.id, name, kind).expect("it has a name server");
        serde_json::to_value(resolution(&spec, (name.to_owned(), kind, sandbox), explanation)).expect("JSON")
    }

    #[test]
    fn networks_are_told_by_name_and_records_as_text() {
        let known = json!({
            "name": "store", "type": "A", "sandbox": "web", "source": "network", "network": "net", "linked": "db",
            "records": ["10.1.0.2"], "servers": [],
        });
        assert_eq!(resolved("store", "A"), known);
        assert_eq!(resolved("2.0.1.10.in-addr.arpa", "PTR")["records"], json!(["db.net"]));
        assert_eq!(resolved("example.org", "A")["source"], json!("forwarded"));
        assert_eq!(resolved("example.org", "A")["servers"], json!(["host(127.0.0.1)"]));
    }

    #[test]
    fn a_sandbox_in_anothers_namespace_resolves_what_that_one_does() {
        let mut spec = play::spec();
        let donor = change::find_sandbox(&spec, "web").expect("it is there").id;
        let guest = change::find_sandbox(&spec, "db").expect("it is there").id;
        spec.sandboxes.get_mut(&guest).expect("it is there").mode = NetworkMode::Container(donor);
        assert_eq!(whose_network(&spec, &spec.sandboxes[&guest]).id, donor);
        assert_eq!(whose_network(&spec, &spec.sandboxes[&donor]).id, donor);
    }
}
