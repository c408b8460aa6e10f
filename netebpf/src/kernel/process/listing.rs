//! What a list of processes shows of each.

use std::{fs, os::unix::fs::MetadataExt as _, path::Path, time::Duration};

use super::{inside, stat};
use crate::{
    kernel::Error,
    model::{Process, SandboxId},
};

/// Whose processes are meant.
#[derive(Debug, Clone, Copy)]
pub enum Members<'a> {
    /// Whoever is inside this network namespace.
    Inside(&'a Path),
    /// This process, its session, and what was started beside it in this sandbox.
    Beside(Process, SandboxId),
}

/// A process in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its number.
    pub pid: i32,
    /// The number of the process that made it.
    pub parent: i32,
    /// Who it runs as: a name, or a number that has none.
    pub user: String,
    /// How long it was computing.
    pub computing: Duration,
    /// When it began, since the Unix epoch.
    pub started: Duration,
    /// Its terminal, without `/dev/`.
    pub terminal: Option<String>,
    /// Program and arguments; only the program's name, in brackets, if it shows none.
    pub command: String,
}

/// Lists processes by their numbers; one that ends meanwhile is left out.
pub fn list(members: Members<'_>) -> Result<Vec<Listed>, Error> {
    let mut processes = match members {
        Members::Inside(namespace) => inside::list_inside(namespace)?,
        Members::Beside(leader, sandbox) => inside::list_beside(leader, sandbox)?,
    };
    processes.sort_by_key(|process| process.pid);
    let (boot, users) = (boot_time()?, fs::read_to_string("/etc/passwd").unwrap_or_default());
    Ok(processes.into_iter().filter_map(|process| read(process.pid, boot, &users)).collect())
}

fn read(pid: i32, boot: Duration, users: &str) -> Option<Listed> {
    let stat = stat::read(pid)?;
    let user = fs::metadata(format!("/proc/{pid}")).ok()?.uid();
    let words = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    let words: Vec<_> = words.split(|byte| *byte == 0).map(String::from_utf8_lossy).collect();
    let command = words.join(" ").trim_end().to_owned();
    Some(Listed {
        pid,
        parent: stat.parent,
        user: name_of(user, users),
        computing: from_ticks(stat.computing),
        started: boot + from_ticks(stat.start_time),
        terminal: terminal(stat.terminal),
        command: if command.is_empty() { format!("[{}]", stat.name) } else { command },
    })
}

/// Clock ticks that user programs see are hundredths of a second on every architecture that has BPF (proc(5), `USER_HZ`).
const fn from_ticks(ticks: u64) -> Duration {
    Duration::from_millis(ticks.saturating_mul(10))
}

/// When the host was started, since the Unix epoch.
fn boot_time() -> Result<Duration, Error> {
    let text = fs::read_to_string("/proc/stat").map_err(Error::file("read", "/proc/stat"))?;
    let seconds = text.lines().find_map(|line| line.strip_prefix("btime ")?.trim().parse().ok());
    Ok(Duration::from_secs(seconds.unwrap_or_default()))
}

/// The user's name in the lines of passwd(5).
fn name_of(user: u32, users: &str) -> String {
    let number = user.to_string();
    let name = users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == number).then(|| name.to_owned())
    });
    name.unwrap_or(number)
}

/// A terminal by its device number (`tty_nr` in proc(5)): majors 136 to 143 are pseudo terminals, 4 the console's.
fn terminal(device: i32) -> Option<String> {
    let device = device.cast_unsigned();
    let (major, minor) = (device >> 8 & 0xfff, device & 0xff | device >> 12 & 0xf_ff00);
    match (major, minor) {
        (136..=143, _) => Some(format!("pts/{}", (major - 136) * 256 + minor)),
        (4, 0..=63) => Some(format!("tty{minor}")),
        (4, _) => Some(format!("ttyS{}", minor - 64)),
        (_, _) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminals_and_users_have_names() {
        assert_eq!(terminal(34816), Some("pts/0".to_owned()));
        assert_eq!(terminal(34819), Some("pts/3".to_owned()));
        assert_eq!(terminal(1025), Some("tty1".to_owned()));
        assert_eq!(terminal(1088), Some("ttyS0".to_owned()));
        assert_eq!(terminal(0), None);
        let users = "root:x:0:0:root:/root:/bin/bash\nproxy:x:13:13::/:/bin/sh\n";
        assert_eq!((name_of(13, users), name_of(14, users)), ("proxy".to_owned(), "14".to_owned()));
    }

    #[test]
    fn this_process_is_shown_as_it_was_started() {
        let own = read(std::process::id().cast_signed(), boot_time().expect("a time"), "").expect("we run");
        let program = std::env::args().next().expect("a program");
        assert!(own.command.starts_with(&program), "{own:?}");
        assert!(own.started > Duration::from_secs(1_600_000_000), "{own:?}");
    }
}
