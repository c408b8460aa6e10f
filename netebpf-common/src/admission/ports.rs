//! Which ports are published, open or linked?

use crate::{
    abi::{Address, AllowKey, Port, PublishKey, Tuple},
    run::Run,
    tables::Tables,
};

/// The endpoint's address and port behind the host port that the flow goes to, if both have the same IP version.
///
/// The host's address itself comes first, then the wildcard.
#[inline(always)]
pub(super) fn published<P>(run: &Run<'_, P, impl Tables>) -> Option<(Address, Port)> {
    let original = &run.workspace.original;
    let exact = key(original, original.destination);
    let any = key(original, Address::unspecified(original.destination.family()));
    let target = run.tables.published(&exact).or_else(|| run.tables.published(&any))?;
    let translatable = target.address.is_v4() == original.destination.is_v4();
    translatable.then(|| (target.address, target.port_for(original.destination_port)))
}

/// Whether the endpoint itself published the port that the flow goes to at the endpoint's own address.
#[inline(always)]
pub(super) fn is_open<P>(run: &Run<'_, P, impl Tables>) -> bool {
    let original = &run.workspace.original;
    run.tables.published(&key(original, original.destination)).is_some()
}

#[inline(always)]
const fn key(tuple: &Tuple, address: Address) -> PublishKey {
    let [protocol, ..] = tuple.protocol.to_le_bytes();
    PublishKey::new(address, tuple.destination_port, protocol)
}

/// Whether a packet with this tuple belongs to what a link opens between two endpoints of a network with ICC off, in either
/// direction.
#[inline(always)]
#[must_use]
pub fn is_linked<P>(run: &Run<'_, P, impl Tables>, tuple: &Tuple) -> bool {
    let [protocol, ..] = tuple.protocol.to_le_bytes();
    let request = AllowKey::new(tuple.source, tuple.destination, tuple.destination_port, protocol);
    let answer = AllowKey::new(tuple.destination, tuple.source, tuple.source_port, protocol);
    run.tables.allowed(&request) || run.tables.allowed(&answer)
}
