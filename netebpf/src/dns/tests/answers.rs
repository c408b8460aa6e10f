//! What is said about names that the networks know.

use std::collections::BTreeSet;

use hickory_server::proto::{
    op::{MessageType, ResponseCode},
    rr::DNSClass,
};

use super::*;

fn resolver() -> Resolver {
    resolver_for(&[], Limits::default(), |_| {})
}

#[track_caller]
fn assert_told(client: (u8, u8), name: &str, kind: RecordType, expected: &[&str]) {
    let answer = answer(&resolver(), client, &query(name, kind));
    assert_eq!(answer.metadata.response_code, ResponseCode::NoError, "{name}");
    assert_eq!(told(&answer), expected, "{name}");
}

/// There is nobody to ask, which shows that somebody would have been asked.
#[track_caller]
fn assert_forwarded(client: (u8, u8), name: &str, kind: RecordType) {
    let answer = answer(&resolver(), client, &query(name, kind));
    assert_eq!((answer.metadata.response_code, told(&answer)), (ResponseCode::ServFail, vec![]), "{name}");
}

#[test]
fn names_of_all_kinds_are_told() {
    for name in ["db.", "db", "DB.", "box-3.net.", "030102000000.", "web.example.org.net."] {
        let address = match name.split('.').next() {
            Some("box-3") => "10.1.0.3",
            Some("web") => "10.1.0.1",
            _ => "10.1.0.2",
        };
        assert_told(WEB, name, RecordType::A, &[address]);
    }
    assert_told(DB, "app.", RecordType::A, &["10.1.0.1", "10.1.0.2"]);
    assert_told(DB, "db.", RecordType::AAAA, &["fd01::2"]);
}

#[test]
fn a_link_is_told_to_the_one_that_made_it() {
    assert_told(WEB, "store.", RecordType::A, &["10.1.0.2"]);
    assert_told(WEB, "STORE.net.", RecordType::AAAA, &["fd01::2"]);
    assert_forwarded(DB, "store.", RecordType::A);
}

#[test]
fn a_known_name_without_such_an_address_is_told_without_data() {
    assert_told(WEB, "web.", RecordType::AAAA, &[]);
    assert_told(WEB, "web.", RecordType::MX, &[]);
}

#[test]
fn addresses_have_the_name_of_their_sandbox_on_the_network() {
    assert_told(DB, "1.0.1.10.in-addr.arpa.", RecordType::PTR, &["web.net."]);
    assert_told(DB, "2.0.1.10.IN-ADDR.arpa.", RecordType::PTR, &["db.net."]);
    let v6 = "2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.1.0.D.F.ip6.arpa.";
    assert_told(WEB, v6, RecordType::PTR, &["db.net."]);
    assert_forwarded(WEB, "1.0.2.10.in-addr.arpa.", RecordType::PTR);
    assert_forwarded(WEB, "web.", RecordType::PTR);
}

#[test]
fn other_types_classes_and_names_are_for_other_servers() {
    for (name, kind) in [
        ("db.", RecordType::TXT),
        ("db.", RecordType::SRV),
        ("db.", RecordType::ANY),
        ("example.org.", RecordType::A),
        ("nobody.", RecordType::A),
        ("nobody.", RecordType::MX),
        (".", RecordType::A),
        ("d\\.b.", RecordType::A),
        ("secret.", RecordType::A),
        ("secret.other.", RecordType::A),
    ] {
        assert_forwarded(WEB, name, kind);
    }
    let mut chaos = query("db.", RecordType::A);
    chaos.queries[0].query_class = DNSClass::CH;
    assert_eq!(answer(&resolver(), WEB, &chaos).metadata.response_code, ResponseCode::ServFail);
}

#[test]
fn an_answer_repeats_the_question_and_says_what_the_server_can() {
    let mut asked = query("dB.NET.", RecordType::A);
    asked.metadata.checking_disabled = true;
    asked.metadata.authentic_data = true;
    let answer = answer(&resolver(), WEB, &asked);
    let metadata = answer.metadata;
    assert_eq!((metadata.id, metadata.message_type), (0x1234, MessageType::Response));
    assert!(metadata.recursion_desired && metadata.recursion_available && metadata.checking_disabled);
    assert!(!metadata.authoritative && !metadata.truncation && !metadata.authentic_data);
    assert!(answer.queries[0].name.eq_case(&asked.queries[0].name));
    assert!(answer.answers[0].name.eq_case(&asked.queries[0].name));
    assert_eq!((answer.answers[0].ttl, answer.answers[0].dns_class), (600, DNSClass::IN));
    assert_eq!(answer.edns, None);
}

#[test]
fn edns_is_answered_with_our_own() {
    let mut asked = with_edns(query("db.", RecordType::A), 4096);
    asked.edns.as_mut().expect("it has one").set_dnssec_ok(true);
    let edns = answer(&resolver(), WEB, &asked).edns.expect("EDNS answers EDNS");
    assert_eq!((edns.version(), edns.max_payload(), edns.flags().dnssec_ok), (0, 1232, true));
    asked.edns.as_mut().expect("it has one").set_version(1);
    let answer = answer(&resolver(), WEB, &asked);
    assert_eq!((u16::from(answer.metadata.response_code), told(&answer)), (16, vec![]), "BADVERS");
}

#[test]
fn as_many_addresses_are_told_as_the_client_takes() {
    let all = |query: Message, transport| {
        let answer = answer_by(&resolver(), DB, transport, &query);
        (told(&answer).len(), answer.metadata.truncation)
    };
    let many = || query("many.", RecordType::A);
    assert_eq!(all(many(), Transport::Udp), (30, true), "22 + 30 × 16 of 512 bytes");
    assert_eq!(all(with_edns(many(), 100), Transport::Udp), (29, true), "there is the OPT record, too");
    assert_eq!(all(with_edns(many(), 992), Transport::Udp), (59, true));
    assert_eq!(all(with_edns(many(), 993), Transport::Udp), (60, false), "33 + 60 × 16 bytes");
    assert_eq!(all(many(), Transport::Tcp), (60, false));
}

#[test]
fn shared_names_are_told_in_changing_order() {
    let resolver = resolver();
    let first = || {
        let answer = answer(&resolver, WEB, &query("app.", RecordType::A));
        format!("{:?}", answer.answers[0].data)
    };
    let firsts: BTreeSet<_> = (0..100).map(|_| first()).collect();
    assert_eq!(firsts.len(), 2, "each of both comes first at times");
}

#[test]
fn a_name_of_one_part_may_be_for_the_networks_alone() {
    let spec = play::spec();
    let resolver = resolver();
    let clients = play::clients(&spec, &[]).into_iter();
    let clients = clients.map(|(peer, client)| (peer, Client { keeps_single_labels: true, ..client }));
    resolver.publish(Names::of(&spec), clients);
    for (name, kind, code) in [
        ("nobody.", RecordType::A, ResponseCode::NoError),
        ("nobody.", RecordType::AAAA, ResponseCode::NoError),
        ("nobody.", RecordType::TXT, ResponseCode::ServFail),
        ("nobody.net.", RecordType::A, ResponseCode::ServFail),
    ] {
        let answer = answer(&resolver, WEB, &query(name, kind));
        assert_eq!((answer.metadata.response_code, told(&answer)), (code, vec![]), "{name} {kind}");
    }
}

#[test]
fn a_change_is_told_at_once_and_counts_go_on() {
    let resolver = resolver();
    let ask = || answer(&resolver, WEB, &query("db.", RecordType::A)).metadata.response_code;
    assert_eq!(ask(), ResponseCode::NoError);
    let mut spec = play::spec();
    for sandbox in spec.sandboxes.values_mut().filter(|sandbox| sandbox.name.as_str() == "db") {
        sandbox.attachments[0].endpoint = None;
    }
    resolver.publish(Names::of(&spec), play::clients(&spec, &[]));
    assert_eq!(ask(), ResponseCode::ServFail);
    let network = spec.networks.values().next().expect("there are two").id;
    let counts = resolver.counts()[&network];
    assert_eq!((counts.queries, counts.answered, counts.failed), (2, 1, 1));
    assert_eq!(
        answer(&resolver, DB, &query("web.", RecordType::A)).metadata.response_code,
        ResponseCode::Refused
    );
}

#[test]
fn an_explanation_says_what_the_server_would_say_and_why() {
    let upstream = Upstream { address: ([192, 0, 2, 1], 53).into(), from: Origin::Host };
    let resolver = resolver_for(&[upstream], Limits::default(), |_| {});
    let spec = play::spec();
    let id =
        |name: &str| spec.sandboxes.values().find(|one| one.name.as_str() == name).expect("it is there").id;
    let explain = |name: &str, kind: &str| resolver.explain(id("web"), name, kind.parse().expect("a type"));
    let network = spec.networks.values().next().expect("there are two").id;
    let known = |linked: Option<&str>, address: &str| Explanation::Network {
        network,
        linked: linked.map(str::to_owned),
        addresses: address.parse().into_iter().collect(),
    };
    assert_eq!(explain("DB.", "a"), Some(known(None, "10.1.0.2")));
    assert_eq!(explain("store", "AAAA"), Some(known(Some("db"), "fd01::2")));
    assert_eq!(explain("web", "mx"), Some(known(None, "none")));
    let pointer = Explanation::Pointer { network, name: "db.net".to_owned() };
    assert_eq!(explain("2.0.1.10.in-addr.arpa", "PTR"), Some(pointer));
    assert_eq!(explain("example.org", "A"), Some(Explanation::Forwarded(vec![upstream])));
    resolver.publish(Names::of(&spec), play::clients(&spec, &[]));
    assert_eq!(explain("example.org", "A"), Some(Explanation::Nobody));
    assert_eq!(
        resolver.explain(crate::model::SandboxId::new([0; 32]), "db", "A".parse().expect("a type")),
        None
    );
    "hosts".parse::<Kind>().expect_err("it is no type");
}
