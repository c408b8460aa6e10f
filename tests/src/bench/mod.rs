//! How fast is netebpf next to a bare veth pair and to iptables? Interleaved rounds, medians.

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use anyhow::Result;

use crate::{
    netns::Namespace,
    probe::{self, Latency, Service},
    scenario::{Sandbox, Stage},
    topology::HOST,
    wait,
};

mod baseline;

pub use baseline::Baselines;

const ECHO: u16 = 5201;
const SINK: u16 = 5202;
const ROUNDS: usize = 5;
const ONE_MEASUREMENT: Duration = Duration::from_millis(400);

const COURSES: usize = 6;
/// How often [`compare`] reports progress.
pub const MEASUREMENTS: usize = COURSES * ROUNDS;
/// What the measured server serves, everywhere.
const SERVICES: [Service; 2] = [Service::Echo(ECHO), Service::Sink(SINK)];

/// Which way packets take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// Between two containers of one network.
    ContainerToContainer,
    /// From outside to a published port.
    ClientToPublishedPort,
}

impl Route {
    /// Both, in the order of the report.
    pub const ALL: [Self; 2] = [Self::ContainerToContainer, Self::ClientToPublishedPort];

    /// The way in words.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ContainerToContainer => "container to container",
            Self::ClientToPublishedPort => "client to published port",
        }
    }
}

/// Who carries the packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carrier {
    /// Two namespaces and a cable: what the kernel can do at best.
    BareVethPair,
    /// A bridge with the rules that Docker writes.
    BridgeWithIptables,
    /// The engine under test.
    Netebpf,
}

impl Carrier {
    /// The carrier's name in the report.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BareVethPair => "bare veth pair",
            Self::BridgeWithIptables => "bridge and iptables",
            Self::Netebpf => "netebpf",
        }
    }
}

/// Medians over the rounds of one carrier on one way.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// The way.
    pub route: Route,
    /// The carrier.
    pub carrier: Carrier,
    /// TCP ping-pong of 64 bytes.
    pub latency: Latency,
    /// Bulk TCP, in bits each second.
    pub throughput: f64,
}

/// One carrier on one way: where the client is and whom it asks.
#[derive(Debug, Clone, Copy)]
pub struct Course<'a> {
    route: Route,
    carrier: Carrier,
    from: &'a Namespace,
    to: Ipv4Addr,
}

/// Measures every carrier on every way, round by round; `progress` hears of each measurement, of
/// [`MEASUREMENTS`].
pub fn compare(stage: &Stage, progress: impl Fn(&str)) -> Result<Vec<Row>> {
    let published = [format!("{ECHO}:{ECHO}"), format!("{SINK}:{SINK}")];
    let options: Vec<_> = published.iter().flat_map(|port| ["-p", port]).collect();
    let target = Sandbox::run(&stage.world, &stage.engine, ("target", "front"), &options, &SERVICES)?;
    let baselines = Baselines::new()?;
    let ours = |route, from, to| Course { route, carrier: Carrier::Netebpf, from, to };
    let [bare_containers, docker_containers, bare_client, docker_client] = baselines.courses();
    let courses: [_; COURSES] = [
        bare_containers,
        docker_containers,
        ours(Route::ContainerToContainer, &stage.app.namespace, target.address),
        bare_client,
        docker_client,
        ours(Route::ClientToPublishedPort, &stage.world.client, HOST),
    ];

    let mut samples = courses.map(|_| Vec::new());
    for round in 1..=ROUNDS {
        for (course, samples) in courses.iter().zip(&mut samples) {
            wait::check_interrupt()?;
            progress(&format!("round {round}: {}, {}", course.carrier.as_str(), course.route.as_str()));
            samples.push(course.measure(ONE_MEASUREMENT)?);
        }
    }
    stage.engine.ok(&["rm", "-f", "target"])?;
    Ok(courses.iter().zip(&samples).map(|(course, samples)| course.row(samples)).collect())
}

impl Course<'_> {
    /// Latency, and throughput in bits each second; each takes `duration`.
    pub fn measure(&self, duration: Duration) -> Result<(Latency, f64)> {
        self.from.run(|| {
            let latency = probe::ping_pong(SocketAddr::from((self.to, ECHO)), duration)?;
            let throughput = probe::throughput(SocketAddr::from((self.to, SINK)), duration)?;
            Ok((latency, throughput))
        })
    }

    fn row(&self, samples: &[(Latency, f64)]) -> Row {
        let latency = Latency {
            p50: median(samples, |(latency, _)| latency.p50.as_secs_f64())
                .map_or(Duration::ZERO, Duration::from_secs_f64),
            p99: median(samples, |(latency, _)| latency.p99.as_secs_f64())
                .map_or(Duration::ZERO, Duration::from_secs_f64),
            per_second: median(samples, |(latency, _)| latency.per_second).unwrap_or_default(),
        };
        let throughput = median(samples, |(_, throughput)| *throughput).unwrap_or_default();
        Row { route: self.route, carrier: self.carrier, latency, throughput }
    }
}

fn median<T>(samples: &[T], value: impl Fn(&T) -> f64) -> Option<f64> {
    let mut values: Vec<_> = samples.iter().map(value).collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}
