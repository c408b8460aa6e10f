//! How a file that users may edit follows what we want in it.

/// Replaces lines that we wrote by those that we want, and leaves all others and their order alone.
///
/// `written` is what we wrote last. A line of ours that a user has changed or removed stays as the user left it. A new line
/// goes before the one that follows it in what we want, or to the end, as Docker appends addresses.
#[must_use]
pub fn merge_lines(current: &str, written: &str, wanted: &str) -> String {
    let mut obsolete = without(written, wanted);
    let mut added = without(wanted, written);
    let kept = current.split_inclusive('\n').filter(|line| {
        let known = obsolete.iter().position(|old| *old == bare(line));
        known.map(|index| obsolete.swap_remove(index)).is_none()
    });
    let mut lines: Vec<_> = kept.map(str::to_owned).collect();
    let mut place = lines.len();
    for line in wanted.lines().rev() {
        if let Some(index) = added.iter().rposition(|new| *new == line) {
            added.remove(index);
            end(lines[..place].last_mut());
            lines.insert(place, format!("{line}\n"));
        } else if let Some(found) = lines[..place].iter().rposition(|known| bare(known) == line) {
            place = found;
        }
    }
    lines.concat()
}

/// Ends a line, if it is the last one and has no end yet.
fn end(line: Option<&mut String>) {
    if let Some(line) = line.filter(|line| !line.ends_with('\n')) {
        line.push('\n');
    }
}

/// What we want, unless somebody has edited what we wrote.
#[must_use]
pub fn keep_edited<'a>(current: &'a str, written: &str, wanted: &'a str) -> &'a str {
    if current == written { wanted } else { current }
}

/// The lines of the first text without those of the second, each as often as it is there more.
fn without<'a>(text: &'a str, others: &str) -> Vec<&'a str> {
    let mut others: Vec<_> = others.lines().collect();
    let is_new = |line: &&str| match others.iter().position(|other| other == line) {
        Some(index) => {
            others.swap_remove(index);
            false
        }
        None => true,
    };
    text.lines().filter(is_new).collect()
}

fn bare(line: &str) -> &str {
    line.lines().next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::{keep_edited, merge_lines};

    #[test]
    fn a_disconnected_network_takes_its_lines_along_and_a_connected_one_appends_its() {
        let (one, two) = ("127.0.0.1\tlocalhost\n192.0.2.2\tweb\n", "127.0.0.1\tlocalhost\n192.0.3.2\tweb\n");
        let edited = "# mine\n192.0.2.2\tweb\n\n10.0.0.1 mine";
        assert_eq!(merge_lines(edited, one, two), "# mine\n\n10.0.0.1 mine\n192.0.3.2\tweb\n");
        assert_eq!(merge_lines(one, one, two), two);
    }

    #[test]
    fn a_line_that_comes_back_is_where_it_was() {
        let (with, without) = ("a\nlink\nown\n", "a\nown\n");
        assert_eq!(merge_lines("a\nlink\nown\nmine", with, without), "a\nown\nmine");
        assert_eq!(merge_lines("a\nown\nmine", without, with), "a\nlink\nown\nmine");
        assert_eq!(merge_lines("mine", without, with), "mine\nlink\n");
    }

    #[test]
    fn a_line_that_a_user_changed_is_the_users() {
        let (written, edited) = ("192.0.2.2\tweb\n", "192.0.2.2\tweb www\n");
        assert_eq!(merge_lines(edited, written, ""), edited);
        assert_eq!(merge_lines("", written, written), "");
    }

    #[test]
    fn an_edited_file_is_left_alone() {
        assert_eq!(keep_edited("a", "a", "b"), "b");
        assert_eq!(keep_edited("c", "a", "b"), "c");
    }

    /// Few different lines, so that they coincide often.
    fn lines(letters: &'static str) -> impl Strategy<Value = String> {
        let line = proptest::sample::select(letters.split(' ').collect::<Vec<_>>());
        vec(line, 0..6).prop_map(|lines| lines.iter().flat_map(|line| [line, "\n"]).collect())
    }

    fn sorted(text: &str) -> Vec<&str> {
        let mut lines: Vec<_> = text.lines().collect();
        lines.sort_unstable();
        lines
    }

    proptest! {
        #[test]
        fn what_is_wanted_already_changes_nothing(current in "[ab\n]{0,12}", wanted in lines("a b c")) {
            prop_assert_eq!(merge_lines(&current, &wanted, &wanted), current);
        }

        #[test]
        fn a_file_that_nobody_edited_has_what_is_wanted(written in lines("a b c"), wanted in lines("a b c")) {
            let merged = merge_lines(&written, &written, &wanted);
            prop_assert_eq!(sorted(&merged), sorted(&wanted));
        }

        #[test]
        fn lines_of_users_stay_in_their_order(
            current in lines("a b x y z"), written in lines("a b c"), wanted in lines("a b c"),
        ) {
            let merged = merge_lines(&current, &written, &wanted);
            let of_users = |text: &str| -> Vec<String> {
                text.lines().filter(|line| "xyz".contains(line)).map(str::to_owned).collect()
            };
            prop_assert_eq!(of_users(&merged), of_users(&current));
        }

        #[test]
        fn going_back_restores_every_line(own in lines("x y"), written in lines("a b c"), wanted in lines("a b c")) {
            let current = format!("{own}{written}");
            let back = merge_lines(&merge_lines(&current, &written, &wanted), &wanted, &written);
            prop_assert_eq!(sorted(&back), sorted(&current));
        }
    }
}
