//! The names that the world's sandboxes know, and queries for them.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::{vec, vec::Vec};

use super::{FrameSpec, Segment, World};
use crate::{
    abi::{Family, Name, NameKey, View},
    dns,
};

/// Scopes: front, back, and what a alone knows.
const FRONT: u32 = 0;
const BACK: u32 = 0x8000_0001;
const LINKS_OF_A: u32 = 7;

/// The names of the world's table, for tests to choose from; the last ones are in none.
pub const NAMES: [&str; 14] = [
    "a",
    "b",
    "c",
    "d",
    "a.front",
    "db",
    "all",
    "many",
    "v6only",
    "nothing",
    "server",
    "a-name.with-many-labels.and.some-length.that-is-still-short-enough.for-the-table.of.the.kernel.and-its-keys.front",
    "unknown",
    "a.back",
];

/// A query to build.
#[derive(Clone, Debug)]
pub struct Query {
    /// Its identifier.
    pub id: u16,
    /// Both bytes of flags.
    pub flags: [u8; 2],
    /// The name, in parts between dots.
    pub name: Vec<u8>,
    /// The type of record asked for.
    pub kind: u16,
    /// Its class.
    pub class: u16,
    /// The options of an OPT record, if there is one.
    pub edns: Option<Vec<u8>>,
}

impl Query {
    /// A query for the addresses of a name as resolvers ask it.
    #[must_use]
    pub fn new(name: &str, family: Family) -> Self {
        let kind = match family {
            Family::V4 => 1,
            Family::V6 => 28,
        };
        Self { id: 0x1234, flags: [1, 0], name: name.into(), kind, class: 1, edns: None }
    }

    /// The message.
    #[must_use]
    pub fn build(&self) -> Vec<u8> {
        let additional = u8::from(self.edns.is_some());
        let mut message = self.id.to_be_bytes().to_vec();
        message.extend(self.flags);
        message.extend([0, 1, 0, 0, 0, 0, 0, additional]);
        for label in self.name.split(|byte| *byte == b'.').filter(|label| !label.is_empty()) {
            message.push(u8::try_from(label.len()).unwrap_or(u8::MAX));
            message.extend(label);
        }
        message.push(0);
        message.extend(self.kind.to_be_bytes());
        message.extend(self.class.to_be_bytes());
        if let Some(options) = &self.edns {
            message.extend([0, 0, 41, 4, 208, 0, 0, 0, 0]);
            message.extend(u16::try_from(options.len()).unwrap_or(u16::MAX).to_be_bytes());
            message.extend(options);
        }
        message
    }
}

impl World {
    /// A packet from a sandbox to the name server.
    #[must_use]
    pub fn asking(sandbox: usize, segment: Segment, payload: Vec<u8>) -> FrameSpec {
        FrameSpec { payload, ..Self::routed(sandbox, dns::RESOLVER.into(), segment) }
    }

    /// A packet from the name server to the endpoint behind a link.
    #[must_use]
    pub fn told(link: u32, segment: Segment, payload: Vec<u8>) -> FrameSpec {
        let client = dns::client_address(link).map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), IpAddr::from);
        FrameSpec { payload, ..FrameSpec::new(dns::RESOLVER.into(), client, segment) }
    }

    /// Fills the tables of names: each sandbox but d may ask.
    pub(super) fn add_names(&mut self) {
        let views = [View::new(&[LINKS_OF_A, FRONT]), View::new(&[FRONT]), View::new(&[BACK, FRONT])];
        self.tables.views = self.links.veths.into_iter().zip(views).collect();
        let own = |sandbox: usize| Name::new(v4(&[sandbox]), v6(&[sandbox]));
        for (scope, network) in [(FRONT, [0, 1]), (BACK, [2, 3])] {
            for sandbox in network {
                self.add_name(scope, NAMES[sandbox], own(sandbox));
            }
            self.add_name(scope, "all", Name::new(v4(&network), v6(&network)));
            self.add_name(scope, "server", Name::ASK_SERVER);
        }
        self.add_name(LINKS_OF_A, "db", own(1));
        self.add_name(LINKS_OF_A, "b", own(2));
        self.add_name(FRONT, "a.front", own(0));
        self.add_name(FRONT, NAMES[11], own(1));
        let many = |last| Ipv4Addr::new(10, 1, 0, last);
        let many_v6 = |last| Ipv6Addr::new(0xfd00, 1, 0, 0, 0, 0, 0, last);
        self.add_name(FRONT, "many", Name::new((10..18).map(many), (10..17).map(many_v6)));
        self.add_name(BACK, "v6only", Name::new([], v6(&[2])));
        self.add_name(FRONT, "nothing", Name::new([], []));
    }

    /// Gives a name a meaning in a scope.
    pub fn add_name(&mut self, scope: u32, name: &str, meaning: Name) {
        if let Some(key) = NameKey::new(scope, name) {
            self.tables.names.insert(key, meaning);
        }
    }
}

fn v4(sandboxes: &[usize]) -> Vec<Ipv4Addr> {
    let address = |sandbox: &usize| match World::address(*sandbox, Family::V4) {
        IpAddr::V4(address) => vec![address],
        IpAddr::V6(_) => Vec::new(),
    };
    sandboxes.iter().flat_map(address).collect()
}

fn v6(sandboxes: &[usize]) -> Vec<Ipv6Addr> {
    let address = |sandbox: &usize| match World::address(*sandbox, Family::V6) {
        IpAddr::V6(address) => vec![address],
        IpAddr::V4(_) => Vec::new(),
    };
    sandboxes.iter().flat_map(address).collect()
}
