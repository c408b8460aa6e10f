//! What `/proc/PID/stat` tells of a process.

use std::fs;

/// The fields that tell processes apart.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Stat {
    /// `Z` for a process that has ended and not been waited for.
    pub(super) state: char,
    /// The session, by the process that began it.
    pub(super) session: i32,
    /// In clock ticks since boot.
    pub(super) start_time: u64,
}

/// Reads them; `None` if there is no such process.
pub(super) fn read(pid: i32) -> Option<Stat> {
    parse(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// Reads fields 3, 6 and 22 (proc(5)); the name before them is in parentheses and may contain anything.
fn parse(line: &str) -> Option<Stat> {
    let (_, fields) = line.rsplit_once(") ")?;
    let mut fields = fields.split(' ');
    let state = fields.next()?.chars().next()?;
    let session = fields.nth(2)?.parse().ok()?;
    Some(Stat { state, session, start_time: fields.nth(15)?.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::{Stat, parse};

    #[test]
    fn a_process_name_may_contain_parentheses_and_spaces() {
        let line = "1234 (a) b (c) S 1 1234 1235 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 5678 1 2 3";
        assert_eq!(parse(line), Some(Stat { state: 'S', session: 1235, start_time: 5678 }));
        assert_eq!(parse("1234 (x) S 1"), None);
    }
}
