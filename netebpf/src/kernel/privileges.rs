//! May this process do what the daemon does?

use std::os::fd::RawFd;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::Error;

/// Capabilities needed, by bit number (`linux/capability.h`). `CAP_SYS_ADMIN` includes `CAP_BPF` and allows mounts.
const NEEDED: [(u32, &str); 2] = [(12, "CAP_NET_ADMIN"), (21, "CAP_SYS_ADMIN")];

/// Checks privileges, with an error that says what is missing.
pub fn check() -> Result<(), Error> {
    let path = "/proc/thread-self/status";
    let status = std::fs::read_to_string(path).map_err(Error::file("read", path))?;
    let missing = missing_capabilities(&status);
    if !missing.is_empty() {
        return Err(Error::Privilege { missing });
    }
    Ok(())
}

/// As many open files as the kernel allows a process by default (`fs.nr_open`).
const MANY_FILES: u64 = 1 << 20;

/// Open files that published ports leave to everything else.
const RESERVED_FILES: usize = 256;

/// Allows many open files, or as many as the hard limit does: each sandbox takes one, and each published port one for
/// each IP version. Commands in sandboxes inherit it, as those in Docker's containers do.
pub(super) fn raise_file_limit() {
    let maximum = getrlimit(Resource::Nofile).maximum;
    let many = maximum.map(|maximum| maximum.max(MANY_FILES));
    for limit in [many, maximum] {
        match setrlimit(Resource::Nofile, Rlimit { current: limit, maximum: limit }) {
            Ok(()) => return,
            Err(error) => tracing::debug!(%error, ?limit, "the limit of open files stays"),
        }
    }
}

/// How many files this process may have open.
#[must_use]
pub fn file_limit() -> usize {
    let limit = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    usize::try_from(limit).unwrap_or(usize::MAX)
}

/// Whether a new file with this number leaves enough for what the daemon needs to go on and to undo what it began.
pub(super) fn is_file_to_spare(number: RawFd) -> bool {
    usize::try_from(number).is_ok_and(|number| number.saturating_add(RESERVED_FILES) < file_limit())
}

/// The needed capabilities that `CapEff` of a `/proc/PID/status` lacks.
fn missing_capabilities(status: &str) -> Vec<&'static str> {
    let effective = status
        .lines()
        .find_map(|line| line.strip_prefix("CapEff:"))
        .and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok())
        .unwrap_or(0);
    NEEDED.into_iter().filter(|(bit, _)| effective >> bit & 1 == 0).map(|(_, name)| name).collect()
}

#[cfg(test)]
mod tests {
    use super::missing_capabilities;

    #[test]
    fn every_missing_capability_is_named() {
        assert_eq!(missing_capabilities("Name:\tx\nCapEff:\t000001ffffffffff\n"), [""; 0]);
        assert_eq!(missing_capabilities("CapEff:\t0000000000001000\n"), ["CAP_SYS_ADMIN"]);
        assert_eq!(missing_capabilities("CapEff:\t0000000000000000\n"), ["CAP_NET_ADMIN", "CAP_SYS_ADMIN"]);
    }
}
