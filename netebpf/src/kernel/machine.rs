//! What machine does the engine run on? As `docker info` tells it.

use std::fs;

use super::sysctl;

/// The machine, as its files describe it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    /// Name and version of the distribution (`PRETTY_NAME` of os-release); `Linux` if that is not told.
    pub operating_system: String,
    /// Version of the distribution (`VERSION_ID`); empty if it has none.
    pub version: String,
    /// Memory, in bytes; 0 if the kernel does not tell.
    pub memory: u64,
    /// Whether IPv4 packets are passed on between the links of this network namespace.
    pub forwards_ipv4: bool,
}

impl Machine {
    /// Reads what there is to read.
    #[must_use]
    pub fn read() -> Self {
        let first = |paths: &[&str]| paths.iter().find_map(|path| fs::read_to_string(path).ok());
        let release = first(&["/etc/os-release", "/usr/lib/os-release"]).unwrap_or_default();
        let name = value(&release, "PRETTY_NAME").unwrap_or("Linux");
        let is_container = is_container(&first(&["/proc/1/cgroup"]).unwrap_or_default());
        Self {
            operating_system: format!("{name}{}", if is_container { " (containerized)" } else { "" }),
            version: value(&release, "VERSION_ID").unwrap_or_default().to_owned(),
            memory: memory(&first(&["/proc/meminfo"]).unwrap_or_default()),
            forwards_ipv4: sysctl::forwards_ipv4(),
        }
    }
}

/// A value of os-release(5); the last one counts.
fn value<'a>(release: &'a str, name: &str) -> Option<&'a str> {
    let mut values = release.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix('='));
    let value = values.next_back()?.trim_matches(['"', '\'', ' ']);
    (!value.is_empty()).then_some(value)
}

/// Whether the first process is in a control group of its own, which Docker takes for a container.
fn is_container(groups: &str) -> bool {
    groups.lines().any(|line| !(line.is_empty() || line.ends_with(":/") || line.ends_with(":/init.scope")))
}

fn memory(meminfo: &str) -> u64 {
    let kibibytes = meminfo.lines().find_map(|line| {
        let number = line.strip_prefix("MemTotal:")?.trim().strip_suffix("kB")?;
        number.trim().parse::<u64>().ok()
    });
    kibibytes.unwrap_or_default() << 10
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_read_as_docker_reads_them() {
        let release = "NAME=x\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nVERSION_ID='12'\nID=\n";
        assert_eq!(value(release, "PRETTY_NAME"), Some("Debian GNU/Linux 12 (bookworm)"));
        assert_eq!((value(release, "VERSION_ID"), value(release, "ID")), (Some("12"), None));
        assert_eq!(memory("MemFree:  1 kB\nMemTotal:       24684096 kB\n"), 25_276_514_304);
        assert_eq!(memory(""), 0);
        for (groups, expected) in
            [("0::/\n", false), ("1:cpu:/\n0::/init.scope\n", false), ("0::/docker/abc\n", true), ("", false)]
        {
            assert_eq!(is_container(groups), expected, "{groups:?}");
        }
    }
}
