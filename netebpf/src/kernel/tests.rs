//! The executor on the real kernel. Each test has a network namespace and directories of its own.
//!
//! Needs root, and what touches programs and tables a build with the BPF object; where one is missing, a test says so
//! and does nothing. What packets do is the business of the suites in `tests/`.

mod host;
mod kept;

use std::{
    collections::BTreeSet,
    fs,
    net::IpAddr,
    os::unix::net::UnixListener,
    panic::{AssertUnwindSafe, resume_unwind},
    path::PathBuf,
    thread,
};

use futures::{FutureExt as _, StreamExt as _};
use ipnet::IpNet;
use netebpf_common::abi::{
    ABI_VERSION, Address, Config, Hook, LocalAddress, Mac, Port, PublishBlock, PublishKey, PublishTarget,
    protocol,
};
use nix::{
    sched::{CloneFlags, unshare},
    unistd::geteuid,
};
use rtnetlink::LinkBridge;
use tokio::runtime::Builder;

use super::{
    Error, Interface, Kernel as _, LinkRole, LinuxKernel, OBJECT, Observed, Owner, Settings,
    cleanup::cleanup,
    launch::{self, Launch, Stdio},
    links, namespaces, netlink, ownership, process,
    watch::{self, Notices},
};
use crate::{
    model::{EndpointId, NetworkId, SandboxId},
    plan::{Action, Entry, Key},
};

const NETWORK: NetworkId = NetworkId::new([1; 32]);
const ENDPOINT: EndpointId = EndpointId::new([2; 32]);
const SANDBOX: SandboxId = SandboxId::new([3; 32]);
const BRIDGE: &str = "br-010101010101";
const VETH: &str = "neb020202020202";
const BRIDGE_MAC: Mac = Mac([2, 0, 0, 0, 0, 1]);
const MAC: Mac = Mac([2, 0, 0, 0, 0, 2]);
const MTU: u32 = 1400;

/// Runs a test of programs and tables on a host of its own.
pub(super) fn with_data_path(name: &str, test: impl AsyncFnOnce(Settings) + Send + 'static) {
    if OBJECT.is_empty() {
        eprintln!("skipped {name}: needs a build with the BPF object (`cargo xtask test`)");
    } else {
        on_a_host(name, test);
    }
}

/// Runs a test on a host of its own: a thread in a fresh network namespace.
pub(super) fn on_a_host(name: &str, test: impl AsyncFnOnce(Settings) + Send + 'static) {
    if !geteuid().is_root() {
        eprintln!("skipped {name}: needs root");
        return;
    }
    let name = format!("netebpf-{name}-{}", std::process::id());
    let directory = tempfile::Builder::new().prefix(&name).tempdir().expect("a scratch directory");
    let settings = Settings {
        run_dir: directory.path().join("run"),
        state_dir: directory.path().join("state"),
        bpffs: PathBuf::from("/sys/fs/bpf").join(&name),
    };
    let host = thread::spawn(move || {
        unshare(CloneFlags::CLONE_NEWNET).expect("a network namespace");
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let outcome = AssertUnwindSafe(test(settings.clone())).catch_unwind().await;
            let removed = cleanup(&settings, &[]).await;
            outcome.unwrap_or_else(|panic| resume_unwind(panic));
            removed.expect("cleaning up works");
            for directory in [settings.run_dir, settings.state_dir, settings.bpffs] {
                assert!(!directory.exists(), "{} is left behind", directory.display());
            }
        });
    });
    host.join().unwrap_or_else(|panic| resume_unwind(panic));
}

async fn apply(kernel: &mut LinuxKernel, actions: &[Action]) {
    for action in actions {
        kernel
            .apply(action)
            .await
            .unwrap_or_else(|error| panic!("{action:?}: {error}: {:?}", error_source(&error)));
    }
}

fn error_source(error: &Error) -> Option<String> {
    std::error::Error::source(error).map(ToString::to_string)
}

async fn observe(kernel: &mut LinuxKernel) -> Observed {
    kernel.observe().await.expect("the kernel can be read").clone()
}

fn index(observed: &Observed, name: &str) -> u32 {
    let found = observed.links.iter().find(|(_, link)| link.name == name);
    *found.unwrap_or_else(|| panic!("there is no link {name}")).0
}

/// One network with one endpoint; returns the indexes of bridge and veth.
async fn build(kernel: &mut LinuxKernel) -> (u32, u32) {
    let begin = [
        Action::CreateNamespace { sandbox: SANDBOX, adopted: None },
        Action::CreateBridge { network: NETWORK, name: BRIDGE.to_owned(), mac: BRIDGE_MAC, ipv6: true },
    ];
    apply(kernel, &begin).await;
    let bridge = index(&observe(kernel).await, BRIDGE);
    let veth = Action::CreateVeth {
        endpoint: ENDPOINT,
        sandbox: SANDBOX,
        name: VETH.to_owned(),
        bridge,
        interface: "eth0".to_owned(),
        mac: MAC,
        mtu: Some(MTU),
    };
    apply(kernel, &[veth]).await;
    (bridge, index(&observe(kernel).await, VETH))
}

fn finish(bridge: u32, veth: u32) -> Vec<Action> {
    vec![
        Action::ForwardIpv6,
        Action::SetMtu { ifindex: bridge, mtu: MTU },
        Action::AddAddress { ifindex: bridge, address: subnet("10.7.0.1/24") },
        Action::AddAddress { ifindex: bridge, address: subnet("fd00:7::1/64") },
        Action::AddForwardingEntry { ifindex: veth, mac: MAC },
        Action::SetUp { ifindex: bridge },
        Action::SetUp { ifindex: veth },
        Action::ConfigureInterface {
            sandbox: SANDBOX,
            interface: "eth0".to_owned(),
            setup: crate::plan::InterfaceSetup {
                addresses: vec![subnet("10.7.0.2/24"), subnet("fd00:7::2/64")],
                ..Default::default()
            },
        },
        Action::SetDefaultRoute { sandbox: SANDBOX, gateway: [10, 7, 0, 1].into() },
        Action::SetDefaultRoute { sandbox: SANDBOX, gateway: subnet("fd00:7::1/64").addr() },
    ]
}

fn subnet(text: &str) -> IpNet {
    text.parse().expect("the test gives subnets")
}

#[test]
fn a_network_is_seen_as_it_was_made_however_often_it_is_made() {
    with_data_path("links", async |settings| {
        let mut kernel = LinuxKernel::open(settings).expect("the kernel can be used");
        let (bridge, veth) = build(&mut kernel).await;
        assert_eq!(build(&mut kernel).await, (bridge, veth));
        for _ in 0..2 {
            apply(&mut kernel, &finish(bridge, veth)).await;
        }

        let observed = observe(&mut kernel).await;
        let seen = &observed.links[&bridge];
        assert_eq!(
            (seen.role, seen.mac, seen.up),
            (LinkRole::Bridge(Owner::Known(NETWORK)), BRIDGE_MAC, true)
        );
        let lasting = seen.addresses.iter().filter(|address| !address.to_string().starts_with("fe80:"));
        assert_eq!(lasting.copied().collect::<Vec<_>>(), [subnet("10.7.0.1/24"), subnet("fd00:7::1/64")]);
        assert_eq!(seen.sources, [subnet("10.7.0.1/24").addr(), subnet("fd00:7::1/64").addr()]);
        assert!(observed.forwards_ipv6);
        let seen = &observed.links[&veth];
        assert_eq!((observed.links[&bridge].mtu, seen.mtu, seen.bare), (MTU, MTU, false));
        assert_eq!((seen.role, seen.master), (LinkRole::Veth(Owner::Known(ENDPOINT)), Some(bridge)));
        assert_eq!(seen.forwarding, [MAC].into());
        assert_eq!(seen.addresses, BTreeSet::new());
        let inside = &observed.sandboxes[&SANDBOX];
        let addresses = [subnet("10.7.0.2/24"), subnet("fd00:7::2/64"), subnet("fe80::ff:fe00:2/64")].into();
        assert_eq!(
            inside.interfaces,
            [("eth0".to_owned(), Interface { peer: Some(veth), up: true, mac: MAC, addresses })].into()
        );
        let v6 = subnet("fd00:7::1/64").addr();
        assert_eq!(inside.default_gateways, [[10, 7, 0, 1].into(), v6].into());
        assert_eq!(observed.links[&1].role, LinkRole::Loopback);

        fs::write(format!("/proc/sys/net/ipv6/conf/{BRIDGE}/disable_ipv6"), "1").expect("it can be set");
        apply(&mut kernel, &finish(bridge, veth)).await;
        let repaired = observe(&mut kernel).await;
        assert!(repaired.links[&bridge].addresses.contains(&subnet("fd00:7::1/64")));

        let gateway = [10, 7, 0, 1].into();
        let undo = [
            Action::DeleteDefaultRoute { sandbox: SANDBOX, gateway },
            Action::DeleteDefaultRoute { sandbox: SANDBOX, gateway: v6 },
            Action::DeleteAddress { ifindex: bridge, address: subnet("10.7.0.1/24") },
            Action::DeleteAddress { ifindex: bridge, address: subnet("fd00:7::1/64") },
            Action::DeleteLink { ifindex: veth, name: VETH.to_owned() },
            Action::DeleteLink { ifindex: bridge, name: BRIDGE.to_owned() },
            Action::DeleteNamespace { sandbox: SANDBOX },
        ];
        apply(&mut kernel, &undo).await;
        apply(&mut kernel, &undo[2..]).await;
        let observed = observe(&mut kernel).await;
        assert_eq!(observed.links.keys().collect::<Vec<_>>(), [&1]);
        assert!(observed.sandboxes.is_empty());
    });
}

#[test]
fn programs_and_tables_outlive_the_daemon() {
    with_data_path("programs", async |settings| {
        let mut kernel = LinuxKernel::open(settings.clone()).expect("the kernel can be used");
        let (bridge, veth) = build(&mut kernel).await;
        let local = Address::from(IpAddr::from([10, 7, 0, 1]));
        let entry = Entry::Local(local, LocalAddress { ifindex: bridge });
        let config = Config { abi: ABI_VERSION, epoch: 3, ..Config::default() };
        let port = PublishKey::new(Address::UNSPECIFIED_V4, Port::new(8080), protocol::TCP);
        let port = PublishBlock::single(port);
        let target =
            PublishTarget::new(Address::from(IpAddr::from([10, 7, 0, 2])), Port::new(8080), Port::new(80));
        let actions = [
            Action::Put(entry),
            Action::Put(Entry::Published(port, target)),
            Action::Put(Entry::Config(config)),
            Action::AttachProgram { hook: Hook::FromBridge, ifindex: bridge },
            Action::AttachProgram { hook: Hook::FromContainer, ifindex: veth },
            Action::AttachProgram { hook: Hook::ToContainer, ifindex: veth },
        ];
        let attached = BTreeSet::from([
            (Hook::FromBridge, bridge),
            (Hook::FromContainer, veth),
            (Hook::ToContainer, veth),
        ]);
        apply(&mut kernel, &actions).await;
        apply(&mut kernel, &actions).await;
        assert_eq!(observe(&mut kernel).await.attached, attached);

        let before = kernel.programs().await.expect("programs can be listed");
        drop(kernel);
        let mut kernel = LinuxKernel::open(settings.clone()).expect("the pinned data path is taken over");
        let after = kernel.programs().await.expect("programs can be listed");
        assert!(
            before.iter().zip(&after).all(|(before, after)| before.id != after.id),
            "programs are replaced"
        );
        assert!(after.iter().all(|program| program.instructions > 0));
        let observed = observe(&mut kernel).await;
        assert_eq!(observed.attached, attached);
        assert_eq!(observed.tables.config, Some(config));
        assert_eq!(observed.tables.locals, [(local, LocalAddress { ifindex: bridge })].into());
        assert_eq!(observed.tables.published, [(port, target)].into());
        assert_ne!(observed.netns_cookie, 0);

        apply(&mut kernel, &[Action::Delete(Key::Local(local)), Action::Delete(Key::Local(local))]).await;
        apply(&mut kernel, &[Action::DeleteLink { ifindex: veth, name: VETH.to_owned() }]).await;
        let observed = observe(&mut kernel).await;
        assert!(observed.tables.locals.is_empty());
        assert_eq!(observed.attached, attached, "a pin without its link is there to be removed");
        drop(kernel);
        let mut kernel = LinuxKernel::open(settings).expect("a pin without its link is no obstacle");
        assert_eq!(observe(&mut kernel).await.attached, [(Hook::FromBridge, bridge)].into());
        apply(&mut kernel, &[Action::DetachProgram { hook: Hook::FromBridge, ifindex: bridge }]).await;
        assert_eq!(observe(&mut kernel).await.attached, BTreeSet::new());
    });
}

#[test]
fn maps_of_another_version_are_refused() {
    with_data_path("version", async |settings| {
        let mut kernel = LinuxKernel::open(settings.clone()).expect("the kernel can be used");
        let other = Config { abi: ABI_VERSION + 1, ..Config::default() };
        apply(&mut kernel, &[Action::Put(Entry::Config(other))]).await;
        drop(kernel);
        let error = LinuxKernel::open(settings).err().expect("another version is refused").to_string();
        assert!(error.contains(&format!("speak ABI {}", ABI_VERSION + 1)), "{error}");
        assert!(error.contains("netebpf cleanup"), "{error}");
    });
}

#[test]
fn a_link_of_somebody_else_is_neither_taken_nor_removed() {
    on_a_host("foreign", async |settings| {
        let netlink = netlink::connect().expect("a netlink socket");
        let foreign = LinkBridge::new(BRIDGE).build();
        netlink.link().add(foreign).execute().await.expect("a bridge as Docker makes it");
        let alias = ownership::alias(NETWORK);
        let error = links::create_bridge(&netlink, BRIDGE, BRIDGE_MAC, false, &alias)
            .await
            .expect_err("the name is taken");
        assert!(matches!(error, Error::ForeignLink { .. }), "{error}");
        cleanup(&settings, &[]).await.expect("cleaning up works");
        assert!(links::list(&netlink).await.expect("links").iter().any(|link| link.name == BRIDGE));
    });
}

#[test]
fn a_command_runs_in_its_sandbox_and_its_end_is_noticed() {
    on_a_host("process", async |settings| {
        namespaces::create(&settings.namespace(SANDBOX)).await.expect("a namespace");
        let (namespace, log) = (settings.namespace(SANDBOX), settings.log(SANDBOX));
        let command = |script: &str| ["sh", "-c", script].map(str::to_owned);

        let script = "readlink /proc/self/ns/net; read line || echo no input; exit 7";
        let started = launch::start(&Launch::inside(&namespace, &command(script)), Stdio::Log(&log))
            .expect("the command starts");
        assert_eq!(process::exited(started).await.expect("it can be waited for"), 7);
        let output = fs::read_to_string(log).expect("there is a log");
        let inode = namespaces::list(&settings.namespaces()).expect("namespaces")[0].1;
        assert_eq!(output, format!("net:[{inode}]\nno input\n"));

        let log = settings.log(SANDBOX);
        let sleeper = launch::start(&Launch::inside(&namespace, &command("sleep 1000")), Stdio::Log(&log))
            .expect("the command starts");
        assert!(process::is_running(sleeper));
        process::kill_inside(&namespace).expect("it can be killed");
        assert_eq!(process::exited(sleeper).await.expect("it can be waited for"), 137);
        assert!(!process::is_running(sleeper));

        let error =
            launch::start(&Launch::inside(&namespace, &["/no/such/program".to_owned()]), Stdio::Log(&log))
                .expect_err("nothing to run");
        assert_eq!(error_source(&error).as_deref(), Some("No such file or directory (os error 2)"));
    });
}

#[test]
fn cleanup_ends_what_still_runs() {
    with_data_path("cleanup", async |settings| {
        let mut kernel = LinuxKernel::open(settings.clone()).expect("the kernel can be used");
        build(&mut kernel).await;
        drop(kernel);
        let log = settings.log(SANDBOX);
        let command = ["sleep".to_owned(), "1000".to_owned()];
        let sleeper =
            launch::start(&Launch::inside(&settings.namespace(SANDBOX), &command), Stdio::Log(&log))
                .expect("the command starts");
        let removed = cleanup(&settings, &[]).await.expect("cleaning up works");
        assert!(!process::is_running(sleeper));
        for trace in ["process ", "link br-", "link neb", "namespace of ", "/links/connect4", "/maps/FLOWS"] {
            assert!(removed.iter().any(|line| line.contains(trace)), "{trace} is not in {removed:#?}");
        }
        assert_eq!(cleanup(&settings, &[]).await.expect("cleaning up twice works"), [""; 0]);
    });
}

#[test]
fn cleanup_under_a_daemon_is_refused() {
    on_a_host("refusal", async |settings| {
        fs::create_dir_all(&settings.run_dir).expect("a directory");
        let daemon = UnixListener::bind(settings.socket()).expect("a socket");
        let error = cleanup(&settings, &[]).await.expect_err("a daemon answers");
        assert!(matches!(error, Error::DaemonRunning { .. }), "{error}");
        drop(daemon);
    });
}

#[test]
fn a_change_of_links_is_noticed() {
    on_a_host("watch", async |_| {
        let netlink = netlink::connect().expect("a netlink socket");
        let mut events = watch::events(Notices::default()).expect("links can be watched");
        links::set_up(&netlink, links::LOOPBACK).await.expect("loopback can be set up");
        assert_eq!(events.next().await, Some(()));
    });
}
