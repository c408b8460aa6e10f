//! Driver options of an endpoint (`--network name=N,driver-opt=KEY=VALUE`), as Docker names, reads and refuses them.

use std::collections::BTreeMap;

/// The name of the interface in the sandbox (Docker 28).
const INTERFACE: &str = "com.docker.network.endpoint.ifname";
/// Settings of the kernel for the interface (Docker 27).
const SYSCTLS: &str = "com.docker.network.endpoint.sysctls";

/// The longest name of a link, in bytes (`IFNAMSIZ` with its final zero).
const MAX_NAME: usize = 15;

/// The options, understood.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EndpointOptions {
    /// The name of the interface in the sandbox.
    pub interface: Option<String>,
    /// Settings of the kernel for it.
    pub sysctls: Vec<InterfaceSysctl>,
}

/// A setting of the kernel for one interface: `net.FAMILY.SECTION.IFNAME.NAME=VALUE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InterfaceSysctl {
    /// `ipv4`, `ipv6` or `mpls`.
    pub family: String,
    /// `conf`, `neigh` and the like.
    pub section: String,
    /// The setting.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// An option that cannot be had, in Docker's words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EndpointOptionError {
    /// The kernel takes no such name.
    #[error(
        "invalid interface name {0:?}: it has from 1 to {MAX_NAME} characters, without space, slash and colon"
    )]
    Interface(String),
    /// The setting is none of an interface.
    #[error(
        "unrecognised network interface sysctl '{0}'; represent 'net.X.Y.ethN.Z=V' as 'net.X.Y.IFNAME.Z=V', \
         'X' must be 'ipv4', 'ipv6' or 'mpls'"
    )]
    Sysctl(String),
}

impl EndpointOptions {
    /// Reads the options; other names are passed over, as by Docker.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with them.
    pub fn parse(options: &BTreeMap<String, String>) -> Result<Self, Vec<EndpointOptionError>> {
        let mut faults = Vec::new();
        let interface = options.get(INTERFACE).filter(|name| !name.is_empty()).cloned();
        if let Some(name) = interface.as_ref().filter(|name| !is_name(name)) {
            faults.push(EndpointOptionError::Interface(name.clone()));
        }
        let mut sysctls = Vec::new();
        for text in options.get(SYSCTLS).into_iter().flat_map(|list| list.split(',')) {
            match read_sysctl(text) {
                Some(sysctl) => sysctls.push(sysctl),
                None => faults.push(EndpointOptionError::Sysctl(text.to_owned())),
            }
        }
        if faults.is_empty() { Ok(Self { interface, sysctls }) } else { Err(faults) }
    }
}

fn is_name(name: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_graphic() && !matches!(c, '/' | ':' | '%');
    name.len() <= MAX_NAME && name.chars().all(is_plain) && !matches!(name, "." | ".." | "lo")
}

/// The parts end up in a path, so nothing but plain names is let through. Docker's client writes `ifname` in lower case.
fn read_sysctl(text: &str) -> Option<InterfaceSysctl> {
    let (name, value) = text.split_once('=')?;
    let parts: Vec<_> = name.splitn(5, '.').collect();
    let ["net", family @ ("ipv4" | "ipv6" | "mpls"), section, "IFNAME" | "ifname", name] = parts[..] else {
        return None;
    };
    let is_plain =
        |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c));
    (is_plain(section) && is_plain(name)).then(|| InterfaceSysctl {
        family: family.to_owned(),
        section: section.to_owned(),
        name: name.to_owned(),
        value: value.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(option: &str, value: &str) -> Result<EndpointOptions, String> {
        let options = BTreeMap::from([(option.to_owned(), value.to_owned())]);
        EndpointOptions::parse(&options)
            .map_err(|faults| faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
    }

    #[test]
    fn an_interface_has_a_name_that_the_kernel_takes() {
        let named = |name: &str| parse(INTERFACE, name).map(|options| options.interface);
        assert_eq!(named("uplink0"), Ok(Some("uplink0".to_owned())));
        assert_eq!(named(""), Ok(None));
        for name in ["lo", "..", "a b", "a/b", "sixteen-letters-", "eth%d"] {
            assert!(named(name).expect_err(name).contains("from 1 to 15 characters"), "{name}");
        }
    }

    #[test]
    fn sysctls_are_those_of_the_interface() {
        let list = "net.ipv4.conf.IFNAME.log_martians=1,net.ipv6.neigh.ifname.retrans_time_ms=2000";
        let sysctls = parse(SYSCTLS, list).expect("Docker takes them").sysctls;
        let shown = |sysctl: &InterfaceSysctl| {
            let InterfaceSysctl { family, section, name, value } = sysctl;
            format!("{family} {section} {name} {value}")
        };
        let shown: Vec<_> = sysctls.iter().map(shown).collect();
        assert_eq!(shown, ["ipv4 conf log_martians 1", "ipv6 neigh retrans_time_ms 2000"]);
    }

    #[test]
    fn other_sysctls_are_refused_in_dockers_words() {
        for text in [
            "net.ipv4.ip_forward=1",
            "net.ipv4.conf.eth0.log_martians=1",
            "net.core.conf.IFNAME.x=1",
            "net.ipv4.conf.IFNAME.log_martians",
            "net.ipv4.conf.IFNAME.../../x=1",
            "kernel.ipv4.conf.IFNAME.x=1",
            "",
        ] {
            let wanted = format!(
                "unrecognised network interface sysctl '{text}'; represent 'net.X.Y.ethN.Z=V' as \
                 'net.X.Y.IFNAME.Z=V', 'X' must be 'ipv4', 'ipv6' or 'mpls'"
            );
            assert_eq!(parse(SYSCTLS, text), Err(wanted));
        }
    }

    #[test]
    fn other_options_are_passed_over() {
        assert_eq!(parse("org.example.key", "any"), Ok(EndpointOptions::default()));
    }
}
