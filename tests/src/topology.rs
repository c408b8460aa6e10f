//! Where do tests and demo take place? In a world of three throw-away network namespaces:
//!
//! ```text
//!          client                                             server
//!      198.51.100.9                                        203.0.113.9
//!      2001:db8:1::9                                     2001:db8:2::9
//!            │ eth0                                             │ eth0
//!            │                                                  │
//!            │ eth0                                             │ eth1
//!   ┌────────┴──────────────────────── host ────────────────────┴────────┐
//!   │  198.51.100.1                                        203.0.113.1   │
//!   │  2001:db8:1::1                                     2001:db8:2::1   │
//!   │                                                                    │
//!   │      netebpf daemon          networks, sandboxes: its own work     │
//!   └────────────────────────────────────────────────────────────────────┘
//! ```
//!
//! Client and server have no route to anything but their own cable until a test gives them one. All files of
//! a world are below one directory whose path also stands in the command line of each of its processes.
//! [`World::far`] adds a machine behind routers.

use std::{
    env,
    fs::{self, DirBuilder},
    net::{Ipv4Addr, Ipv6Addr},
    os::unix::fs::{DirBuilderExt as _, symlink},
    path::{Path, PathBuf},
    process,
    sync::{
        Mutex, Once,
        atomic::{AtomicUsize, Ordering},
    },
};

use anyhow::{Context as _, Result};
use ipnet::{Ipv4Net, Ipv6Net};

use crate::{
    links,
    netns::{Mount, Namespace},
    residue,
};

mod far;

pub use far::{EXCHANGE, EXCHANGE6, FAR, FAR6, Far, HOST_BY_ROUTER, HOST6_BY_ROUTER, ROUTER, ROUTER6};

/// The host's address on the client's side.
pub const HOST: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 1);
/// The client's address.
pub const CLIENT: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 9);
/// The host's address on the server's side.
pub const HOST_BY_SERVER: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 1);
/// The server's address.
pub const SERVER: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 9);

/// The host's IPv6 address on the client's side.
pub const HOST6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 1, 0, 0, 0, 0, 1);
/// The client's IPv6 address.
pub const CLIENT6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 1, 0, 0, 0, 0, 9);
/// The host's IPv6 address on the server's side.
pub const HOST6_BY_SERVER: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 2, 0, 0, 0, 0, 1);
/// The server's IPv6 address.
pub const SERVER6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 2, 0, 0, 0, 0, 9);

/// The prefix length of the cables' IPv4 networks.
pub const OUTSIDE_PREFIX: u8 = 24;
/// The prefix length of the cables' IPv6 networks.
pub const OUTSIDE_PREFIX6: u8 = 64;

const NAME_PREFIX: &str = "netebpf-world-";

/// A host with a client and a server outside it, and the directories that its engine works in.
#[derive(Debug)]
pub struct World {
    /// Where the daemon runs.
    pub host: Namespace,
    /// A machine that reaches the host.
    pub client: Namespace,
    /// A machine that containers reach through the host.
    pub server: Namespace,
    /// Numbers of the `bpf_link`s the engine was seen to hold, so that what stays behind is told from other
    /// worlds'.
    pub(crate) bpf_links: Mutex<Vec<u32>>,
    _bpffs: Mount,
    home: Home,
}

/// The directory of a world; everything below it is swept away when it is dropped, after the mounts.
#[derive(Debug)]
struct Home(PathBuf);

impl World {
    /// Makes a world; the name tells whose it is.
    pub fn new(name: &str) -> Result<Self> {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        static SWEPT: Once = Once::new();
        SWEPT.call_once(sweep_abandoned);

        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let directory = env::temp_dir().join(format!("{NAME_PREFIX}{}-{number}-{name}", process::id()));
        Self::build(Home::new(directory.clone())?)
            .with_context(|| format!("make the world {}", directory.display()))
    }

    fn build(home: Home) -> Result<Self> {
        let directory = &home.0;
        fs::create_dir(directory.join("machines"))?;
        symlink(beside_this_program("netebpf-probe", "NETEBPF_PROBE")?, directory.join("probe"))?;
        let machine = |name| Namespace::create(&directory.join("machines"), name);
        let world = Self {
            host: machine("host")?,
            client: machine("client")?,
            server: machine("server")?,
            bpf_links: Mutex::default(),
            _bpffs: Mount::bpffs(&directory.join("bpf"))?,
            home,
        };
        links::join((&world.host, "eth0"), (&world.client, "eth0"))?;
        links::join((&world.host, "eth1"), (&world.server, "eth0"))?;
        for (machine, link, address, address6) in [
            (&world.host, "eth0", HOST, HOST6),
            (&world.host, "eth1", HOST_BY_SERVER, HOST6_BY_SERVER),
            (&world.client, "eth0", CLIENT, CLIENT6),
            (&world.server, "eth0", SERVER, SERVER6),
        ] {
            machine.up("lo")?;
            // IPv6 first: its duplicate address detection is switched off before the link is up.
            machine.address(link, Ipv6Net::new(address6, OUTSIDE_PREFIX6)?)?;
            machine.address(link, Ipv4Net::new(address, OUTSIDE_PREFIX)?)?;
        }
        Ok(world)
    }

    /// Makes another machine, with nothing but its loopback device.
    pub fn machine(&self, name: &str) -> Result<Namespace> {
        let machine = Namespace::create(&self.directory().join("machines"), name)?;
        machine.up("lo")?;
        Ok(machine)
    }

    /// The directory below which everything of this world is.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.home.0
    }

    /// The engine's `--run-dir`.
    #[must_use]
    pub fn run_dir(&self) -> PathBuf {
        self.directory().join("run")
    }

    /// The engine's `--state-dir`.
    #[must_use]
    pub fn state_dir(&self) -> PathBuf {
        self.directory().join("state")
    }

    /// The engine's `--bpffs`, on a BPF file system of this world.
    #[must_use]
    pub fn bpffs(&self) -> PathBuf {
        self.directory().join("bpf/netebpf")
    }

    /// The probe program, under a path that names this world.
    #[must_use]
    pub fn probe(&self) -> PathBuf {
        self.directory().join("probe")
    }
}

impl Home {
    fn new(path: PathBuf) -> Result<Self> {
        // Others may look inside: some tests run the command line as an unprivileged user.
        DirBuilder::new().mode(0o755).create(&path).with_context(|| format!("make {}", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        residue::sweep(&self.0);
    }
}

/// Finds a program of this workspace beside the running one, unless `variable` names another.
pub(crate) fn beside_this_program(name: &str, variable: &str) -> Result<PathBuf> {
    if let Some(path) = env::var_os(variable) {
        return Ok(path.into());
    }
    let this = env::current_exe()?;
    let mut candidates = this.ancestors().skip(1).take(2).map(|directory| directory.join(name));
    let found = candidates.find(|candidate| candidate.is_file());
    found.with_context(|| format!("{name} is not beside {}; build with `cargo xtask build`", this.display()))
}

/// Removes the worlds of harness processes that were killed.
fn sweep_abandoned() {
    let Ok(entries) = fs::read_dir(env::temp_dir()) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let owner = name.to_str().and_then(|name| name.strip_prefix(NAME_PREFIX)?.split('-').next());
        if owner.is_some_and(|owner| !Path::new("/proc").join(owner).exists()) {
            residue::sweep(&entry.path());
        }
    }
}
