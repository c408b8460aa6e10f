//! Why the kernel could not be read or changed. The causes are kept as sources, not repeated in the text.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    path::PathBuf,
};

use aya::{
    EbpfError,
    maps::MapError,
    pin::PinError,
    programs::{ProgramError, links::LinkError},
};
use ipnet::IpNet;
use netebpf_common::abi::{ABI_VERSION, Hook};

/// Why the kernel could not be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The process may not do what the daemon does.
    #[error(
        "netebpf daemon needs root (CAP_NET_ADMIN, CAP_BPF, CAP_SYS_ADMIN): this process lacks {}",
        missing.join(", ")
    )]
    Privilege {
        /// Names of the missing capabilities.
        missing: Vec<&'static str>,
    },
    /// The kernel lacks something that cannot be done without.
    #[error(
        "kernel {release} lacks {name}, which Linux {needed_from} and later can have: netebpf does not run without it"
    )]
    MissingFeature {
        /// The feature.
        name: &'static str,
        /// The first kernel with it.
        needed_from: &'static str,
        /// Release, as `uname -r` prints it.
        release: String,
    },
    /// The program was built by plain cargo.
    #[error("built without its BPF object; build with `cargo xtask build`")]
    NoObject,
    /// The pinned maps were made by another version.
    #[error(
        "the maps in {} speak ABI {found}, this netebpf speaks ABI {ABI_VERSION}: \
         run `netebpf cleanup` of the version that made them, then start this one", maps.display()
    )]
    Abi {
        /// What the pinned maps say.
        found: u32,
        /// Where they are pinned.
        maps: PathBuf,
    },
    /// A pinned map is of another shape although the ABI number agrees.
    #[error(
        "the pinned map {} has {found} bytes for each key and value, {wanted} are right: \
         it is not netebpf's or from an unreleased version; run `netebpf cleanup`", map.display()
    )]
    MapLayout {
        /// The map.
        map: PathBuf,
        /// Key and value size found.
        found: MapLayout,
        /// Key and value size of this version.
        wanted: MapLayout,
    },
    /// The BPF object was refused.
    #[error("cannot load the BPF object")]
    Load(#[source] EbpfError),
    /// The BPF object lacks something.
    #[error("the BPF object has no {kind} {name:?}; rebuild with `cargo xtask build`")]
    Missing {
        /// `program` or `map`.
        kind: &'static str,
        /// Its name.
        name: &'static str,
    },
    /// A program was refused.
    #[error("cannot {doing} the BPF program {name}")]
    Program {
        /// What was attempted.
        doing: &'static str,
        /// The program.
        name: &'static str,
        /// Why not.
        #[source]
        source: Box<ProgramError>,
    },
    /// A program could not be attached.
    #[error("cannot attach {} to the link with index {ifindex}", hook.as_str())]
    Attach {
        /// Which program.
        hook: Hook,
        /// Where.
        ifindex: u32,
        /// Why not.
        #[source]
        source: Box<ProgramError>,
    },
    /// A table could not be used.
    #[error("cannot {doing} the BPF map {name}")]
    Map {
        /// What was attempted.
        doing: &'static str,
        /// The map.
        name: &'static str,
        /// Why not.
        #[source]
        source: Box<MapError>,
    },
    /// A BPF object could not be pinned.
    #[error("cannot pin {}", path.display())]
    Pin {
        /// Where.
        path: PathBuf,
        /// Why not.
        #[source]
        source: PinError,
    },
    /// A pinned bpf link could not be used.
    #[error("cannot use the pinned bpf link {}", path.display())]
    PinnedLink {
        /// Where.
        path: PathBuf,
        /// Why not.
        #[source]
        source: LinkError,
    },
    /// A dump over netlink failed.
    #[error("cannot list the {what}")]
    List {
        /// What was to be listed.
        what: &'static str,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// A link could not be changed.
    #[error("cannot {doing} link {link}")]
    Link {
        /// What was attempted.
        doing: &'static str,
        /// Name or index.
        link: String,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// A link of somebody else has a name that we need.
    #[error("link {name} exists and is not netebpf's; rename or remove it")]
    ForeignLink {
        /// The name.
        name: String,
    },
    /// An address could not be changed.
    #[error("cannot {doing} address {address}")]
    Address {
        /// What was attempted.
        doing: &'static str,
        /// The address.
        address: IpNet,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// A default route could not be changed.
    #[error("cannot {doing} the default route by {gateway}")]
    Route {
        /// What was attempted.
        doing: &'static str,
        /// The gateway.
        gateway: IpAddr,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// A namespace could not be made, entered or removed.
    #[error("cannot {doing} network namespace {}", path.display())]
    Namespace {
        /// What was attempted.
        doing: &'static str,
        /// Its file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// A file, directory, mount or sysctl could not be used.
    #[error("cannot {doing} {}", path.display())]
    File {
        /// What was attempted.
        doing: &'static str,
        /// The path.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// A system call without an object of its own failed.
    #[error("cannot {doing}")]
    System {
        /// What was attempted.
        doing: &'static str,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// A published port cannot be held; the text is Docker's.
    #[error("failed to bind host port {address}/{protocol}: {reason}")]
    Port {
        /// Host address and port.
        address: SocketAddr,
        /// `tcp`, `udp` or `sctp`.
        protocol: &'static str,
        /// The system's reason, in lower case.
        reason: String,
    },
    /// A sandbox's command could not be started.
    #[error("cannot run {command:?}")]
    Command {
        /// What was to be run.
        command: String,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// A process to be joined is no longer there.
    #[error("process {pid} has ended")]
    Ended {
        /// Its process id.
        pid: i32,
    },
    /// Cleaning up under a running daemon would be undone by it.
    #[error("a netebpf daemon answers on {}: stop it first", socket.display())]
    DaemonRunning {
        /// Its socket.
        socket: PathBuf,
    },
}

/// Sizes of a map's key and value, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MapLayout {
    /// Of the key.
    pub key: u32,
    /// Of the value.
    pub value: u32,
}

impl std::fmt::Display for MapLayout {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}+{}", self.key, self.value)
    }
}

impl Error {
    /// A failed operation on a path, for `map_err`.
    pub(super) fn file(doing: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { doing, path, source }
    }

    /// A failed operation on a namespace, for `map_err`.
    pub(super) fn namespace(doing: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Namespace { doing, path, source }
    }
}
