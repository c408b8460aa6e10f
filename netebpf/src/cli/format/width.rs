//! How many columns a text takes on a terminal, and how it is cut to fewer.

/// The blocks of Unicode whose characters take two columns (East Asian Width W and F, UAX #11), without the odd single ones.
const WIDE: [(char, char); 13] = [
    ('\u{1100}', '\u{115f}'),
    ('\u{2e80}', '\u{303e}'),
    ('\u{3041}', '\u{33ff}'),
    ('\u{3400}', '\u{4dbf}'),
    ('\u{4e00}', '\u{a4cf}'),
    ('\u{a960}', '\u{a97f}'),
    ('\u{ac00}', '\u{d7a3}'),
    ('\u{f900}', '\u{faff}'),
    ('\u{fe30}', '\u{fe6f}'),
    ('\u{ff00}', '\u{ff60}'),
    ('\u{ffe0}', '\u{ffe6}'),
    ('\u{1f300}', '\u{1f9ff}'),
    ('\u{20000}', '\u{3fffd}'),
];

/// The columns that a text takes.
pub(super) fn width(text: &str) -> usize {
    text.chars().map(character_width).sum()
}

fn character_width(character: char) -> usize {
    let is_wide = WIDE.iter().any(|(first, last)| (*first..=*last).contains(&character));
    if is_wide { 2 } else { 1 }
}

/// A text of at most `columns`, the last of which is an ellipsis if something was cut off.
pub(super) fn ellipsis(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut used = 1;
    let fits = |character: &char| {
        used += character_width(*character);
        used <= columns
    };
    text.chars().take_while(fits).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_end_in_an_ellipsis() {
        assert_eq!(ellipsis("python3 -m http.server 8080", 20), "python3 -m http.ser…");
        assert_eq!(ellipsis("exactly twenty chars", 20), "exactly twenty chars");
        assert_eq!(ellipsis("日本語", 4), "日…");
        assert_eq!(ellipsis("日本", 4), "日本");
    }
}
