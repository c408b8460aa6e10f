//! Reads how many tests passed from the summaries of Rust's test runner.

/// Counts of tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Tally {
    /// Ran and held.
    pub(crate) passed: usize,
    /// Ran and did not hold.
    pub(crate) failed: usize,
    /// Did not run.
    pub(crate) ignored: usize,
}

impl Tally {
    /// Sums the `test result:` lines of an output.
    pub(crate) fn read(lines: &[String]) -> Self {
        let mut sum = Self::default();
        for line in lines {
            if let Some(found) = summary(line) {
                sum.add(found);
            }
        }
        sum
    }

    /// Adds another count.
    pub(crate) fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.ignored += other.ignored;
    }
}

/// Reads `test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.02s`.
fn summary(line: &str) -> Option<Tally> {
    let (_, counts) = line.strip_prefix("test result: ")?.split_once(". ")?;
    let count = |name: &str| {
        counts.split("; ").find_map(|part| part.strip_suffix(name)?.trim().parse::<usize>().ok())
    };
    Some(Tally { passed: count("passed")?, failed: count("failed")?, ignored: count("ignored")? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summaries_of_several_runners_are_added() {
        let output = "running 3 tests\n\
            test a ... ok\n\
            test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.02s\n\
            test result: FAILED. 40 passed; 2 failed; 1 ignored; 0 measured; 7 filtered out; finished in 1.00s\n\
            error: 1 target failed";
        let lines: Vec<String> = output.lines().map(str::to_owned).collect();
        assert_eq!(Tally::read(&lines), Tally { passed: 43, failed: 2, ignored: 1 });
    }

    #[test]
    fn a_line_that_only_resembles_a_summary_counts_nothing() {
        assert_eq!(summary("test result: unknown"), None);
        assert_eq!(summary("test passed_on ... ok"), None);
    }
}
