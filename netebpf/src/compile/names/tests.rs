//! Names as Docker resolves them: examples, and random specs against a plain retelling of Docker's rules.

mod oracle;

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

use netebpf_common::abi::{self, NameKey};
use proptest::{collection::vec, prelude::*, sample::select};

use super::*;
use crate::model::{EndpointSettings, LinkRequest, Name, arbitrary};

/// Words for aliases, links and host names, some of which look like a name on a network.
const WORDS: [&str; 8] = ["a", "b", "a.n", "x", "a.x", "A.x.n", "box-1", "sp ace"];
/// What networks are called instead of `net-0` to `net-3`.
const NETWORKS: [&str; 4] = ["n", "x.n", "X", "b"];

/// The example of the model: box-0 on net-0 and the internal net-1, box-1 on net-0, box-2 not active.
fn example() -> Spec {
    arbitrary::example()
}

fn sandbox<'a>(spec: &'a mut Spec, name: &str) -> &'a mut Sandbox {
    spec.sandboxes.values_mut().find(|sandbox| sandbox.name.as_str() == name).expect("it is in the example")
}

fn settings<'a>(spec: &'a mut Spec, name: &str, network: usize) -> &'a mut EndpointSettings {
    &mut sandbox(spec, name).attachments[network].settings
}

/// The addresses that a sandbox of the spec is told; `None` if the name is forwarded.
fn ask(spec: &Spec, from: &str, name: &str) -> Option<Vec<String>> {
    let asking = spec.sandboxes.values().find(|sandbox| sandbox.name.as_str() == from).expect("a sandbox");
    let names = Names::of(spec);
    let found = names.view(asking.id)?.resolve(name)?;
    Some(all(found.addresses).iter().map(ToString::to_string).collect())
}

fn meaning(addresses: &Addresses) -> abi::Name {
    abi::Name::new(addresses.v4.iter().copied(), addresses.v6.iter().copied())
}

fn all(addresses: &Addresses) -> BTreeSet<IpAddr> {
    let v4 = addresses.v4.iter().copied().map(IpAddr::V4);
    v4.chain(addresses.v6.iter().copied().map(IpAddr::V6)).collect()
}

#[test]
fn a_sandbox_has_its_name_its_short_id_its_host_name_and_its_aliases() {
    let mut spec = example();
    settings(&mut spec, "box-1", 0).aliases = Some(vec!["App".to_owned()]);
    sandbox(&mut spec, "box-1").config.hostname = Some("web.example.org".parse().expect("a host name"));
    let id = sandbox(&mut spec, "box-1").id.short();
    for name in ["box-1", "app", "web.example.org", &id, "box-1.net-0", "web.example.org.net-0"] {
        assert_eq!(ask(&spec, "box-0", name), Some(vec!["10.0.0.3".to_owned()]), "{name}");
    }
    for name in ["web", "box-1.net-1", "box-2", "box", "net-0", "", "."] {
        assert_eq!(ask(&spec, "box-0", name), None, "{name}");
    }
}

#[test]
fn an_alias_counts_on_its_network_only_and_may_be_shared() {
    let mut spec = example();
    settings(&mut spec, "box-0", 0).aliases = Some(vec!["app".to_owned()]);
    settings(&mut spec, "box-1", 0).aliases = Some(vec!["app".to_owned()]);
    settings(&mut spec, "box-0", 1).aliases = Some(vec!["inner".to_owned()]);
    assert_eq!(ask(&spec, "box-1", "app"), Some(vec!["10.0.0.2".to_owned(), "10.0.0.3".to_owned()]));
    assert_eq!(ask(&spec, "box-1", "inner"), None);
    assert_eq!(ask(&spec, "box-0", "inner"), Some(vec!["10.1.0.2".to_owned()]));
}

#[test]
fn a_link_is_known_to_the_one_that_links_and_hides_a_name() {
    let mut spec = example();
    let link = |text: &str| -> LinkRequest { text.parse().expect("a link") };
    settings(&mut spec, "box-0", 0).links = vec![link("box-1:db"), link("nobody:box-1")];
    let other = Some(vec!["10.0.0.3".to_owned()]);
    for name in ["db", "db.net-0"] {
        assert_eq!(ask(&spec, "box-0", name), other, "{name}");
        assert_eq!(ask(&spec, "box-1", name), None, "{name}");
    }
    assert_eq!(ask(&spec, "box-0", "box-1"), None, "it is a link now, and leads nowhere");
    assert_eq!(ask(&spec, "box-1", "box-1"), other);
}

#[test]
fn networks_are_asked_by_priority_then_those_that_lead_out() {
    for (priorities, address) in [([0, 0], "10.0.0.2"), ([0, 1], "10.1.0.2"), ([1, 1], "10.0.0.2")] {
        let mut spec = example();
        for (network, priority) in priorities.into_iter().enumerate() {
            settings(&mut spec, "box-0", network).gateway_priority = priority;
        }
        assert_eq!(ask(&spec, "box-0", "box-0"), Some(vec![address.to_owned()]), "{priorities:?}");
    }
}

#[test]
fn the_default_network_knows_no_names() {
    let mut spec = example();
    for network in spec.networks.values_mut().filter(|network| network.name.as_str() == "net-0") {
        network.bridge.is_default = true;
    }
    assert_eq!(ask(&spec, "box-1", "box-0"), None);
    assert_eq!(ask(&spec, "box-0", "box-1"), None);
    assert_eq!(ask(&spec, "box-0", "box-0"), Some(vec!["10.1.0.2".to_owned()]));
}

#[test]
fn an_address_has_the_name_of_its_sandbox_for_those_on_its_network() {
    let mut spec = example();
    settings(&mut spec, "box-0", 1).aliases = Some(vec!["a".to_owned()]);
    let (first, second) = (sandbox(&mut spec, "box-0").id, sandbox(&mut spec, "box-1").id);
    let names = Names::of(&spec);
    let name_of = |sandbox, address: &str| {
        let address = address.parse().expect("an address");
        let found = names.view(sandbox).expect("it has a view").name_of(address);
        found.map(|(name, zone)| format!("{name}.{}", zone.name))
    };
    assert_eq!(name_of(first, "10.1.0.2"), Some("box-0.net-1".to_owned()));
    assert_eq!(name_of(second, "10.0.0.2"), Some("box-0.net-0".to_owned()));
    assert_eq!(name_of(second, "10.1.0.2"), None, "it is on another network");
    assert_eq!(name_of(second, "10.0.0.9"), None);
}

#[test]
fn what_no_query_can_ask_for_is_not_in_the_table() {
    let mut spec = example();
    let aliases = ["böse", "a..b", "b.", "two words", &"a".repeat(64), "good"];
    settings(&mut spec, "box-1", 0).aliases = Some(aliases.map(str::to_owned).to_vec());
    let table = Table::of(&Names::of(&spec), &spec);
    let keys: BTreeSet<_> = table.scopes.values().flat_map(|scope| scope.keys().copied()).collect();
    let [first, second] = ["box-0", "box-1"].map(|name| sandbox(&mut spec, name).id.short());
    let scopes: Vec<_> = table.scopes.keys().copied().collect();
    let on = |number: usize, names: &[&str]| -> Vec<_> {
        let both = names.iter().flat_map(|name| [(*name).to_owned(), format!("{name}.net-{number}")]);
        both.map(|name| NameKey::new(scopes[number], &name).expect("a short name")).collect()
    };
    let outer = on(0, &["box-0", &first, "box-1", &second, "good"]);
    assert_eq!(keys, outer.into_iter().chain(on(1, &["box-0", &first])).collect());
}

#[test]
fn the_kernels_maps_hold_what_fits_in() {
    let mut spec = example();
    let long = ["a".repeat(60), "b".repeat(60)].join(".");
    settings(&mut spec, "box-1", 0).aliases = Some(vec![long.clone(), "app".to_owned()]);
    settings(&mut spec, "box-0", 0).links = vec!["nobody:db".parse().expect("a link")];
    let table = Table::of(&Names::of(&spec), &spec);
    let views: Vec<_> = table.views.values().collect();
    let name = |scope, name: &str| table.scopes[&scope].get(&NameKey::new(scope, name)?).copied();
    let [own, _, network] = views[0].as_slice() else { panic!("box-0 has links and two networks") };
    assert_eq!(name(*own, "db"), Some(abi::Name::ASK_SERVER));
    assert_eq!(name(*network, "app"), Some(abi::Name::new(["10.0.0.3".parse().expect("an address")], [])));
    assert_eq!(name(*network, &long), None);
    let ids: Vec<_> = table.views.keys().copied().collect();
    let link = |id| ids.iter().position(|known| *known == id).filter(|place| *place != 1);
    let by_link = table.views(|id| u32::try_from(link(id)?).ok());
    assert_eq!(by_link, BTreeMap::from([(0, abi::View::new(views[0])), (2, abi::View::new(views[2]))]));
}

#[test]
fn scopes_whose_identifiers_begin_alike_have_numbers_of_their_own() {
    let mut taken = BTreeSet::new();
    let numbers = [[255; 32], [255; 32], [7; 32]].map(|id| table::choose(id, &mut taken));
    assert_eq!(numbers, [u32::MAX, 0, 0x0707_0707]);
}

fn word() -> impl Strategy<Value = String> {
    select(WORDS.to_vec()).prop_map(str::to_owned)
}

fn link() -> impl Strategy<Value = LinkRequest> {
    (word(), word()).prop_map(|(sandbox, alias)| LinkRequest { sandbox, alias })
}

/// Specs in which names, aliases, links and networks get into each other's way.
fn spec() -> impl Strategy<Value = Spec> {
    let attachment = (vec(word(), 0..3), vec(link(), 0..2), -1..2_i64);
    let hostname = prop::option::of(word());
    (arbitrary::spec(), vec((hostname, vec(attachment, 4)), 5)).prop_map(|(mut spec, given)| {
        let renamed: BTreeMap<_, _> =
            (0..4).map(|number| (format!("net-{number}"), NETWORKS[number])).collect();
        for network in spec.networks.values_mut() {
            network.name = Name::of_network(renamed[network.name.as_str()]).expect("a name");
        }
        for (sandbox, (hostname, attachments)) in spec.sandboxes.values_mut().zip(given) {
            sandbox.config.hostname = hostname.and_then(|name| name.parse().ok());
            for (attachment, (aliases, links, priority)) in sandbox.attachments.iter_mut().zip(attachments) {
                attachment.settings = EndpointSettings {
                    aliases: Some(aliases),
                    links,
                    gateway_priority: priority,
                    ..EndpointSettings::default()
                };
            }
        }
        spec
    })
}

/// Everything that a query might ask for, in lower case, and what looks like it.
fn questions() -> BTreeSet<String> {
    let words = WORDS.into_iter().chain(["box-0", "030000000000", "none"]);
    let once: Vec<_> = words.map(str::to_ascii_lowercase).collect();
    let with = |parts: &[String]| -> Vec<_> {
        let networks = NETWORKS.iter().map(|network| network.to_ascii_lowercase());
        networks.flat_map(|network| parts.iter().map(move |name| format!("{name}.{network}"))).collect()
    };
    let twice = with(&once);
    let thrice = with(&twice);
    [once, twice, thrice].into_iter().flatten().filter(|name| !name.contains(' ')).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn names_are_resolved_as_docker_does(spec in spec()) {
        let names = Names::of(&spec);
        for sandbox in spec.sandboxes.values() {
            for name in questions() {
                let found = names.view(sandbox.id).and_then(|view| view.resolve(&name));
                let expected = oracle::resolve(&spec, sandbox, &name);
                prop_assert_eq!(found.map(|found| all(found.addresses)), expected, "{} of {:?}", name, sandbox.name);
            }
        }
    }

    #[test]
    fn the_table_says_the_same_or_leaves_it_to_the_server(spec in spec()) {
        let names = Names::of(&spec);
        let table = Table::of(&names, &spec);
        for (sandbox, endpoint, _) in spec.active_endpoints() {
            let Some(view) = names.view(sandbox.id) else { continue };
            let scopes = &table.views[&endpoint.id];
            for name in questions() {
                let found = view.resolve(&name).map(|found| meaning(found.addresses));
                let key = |scope| NameKey::new(scope, &name);
                match scopes.iter().find_map(|scope| table.scopes[scope].get(&key(*scope)?)) {
                    Some(&abi::Name::ASK_SERVER) => {}
                    entry => prop_assert_eq!(entry, found.as_ref(), "{} of {:?}", name, sandbox.name),
                }
            }
        }
    }

    #[test]
    fn a_change_leads_to_what_the_whole_would(specs in vec(spec(), 1..4), kept in vec(any::<bool>(), 5)) {
        let (mut before, mut names, mut table) = (Spec::default(), Names::default(), Table::default());
        for mut spec in specs {
            let stay = before.sandboxes.values().zip(&kept).filter(|(_, kept)| **kept);
            stay.for_each(|(sandbox, _)| spec.sandboxes.insert(sandbox.id, sandbox.clone()));
            let next = names.after(&before, &spec);
            table = table.after(&names, &next, &spec);
            (before, names) = (spec, next);
            prop_assert_eq!(&names, &Names::of(&before));
            prop_assert_eq!(&table, &Table::of(&names, &before));
        }
    }

    #[test]
    fn the_table_grows_with_the_names_and_links_alone(spec in spec()) {
        let table = Table::of(&Names::of(&spec), &spec);
        let given = spec.sandboxes.values().flat_map(|sandbox| &sandbox.attachments);
        let given: usize = given
            .map(|attachment| 3 + attachment.settings.aliases.iter().flatten().count() + attachment.settings.links.len())
            .sum();
        let entries: usize = table.scopes.values().map(|scope| scope.len()).sum();
        prop_assert!(entries <= 2 * given, "{} entries of {} names", entries, given);
    }

    #[test]
    fn without_dots_and_links_nothing_is_left_to_the_server(mut spec in spec()) {
        for attachment in spec.sandboxes.values_mut().flat_map(|sandbox| &mut sandbox.attachments) {
            attachment.settings.links.clear();
            attachment.settings.aliases.iter_mut().for_each(|all| all.retain(|alias| !alias.contains('.')));
        }
        for sandbox in spec.sandboxes.values_mut() {
            sandbox.config.hostname = None;
        }
        for network in spec.networks.values_mut() {
            network.name = Name::of_network(&network.name.as_str().replace('.', "-")).expect("a name");
        }
        let table = Table::of(&Names::of(&spec), &spec);
        let mut all = table.scopes.values().flat_map(|scope| scope.values());
        prop_assert!(all.all(|meaning| *meaning != abi::Name::ASK_SERVER));
    }
}
