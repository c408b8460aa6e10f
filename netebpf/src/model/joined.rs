//! Several complaints in one text, as Docker's daemon puts them.

use std::fmt::Display;

/// One complaint as it is; several with a star and a line for each.
#[must_use]
pub fn joined(complaints: &[impl Display]) -> String {
    match complaints {
        [one] => one.to_string(),
        several => {
            let several = several.iter().map(|one| one.to_string().replace('\n', "\n\t"));
            format!("* {}", several.collect::<Vec<_>>().join("\n* "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::joined;

    #[test]
    fn one_complaint_needs_no_star() {
        assert_eq!(joined(&["this"]), "this");
        assert_eq!(joined(&["this", "that\nand more"]), "* this\n* that\n\tand more");
    }
}
