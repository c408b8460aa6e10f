//! The values that formats are evaluated on, told apart and printed as Go does.

pub(in crate::cli) mod capture;

use std::{
    collections::BTreeMap,
    fmt::{self, Display, Formatter},
};

use serde::{Serialize, Serializer, ser::SerializeMap as _};

/// A value, with the distinctions that Go's templates make visible.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::cli) enum Data {
    /// What a map does not hold, or JSON's `null`.
    Missing,
    /// A nil pointer.
    Nil,
    /// A field that is left out of JSON because it is empty, and is of a type that nobody tells.
    Absent,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Integer(i128),
    /// Any other number.
    Float(f64),
    /// A string.
    Text(String),
    /// A slice.
    List(Vec<Self>),
    /// A map, in the order in which Go prints and ranges over it.
    Map(BTreeMap<String, Self>),
    /// A struct.
    Record(Record),
}

/// A struct: has exactly these fields.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::cli) struct Record {
    /// The name of its Go type, as errors show it.
    pub(super) type_name: &'static str,
    /// The fields in order.
    pub(super) fields: Vec<(&'static str, Data)>,
    /// What the method `Label` answers, if it has one: rows of lists and their headings do.
    pub(super) label: Option<Label>,
}

/// What `{{.Label "name"}}` stands for.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::cli) enum Label {
    /// The value of a label of this row.
    Of(BTreeMap<String, String>),
    /// The heading of such a column.
    Heading,
}

impl Data {
    /// Whether `{{if}}` takes it for true: whether it is not empty, as Go has it.
    pub(super) fn is_true(&self) -> bool {
        match self {
            Self::Missing | Self::Nil | Self::Absent => false,
            Self::Bool(value) => *value,
            Self::Integer(value) => *value != 0,
            Self::Float(value) => *value != 0.0,
            Self::Text(text) => !text.is_empty(),
            Self::List(items) => !items.is_empty(),
            Self::Map(entries) => !entries.is_empty(),
            Self::Record(_) => true,
        }
    }

    /// The Go type, as errors show it.
    pub(super) fn type_name(&self) -> &'static str {
        match self {
            Self::Missing | Self::Nil => "nil",
            Self::Absent | Self::Text(_) => "string",
            Self::Bool(_) => "bool",
            Self::Integer(_) => "int",
            Self::Float(_) => "float64",
            Self::List(items) if items.iter().all(|item| matches!(item, Self::Text(_))) => "[]string",
            Self::List(_) => "[]interface {}",
            Self::Map(_) => "map[string]interface {}",
            Self::Record(record) => record.type_name,
        }
    }

    /// JSON in one line, escaped as Docker's function `json` does: rows of lists escape HTML, nothing else does.
    pub(super) fn to_json(&self) -> String {
        let json = serde_json::to_string(self).expect("every value has a JSON form");
        let json = json.replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029");
        if matches!(self, Self::Record(Record { label: Some(_), .. })) {
            // These characters occur in strings only.
            return json.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026");
        }
        json
    }

    /// The same as its JSON tells it: structs are maps of the fields that are there.
    pub(super) fn into_untyped(self) -> Self {
        match self {
            Self::Nil => Self::Missing,
            Self::List(items) => Self::List(items.into_iter().map(Self::into_untyped).collect()),
            Self::Map(entries) => {
                Self::Map(entries.into_iter().map(|(key, value)| (key, value.into_untyped())).collect())
            }
            Self::Record(record) => {
                let present = record.fields.into_iter().filter(|(_, value)| *value != Self::Absent);
                Self::Map(present.map(|(name, value)| (name.to_owned(), value.into_untyped())).collect())
            }
            other @ (Self::Missing
            | Self::Absent
            | Self::Bool(_)
            | Self::Integer(_)
            | Self::Float(_)
            | Self::Text(_)) => other,
        }
    }
}

impl Record {
    /// The field of this name, in Go's spelling or in JSON's where they differ (`ID`, `Id`).
    pub(super) fn field(&self, name: &str) -> Option<&Data> {
        let find = |name: &str| self.fields.iter().find(|(field, _)| *field == name).map(|(_, value)| value);
        find(name).or_else(|| {
            let spellings = [("ID", "Id"), ("IP", "Ip"), ("DNS", "Dns")];
            spellings.iter().find_map(|(go, json)| find(&name.replace(go, json)))
        })
    }
}

/// As Go's verb `%v` prints it.
impl Display for Data {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing | Self::Nil => write!(f, "<nil>"),
            Self::Absent => Ok(()),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Integer(value) => write!(f, "{value}"),
            Self::Float(value) => float(*value, f),
            Self::Text(text) => f.write_str(text),
            Self::List(items) => sequence(f, "[", items.iter(), "]"),
            Self::Map(entries) => {
                let entries = entries.iter().map(|(key, value)| format!("{key}:{value}"));
                sequence(f, "map[", entries, "]")
            }
            Self::Record(record) => sequence(f, "{", record.fields.iter().map(|(_, value)| value), "}"),
        }
    }
}

fn sequence(
    f: &mut Formatter<'_>,
    open: &str,
    items: impl Iterator<Item = impl Display>,
    close: &str,
) -> fmt::Result {
    f.write_str(open)?;
    for (index, item) in items.enumerate() {
        write!(f, "{}{item}", if index == 0 { "" } else { " " })?;
    }
    f.write_str(close)
}

/// The shortest text that gives the number back; with an exponent of two digits where Go writes one.
fn float(value: f64, f: &mut Formatter<'_>) -> fmt::Result {
    let size = value.abs();
    if size == 0.0 || (1e-4..1e21).contains(&size) || !value.is_finite() {
        return write!(f, "{value}");
    }
    let text = format!("{value:e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, digits) = exponent.strip_prefix('-').map_or(('+', exponent), |digits| ('-', digits));
    write!(f, "{mantissa}e{sign}{digits:0>2}")
}

impl Serialize for Data {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Missing | Self::Nil | Self::Absent => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Integer(value) => serializer.serialize_i128(*value),
            Self::Float(value) => serializer.serialize_f64(*value),
            Self::Text(text) => serializer.serialize_str(text),
            Self::List(items) => items.serialize(serializer),
            Self::Map(entries) => entries.serialize(serializer),
            Self::Record(record) => {
                let mut map = serializer.serialize_map(None)?;
                for (name, value) in &record.fields {
                    if *value != Self::Absent {
                        map.serialize_entry(name, value)?;
                    }
                }
                map.end()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_look_like_gos() {
        let texts = [0.0, 1.5, 1000.0, 1e21, 1e-5, -2.5e30, f64::INFINITY]
            .map(|value| Data::Float(value).to_string());
        assert_eq!(texts, ["0", "1.5", "1000", "1e+21", "1e-05", "-2.5e+30", "inf"]);
    }

    #[test]
    fn composites_look_like_gos() {
        let list = Data::List(vec![Data::Text("a".to_owned()), Data::Nil]);
        let map =
            Data::Map(BTreeMap::from([("k".to_owned(), list.clone()), ("b".to_owned(), Data::Bool(true))]));
        let fields = vec![("A", map), ("B", Data::Absent), ("C", Data::Integer(1))];
        let record = Data::Record(Record { type_name: "t", fields, label: None });
        assert_eq!(record.to_string(), "{map[b:true k:[a <nil>]]  1}");
        assert_eq!(record.to_json(), r#"{"A":{"b":true,"k":["a",null]},"C":1}"#);
        assert_eq!(record.into_untyped().to_string(), "map[A:map[b:true k:[a <nil>]] C:1]");
    }
}
