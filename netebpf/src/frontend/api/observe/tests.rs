//! What is asked for is checked, and what was seen is named.

use netebpf_common::{
    abi::{
        Address, Direction, DropKey, Event, EventFilter, EventKind, Flow, FlowState, Hook, Mac, Port, Tuple,
        WayOut, protocol,
    },
    nat,
    tables::Tier,
    verdict::{DropReason, Outcome},
};
use serde_json::json;

use super::{
    convert,
    filter::{DropParameters, EventParameters, FlowParameters},
    names::Names,
    wire,
};
use crate::{
    daemon::{Connection, News},
    model::Spec,
};

const LOOPBACK: u32 = 1;

fn tuple() -> Tuple {
    Tuple {
        source: Address::from(std::net::Ipv4Addr::new(10, 1, 0, 2)),
        destination: Address::from(std::net::Ipv4Addr::new(192, 0, 2, 9)),
        source_port: Port::new(4000),
        destination_port: Port::new(443),
        protocol: u32::from(protocol::TCP),
    }
}

fn filter(parameters: serde_json::Value) -> Result<EventFilter, String> {
    let parameters: EventParameters = serde_json::from_value(parameters).expect("the shape is right");
    let wanted = parameters.check(&Spec::default()).map_err(|error| error.to_string())?;
    Ok(wanted.filter())
}

#[test]
fn what_is_asked_for_becomes_the_kernels_filter() {
    let asked =
        json!({"drops": 10, "reason": "isolated", "address": "10.1.0.2", "port": 80, "protocol": "udp"});
    let mut expected = EventFilter::everything(10, 0);
    expected.outcome = u32::from(Outcome::Dropped(DropReason::Isolated).code());
    expected.address = Address::from(std::net::Ipv4Addr::new(10, 1, 0, 2));
    expected.port = Port::new(80);
    expected.protocol = protocol::UDP;
    assert_eq!(filter(asked), Ok(expected));
    assert_eq!(filter(json!({"flows": 1})), Ok(EventFilter::everything(0, 1)));
    assert_eq!(
        filter(json!({"address": "::ffff:10.1.0.2"})).map(|filter| filter.address),
        Ok(expected.address)
    );
    assert_eq!(filter(json!({"protocol": "47"})).map(|filter| filter.protocol), Ok(47));
}

#[test]
fn names_that_nothing_has_are_refused() {
    let error = filter(json!({"reason": "bad_mood"})).expect_err("there is no such reason");
    assert!(error.starts_with("unknown reason \"bad_mood\": known are malformed, spoofed, "), "{error}");
    let error = filter(json!({"protocol": "tpc"})).expect_err("there is no such protocol");
    assert!(error.starts_with("unknown protocol \"tpc\": known are tcp, udp, "), "{error}");
    filter(json!({"protocol": "0"})).expect_err("zero would mean any");
    let error = filter(json!({"sandbox": "web"})).expect_err("there is no such sandbox");
    assert!(error.contains("web"), "{error}");
}

#[test]
fn drops_are_named_and_kept_if_they_were_asked_for() {
    let key = DropKey::new(LOOPBACK, Hook::ToBridge, Outcome::Dropped(DropReason::Isolated).code());
    let drops = convert::drops(key, 3, &Names::default());
    assert_eq!(
        (drops.device.as_str(), drops.direction.as_str(), drops.reason.as_str(), drops.packets),
        ("lo", "to_bridge", "isolated", 3)
    );
    assert_eq!(drops.meaning, DropReason::Isolated.explain());
    for (reason, expected) in [(json!("isolated"), true), (json!("spoofed"), false), (json!(null), true)] {
        let parameters: DropParameters =
            serde_json::from_value(json!({"reason": reason})).expect("the shape is right");
        let wanted = parameters.check(&Spec::default()).expect("a reason");
        assert_eq!(wanted.has_drops(&drops), expected, "{reason}");
    }
}

#[test]
fn a_flow_shows_both_directions() {
    let (original, now) = (tuple(), 100_000_000_000);
    let reply =
        Tuple { destination: Address::from(std::net::Ipv4Addr::new(192, 0, 2, 1)), ..original.mirrored() };
    let way = WayOut::sandbox(7, Mac([2; 6]), Mac([3; 6]));
    let entry = |direction, before, after: Tuple, seen, packets| {
        let mut flow = Flow::new(direction, nat::translation(&before, &after), way, 2, seen);
        flow.set_state(FlowState::Established);
        flow.packets = packets;
        flow
    };
    let forward = entry(Direction::Original, original, reply.mirrored(), now - 9_000_000_000, 5);
    let backward = entry(Direction::Reply, reply, original.mirrored(), now - 4_000_000_000, 3);
    let whole =
        Connection { tier: Tier::Assured, original, reply, forward: Some(forward), backward: Some(backward) };
    for connection in [whole, Connection { forward: None, ..whole }] {
        let shown = convert::flow(&connection, now, &Names::default());
        assert_eq!((shown.protocol.as_str(), shown.state.as_str(), shown.idle), ("tcp", "established", 4));
        let text = |ends: &wire::Ends| format!("{} {}", ends.source.address, ends.destination.address);
        assert_eq!(text(&shown.original), "10.1.0.2 192.0.2.9");
        assert_eq!(text(&shown.translated), "192.0.2.1 192.0.2.9");
        let sent = connection.forward.map_or(0, |flow| flow.packets);
        assert_eq!((shown.sent.packets, shown.received.packets), (sent, 3));
    }
    let asks = |parameters: serde_json::Value| {
        let parameters: FlowParameters = serde_json::from_value(parameters).expect("the shape is right");
        let wanted = parameters.check(&Spec::default()).expect("a filter");
        wanted.has_tuple(&whole.original) || wanted.has_tuple(&whole.reply)
    };
    assert!(asks(json!({})));
    assert!(asks(json!({"address": "192.0.2.1", "protocol": "tcp"})), "the translated address counts");
    assert!(!asks(json!({"address": "192.0.2.2"})));
    assert!(!asks(json!({"port": 80})));
}

#[test]
fn an_event_tells_what_there_is_and_nothing_else() {
    let mut event = Event::new(EventKind::Drop, Hook::FromContainer, 17);
    (event.tuple, event.ifindex, event.tcp_flags) = (tuple(), LOOPBACK, 0x12);
    let told = convert::event(&News { event, missed: 2 }, &Names::default());
    assert_eq!((told.outcome.as_deref(), told.device.as_deref()), (Some("spoofed"), Some("lo")));
    assert_eq!((told.tcp_flags.as_str(), told.missed), ("syn,ack", 2));
    assert_eq!(told.ends.map(|ends| ends.destination.port), Some(443));

    let event = Event::timed_out(0, tuple());
    let told = convert::event(&News { event, missed: 0 }, &Names::default());
    assert_eq!((told.kind, told.direction, told.device), (wire::Kind::FlowEnd, None, None));
    let text =
        serde_json::to_value(convert::event(&News { event, missed: 0 }, &Names::default())).expect("JSON");
    assert_eq!(text["ends"]["source"], json!({"address": "10.1.0.2", "port": 4000}));
    assert_eq!(text.get("source_mac"), None);
}
