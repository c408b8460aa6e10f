//! Reconciling on the fake kernel: it settles, repairs what others broke, and survives being killed anywhere.

use std::collections::{BTreeMap, BTreeSet};

use futures::executor::block_on;
use ipnet::IpNet;
use netebpf_common::abi::{Hook, LinkKey};
use proptest::prelude::*;

use super::*;
use crate::{
    kernel::{
        LinkRole, Namespace, Observed, Owner,
        fake::{FakeError, FakeKernel},
    },
    model::{FAMILIES, PortRange, arbitrary},
    plan::Entry,
};

/// A kernel's state without the numbers that depend on the way it took: indices of links by name, and the epoch.
#[derive(Debug, PartialEq)]
struct Outcome {
    links: BTreeMap<String, (bool, Option<String>, BTreeSet<IpNet>, usize)>,
    mtus: BTreeMap<String, u32>,
    namespaces: BTreeMap<String, Namespace>,
    attached: BTreeSet<(Hook, String)>,
    held: Vec<String>,
    endpoints: BTreeMap<(String, String), (String, bool)>,
    locals: BTreeMap<String, String>,
    published: Vec<String>,
    networks: BTreeMap<(String, String), String>,
    trusted: BTreeSet<(String, String)>,
    allowed: Vec<String>,
    is_settled: bool,
}

fn outcome(kernel: &FakeKernel) -> Outcome {
    let state = &kernel.state;
    let name = |ifindex: u32| state.links.get(&ifindex).map_or("gone".to_owned(), |link| link.name.clone());
    let links = state.links.values().map(|link| {
        let rest = (link.up, link.master.map(name), link.addresses.clone(), link.forwarding.len());
        (link.name.clone(), rest)
    });
    let tables = &state.tables;
    // A link-local address stands under another one, with its link's index.
    let endpoints = tables.endpoints.iter().map(|(key, entry)| {
        let address = format!("{:?}", entry.address);
        ((address, name(entry.ifindex)), (name(entry.bridge), *key == entry.address))
    });
    let networks = tables.networks.iter().map(|(key, network)| {
        let family = FAMILIES.into_iter().find(|family| *key == LinkKey::new(key.ifindex(), *family));
        ((name(key.ifindex()), format!("{family:?}")), format!("{network:?}"))
    });
    Outcome {
        links: links.collect(),
        mtus: state.links.values().map(|link| (link.name.clone(), link.mtu)).collect(),
        namespaces: state.sandboxes.iter().map(|(id, inside)| (id.to_string(), inside.clone())).collect(),
        attached: state.attached.iter().map(|(hook, ifindex)| (*hook, name(*ifindex))).collect(),
        held: state.held.iter().map(|key| format!("{key:?}")).collect(),
        endpoints: endpoints.collect(),
        locals: tables.locals.iter().map(|(key, local)| (format!("{key:?}"), name(local.ifindex))).collect(),
        published: tables.published.iter().map(|entry| format!("{entry:?}")).collect(),
        networks: networks.collect(),
        trusted: tables.trusted.iter().map(|key| (name(key.bridge), name(key.ingress))).collect(),
        allowed: tables.allowed.iter().map(|key| format!("{key:?}")).collect(),
        is_settled: tables.config.is_some_and(|config| config.epoch % 2 == 0),
    }
}

fn settle(kernel: &mut FakeKernel, spec: &Spec) -> Vec<Action> {
    block_on(reconcile(kernel, spec, &EngineOptions::default()))
        .expect("the fake kernel refuses nothing sensible")
        .applied
}

/// The state that a spec has on a fresh host.
fn fresh(spec: &Spec) -> Outcome {
    let mut kernel = FakeKernel::default();
    settle(&mut kernel, spec);
    outcome(&kernel)
}

proptest! {
    #[test]
    fn applying_twice_changes_nothing(spec in arbitrary::spec()) {
        let mut kernel = FakeKernel::default();
        settle(&mut kernel, &spec);
        let before = kernel.state.clone();
        prop_assert_eq!(block_on(preview(&mut kernel, &spec, &EngineOptions::default()))?, Vec::new());
        prop_assert_eq!(settle(&mut kernel, &spec), Vec::new());
        prop_assert_eq!(kernel.state, before);
    }

    #[test]
    fn the_way_there_does_not_matter(first in arbitrary::spec(), second in arbitrary::spec()) {
        let mut kernel = FakeKernel::default();
        settle(&mut kernel, &first);
        settle(&mut kernel, &second);
        prop_assert_eq!(outcome(&kernel), fresh(&second));
    }

    #[test]
    fn what_differs_is_all_that_has_to_be_looked_at(
        first in arbitrary::spec(),
        second in arbitrary::spec(),
        third in arbitrary::spec(),
    ) {
        let mut kernel = FakeKernel::default();
        settle(&mut kernel, &first);
        for (settled, next) in [(&first, &second), (&second, &third)] {
            let options = EngineOptions::default();
            block_on(reconcile_change(&mut kernel, settled, next, &options)).expect("nothing is refused");
            prop_assert_eq!(block_on(preview(&mut kernel, next, &options))?, Vec::new());
            prop_assert_eq!(outcome(&kernel), fresh(next));
        }
    }

    #[test]
    fn what_does_not_differ_is_not_looked_at(
        spec in arbitrary::spec(),
        chosen in any::<prop::sample::Index>(),
    ) {
        let ids: Vec<_> = spec.sandboxes.keys().copied().collect();
        prop_assume!(!ids.is_empty());
        let mut without = spec.clone();
        without.sandboxes.remove(chosen.get(&ids));
        let mut kernel = FakeKernel::default();
        settle(&mut kernel, &without);
        let options = EngineOptions::default();
        let report = block_on(reconcile_change(&mut kernel, &without, &spec, &options)).expect("it can be done");
        prop_assert_eq!(outcome(&kernel), fresh(&spec));
        let all = spec.active_endpoints().filter(|(sandbox, _, _)| sandbox.id == *chosen.get(&ids)).count();
        let veths = report.applied.iter().filter(|action| matches!(action, Action::CreateVeth { .. })).count();
        prop_assert_eq!(veths, all);
    }

    #[test]
    fn a_kill_anywhere_is_repaired(
        first in arbitrary::spec(),
        second in arbitrary::spec(),
        lives in any::<prop::sample::Index>(),
        reboot in any::<bool>(),
    ) {
        let mut kernel = FakeKernel::default();
        settle(&mut kernel, &first);
        let mut rehearsal = kernel.clone();
        let actions = settle(&mut rehearsal, &second).len();
        kernel.lives = Some(lives.index(actions + 1));
        let _killed_or_done = block_on(reconcile(&mut kernel, &second, &EngineOptions::default())).is_err();
        if reboot {
            kernel.reboot();
        } else {
            kernel.restart_daemon();
        }
        settle(&mut kernel, &second);
        prop_assert_eq!(outcome(&kernel), fresh(&second));
    }

    #[test]
    fn damage_by_others_is_repaired(
        spec in arbitrary::spec(),
        damages in prop::collection::vec((0..9_u8, any::<prop::sample::Index>()), 1..6),
    ) {
        let mut kernel = FakeKernel::default();
        settle(&mut kernel, &spec);
        for (kind, place) in damages {
            damage(&mut kernel, kind, place);
        }
        settle(&mut kernel, &spec);
        prop_assert_eq!(outcome(&kernel), fresh(&spec));
    }

    #[test]
    fn an_empty_spec_leaves_nothing_behind(spec in arbitrary::spec()) {
        let mut kernel = FakeKernel::default();
        settle(&mut kernel, &spec);
        settle(&mut kernel, &Spec::default());
        prop_assert_eq!(outcome(&kernel), fresh(&Spec::default()));
    }
}

/// Does one of the things that other programs do to links, namespaces and tables of ours.
fn damage(kernel: &mut FakeKernel, kind: u8, place: prop::sample::Index) {
    let state = &kernel.state;
    let is_ours = |role: LinkRole| matches!(role, LinkRole::Bridge(_) | LinkRole::Veth(_));
    let ours: Vec<u32> =
        state.links.iter().filter(|(_, link)| is_ours(link.role)).map(|(&index, _)| index).collect();
    let sandboxes: Vec<_> = state.sandboxes.keys().copied().collect();
    let attached: Vec<_> = state.attached.iter().copied().collect();
    if ours.is_empty() || sandboxes.is_empty() {
        return;
    }
    let (link, sandbox) = (*place.get(&ours), *place.get(&sandboxes));
    match kind {
        0 => kernel.delete_link(link),
        1 => kernel.delete_namespace(sandbox),
        2 => drop(kernel.state.attached.remove(place.get(&attached))),
        3 => kernel.state.tables.endpoints.clear(),
        4 => drop(kernel.state.held.pop_first()),
        _ => {}
    }
    let Some(link) = kernel.state.links.get_mut(&link) else { return };
    match kind {
        5 => link.up = false,
        6 => link.master = None,
        7 => link.addresses.clear(),
        8 => {
            link.role = if matches!(link.role, LinkRole::Bridge(_)) {
                LinkRole::Bridge(Owner::Unfinished)
            } else {
                LinkRole::Veth(Owner::Unfinished)
            }
        }
        _ => {}
    }
}

#[test]
fn a_port_of_another_program_is_reported_and_the_rest_is_done() {
    let spec = arbitrary::example();
    let key = spec.sandboxes.values().flat_map(|sandbox| &sandbox.ports).next().expect("a port").key();
    let mut kernel = FakeKernel::default();
    kernel.foreign_ports.insert(key);
    match block_on(reconcile(&mut kernel, &spec, &EngineOptions::default())) {
        Err(Error::Apply { action, source: FakeError::Exists(_), others }) => {
            assert_eq!((*action, others), (Action::HoldPort(key), Vec::new()));
        }
        other => panic!("the port was had: {other:?}"),
    }
    let mut without = fresh(&spec);
    without.held.clear();
    without.published.retain(|entry| !entry.contains("0.0.0.0"));
    assert_eq!(outcome(&kernel), without);
    kernel.foreign_ports.clear();
    settle(&mut kernel, &spec);
    assert_eq!(outcome(&kernel), fresh(&spec));
}

#[test]
fn a_port_that_stays_taken_changes_no_rules_however_often_it_is_tried() {
    let spec = arbitrary::example();
    let key = spec.sandboxes.values().flat_map(|sandbox| &sandbox.ports).next().expect("a port").key();
    let mut kernel = FakeKernel::default();
    kernel.foreign_ports.insert(key);
    let mut attempt = || {
        block_on(reconcile(&mut kernel, &spec, &EngineOptions::default())).expect_err("the port is taken");
        (kernel.state.tables.clone(), kernel.applied.len())
    };
    let first = attempt();
    assert_eq!([attempt(), attempt()], [first.clone(), first]);
}

#[test]
fn a_new_daemon_leaves_published_what_it_has_yet_to_hold() {
    let spec = arbitrary::example();
    let mut kernel = FakeKernel::default();
    settle(&mut kernel, &spec);
    let before = kernel.state.tables.clone();
    kernel.restart_daemon();
    let held = settle(&mut kernel, &spec);
    assert!(held.iter().all(|action| matches!(action, Action::HoldPort(_))), "{held:?}");
    assert_eq!(kernel.state.tables, before);
}

#[test]
fn links_and_addresses_of_others_are_left_alone() {
    let mut kernel = FakeKernel::default();
    let docker = kernel.add_link("br-0123456789ab", LinkRole::Netdev, &["172.17.0.1/16"]);
    let before = kernel.state.links[&docker].clone();
    settle(&mut kernel, &arbitrary::example());
    settle(&mut kernel, &Spec::default());
    assert_eq!(kernel.state.links[&docker], before);
    assert!(kernel.state.attached.contains(&(Hook::FromNetdev, docker)));
}

#[test]
fn rules_are_in_force_only_under_an_even_epoch() {
    let mut kernel = FakeKernel::default();
    let epochs = |actions: Vec<Action>| -> Vec<u32> {
        let configs = actions.into_iter().filter_map(|action| {
            if let Action::Put(Entry::Config(config)) = action { Some(config.epoch) } else { None }
        });
        configs.collect()
    };
    // The settings name the device that leads to the name server once it is up.
    assert_eq!(epochs(settle(&mut kernel, &Spec::default())), [2, 4]);
    // Bridges and endpoints get their indices, and so their entries, in two rounds.
    assert_eq!(epochs(settle(&mut kernel, &arbitrary::example())), [5, 6, 7, 8]);
    assert_eq!(epochs(settle(&mut kernel, &Spec::default())), [9, 10]);
    kernel.state.tables.config.as_mut().expect("settings").epoch = 11;
    assert_eq!(epochs(settle(&mut kernel, &Spec::default())), [12]);
    kernel.state.routes += 1;
    assert_eq!(epochs(settle(&mut kernel, &Spec::default())), [13, 14], "flows may take another way");
    assert_eq!(epochs(settle(&mut kernel, &Spec::default())), [0; 0]);
}

#[test]
fn a_kernel_that_keeps_nothing_is_reported() {
    struct Forgetful(FakeKernel);
    impl Kernel for Forgetful {
        type Error = FakeError;
        async fn observe(&mut self) -> Result<&Observed, FakeError> {
            self.0.observe().await
        }
        fn revision(&self) -> Option<u64> {
            None
        }

        fn distrust(&mut self) {}
        async fn apply(&mut self, _: &Action) -> Result<(), FakeError> {
            Ok(())
        }
    }
    let error = block_on(reconcile(
        &mut Forgetful(FakeKernel::default()),
        &Spec::default(),
        &EngineOptions::default(),
    ))
    .expect_err("it forgets");
    let text = error.to_string();
    assert!(text.contains("does not settle") && text.contains("attach from_netdev to link 2"), "{text}");
}

#[test]
fn a_range_that_cannot_be_had_is_given_up_soon() {
    let mut spec = arbitrary::example();
    let mapping = spec.sandboxes.values_mut().find_map(|sandbox| sandbox.ports.first_mut()).expect("a port");
    mapping.host_ports = PortRange::new(20_000, 39_999).expect("a range");
    mapping.ports = mapping.host_ports;
    let mut kernel = FakeKernel::default();
    kernel.foreign_ports.extend(mapping.keys());
    match block_on(reconcile(&mut kernel, &spec, &EngineOptions::default())) {
        Err(Error::Apply { others, .. }) => assert_eq!(others.len(), 19_999),
        other => panic!("the ports were had: {other:?}"),
    }
    assert!(kernel.state.tables.published.keys().all(|block| !block.key.address.is_unspecified()));
}
