//! How are two JSON texts compared that people read? By what they mean and how they are indented; the order of an object's
//! members says nothing, and has changed between Docker's versions.

use serde_json::Value;

/// The text with the members of its objects in order, wherever it or one of its lines is JSON.
#[must_use]
pub(super) fn text(text: &str) -> String {
    json(text).unwrap_or_else(|| text.lines().map(compact).collect::<Vec<_>>().join("\n"))
}

fn compact(line: &str) -> String {
    let is_json = line.starts_with(['{', '[']);
    let value = is_json.then(|| serde_json::from_str::<Value>(line).ok()).flatten();
    value.map_or_else(|| line.to_owned(), |value| value.to_string())
}

/// The same for JSON in several lines.
fn json(text: &str) -> Option<String> {
    let indent = text.lines().nth(1).map(|line| line.len() - line.trim_start().len())?;
    let value: Value = serde_json::from_str(text).ok()?;
    let ordered = serde_json::to_string_pretty(&value).ok()?;
    Some(format!("JSON, indented by {indent}:\n{ordered}\n"))
}

#[cfg(test)]
mod tests {
    use super::{json, text};

    #[test]
    fn the_order_of_members_does_not_count_and_their_indentation_does() {
        let ordered = json("[\n    {\n        \"b\": 1,\n        \"a\": null\n    }\n]\n");
        assert_eq!(ordered, json("[\n    {\n        \"a\": null,\n        \"b\": 1\n    }\n]\n"));
        assert_ne!(ordered, json("[\n  {\n    \"a\": null,\n    \"b\": 1\n  }\n]\n"));
        assert_eq!(json("[]\n"), None);
        assert_eq!(json("plain\ntext\n"), None);
        assert_eq!(text("plain\n{\"b\":1,\"a\":{}}\n[x]\n"), "plain\n{\"a\":{},\"b\":1}\n[x]");
    }
}
