//! How many lookups a packet costs.

use super::OUTSIDE;
use crate::{
    model::{FrameSpec, Origin, Segment, World},
    verdict::Verdict,
};

const ACK: u8 = 16;

/// The lookups of one packet that is forwarded.
fn cost(world: &mut World, origin: Origin, spec: &FrameSpec) -> u32 {
    world.tables.take_lookups();
    let verdict = world.send(origin, spec);
    assert!(!matches!(verdict, Verdict::Drop(_) | Verdict::Pass), "{verdict:?}");
    world.tables.take_lookups()
}

#[test]
fn an_established_packet_costs_at_most_two_lookups() {
    for family in World::FAMILIES {
        let mut world = World::usual();
        let sandbox = Origin::Sandbox(0);
        let out = World::routed(0, World::client(family), Segment::udp(9, 53));
        let back = World::incoming(World::host(family), Segment::udp(53, 9));
        let tcp = |source, destination| Segment::Tcp { source, destination, flags: ACK };
        let request = World::incoming(World::host(family), tcp(9, 8080));
        let answer = World::routed(0, World::client(family), tcp(80, 9));
        for _ in 0..2 {
            for (origin, spec) in [(sandbox, &out), (OUTSIDE, &back), (OUTSIDE, &request), (sandbox, &answer)]
            {
                world.pass(origin, spec);
            }
        }
        let neighbour = World::direct(0, 1, family, tcp(1, 2));
        let costs = [
            (sandbox, &neighbour),
            (sandbox, &out),
            (OUTSIDE, &back),
            (OUTSIDE, &request),
            (sandbox, &answer),
        ]
        .map(|(origin, spec)| cost(&mut world, origin, spec));
        assert_eq!(costs, [2, 2, 1, 1, 2]);
    }
}
