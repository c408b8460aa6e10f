//! Nothing that happens is forgotten: whoever listens knows what whoever looks sees.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::model::arbitrary;

/// What can be known of a spec by what has happened.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Known {
    networks: BTreeSet<NetworkId>,
    names: BTreeMap<SandboxId, Name>,
    places: BTreeSet<(NetworkId, SandboxId)>,
    running: BTreeSet<SandboxId>,
}

impl Known {
    fn of(spec: &Spec) -> Self {
        let running = spec.sandboxes.values().filter(|sandbox| sandbox.is_running());
        Self {
            networks: spec.networks.keys().copied().collect(),
            names: spec.sandboxes.values().map(|sandbox| (sandbox.id, sandbox.name.clone())).collect(),
            places: spec.endpoints().map(|(sandbox, _, network)| (network.id, sandbox.id)).collect(),
            running: running.map(|sandbox| sandbox.id).collect(),
        }
    }

    /// Learns of a happening; returns whether it could happen at all.
    fn learn(&mut self, happening: &Happening) -> bool {
        match happening {
            Happening::Network { id, action, .. } => match action {
                NetworkAction::Create => self.networks.insert(*id),
                NetworkAction::Connect(sandbox) => {
                    self.networks.contains(id)
                        && self.names.contains_key(sandbox)
                        && self.places.insert((*id, *sandbox))
                }
                NetworkAction::Disconnect(sandbox) => self.places.remove(&(*id, *sandbox)),
                NetworkAction::Destroy => {
                    self.networks.remove(id) && self.places.iter().all(|(network, _)| network != id)
                }
            },
            Happening::Sandbox { id, name, action, .. } => match action {
                SandboxAction::Create => self.names.insert(*id, name.clone()).is_none(),
                SandboxAction::Start => self.names.contains_key(id) && self.running.insert(*id),
                SandboxAction::Die { .. } => self.running.remove(id),
                SandboxAction::Rename(from) => self.names.insert(*id, name.clone()).as_ref() == Some(from),
                SandboxAction::Destroy => !self.running.contains(id) && self.names.remove(id).is_some(),
                SandboxAction::Kill(_) | SandboxAction::Stop | SandboxAction::Restart => false,
            },
            Happening::NetworksPruned | Happening::SandboxesPruned => false,
        }
    }
}

proptest! {
    #[test]
    fn who_listens_knows_what_who_looks_sees(old in arbitrary::spec(), mut new in arbitrary::spec(), renamed in any::<bool>()) {
        if renamed && let Some(sandbox) = new.sandboxes.values_mut().next() {
            sandbox.name = sandbox.name.numbered(1);
        }
        let mut known = Known::of(&old);
        for happening in between(&old, &new) {
            prop_assert!(known.learn(&happening), "{happening:?} cannot happen to {known:?}");
        }
        prop_assert_eq!(known, Known::of(&new));
        prop_assert_eq!(between(&new, &new), []);
    }
}

fn told(old: &Spec, new: &Spec) -> Vec<String> {
    let tell = |happening| match happening {
        Happening::Network { name, action, .. } => match action {
            NetworkAction::Create => format!("{name} create"),
            NetworkAction::Connect(_) => format!("{name} connect"),
            NetworkAction::Disconnect(_) => format!("{name} disconnect"),
            NetworkAction::Destroy => format!("{name} destroy"),
        },
        Happening::Sandbox { name, action, .. } => format!("{name} {action:?}"),
        Happening::NetworksPruned | Happening::SandboxesPruned => "pruned".to_owned(),
    };
    between(old, new).into_iter().map(tell).collect()
}

#[test]
fn a_life_is_told_in_dockers_order() {
    let mut spec = arbitrary::example();
    let only =
        spec.sandboxes.values().find(|sandbox| sandbox.name.as_str() == "box-1").map(|sandbox| sandbox.id);
    spec.sandboxes = spec.sandboxes.select(&only);
    let all = ["net-0 create", "net-1 create", "box-1 Create", "net-0 connect", "box-1 Start"];
    assert_eq!(told(&Spec::default(), &spec), all);

    let mut ended = spec.clone();
    for sandbox in ended.sandboxes.values_mut() {
        sandbox.state = SandboxState::Exited { code: 3, started: 7, finished: 2_000_000_007 };
        sandbox.attachments.iter_mut().for_each(|attachment| attachment.endpoint = None);
    }
    assert_eq!(told(&spec, &ended), ["net-0 disconnect", "box-1 Die { code: 3, ran: 2s }"]);
    assert_eq!(told(&ended, &Spec::default()), ["box-1 Destroy", "net-0 destroy", "net-1 destroy"]);
    let at_once = ["net-0 disconnect", "box-1 Die { code: 255, ran: 0ns }", "box-1 Destroy"];
    assert_eq!(told(&spec, &Spec { networks: spec.networks.clone(), ..Spec::default() }), at_once);
}
