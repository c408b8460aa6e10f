//! `--filter key=value`, as it is typed and as the API takes it.

use std::collections::BTreeMap;

use super::{Error, quote::quote};

/// Filters of a list: the values that each key may have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::cli) struct Filters(BTreeMap<String, BTreeMap<String, bool>>);

impl Filters {
    /// Reads what was typed; `flag` is the flag in all its spellings (`-f, --filter`), for the error.
    pub(in crate::cli) fn parse(
        typed: impl IntoIterator<Item = impl AsRef<str>>,
        flag: &'static str,
    ) -> Result<Self, Error> {
        let mut filters = Self::default();
        for text in typed {
            let text = text.as_ref();
            if text.is_empty() {
                continue;
            }
            let (key, value) =
                text.split_once('=').ok_or_else(|| Error::Filter { quoted: quote(text), flag })?;
            let values = filters.0.entry(key.trim().to_lowercase()).or_default();
            values.insert(value.trim().to_owned(), true);
        }
        Ok(filters)
    }

    /// Whether everything passes.
    pub(in crate::cli) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value of the API's parameter `filters`: `{"name":{"web":true}}`.
    pub(in crate::cli) fn to_json(&self) -> String {
        serde_json::to_string(&self.0).expect("maps of texts have a JSON form")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_sent_as_docker_sends_them() {
        let filters = Filters::parse(["a=b", "a=c", " X = y z ", "", "label=k=v", "="], "--filter");
        let json = filters.map(|filters| filters.to_json()).unwrap_or_default();
        assert_eq!(json, r#"{"":{"":true},"a":{"b":true,"c":true},"label":{"k=v":true},"x":{"y z":true}}"#);
    }

    #[test]
    fn a_filter_without_value_is_refused() {
        let refusal =
            |flag| Filters::parse(["x"], flag).map_err(|error| (error.to_string(), error.exit_code()));
        let text =
            r#"invalid argument "x" for "-f, --filter" flag: bad format of filter (expected name=value)"#;
        assert_eq!(refusal("-f, --filter"), Err((text.to_owned(), 125)));
    }
}
