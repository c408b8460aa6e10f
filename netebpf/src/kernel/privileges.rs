//! May this process, on this kernel, do what the daemon does?

use nix::sys::utsname;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::Error;

/// Capabilities needed, by bit number (`linux/capability.h`). `CAP_SYS_ADMIN` includes `CAP_BPF` and allows mounts.
const NEEDED: [(u32, &str); 2] = [(12, "CAP_NET_ADMIN"), (21, "CAP_SYS_ADMIN")];

/// First kernel with TCX, as major and minor number.
const TCX: (u32, u32) = (6, 6);

/// Checks privileges and kernel version, with an error that says what is missing.
pub fn check() -> Result<(), Error> {
    let path = "/proc/thread-self/status";
    let status = std::fs::read_to_string(path).map_err(Error::file("read", path))?;
    let missing = missing_capabilities(&status);
    if !missing.is_empty() {
        return Err(Error::Privilege { missing });
    }
    let uname = utsname::uname()
        .map_err(|errno| Error::System { doing: "ask for the kernel's version", source: errno.into() })?;
    let release = uname.release().to_string_lossy().into_owned();
    if version(&release).is_some_and(|version| version < TCX) {
        return Err(Error::OldKernel { release });
    }
    Ok(())
}

/// Allows as many open files as the hard limit does: each sandbox and each published port takes one.
/// Commands in sandboxes inherit it, as those in Docker's containers do.
pub(super) fn raise_file_limit() {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        tracing::debug!(%error, "the limit of open files stays");
    }
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

/// Major and minor number of a release such as `6.18.44-arch1`.
fn version(release: &str) -> Option<(u32, u32)> {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

#[cfg(test)]
mod tests {
    use super::{TCX, missing_capabilities, version};

    #[test]
    fn a_release_is_read_up_to_its_minor_number() {
        assert_eq!(version("6.18.44-fc-v595"), Some((6, 18)));
        assert_eq!(version("6.6-rc1"), Some((6, 6)));
        assert_eq!(version("5.15.0-91-generic").map(|version| version < TCX), Some(true));
        assert_eq!(version("unknown"), None);
    }

    #[test]
    fn every_missing_capability_is_named() {
        assert_eq!(missing_capabilities("Name:\tx\nCapEff:\t000001ffffffffff\n"), [""; 0]);
        assert_eq!(missing_capabilities("CapEff:\t0000000000001000\n"), ["CAP_SYS_ADMIN"]);
        assert_eq!(missing_capabilities("CapEff:\t0000000000000000\n"), ["CAP_NET_ADMIN", "CAP_SYS_ADMIN"]);
    }
}
