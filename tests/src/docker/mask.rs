//! What do no two engines have in common? Ids, times, random addresses of links, the prefix of addresses that an engine
//! makes up for itself. They get names in the order in which they are first seen, so that who is who stays visible.

use std::{collections::BTreeMap, sync::LazyLock};

use regex::{Captures, Regex};

/// How much of an id is shown to people.
const SHORT: usize = 12;

/// The zero time of Docker's language is no time.
const NEVER: &str = "0001-01-01";

static PATTERNS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?x)
        \b(?<id> [0-9a-f]{64} | [0-9a-f]{12})\b
        | \b(?<mac> (?:[0-9a-f]{2}:){5}[0-9a-f]{2})\b
        | \b(?<time> \d{4}-\d\d-\d\d[T\ ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d|\ [+-]\d{4}\ \w+)?)
        | \b(?<ula> fd[0-9a-f]{2}:[0-9a-f]{1,4}:[0-9a-f]{1,4})(?<rest> :)
        ",
    )
    .ok()
});

/// The names given in one scenario, to what one engine said.
#[derive(Debug, Default)]
pub struct Mask {
    /// What the scenario's author wrote is not by chance.
    written: String,
    ids: Names,
    macs: Names,
}

/// Numbers in the order in which things are first seen.
#[derive(Debug, Default)]
struct Names {
    given: BTreeMap<String, usize>,
    last: usize,
}

impl Mask {
    /// A mask for one scenario. What stands in its commands stays as it is.
    #[must_use]
    pub fn new(steps: &[String]) -> Self {
        Self { written: steps.join("\n"), ..Self::default() }
    }

    /// Has this mask and another one go on with the same numbers, also where one has seen more than the other.
    pub fn level(&mut self, other: &mut Self) {
        self.ids.level(&mut other.ids);
        self.macs.level(&mut other.macs);
    }

    /// Replaces what is by chance.
    pub fn apply(&mut self, text: &str) -> String {
        let Some(patterns) = &*PATTERNS else { return text.to_owned() };
        patterns.replace_all(text, |found: &Captures<'_>| self.name(found)).into_owned()
    }

    fn name(&mut self, found: &Captures<'_>) -> String {
        let whole = &found[0];
        if self.written.contains(whole) {
            return whole.to_owned();
        }
        if let Some(id) = found.name("id") {
            let number = self.ids.number(&id.as_str()[..SHORT]);
            let short = if id.len() == SHORT { " short" } else { "" };
            return format!("<id {number}{short}>");
        }
        if let Some(mac) = found.name("mac") {
            return format!("<mac {}>", self.macs.number(mac.as_str()));
        }
        if found.name("ula").is_some() {
            return "<ula>:".to_owned();
        }
        if whole.starts_with(NEVER) { whole.to_owned() } else { "<time>".to_owned() }
    }
}

impl Names {
    fn number(&mut self, name: &str) -> usize {
        *self.given.entry(name.to_owned()).or_insert_with(|| {
            self.last += 1;
            self.last
        })
    }

    fn level(&mut self, other: &mut Self) {
        let last = self.last.max(other.last);
        (self.last, other.last) = (last, last);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    #[test]
    fn one_thing_has_one_name_long_and_short() {
        let mut mask = Mask::default();
        assert_eq!(mask.apply(&format!("{} x {ID}", &ID[..SHORT])), "<id 1 short> x <id 1>");
        let other = ID.replace('0', "9");
        assert_eq!(mask.apply(&format!("br-{} {ID}", &other[..SHORT])), "br-<id 2 short> <id 1>");
    }

    #[test]
    fn who_has_seen_less_goes_on_with_the_numbers_of_the_other() {
        let [mut one, mut other] = [Mask::default(), Mask::default()];
        let (first, second) = (ID.replace('0', "8"), ID.replace('0', "9"));
        assert_eq!((one.apply(ID), one.apply(&first)), ("<id 1>".to_owned(), "<id 2>".to_owned()));
        assert_eq!(other.apply(ID), "<id 1>");
        one.level(&mut other);
        assert_eq!((one.apply(&second), other.apply(&second)), ("<id 3>".to_owned(), "<id 3>".to_owned()));
        assert_eq!(other.apply(ID), "<id 1>");
    }

    #[test]
    fn times_and_addresses_by_chance_are_masked_and_written_ones_are_not() {
        let mut mask = Mask::new(&["run --mac-address 02:00:00:00:00:07".to_owned()]);
        for (text, masked) in [
            ("2026-11-21T15:40:58.123456789Z", "<time>"),
            ("2026-11-21 15:40:58.12 +0000 UTC", "<time>"),
            ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
            ("02:42:ac:11:00:02 02:00:00:00:00:07", "<mac 1> 02:00:00:00:00:07"),
            ("fd12:3456:789a::/64 fd12:3456:789a:1::1", "<ula>::/64 <ula>:1::1"),
            ("fd00:1::/64 172.17.0.0/16", "fd00:1::/64 172.17.0.0/16"),
        ] {
            assert_eq!(mask.apply(text), masked);
        }
    }
}
