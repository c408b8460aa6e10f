//! What holds after any sequence of requests.

use proptest::prelude::*;

use super::*;

/// One of a few requests that may or may not fit together.
fn perform(world: &mut World, request: (u8, usize, usize)) {
    let (kind, one, other) = request;
    let (network, sandbox) = (format!("net{one}"), format!("box{other}"));
    let ports: Vec<String> = vec![format!("{}:80", 8000 + one), "81".to_owned()];
    let ports: Vec<&str> = ports.iter().map(String::as_str).collect();
    let refusal = match kind {
        0 => world.network(&network, Some(&format!("10.{one}.0.0/29"))).err(),
        1 => world.sandbox(&sandbox, &network, &ports).err(),
        2 => world.connect(&network, &sandbox, None).err(),
        3 => world.change(|spec, _| disconnect(spec, &network, &sandbox, false)).err(),
        4 => world.change(|spec, _| remove_sandbox(spec, &sandbox, true)).err(),
        5 => world.change(|spec, _| remove_network(spec, &network)).err(),
        _ => find_sandbox(&world.spec, &sandbox)
            .map(|sandbox| sandbox.id)
            .ok()
            .and_then(|id| world.change(|spec, _| mark_exited(spec, id, 0, 4)).err()),
    };
    if let Some(error) = refusal {
        assert_ne!(error.to_string(), "");
    }
}

proptest! {
    #[test]
    fn no_address_port_interface_or_link_is_given_twice(
        requests in prop::collection::vec((0..7_u8, 0..3_usize, 0..8_usize), 0..80),
    ) {
        let mut world = World::default();
        for request in requests {
            perform(&mut world, request);
            let (mut addresses, mut interfaces, mut links) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
            for (sandbox, endpoint, network) in world.spec.active_endpoints() {
                let pool = &network.pools[0];
                let address = endpoint.addresses[0];
                prop_assert!(pool.subnet.contains(&address) && Some(address) != pool.gateway);
                prop_assert!(addresses.insert(address));
                prop_assert!(interfaces.insert((sandbox.id, &endpoint.interface)) && links.insert(endpoint.link_name()));
            }
            let ports: Vec<_> = world
                .spec
                .active_sandboxes()
                .flat_map(|sandbox| sandbox.ports.iter().map(move |mapping| (sandbox, *mapping)))
                .filter(|(sandbox, mapping)| world.spec.translated_to(sandbox, mapping).is_some())
                .map(|(_, mapping)| mapping)
                .collect();
            for (index, port) in ports.iter().enumerate() {
                prop_assert!(!ports[..index].iter().any(|other| other.conflicts_with(port)));
            }
            let known = |endpoint: &Endpoint| world.spec.networks.contains_key(&endpoint.network);
            prop_assert!(world.spec.active_sandboxes().flat_map(Sandbox::endpoints).all(known));
        }
    }

    /// Requests that name their subnets, addresses and ports commute.
    #[test]
    fn the_order_of_independent_requests_does_not_matter(order in Just((0..6_usize).collect::<Vec<_>>()).prop_shuffle()) {
        let result = |order: &[usize]| {
            let mut world = World::default();
            for name in ["front", "back"] {
                let subnet = if name == "front" { "10.1.0.0/24" } else { "10.2.0.0/24" };
                world.network(name, Some(subnet)).expect("a network");
            }
            for &number in order {
                // Identifiers come from the request, not from its place.
                world.drawn = 1000 * u32::try_from(number).expect("a small number");
                let network = if number % 2 == 0 { "front" } else { "back" };
                let address = format!("10.{}.0.{}", 1 + number % 2, 10 + number);
                let mut request = sandbox_request(&format!("box{number}"), network);
                request.networks[0].settings.addresses = wishes(Some(&address));
                request.config.publish = vec![format!("{}:80", 8000 + number).parse().expect("a port")];
                world.run(request).expect("a sandbox");
            }
            world.spec
        };
        prop_assert_eq!(result(&order), result(&[0, 1, 2, 3, 4, 5]));
    }
}
