//! Which variables a command finds.

use std::{collections::BTreeMap, ffi::OsString};

/// What a service manager tells the daemon and nobody else (`sd_notify(3)`, `sd_listen_fds(3)`).
const OF_THE_DAEMON: [&str; 6] =
    ["LISTEN_FDNAMES", "LISTEN_FDS", "LISTEN_PID", "NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC"];

/// A command's variables.
pub(super) type Environment = BTreeMap<OsString, OsString>;

/// The inherited variables, then the host name, then the changes: the later ones win.
pub(super) fn of(
    inherited: impl IntoIterator<Item = (OsString, OsString)>,
    hostname: Option<&str>,
    changes: &[String],
) -> Environment {
    let inherited: Environment = inherited.into_iter().collect();
    let mut environment = inherited.clone();
    environment.retain(|name, _| !OF_THE_DAEMON.iter().any(|own| name == *own));
    environment.extend(hostname.map(|hostname| ("HOSTNAME".into(), hostname.into())));
    for change in changes {
        if let Some((name, value)) = change.split_once('=') {
            environment.insert(name.into(), value.into());
        } else if let Some(value) = inherited.get::<std::ffi::OsStr>(change.as_ref()) {
            environment.insert(change.into(), value.clone());
        } else {
            environment.remove::<std::ffi::OsStr>(change.as_ref());
        }
    }
    environment
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::{Environment, of};

    fn variables(list: &[(&str, &str)]) -> Environment {
        list.iter().map(|(name, value)| (OsString::from(name), OsString::from(value))).collect()
    }

    fn changed(hostname: Option<&str>, changes: &[&str]) -> Environment {
        let changes: Vec<_> = changes.iter().map(ToString::to_string).collect();
        of(variables(&[("A", "1"), ("B", "2"), ("HOSTNAME", "outer")]), hostname, &changes)
    }

    #[test]
    fn changes_win_over_the_host_name_and_that_over_what_is_inherited() {
        let expected = variables(&[("A", "3=4"), ("B", "2"), ("C", ""), ("HOSTNAME", "inner")]);
        assert_eq!(changed(Some("inner"), &["A=3=4", "C="]), expected);
        let expected = variables(&[("A", "1"), ("B", "2"), ("HOSTNAME", "mine")]);
        assert_eq!(changed(Some("inner"), &["HOSTNAME=mine"]), expected);
    }

    #[test]
    fn a_name_alone_takes_the_inherited_value_and_none_where_there_is_none() {
        let inherited = variables(&[("A", "1"), ("B", "2"), ("HOSTNAME", "outer")]);
        assert_eq!(changed(Some("inner"), &["HOSTNAME", "A=3", "A", "C=1", "C"]), inherited);
    }

    #[test]
    fn what_is_meant_for_the_daemon_stays_with_it() {
        let inherited = variables(&[("NOTIFY_SOCKET", "/run/systemd/notify"), ("PATH", "/bin")]);
        assert_eq!(of(inherited, None, &[]), variables(&[("PATH", "/bin")]));
    }
}
