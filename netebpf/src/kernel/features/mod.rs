//! Which features of the kernel are there, and what is lost without each? Found by trying, not by the version.

mod probe;

use std::collections::BTreeSet;

use nix::sys::utsname;

use super::Error;

/// Something of the kernel that netebpf uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Feature {
    /// Ring buffers between BPF programs and user space.
    RingBuffer,
    /// Maps that find the longest prefix.
    LongestPrefix,
    /// Programs at the socket calls of processes, with the namespace's cookie.
    SocketHooks,
    /// The way into a sandbox past its bridge.
    RedirectPeer,
    /// The way out of the host past its stack.
    RedirectNeighbour,
    /// The number of a network namespace that programs see, read from outside of them.
    NetnsCookie,
    /// Multi-program bpf links on network devices.
    Tcx,
    /// Closing of other processes' sockets.
    SocketDestroy,
    /// The protocol SCTP.
    Sctp,
    /// IP version 6.
    Ipv6,
}

/// A feature as `netebpf status` shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeatureStatus {
    /// Its name.
    pub name: &'static str,
    /// Whether this kernel has it.
    pub available: bool,
    /// The first kernel that can have it.
    pub needed_from: &'static str,
    /// What it is for and what is lost without it.
    pub meaning: &'static str,
}

impl Feature {
    const ALL: [Self; 10] = [
        Self::RingBuffer,
        Self::LongestPrefix,
        Self::SocketHooks,
        Self::RedirectPeer,
        Self::RedirectNeighbour,
        Self::NetnsCookie,
        Self::Tcx,
        Self::SocketDestroy,
        Self::Sctp,
        Self::Ipv6,
    ];

    /// Its name.
    const fn as_str(self) -> &'static str {
        match self {
            Self::RingBuffer => "ring_buffer",
            Self::LongestPrefix => "lpm_trie",
            Self::SocketHooks => "socket_hooks",
            Self::RedirectPeer => "redirect_peer",
            Self::RedirectNeighbour => "redirect_neigh",
            Self::NetnsCookie => "netns_cookie",
            Self::Tcx => "tcx",
            Self::SocketDestroy => "socket_destroy",
            Self::Sctp => "sctp",
            Self::Ipv6 => "ipv6",
        }
    }

    /// The first kernel that can have it; for what is older than BPF, the first that matters here.
    const fn needed_from(self) -> &'static str {
        match self {
            Self::RingBuffer | Self::SocketHooks => "5.8",
            Self::LongestPrefix => "4.11",
            Self::RedirectPeer | Self::RedirectNeighbour => "5.10",
            Self::NetnsCookie => "5.14",
            Self::Tcx => "6.6",
            Self::SocketDestroy => "4.5",
            Self::Sctp | Self::Ipv6 => "2.6",
        }
    }

    /// Whether the daemon starts without it.
    const fn is_required(self) -> bool {
        match self {
            Self::RingBuffer
            | Self::LongestPrefix
            | Self::SocketHooks
            | Self::RedirectPeer
            | Self::RedirectNeighbour
            | Self::NetnsCookie => true,
            Self::Tcx | Self::SocketDestroy | Self::Sctp | Self::Ipv6 => false,
        }
    }

    const fn meaning(self) -> &'static str {
        match self {
            Self::RingBuffer => "Tells of single packets. netebpf does not run without it.",
            Self::LongestPrefix => "Holds ranges of published ports. netebpf does not run without it.",
            Self::SocketHooks => {
                "Lets processes of the host reach published ports. netebpf does not run without it."
            }
            Self::RedirectPeer => "Takes packets straight into a sandbox. netebpf does not run without it.",
            Self::RedirectNeighbour => {
                "Takes packets straight out of the host. netebpf does not run without it."
            }
            Self::NetnsCookie => {
                "Tells the sockets of the host from those of sandboxes. netebpf does not run without it."
            }
            Self::Tcx => {
                "Attaches programs to devices. Without it they are filters of a clsact qdisc, which other programs may remove."
            }
            Self::SocketDestroy => {
                "Closes connected UDP sockets whose published port has gone (CONFIG_INET_DIAG_DESTROY). Without it they stay \
                 until their process closes them."
            }
            Self::Sctp => "Holds published SCTP ports (module sctp). Without it none can be published.",
            Self::Ipv6 => "Carries IPv6. Without it there are only IPv4 networks.",
        }
    }
}

/// The features that this kernel has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Features(BTreeSet<Feature>);

impl Features {
    /// Looks for all features; lacking one that netebpf does not run without is an error.
    pub(super) fn probe() -> Result<Self, Error> {
        let mut found = BTreeSet::new();
        for feature in Feature::ALL {
            if probe::has(feature)? {
                found.insert(feature);
            } else if feature.is_required() {
                let (name, needed_from) = (feature.as_str(), feature.needed_from());
                return Err(Error::MissingFeature { name, needed_from, release: release()? });
            } else {
                tracing::info!(feature = feature.as_str(), lost = feature.meaning(), "not in this kernel");
            }
        }
        Ok(Self(found))
    }

    /// Whether the kernel has a feature.
    pub(super) fn has(&self, feature: Feature) -> bool {
        self.0.contains(&feature)
    }

    /// All features, for `netebpf status`.
    pub(super) fn statuses(&self) -> Vec<FeatureStatus> {
        let status = |feature: Feature| FeatureStatus {
            name: feature.as_str(),
            available: self.has(feature),
            needed_from: feature.needed_from(),
            meaning: feature.meaning(),
        };
        Feature::ALL.map(status).into()
    }
}

/// Release of the kernel, as `uname -r` prints it.
pub fn release() -> Result<String, Error> {
    let uname = utsname::uname()
        .map_err(|errno| Error::System { doing: "ask for the kernel's version", source: errno.into() })?;
    Ok(uname.release().to_string_lossy().into_owned())
}

/// The host's name; empty if it is not text.
#[must_use]
pub fn hostname() -> String {
    utsname::uname().map(|uname| uname.nodename().to_string_lossy().into_owned()).unwrap_or_default()
}

/// A number that is another one after each boot, from `/proc/sys/kernel/random/boot_id`; 0 if the kernel does not say.
#[must_use]
pub fn boot() -> u64 {
    let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let digits: String = id.chars().filter(char::is_ascii_hexdigit).take(16).collect();
    u64::from_str_radix(&digits, 16).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{Feature, Features};

    #[test]
    fn a_missing_feature_is_shown_with_the_kernel_that_has_it() {
        let features = Features(BTreeSet::from([Feature::RingBuffer]));
        let statuses = features.statuses();
        assert_eq!(statuses.len(), Feature::ALL.len());
        let tcx = statuses.iter().find(|status| status.name == "tcx").unwrap();
        assert!(!tcx.available && tcx.needed_from == "6.6", "{tcx:?}");
        assert!(statuses.iter().any(|status| status.name == "ring_buffer" && status.available));
    }

    #[test]
    fn names_are_unique_and_meanings_say_what_is_lost() {
        let names: BTreeSet<_> = Feature::ALL.iter().map(|feature| feature.as_str()).collect();
        assert_eq!(names.len(), Feature::ALL.len());
        for feature in Feature::ALL {
            assert!(feature.meaning().to_lowercase().contains("without it"), "{feature:?}");
        }
    }
}
