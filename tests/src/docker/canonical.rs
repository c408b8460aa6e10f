//! How are two JSON texts compared that people read? By what they mean and how they are indented; the order of an object's
//! members says nothing, and has changed between Docker's versions.

use serde_json::Value;

/// The text with the members of its objects in order, if it is JSON in several lines.
#[must_use]
pub(super) fn json(text: &str) -> Option<String> {
    let indent = text.lines().nth(1).map(|line| line.len() - line.trim_start().len())?;
    let value: Value = serde_json::from_str(text).ok()?;
    let ordered = serde_json::to_string_pretty(&value).ok()?;
    Some(format!("JSON, indented by {indent}:\n{ordered}\n"))
}

#[cfg(test)]
mod tests {
    use super::json;

    #[test]
    fn the_order_of_members_does_not_count_and_their_indentation_does() {
        let text = json("[\n    {\n        \"b\": 1,\n        \"a\": null\n    }\n]\n");
        assert_eq!(text, json("[\n    {\n        \"a\": null,\n        \"b\": 1\n    }\n]\n"));
        assert_ne!(text, json("[\n  {\n    \"a\": null,\n    \"b\": 1\n  }\n]\n"));
        assert_eq!(json("[]\n"), None);
        assert_eq!(json("plain\ntext\n"), None);
    }
}
