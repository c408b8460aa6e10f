//! Which name servers the host has now.

use std::{fs, net::IpAddr};

use crate::ipam;

const RESOLV_CONF: &str = "/etc/resolv.conf";

/// Where systemd-resolved writes the servers that it asks itself.
const BEHIND_STUB: &str = "/run/systemd/resolve/resolv.conf";

/// The servers that programs of the host ask, past the stub of systemd-resolved. A host without them is none the worse.
pub(super) fn of_host() -> Vec<IpAddr> {
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    let text = read(RESOLV_CONF);
    let text = if ipam::is_stub(&text) { read(BEHIND_STUB) } else { text };
    ipam::name_servers(&text).collect()
}
