//! What `filters=` asks for, in any of the shapes that Docker's clients have sent over the years.

use std::collections::{BTreeMap, BTreeSet};

use regex::Regex;
use serde::Deserialize;

use super::{Error, timestamp};
use crate::change::{PruneChoice, is_labelled};

/// Values by the name of the filter.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Filters(BTreeMap<String, BTreeSet<String>>);

/// Values as clients write them: a set of names that are true, or a list (before version 1.22 of the API).
#[derive(Deserialize)]
#[serde(untagged)]
enum Values {
    Set(BTreeMap<String, bool>),
    List(Vec<String>),
}

impl Filters {
    /// Reads the parameter, in which only `known` filters may be.
    pub(super) fn read(text: Option<&str>, known: &[&str]) -> Result<Self, Error> {
        let filters = Self::read_any(text)?;
        match filters.0.keys().find(|name| !known.contains(&name.as_str())) {
            Some(unknown) => Err(Error::UnknownFilter(unknown.clone())),
            None => Ok(filters),
        }
    }

    /// Reads the parameter, in which any filter may be.
    pub(super) fn read_any(text: Option<&str>) -> Result<Self, Error> {
        let text = text.unwrap_or_default();
        if text.is_empty() {
            return Ok(Self::default());
        }
        let values: BTreeMap<String, Values> = serde_json::from_str(text).map_err(Error::Json)?;
        let of = |values| match values {
            Values::Set(set) => {
                set.into_iter().filter_map(|(value, is_set)| is_set.then_some(value)).collect()
            }
            Values::List(list) => list.into_iter().collect(),
        };
        Ok(Self(values.into_iter().map(|(name, values)| (name, of(values))).collect()))
    }

    /// The values of a filter; none if it is not asked for.
    pub(super) fn values(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.get(name).into_iter().flatten().map(String::as_str)
    }

    /// Whether a text is one of the values, or nothing is asked.
    pub(super) fn admits(&self, name: &str, text: &str) -> bool {
        self.0.get(name).is_none_or(|values| values.contains(text))
    }

    /// Whether a text is one of the values or matches one as a regular expression, or nothing is asked.
    pub(super) fn matches(&self, name: &str, text: &str) -> bool {
        let matches =
            |value: &String| value == text || Regex::new(value).is_ok_and(|regex| regex.is_match(text));
        self.0.get(name).is_none_or(|values| values.iter().any(matches))
    }

    /// Whether a text begins with one of the values, or nothing is asked.
    pub(super) fn begins(&self, name: &str, text: &str) -> bool {
        self.0.get(name).is_none_or(|values| values.iter().any(|value| text.starts_with(value.as_str())))
    }

    /// Whether all labels that are asked for are there: `key`, or `key=value`.
    pub(super) fn has_labels(&self, name: &str, labels: &BTreeMap<String, String>) -> bool {
        self.values(name).all(|wanted| is_labelled(labels, wanted))
    }

    /// The only value of a filter that is true or false.
    pub(super) fn truth(&self, name: &'static str) -> Result<Option<bool>, Error> {
        let mut values = self.values(name);
        let Some(value) = values.next() else { return Ok(None) };
        if values.next().is_some() {
            return Err(Error::SeveralValues(name));
        }
        match value {
            "1" | "true" => Ok(Some(true)),
            "0" | "false" => Ok(Some(false)),
            _ => Err(Error::NoTruth(name)),
        }
    }
}

/// Filters of calls that remove what nobody uses.
const PRUNE: [&str; 3] = ["label", "label!", "until"];

/// What of that which nobody uses is to go.
pub(super) fn prune_choice(text: Option<&str>) -> Result<PruneChoice, Error> {
    let filters = Filters::read(text, &PRUNE)?;
    let mut until = filters.values("until");
    let until = match (until.next(), until.next()) {
        (Some(_), Some(_)) => return Err(Error::SeveralUntil),
        (Some(text), None) => Some(timestamp::until(text).ok_or_else(|| Error::Until(text.to_owned()))?),
        (None, _) => None,
    };
    let owned = |name| filters.values(name).map(str::to_owned).collect();
    Ok(PruneChoice { labels: owned("label"), labels_without: owned("label!"), until })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Filters, String> {
        Filters::read(Some(text), &["name", "label", "dangling"]).map_err(|error| error.to_string())
    }

    #[test]
    fn sets_and_lists_mean_the_same() {
        let set = read(r#"{"name":{"a":true,"b":true,"c":false}}"#).expect("filters");
        assert_eq!(Ok(set.clone()), read(r#"{"name":["a","b"]}"#));
        assert_eq!(set.values("name").collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(Filters::read(None, &[]).ok(), Some(Filters::default()));
    }

    #[test]
    fn names_match_as_a_whole_in_part_and_as_expressions() {
        let filters = read(r#"{"name":["fr","^back$","a+b","("]}"#).expect("filters");
        for (name, wanted) in
            [("front", true), ("back", true), ("backs", false), ("a+b", true), ("(", true), ("x", false)]
        {
            assert_eq!(filters.matches("name", name), wanted, "{name}");
        }
        assert!(filters.matches("id", "anything"), "nothing is asked about it");
    }

    #[test]
    fn every_label_must_be_there() {
        let labels = BTreeMap::from([("a".to_owned(), "1".to_owned()), ("b".to_owned(), String::new())]);
        for (text, wanted) in [
            (r#"{"label":["a"]}"#, true),
            (r#"{"label":["a=1","b"]}"#, true),
            (r#"{"label":["b="]}"#, true),
            (r#"{"label":["a=2"]}"#, false),
            (r#"{"label":["a","c"]}"#, false),
        ] {
            assert_eq!(read(text).expect("filters").has_labels("label", &labels), wanted, "{text}");
        }
    }

    #[test]
    fn what_is_not_understood_is_refused_in_dockers_words() {
        assert_eq!(read(r#"{"colour":["x"]}"#), Err("invalid filter 'colour'".to_owned()));
        let truth =
            |text: &str| read(text).and_then(|f| f.truth("dangling").map_err(|error| error.to_string()));
        assert_eq!(truth(r#"{"dangling":["true"]}"#), Ok(Some(true)));
        assert_eq!(truth("{}"), Ok(None));
        let none =
            "invalid value for filter 'dangling', must be \"true\" (or \"1\"), or \"false\" (or \"0\")";
        assert_eq!(truth(r#"{"dangling":["x"]}"#), Err(none.to_owned()));
        let several = "got more than one value for filter key \"dangling\"";
        assert_eq!(truth(r#"{"dangling":["0","1"]}"#), Err(several.to_owned()));
        assert!(read("{").is_err());
    }
}
