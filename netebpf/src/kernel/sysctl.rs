//! Kernel parameters below `/proc/sys/net`; they belong to the network namespace of the thread that opens them.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::Error;
use crate::model::InterfaceSysctl;

const IP_FORWARD: &str = "/proc/sys/net/ipv4/ip_forward";
const IPV6: &str = "/proc/sys/net/ipv6/conf";

/// Whether the host passes IPv4 packets on between its links.
pub(super) fn forwards_ipv4() -> bool {
    is(Path::new(IP_FORWARD), "1")
}

/// Lets the host pass IPv4 packets on between its links.
pub(super) fn enable_forwarding() -> Result<(), Error> {
    set(PathBuf::from(IP_FORWARD), "1")
}

/// Whether the host passes IPv6 packets on between its links.
pub(super) fn forwards_ipv6() -> bool {
    is(&ipv6("all", "forwarding"), "1")
}

/// Lets the host pass IPv6 packets on between its links.
///
/// A host that forwards is a router, and ignores what other routers advertise unless `accept_ra` is 2 (Linux'
/// ip-sysctl.rst). Links that listened to them go on listening, and so do links that come later.
pub(super) fn enable_ipv6_forwarding() -> Result<(), Error> {
    let links = fs::read_dir(IPV6).map_err(Error::file("list", IPV6))?;
    for link in links {
        let link = link.map_err(Error::file("list", IPV6))?.path();
        let accept_ra = link.join("accept_ra");
        if !link.ends_with("all") && is(&link.join("forwarding"), "0") && is(&accept_ra, "1") {
            set(accept_ra, "2")?;
        }
    }
    set(ipv6("all", "forwarding"), "1")
}

/// Turns IPv6 off on a link, so that no address and no neighbour discovery goes past the data path.
pub(super) fn disable_ipv6(link: &str) -> Result<(), Error> {
    set(ipv6(link, "disable_ipv6"), "1")
}

/// Turns IPv6 on for a link and leaves the rest to its owner.
pub(super) fn allow_ipv6(link: &str) -> Result<(), Error> {
    set(ipv6(link, "disable_ipv6"), "0")
}

/// Turns IPv6 on for a link whose addresses and routes are ours: nothing that others advertise changes them, addresses
/// are not looked for in the network before they are used, and the link-local one follows from the MAC (RFC 4291,
/// appendix A), because the data path expects that.
pub(super) fn enable_ipv6(link: &str) -> Result<(), Error> {
    for (name, value) in
        [("accept_ra", "0"), ("accept_dad", "0"), ("addr_gen_mode", "0"), ("disable_ipv6", "0")]
    {
        set(ipv6(link, name), value)?;
    }
    Ok(())
}

/// Sets a parameter of a link that a user names.
pub(super) fn set_of_interface(link: &str, setting: &InterfaceSysctl) -> Result<(), Error> {
    let InterfaceSysctl { family, section, name, value } = setting;
    set(["/proc/sys/net", family, section, link, name].iter().collect(), value)
}

/// Has a link announce its addresses when its MAC is set (`arp_notify`, `ndisc_notify`).
pub(super) fn enable_announcements(link: &str) -> Result<(), Error> {
    set(["/proc/sys/net/ipv4/conf", link, "arp_notify"].iter().collect(), "1")?;
    set(ipv6(link, "ndisc_notify"), "1")
}

fn ipv6(link: &str, name: &str) -> PathBuf {
    [IPV6, link, name].iter().collect()
}

fn is(path: &Path, value: &str) -> bool {
    fs::read_to_string(path).is_ok_and(|present| present.trim() == value)
}

/// Writes a value unless it is there already; a kernel without IPv6 has no such file, which is as good.
fn set(path: PathBuf, value: &str) -> Result<(), Error> {
    match fs::read_to_string(&path) {
        Ok(present) if present.trim() == value => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound && path.starts_with(IPV6) => Ok(()),
        Ok(_) | Err(_) => fs::write(&path, value).map_err(Error::file("write", path)),
    }
}
