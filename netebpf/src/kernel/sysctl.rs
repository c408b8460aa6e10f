//! Kernel parameters below `/proc/sys/net`; they belong to the network namespace of the thread that opens them.

use std::{fs, io, path::PathBuf};

use super::Error;

/// Lets the host pass packets on between its links.
pub(super) fn enable_forwarding() -> Result<(), Error> {
    set(PathBuf::from("/proc/sys/net/ipv4/ip_forward"), "1")
}

/// Turns IPv6 off on a link, so that no address and no neighbour discovery goes past the data path.
pub(super) fn disable_ipv6(link: &str) -> Result<(), Error> {
    set(["/proc/sys/net/ipv6/conf", link, "disable_ipv6"].iter().collect(), "1")
}

/// Writes a value unless it is there already; a kernel without IPv6 has no such file, which is as good.
fn set(path: PathBuf, value: &str) -> Result<(), Error> {
    match fs::read_to_string(&path) {
        Ok(present) if present.trim() == value => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound && path.starts_with("/proc/sys/net/ipv6") => {
            Ok(())
        }
        Ok(_) | Err(_) => fs::write(&path, value).map_err(Error::file("write", path)),
    }
}
