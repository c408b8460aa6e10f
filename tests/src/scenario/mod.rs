//! Every behaviour that the demo shows, once: a function named by its sentence, run by the demo and as a
//! test.

use std::{fmt, net::Ipv4Addr};

use anyhow::Result;

use crate::probe::Answer;

mod actor;

pub mod stage;

pub mod change;
pub mod masquerade;
pub mod publish;
pub mod reach;
pub mod survive;

pub use actor::Actor;
pub use stage::{Network, Sandbox, Stage};

/// One thing that was tried, what should have come of it, and what did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phase {
    /// Who tried.
    pub who: String,
    /// What was tried.
    pub tried: String,
    /// What should come of it.
    pub expected: String,
    /// What came of it.
    pub seen: String,
}

impl Phase {
    /// A phase from anything that can be shown.
    pub fn new(
        who: impl fmt::Display,
        tried: impl fmt::Display,
        expected: impl fmt::Display,
        seen: impl fmt::Display,
    ) -> Self {
        let [who, tried] = [who.to_string(), tried.to_string()];
        Self { who, tried, expected: expected.to_string(), seen: seen.to_string() }
    }

    /// Whether it came as it should.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.expected == self.seen
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: expected `{}`, seen `{}`", self.who, self.tried, self.expected, self.seen)
    }
}

/// The phases of a step in their order, or why it could not be tried.
pub type StepResult = Result<Vec<Phase>>;

/// One behaviour: runs on a [`Stage`] and leaves it as it was.
#[derive(Clone, Copy)]
pub struct Step {
    /// The behaviour as a sentence in `snake_case`.
    pub name: &'static str,
    /// Tries it.
    pub run: fn(&Stage) -> StepResult,
}

impl Step {
    /// The behaviour as a sentence.
    #[must_use]
    pub fn title(&self) -> String {
        self.name.replace('_', " ")
    }
}

/// Passes the list of all steps to a macro: those that leave others undisturbed, and those that must be
/// alone.
#[macro_export]
macro_rules! for_each_step {
    ($apply:ident) => {
        $apply! {
            shared: [
                reach::containers_of_one_network_reach_each_other,
                reach::containers_of_one_network_ping_each_other,
                reach::another_network_is_out_of_reach,
                reach::another_network_cannot_be_pinged,
                reach::the_host_reaches_a_container,
                reach::a_container_reaches_a_host_service_with_its_own_address,
                reach::the_outside_cannot_reach_a_container_directly,
                publish::a_published_port_keeps_the_address_of_the_client,
                publish::a_published_udp_port_keeps_the_address_of_the_client,
                publish::the_host_reaches_a_published_port_by_loopback,
                publish::the_host_reaches_a_published_port_by_its_own_address,
                publish::the_host_reaches_a_published_udp_port_without_connecting,
                publish::the_host_reaches_a_published_port_from_ipv6_sockets,
                publish::a_container_of_another_network_reaches_a_published_port,
                publish::a_container_reaches_its_own_published_port,
                publish::a_port_published_on_loopback_stays_on_the_host,
                publish::a_port_that_is_not_published_is_refused_by_the_host,
                masquerade::tcp_leaves_with_the_address_of_the_host,
                masquerade::udp_leaves_with_the_address_of_the_host,
                masquerade::ping_leaves_with_the_address_of_the_host,
                masquerade::each_uplink_lends_its_own_address,
                change::a_running_container_joins_and_leaves_a_network,
                change::containers_without_icc_do_not_reach_each_other,
            ],
            alone: [
                survive::connections_outlive_a_killed_daemon,
                survive::connections_outlive_a_restarted_daemon,
            ],
        }
    };
}

macro_rules! list {
    (shared: [$($shared_module:ident::$shared:ident,)*], alone: [$($module:ident::$alone:ident,)*],) => {
        /// All steps, in the order of the demo.
        pub const STEPS: &[Step] = &[
            $(Step { name: stringify!($shared), run: $shared_module::$shared },)*
            $(Step { name: stringify!($alone), run: $module::$alone },)*
        ];
    };
}

for_each_step!(list);

/// What a client should learn when `server` sees it come from `source`.
fn seen(server: &str, source: Ipv4Addr) -> Answer {
    Answer::seen(server, source)
}
