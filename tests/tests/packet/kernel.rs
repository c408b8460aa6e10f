//! The BPF object, loaded beside a model world whose devices are real.
//!
//! ```text
//!   namespace "host"                                namespace "far"
//!     up0 198.51.100.1/24, 2001:db8:9::1/64 ───── veth ─────── far0
//!     br0 10.1.0.1/24, fd00:1::1/64, br1 10.2.0.1/24, fd00:2::1/64 (bridges)
//!     dns0 ──────────────────────────────────────── veth ─────── far6
//!     veth0 … veth3 ─────────────── veths ────────── far1 … far4
//!     port0, in br0 ─────────────── veth ─────────── far5
//! ```

use std::{borrow::BorrowMut, collections::BTreeMap, fmt};

use anyhow::{Context as _, Result, ensure};
use aya::{
    Ebpf, EbpfLoader, Pod, TestRun as _, TestRunOptions,
    maps::{
        Array, HashMap, MapData, PerCpuArray,
        lpm_trie::{Key, LpmTrie},
    },
    programs::{ProgramError, SchedClassifier, TcAttachType},
};
use ipnet::IpNet;
use netebpf::kernel::{Abi, OBJECT};
use netebpf_common::{
    abi::{
        Asker, EndpointFlags, Flow, FragmentKey, FragmentPorts, Hook, PublishBlock, PublishKey,
        PublishTarget, Tuple, map_name,
    },
    model::{Links, World},
    run::{Arrival, Note, Workspace},
    verdict::Outcome,
};
use netebpf_tests::netns::{Mount, Namespace};
use nix::{
    net::if_::if_nametoindex,
    sched::{CpuSet, sched_setaffinity},
    unistd::Pid,
};

use crate::{context::context, scratch::Scratch};

/// How much longer a program may make a packet: the records of an answer.
const ROOM: usize = 512;

/// Room for the flows of one case many times over, and quick to walk.
const FLOW_LIMIT: u32 = 8192;

/// What a program did with a packet.
#[derive(PartialEq, Eq)]
pub(crate) struct Effect {
    /// The TC action.
    pub(crate) action: u32,
    /// The verdict behind it.
    pub(crate) note: Note,
    /// The packet afterwards.
    pub(crate) bytes: Vec<u8>,
}

impl fmt::Debug for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let outcome = u8::try_from(self.note.outcome).ok().and_then(Outcome::from_code);
        write!(f, "action {} {outcome:?} {:?}: ", self.action, self.note)?;
        self.bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

type FlowTable = HashMap<MapData, Abi<Tuple>, Abi<Flow>>;

/// What packets leave in the tables; a time in it is left to be compared or not.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Traces {
    /// `FLOWS`.
    pub(crate) flows: BTreeMap<Tuple, Flow>,
    /// `PENDING`.
    pub(crate) pending: BTreeMap<Tuple, Flow>,
    /// `FRAGMENTS`.
    pub(crate) fragments: BTreeMap<FragmentKey, FragmentPorts>,
    /// `ASKERS`.
    pub(crate) askers: BTreeMap<u32, Asker>,
    /// `HOST_FLOWS`.
    pub(crate) host_flows_until: u64,
}

impl Traces {
    /// Those in a world.
    pub(crate) fn of(world: &World) -> Self {
        let tables = world.tables.clone();
        Self {
            flows: tables.flows,
            pending: tables.pending,
            fragments: tables.fragments,
            askers: tables.askers,
            host_flows_until: tables.host_flows_until,
        }
    }
}

/// The loaded object. Only the thread that made it may use it: it is bound to the namespace and to one CPU.
pub(crate) struct Kernel {
    bpf: Ebpf,
    flows: FlowTable,
    pending: FlowTable,
    fragments: HashMap<MapData, Abi<FragmentKey>, Abi<FragmentPorts>>,
    askers: HashMap<MapData, Abi<u32>, Abi<Asker>>,
    workspace: PerCpuArray<MapData, Abi<Workspace>>,
    counters: PerCpuArray<MapData, u64>,
}

/// Makes the namespace and its devices, loads the object there, and runs a test with both worlds.
pub(crate) fn with_kernel<T: Send>(
    flags: EndpointFlags,
    test: impl FnOnce(Kernel, World) -> Result<T> + Send,
) -> T {
    let scratch = Scratch::new().expect("a scratch directory");
    let (host, far) = (scratch.namespace("host"), scratch.namespace("far"));
    wire(&host, &far).expect("devices of the test's world");
    let bpffs = scratch.0.join("bpf");
    let _mount = Mount::bpffs(&bpffs).expect("a BPF file system");
    host.run(|| {
        stay_on_one_cpu()?;
        let world = World::new(links()?, flags);
        let kernel = Kernel::load(&bpffs, &world)?;
        test(kernel, world)
    })
    .expect("the test's world")
}

fn wire(host: &Namespace, far: &Namespace) -> Result<()> {
    netebpf_tests::links::join((host, "up0"), (far, "far0"))?;
    netebpf_tests::links::join((host, "dns0"), (far, "far6"))?;
    for name in ["br0", "br1"] {
        host.bridge(name)?;
    }
    for sandbox in 0..4 {
        let (near, other) = (format!("veth{sandbox}"), format!("far{}", sandbox + 1));
        netebpf_tests::links::join((host, &near), (far, &other))?;
        far.up(&other)?;
        host.enslave(&near, ["br0", "br1"][sandbox / 2])?;
    }
    netebpf_tests::links::join((host, "port0"), (far, "far5"))?;
    far.up("far5")?;
    host.enslave("port0", "br0")?;
    for family in World::FAMILIES {
        let addresses = [
            ("up0", World::host(family)),
            ("br0", World::gateway(0, family)),
            ("br1", World::gateway(2, family)),
        ];
        for (link, address) in addresses {
            host.address(link, IpNet::new(address, World::prefix(family))?)?;
        }
    }
    far.up("far0")?;
    for name in ["lo", "up0", "dns0", "br0", "br1"] {
        host.up(name)?;
    }
    host.sysctl("ipv6/conf/all/forwarding", "1")?;
    host.sysctl("ipv4/ip_forward", "1")
}

fn links() -> Result<Links> {
    let index = |name: &str| if_nametoindex(name).with_context(|| format!("index of {name}"));
    Ok(Links {
        uplink: index("up0")?,
        bridges: [index("br0")?, index("br1")?],
        veths: [index("veth0")?, index("veth1")?, index("veth2")?, index("veth3")?],
        port: index("port0")?,
        resolver: index("dns0")?,
    })
}

/// The workspace is read per CPU, so the program has to run where the test looks.
fn stay_on_one_cpu() -> Result<()> {
    let mut cpus = CpuSet::new();
    cpus.set(0)?;
    sched_setaffinity(Pid::from_raw(0), &cpus).context("stay on CPU 0")
}

impl Kernel {
    /// Loads the object with a world's tables.
    pub(crate) fn load(bpffs: &std::path::Path, world: &World) -> Result<Self> {
        ensure!(!OBJECT.is_empty(), "built without its BPF object; run `cargo xtask test packet`");
        let mut bpf = EbpfLoader::new()
            .default_map_pin_directory(bpffs)
            .map_max_entries(map_name::FLOWS, FLOW_LIMIT)
            .map_max_entries(map_name::PENDING, FLOW_LIMIT)
            .map_max_entries(map_name::FRAGMENTS, FLOW_LIMIT)
            .load(OBJECT)?;
        for name in programs() {
            classifier(&mut bpf, name)?.load().with_context(|| format!("the verifier refuses {name}"))?;
        }
        let mut kernel = Self {
            flows: take(&mut bpf, map_name::FLOWS)?.try_into()?,
            pending: take(&mut bpf, map_name::PENDING)?.try_into()?,
            fragments: take(&mut bpf, map_name::FRAGMENTS)?.try_into()?,
            askers: take(&mut bpf, map_name::ASKERS)?.try_into()?,
            workspace: take(&mut bpf, "WORKSPACE")?.try_into()?,
            counters: take(&mut bpf, map_name::COUNTERS)?.try_into()?,
            bpf,
        };
        kernel.set_rules(world)?;
        Ok(kernel)
    }

    /// Attaches a hook's program to a link of this namespace.
    pub(crate) fn attach(&mut self, hook: Hook, link: &str) -> Result<()> {
        classifier(&mut self.bpf, hook.as_str())?.attach(link, TcAttachType::Ingress)?;
        Ok(())
    }

    /// Runs a packet through a hook's program; `None` if the kernel does not take it for a frame.
    pub(crate) fn run(&mut self, hook: Hook, arrival: &Arrival, frame: &[u8]) -> Result<Option<Effect>> {
        let program = program(hook, arrival.bare);
        let mut bytes = vec![0; frame.len() + ROOM];
        let context = context(arrival);
        let options = TestRunOptions {
            data_in: Some(frame),
            data_out: Some(&mut bytes),
            ctx_in: Some(&context),
            ..TestRunOptions::new()
        };
        let result = match classifier(&mut self.bpf, program)?.test_run(options) {
            Ok(result) => result,
            Err(error) if is_refusal(&error) => return Ok(None),
            Err(error) => return Err(error).context("BPF_PROG_TEST_RUN"),
        };
        bytes.truncate(result.data_size_out as usize);
        let note = self.workspace.get(&0, 0)?[0].0.outcome;
        Ok(Some(Effect { action: result.return_value, note, bytes }))
    }

    /// Mean time of a run in nanoseconds, over `repeat` runs on the same packet.
    pub(crate) fn time(
        &mut self,
        program: &str,
        arrival: &Arrival,
        frame: &[u8],
        repeat: u32,
    ) -> Result<f64> {
        let context = context(arrival);
        let options =
            TestRunOptions { data_in: Some(frame), ctx_in: Some(&context), repeat, ..TestRunOptions::new() };
        let result = classifier(&mut self.bpf, program)?.test_run(options)?;
        Ok(result.duration.as_secs_f64() * 1e9)
    }

    /// How many instructions the verifier looked at, for each program.
    pub(crate) fn verified_instructions(&mut self) -> Result<BTreeMap<&'static str, u32>> {
        programs()
            .map(|name| {
                let count = classifier(&mut self.bpf, name)?.info()?.verified_instruction_count();
                Ok((name, count.context("verified instruction count (Linux 5.16)")?))
            })
            .collect()
    }

    /// What packets have left in the tables.
    pub(crate) fn traces(&self) -> Result<Traces> {
        let host_flows: Array<_, u64> =
            self.bpf.map(map_name::HOST_FLOWS).context("HOST_FLOWS")?.try_into()?;
        Ok(Traces {
            flows: entries(&self.flows)?,
            pending: entries(&self.pending)?,
            fragments: entries(&self.fragments)?,
            askers: entries(&self.askers)?,
            host_flows_until: host_flows.get(&0, 0)?,
        })
    }

    /// Replaces what packets have left in the tables.
    pub(crate) fn set_traces(&mut self, wanted: &Traces) -> Result<()> {
        replace(&mut self.flows, &wanted.flows)?;
        replace(&mut self.pending, &wanted.pending)?;
        replace(&mut self.fragments, &wanted.fragments)?;
        replace(&mut self.askers, &wanted.askers)?;
        let mut host_flows: Array<_, u64> =
            self.bpf.map_mut(map_name::HOST_FLOWS).context("HOST_FLOWS")?.try_into()?;
        Ok(host_flows.set(0, wanted.host_flows_until, 0)?)
    }

    /// Removes a pending entry.
    pub(crate) fn lose(&mut self, tuple: &Tuple) -> Result<()> {
        Ok(self.pending.remove(&Abi(*tuple))?)
    }

    /// Writes settings and all tables of rules anew.
    pub(crate) fn set_rules(&mut self, world: &World) -> Result<()> {
        let (bpf, tables) = (&mut self.bpf, &world.tables);
        let present = |keys: &std::collections::BTreeSet<_>| keys.iter().map(|key| (*key, 1_u32)).collect();
        let trusted: BTreeMap<_, _> = present(&tables.trusted);
        let allowed = tables.allowed.iter().map(|key| (*key, 1_u32)).collect();
        replace(&mut table(bpf, map_name::ENDPOINTS)?, &tables.endpoints)?;
        replace(&mut table(bpf, map_name::ENDPOINT_LINKS)?, &tables.endpoint_links)?;
        replace(&mut table(bpf, map_name::LOCALS)?, &tables.locals)?;
        replace(&mut table(bpf, map_name::UPLINKS)?, &tables.uplinks)?;
        replace(&mut table(bpf, map_name::NETWORKS)?, &tables.networks)?;
        replace(&mut table(bpf, map_name::TRUSTED)?, &trusted)?;
        replace(&mut table(bpf, map_name::ALLOWED)?, &allowed)?;
        replace(&mut table(bpf, map_name::NAMES)?, &tables.names)?;
        replace(&mut table(bpf, map_name::VIEWS)?, &tables.views)?;
        set_published(bpf, &tables.published)?;
        let mut config: Array<_, Abi<_>> = bpf.map_mut(map_name::CONFIG).context("CONFIG")?.try_into()?;
        Ok(config.set(0, Abi(world.config), 0)?)
    }

    /// The counters' values, by index.
    pub(crate) fn counters(&self) -> Result<Vec<u64>> {
        self.counters.iter().map(|values| Ok(values?.iter().sum())).collect()
    }
}

/// The TC programs, the empty one included.
fn programs() -> impl Iterator<Item = &'static str> {
    let hooks = Hook::ALL.into_iter().filter(|hook| *hook != Hook::Socket).map(Hook::as_str);
    hooks.chain(["from_netdev_bare", "to_netdev_bare", "baseline"])
}

fn classifier<'a>(bpf: &'a mut Ebpf, name: &str) -> Result<&'a mut SchedClassifier> {
    Ok(bpf.program_mut(name).with_context(|| format!("program {name}"))?.try_into()?)
}

fn take(bpf: &mut Ebpf, name: &str) -> Result<aya::maps::Map> {
    bpf.take_map(name).with_context(|| format!("map {name}"))
}

fn table<'a, K: Copy, V: Copy>(
    bpf: &'a mut Ebpf,
    name: &str,
) -> Result<HashMap<&'a mut MapData, Abi<K>, Abi<V>>>
where
    Abi<K>: Pod,
    Abi<V>: Pod,
{
    Ok(bpf.map_mut(name).with_context(|| name.to_owned())?.try_into()?)
}

fn entries<K: Ord, V>(map: &HashMap<MapData, Abi<K>, Abi<V>>) -> Result<BTreeMap<K, V>>
where
    Abi<K>: Pod,
    Abi<V>: Pod,
{
    Ok(map.iter().map(|entry| entry.map(|(key, value)| (key.0, value.0))).collect::<Result<_, _>>()?)
}

/// Makes a map hold exactly these entries.
fn replace<T: BorrowMut<MapData>, K: Ord + Copy, V: Copy>(
    map: &mut HashMap<T, Abi<K>, Abi<V>>,
    wanted: &BTreeMap<K, V>,
) -> Result<()>
where
    Abi<K>: Pod,
    Abi<V>: Pod,
{
    let keys = map.keys().collect::<Result<Vec<_>, _>>()?;
    for key in keys.iter().filter(|key| !wanted.contains_key(&key.0)) {
        map.remove(key)?;
    }
    for (key, value) in wanted {
        map.insert(Abi(*key), Abi(*value), 0)?;
    }
    Ok(())
}

fn set_published(bpf: &mut Ebpf, wanted: &BTreeMap<PublishBlock, PublishTarget>) -> Result<()> {
    let mut trie: LpmTrie<_, Abi<PublishKey>, Abi<PublishTarget>> =
        bpf.map_mut(map_name::PUBLISHED).context("PUBLISHED")?.try_into()?;
    for key in trie.keys().collect::<Result<Vec<_>, _>>()? {
        trie.remove(&key)?;
    }
    for (block, target) in wanted {
        trie.insert(&Key::new(block.bits(), Abi(block.key)), Abi(*target), 0)?;
    }
    Ok(())
}

/// The program of a hook.
fn program(hook: Hook, bare: bool) -> &'static str {
    match (hook, bare) {
        (Hook::FromNetdev, true) => "from_netdev_bare",
        (Hook::ToNetdev, true) => "to_netdev_bare",
        _ => hook.as_str(),
    }
}

/// The kernel refuses test packets that no driver would deliver, such as ones shorter than an Ethernet header.
fn is_refusal(error: &ProgramError) -> bool {
    matches!(error, ProgramError::SyscallError(error) if error.io_error.raw_os_error() == Some(22))
}
