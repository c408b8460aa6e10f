//! What failed so far, and what must not be done because of that.

use std::collections::BTreeSet;

use netebpf_common::abi::PublishKey;

use crate::plan::{Action, Entry};

/// Changes that failed. A range of ports may fail port by port, so those are looked up and not searched for.
pub(super) struct Failures<E> {
    /// All of them with their reasons, in order.
    pub(super) all: Vec<(Action, E)>,
    ports: BTreeSet<PublishKey>,
    links_without_program: BTreeSet<u32>,
}

impl<E> Default for Failures<E> {
    fn default() -> Self {
        Self { all: Vec::new(), ports: BTreeSet::new(), links_without_program: BTreeSet::new() }
    }
}

impl<E> Failures<E> {
    /// Takes note of a failure.
    pub(super) fn add(&mut self, action: Action, error: E) {
        if let Action::HoldPort(key) = &action {
            self.ports.insert(*key);
        } else if let Action::AttachProgram { ifindex, .. } = &action {
            self.links_without_program.insert(*ifindex);
        }
        self.all.push((action, error));
    }

    /// Whether a change must not be made: a link without its programs does not go up.
    pub(super) fn block(&self, action: &Action) -> bool {
        matches!(action, Action::SetUp { ifindex } if self.links_without_program.contains(ifindex))
    }

    /// Leaves out what has failed and what may only come after it. If nothing but settings is left then, it is their
    /// epoch, which would rise in every round because of entries that cannot be written.
    pub(super) fn remaining(&self, mut actions: Vec<Action>) -> Vec<Action> {
        actions.retain(|action| !self.block(action) && !self.contain(action));
        let is_settings = |action: &Action| matches!(action, Action::Put(Entry::Config(_)));
        if !self.all.is_empty() && actions.iter().all(is_settings) {
            actions.clear();
        }
        actions
    }

    fn contain(&self, action: &Action) -> bool {
        if let Action::HoldPort(key) = action {
            self.ports.contains(key)
        } else {
            self.all.iter().any(|(failed, _)| failed == action)
        }
    }
}
