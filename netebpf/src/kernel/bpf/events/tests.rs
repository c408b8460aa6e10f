//! What the programs count and tell, seen from where the daemon reads it.

use std::time::Duration;

use aya::programs::{SchedClassifier, TestRun as _, TestRunOptions};
use netebpf_common::{
    abi::{
        ABI_VERSION, Address, Config, Direction, EventKind, Flow, Hook, Mac, Port, Timeouts, Tuple, WayOut,
        protocol,
    },
    nat,
    verdict::{DropReason, Outcome},
};
use tokio::time::timeout;

use super::*;
use crate::{
    kernel::{
        Kernel as _, LinuxKernel,
        bpf::{drops, flows, table::Table},
        tests::with_data_path,
    },
    plan::{Action, Entry},
};

/// How long an event may take; none takes that long.
const PATIENCE: Duration = Duration::from_secs(5);

/// An ARP request's frame that claims to carry IPv4: the programs drop it as malformed.
fn malformed() -> [u8; 60] {
    let mut frame = [0; 60];
    frame[..6].copy_from_slice(&[2, 0, 0, 0, 0, 1]);
    frame[6..12].copy_from_slice(&[2, 0, 0, 0, 0, 2]);
    frame[12..14].copy_from_slice(&[8, 0]);
    frame
}

/// Has the program of a hook look at a malformed frame this many times.
fn drop_packets(settings: &Settings, times: u32) {
    let program = settings.programs().join(Hook::FromBridge.as_str());
    let program = SchedClassifier::from_pin(program).expect("the program is pinned");
    let frame = malformed();
    let mut options = TestRunOptions::new();
    options.data_in = Some(&frame);
    options.repeat = times;
    program.test_run(options).expect("the program runs");
}

async fn take(events: &mut Events) -> Vec<Event> {
    let taken = timeout(PATIENCE, events.take()).await;
    taken.expect("there are events").expect("they can be read")
}

/// Takes what is there; nothing may come any more.
async fn take_nothing(events: &mut Events) {
    let taken = timeout(Duration::from_millis(50), events.take()).await;
    assert!(taken.is_err(), "somebody told {taken:?}");
}

#[test]
fn drops_are_counted_always_and_told_to_who_asks() {
    with_data_path("events", async |settings| {
        let kernel = LinuxKernel::open(settings.clone()).expect("the kernel can be used");
        let mut events = Events::open(&settings).expect("events can be read");
        drop_packets(&settings, 3);
        take_nothing(&mut events).await;
        let counted = drops::list(&settings).expect("drops can be read");
        let code = Outcome::Dropped(DropReason::Malformed).code();
        let [(key, 3)] = counted[..] else { panic!("counted {counted:?}") };
        assert_eq!((key.hook(), key.outcome), (Some(Hook::FromBridge), code));

        events.ask_for(&EventFilter::everything(1, 0)).expect("a filter");
        drop_packets(&settings, 2);
        let told = take(&mut events).await;
        assert_eq!(told.len(), 2);
        let event = told[0];
        assert_eq!((event.kind(), event.hook()), (Some(EventKind::Drop), Some(Hook::FromBridge)));
        assert_eq!((event.outcome, event.length, event.ifindex), (code, 60, key.ifindex));
        assert_eq!(
            (event.source_mac, event.destination_mac),
            (Mac([2, 0, 0, 0, 0, 2]), Mac([2, 0, 0, 0, 0, 1]))
        );

        let mut other = EventFilter::everything(1, 0);
        other.outcome = u32::from(Outcome::Dropped(DropReason::Isolated).code());
        events.ask_for(&other).expect("a filter");
        drop_packets(&settings, 2);
        take_nothing(&mut events).await;
        assert_eq!(drops::list(&settings).expect("drops can be read"), [(key, 7)]);
        drop(kernel);
    });
}

#[test]
fn events_that_do_not_fit_are_counted_and_the_next_daemon_asks_for_none() {
    with_data_path("flood", async |settings| {
        let kernel = LinuxKernel::open(settings.clone()).expect("the kernel can be used");
        let mut events = Events::open(&settings).expect("events can be read");
        events.ask_for(&EventFilter::everything(1, 0)).expect("a filter");
        drop_packets(&settings, 10_000);
        let lost = kernel.events_lost().expect("it can be read");
        let mut told = 0;
        while told + lost < 10_000 {
            told += take(&mut events).await.len() as u64;
        }
        assert_eq!(told + lost, 10_000);
        assert!(told > 1_000 && lost > 1_000, "told {told}, lost {lost}");

        drop(events);
        let mut events = Events::open(&settings).expect("events can be read");
        drop_packets(&settings, 1);
        take_nothing(&mut events).await;
    });
}

#[test]
fn a_sample_is_taken_in_the_kernel() {
    with_data_path("sample", async |settings| {
        let kernel = LinuxKernel::open(settings.clone()).expect("the kernel can be used");
        let mut events = Events::open(&settings).expect("events can be read");
        events.ask_for(&EventFilter::everything(100, 0)).expect("a filter");
        drop_packets(&settings, 100_000);
        // The program has run, so all that it tells is there.
        let mut told = take(&mut events).await.len();
        while let Ok(taken) = timeout(Duration::ZERO, events.take()).await {
            told += taken.expect("they can be read").len();
        }
        // A thousand on average; five standard deviations are 160.
        assert!((840..1160).contains(&told), "told {told}");
        drop(kernel);
    });
}

#[test]
fn a_flow_that_times_out_is_told() {
    with_data_path("timeout", async |settings| {
        let mut kernel = LinuxKernel::open(settings.clone()).expect("the kernel can be used");
        let timeouts = Timeouts { udp_unreplied: 1, ..Timeouts::default() };
        let config = Config { abi: ABI_VERSION, epoch: 2, timeouts, ..Config::default() };
        kernel.apply(&Action::Put(Entry::Config(config))).await.expect("a configuration");
        let address = |last| Address::from(std::net::Ipv4Addr::new(10, 7, 0, last));
        let original = Tuple {
            source: address(2),
            destination: address(9),
            source_port: Port::new(4000),
            destination_port: Port::new(53),
            protocol: u32::from(protocol::UDP),
        };
        let reply = original.mirrored();
        let mut assured = Table::open(&settings.maps(), map_name::FLOWS).expect("a table");
        for (direction, before, after) in
            [(Direction::Original, original, original), (Direction::Reply, reply, reply)]
        {
            let way = WayOut::sandbox(7, Mac([2; 6]), Mac([3; 6]));
            let flow = Flow::new(direction, nat::translation(&before, &after), way, 2, 0);
            assured.put(before, flow).expect("room");
        }
        let mut events = Events::open(&settings).expect("events can be read");
        events.ask_for(&EventFilter::everything(0, 1)).expect("a filter");
        let sweep = flows::remove_expired(&settings).expect("the collector runs");
        assert_eq!(sweep.removed, 1);
        let told = take(&mut events).await;
        assert_eq!(
            told.iter().map(|event| (event.kind(), event.hook(), event.tuple)).collect::<Vec<_>>(),
            [(Some(EventKind::FlowEnd), None, original)]
        );
    });
}
