//! What a filter lets through, on random events.

use core::net::{Ipv4Addr, Ipv6Addr};
use std::vec::Vec;

use proptest::prelude::*;

use super::*;
use crate::abi::Port;

/// Few addresses and ports, so that filters and events often mean the same.
fn addresses() -> impl Strategy<Value = Address> {
    prop_oneof![
        (1..4_u8).prop_map(|last| Ipv4Addr::new(10, 0, 0, last).into()),
        (1..4_u16).prop_map(|last| Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, last).into()),
    ]
}

fn ports() -> impl Strategy<Value = Port> {
    (1..4_u16).prop_map(Port::new)
}

fn events() -> impl Strategy<Value = Event> {
    let kind = prop_oneof![Just(EventKind::Drop), Just(EventKind::FlowNew), Just(EventKind::FlowEnd)];
    let tuple = (addresses(), addresses(), ports(), ports(), prop_oneof![Just(6_u32), Just(17)]);
    (kind, tuple, 1..4_u32, 16..19_u8, any::<u64>()).prop_map(|(kind, tuple, ifindex, outcome, now)| {
        let (source, destination, source_port, destination_port, protocol) = tuple;
        let tuple = Tuple { source, destination, source_port, destination_port, protocol };
        let sighting = Sighting {
            hook: Hook::FromBridge,
            outcome,
            ifindex,
            length: 60,
            now,
            tuple: &tuple,
            source_mac: &Mac([1; 6]),
            destination_mac: &Mac([2; 6]),
            ethertype: 8,
            tcp_flags: 2,
        };
        let mut event = Event::new(EventKind::Drop, Hook::Socket, 0);
        sighting.fill(&mut event, kind);
        event
    })
}

fn filters() -> impl Strategy<Value = EventFilter> {
    let any_or = |strategy: BoxedStrategy<u32>, any| prop_oneof![Just(any), strategy];
    let address = prop_oneof![Just(Address::UNSPECIFIED_V6), addresses()];
    let port = prop_oneof![Just(Port::default()), ports()];
    let ifindex = any_or((1..4_u32).boxed(), 0);
    let outcome = any_or((16..19_u32).boxed(), EventFilter::ANY);
    let protocol = prop_oneof![Just(0_u8), Just(6), Just(17)];
    (address, port, ifindex, outcome, protocol, 0..4_u32, 0..4_u32).prop_map(
        |(address, port, ifindex, outcome, protocol, drops, flows)| {
            let mut filter = EventFilter::everything(drops, flows);
            filter.address = address;
            filter.port = port;
            filter.ifindex = ifindex;
            filter.outcome = outcome;
            filter.protocol = protocol;
            filter
        },
    )
}

proptest! {
    #[test]
    fn a_filter_of_zeroes_tells_nothing(event in events(), random: u32) {
        prop_assert!(!select(&EventFilter::default(), &event, random));
        prop_assert!(!select(&EventFilter::everything(0, 0), &event, random));
    }

    #[test]
    fn a_filter_of_everything_tells_of_every_event_of_its_kind(event in events(), random: u32) {
        let is_drop = event.kind() == Some(EventKind::Drop);
        prop_assert_eq!(select(&EventFilter::everything(1, 0), &event, random), is_drop);
        prop_assert_eq!(select(&EventFilter::everything(0, 1), &event, random), !is_drop);
    }

    #[test]
    fn what_is_told_is_what_was_asked_for(filter in filters(), event in events()) {
        let tuple = event.tuple;
        let ends = [(tuple.source, tuple.source_port), (tuple.destination, tuple.destination_port)];
        let wanted = [
            filter.address.is_unspecified() || ends.iter().any(|end| end.0 == filter.address),
            filter.port.number() == 0 || ends.iter().any(|end| end.1 == filter.port),
            filter.protocol == 0 || u32::from(filter.protocol) == tuple.protocol,
            filter.ifindex == 0 || filter.ifindex == event.ifindex,
            filter.outcome == EventFilter::ANY || filter.outcome == u32::from(event.outcome),
        ];
        prop_assert_eq!(matches(&filter, &event), wanted == [true; 5], "{:?}", wanted);
    }

    #[test]
    fn both_ends_of_a_packet_are_looked_at(event in events(), random: u32) {
        let everything = EventFilter::everything(1, 1);
        let tuple = event.tuple;
        for (address, port) in
            [(tuple.source, tuple.source_port), (tuple.destination, tuple.destination_port)]
        {
            let (mut by_address, mut by_port) = (everything, everything);
            (by_address.address, by_port.port) = (address, port);
            prop_assert!(select(&by_address, &event, random));
            prop_assert!(select(&by_port, &event, random));
        }
    }

    #[test]
    fn a_sample_has_the_size_that_was_asked_for(interval in 1..100_u32, event in events()) {
        let filter = EventFilter::everything(interval, interval);
        let told = (0..100 * interval).filter(|random| select(&filter, &event, *random)).count();
        prop_assert_eq!(told, 100);
    }

    #[test]
    fn nothing_that_a_follower_wants_is_withheld_for_the_others(
        filters in proptest::collection::vec(filters(), 0..4), event in events(), random: u32,
    ) {
        let all = union(filters.iter().copied());
        for filter in &filters {
            // A sample is taken once: in the kernel if all want the same, by the follower otherwise.
            let kind = event.kind().expect("a kind");
            let sampled_by_kernel = interval(&all, kind) == interval(filter, kind);
            if select(filter, &event, random) {
                prop_assert!(matches(&all, &event));
                prop_assert!(sampled_by_kernel || interval(&all, kind) == 1);
            }
        }
        let nobody = filters.iter().all(|filter| filter.drops == 0 && filter.flows == 0);
        prop_assert_eq!(all == EventFilter::default(), nobody);
    }
}

#[test]
fn an_event_tells_what_was_seen() {
    let tuple = Tuple {
        source: Ipv4Addr::new(10, 0, 0, 1).into(),
        destination: Ipv4Addr::new(10, 0, 0, 2).into(),
        source_port: Port::new(1),
        destination_port: Port::new(2),
        protocol: 6,
    };
    let sighting = Sighting {
        hook: Hook::ToBridge,
        outcome: 19,
        ifindex: 7,
        length: 74,
        now: 5,
        tuple: &tuple,
        source_mac: &Mac([1; 6]),
        destination_mac: &Mac([2; 6]),
        ethertype: 0x0800_u16.to_be(),
        tcp_flags: 2,
    };
    let mut event = Event::new(EventKind::Drop, Hook::Socket, 0);
    sighting.fill(&mut event, EventKind::FlowNew);
    assert_eq!((event.kind(), event.hook()), (Some(EventKind::FlowNew), Some(Hook::ToBridge)));
    assert_eq!((event.time, event.tuple, event.ifindex, event.length), (5, tuple, 7, 74));
    assert_eq!((event.source_mac, event.destination_mac), (Mac([1; 6]), Mac([2; 6])));
    let rest: Vec<u32> = [event.outcome, event.tcp_flags].map(u32::from).into();
    assert_eq!((rest, event.ethertype), (std::vec![19, 2], 0x0800_u16.to_be()));
}
