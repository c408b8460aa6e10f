//! What `/proc/PID/stat` tells of a process.

use std::fs;

/// The fields that tell processes apart, and those that a list of processes shows.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Stat {
    /// The first bytes of its program's name.
    pub(super) name: String,
    /// `Z` for a process that has ended and not been waited for.
    pub(super) state: char,
    /// The process that made it.
    pub(super) parent: i32,
    /// The session, by the process that began it.
    pub(super) session: i32,
    /// The device number of its terminal; zero if it has none.
    pub(super) terminal: i32,
    /// How long it was computing, in clock ticks.
    pub(super) computing: u64,
    /// In clock ticks since boot.
    pub(super) start_time: u64,
}

/// Reads them; `None` if there is no such process.
pub(super) fn read(pid: i32) -> Option<Stat> {
    parse(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// Reads fields 2 to 22 (proc(5)); the name is in parentheses and may contain anything.
fn parse(line: &str) -> Option<Stat> {
    let (before, fields) = line.rsplit_once(") ")?;
    let (_, name) = before.split_once(" (")?;
    let fields: Vec<_> = fields.split(' ').collect();
    let number = |field: usize| fields.get(field - 3)?.parse::<u64>().ok();
    let signed = |field: usize| fields.get(field - 3)?.parse::<i32>().ok();
    Some(Stat {
        name: name.to_owned(),
        state: fields.first()?.chars().next()?,
        parent: signed(4)?,
        session: signed(6)?,
        terminal: signed(7)?,
        computing: number(14)? + number(15)?,
        start_time: number(22)?,
    })
}

#[cfg(test)]
mod tests {
    use super::{Stat, parse};

    #[test]
    fn a_process_name_may_contain_parentheses_and_spaces() {
        let line = "1234 (a) b (c) S 1 1234 1235 34816 -1 4194560 1 0 0 0 7 8 0 0 20 0 1 0 5678 1 2 3";
        let stat = Stat {
            name: "a) b (c".to_owned(),
            state: 'S',
            parent: 1,
            session: 1235,
            terminal: 34816,
            computing: 15,
            start_time: 5678,
        };
        assert_eq!(parse(line), Some(stat));
        assert_eq!(parse("1234 (x) S 1"), None);
    }
}
