//! The functions of templates: Go's own and those of Docker's client.

use std::cmp::Ordering;

use super::{Mode, printf::printf};
use crate::cli::format::data::Data;

/// What a function takes.
pub(super) struct Signature {
    /// One for each argument; the last one stands for any number if `is_variadic`.
    pub(super) parameters: &'static [Parameter],
    pub(super) is_variadic: bool,
}

/// What an argument has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Parameter {
    Any,
    Text,
    Texts,
    Integer,
}

use Parameter::{Any, Integer, Text, Texts};

/// Whether there is such a function.
pub(super) fn exists(name: &str) -> bool {
    is_lazy(name) || signature(name, Mode::Values).is_some()
}

/// Whether its arguments are evaluated one by one, until one decides.
pub(super) fn is_lazy(name: &str) -> bool {
    matches!(name, "and" | "or")
}

/// What a function takes, if there is such a function.
pub(super) fn signature(name: &str, mode: Mode) -> Option<Signature> {
    let (parameters, is_variadic): (&[Parameter], bool) = match name {
        "join" if mode == Mode::Headings => (&[Text, Text], false),
        "json" if mode == Mode::Headings => (&[Text], false),
        "join" => (&[Texts, Text], false),
        "json" | "len" | "not" => (&[Any], false),
        "split" => (&[Text, Text], false),
        "title" | "lower" | "upper" => (&[Text], false),
        "pad" => (&[Text, Integer, Integer], false),
        "truncate" => (&[Text, Integer], false),
        "print" | "println" => (&[Any], true),
        "printf" => (&[Text, Any], true),
        "index" | "slice" | "eq" | "and" | "or" => (&[Any, Any], true),
        "ne" | "lt" | "le" | "gt" | "ge" => (&[Any, Any], false),
        _ => return None,
    };
    Some(Signature { parameters, is_variadic })
}

/// Calls a function that is not lazy with arguments that fit its signature.
pub(super) fn call(name: &str, arguments: &[Data], mode: Mode) -> Result<Data, String> {
    let is_kept = matches!(name, "json" | "split" | "join" | "title" | "lower" | "upper" | "truncate");
    if is_kept && mode == Mode::Headings {
        return Ok(arguments[0].clone());
    }
    let text = |index: usize| arguments[index].to_string();
    Ok(match (name, arguments) {
        ("json", [value]) => Data::Text(value.to_json()),
        ("join", [Data::List(items), separator]) => {
            let items: Vec<_> = items.iter().map(Data::to_string).collect();
            Data::Text(items.join(&separator.to_string()))
        }
        ("join", _) => Data::Text(String::new()),
        ("split", _) => split(&text(0), &text(1)),
        ("title", _) => Data::Text(title(&text(0))),
        ("lower", _) => Data::Text(text(0).to_lowercase()),
        ("upper", _) => Data::Text(text(0).to_uppercase()),
        ("pad", [source, before, after]) => pad(&source.to_string(), before, after),
        ("truncate", [source, length]) => truncate(&source.to_string(), length)?,
        ("print", _) => Data::Text(print(arguments)),
        ("println", _) => {
            Data::Text(arguments.iter().map(Data::to_string).collect::<Vec<_>>().join(" ") + "\n")
        }
        ("printf", _) => Data::Text(printf(&text(0), &arguments[1..])),
        ("len", [value]) => length(value)?,
        ("index", [value, keys @ ..]) => {
            keys.iter().try_fold(value.clone(), |value, key| index(&value, key, mode))?
        }
        ("slice", [value, bounds @ ..]) => slice(value, bounds)?,
        ("not", [value]) => Data::Bool(!value.is_true()),
        ("eq", [value, others @ ..]) => Data::Bool(equals_any(value, others)?),
        ("ne", [left, right]) => Data::Bool(!equals_any(left, std::slice::from_ref(right))?),
        ("lt", [left, right]) => Data::Bool(compare(left, right)?.is_lt()),
        ("le", [left, right]) => Data::Bool(compare(left, right)?.is_le()),
        ("gt", [left, right]) => Data::Bool(compare(left, right)?.is_gt()),
        ("ge", [left, right]) => Data::Bool(compare(left, right)?.is_ge()),
        _ => Data::Missing,
    })
}

fn split(text: &str, separator: &str) -> Data {
    let part = |part: &str| Data::Text(part.to_owned());
    Data::List(match separator {
        "" => text.chars().map(|character| Data::Text(character.to_string())).collect(),
        _ => text.split(separator).map(part).collect(),
    })
}

fn title(text: &str) -> String {
    let mut is_inside = false;
    let capitalize = |character: char| {
        let was_inside = std::mem::replace(
            &mut is_inside,
            character == '_'
                || character.is_alphanumeric()
                || !(character.is_ascii() || character.is_whitespace()),
        );
        if was_inside { character.to_string() } else { character.to_uppercase().collect() }
    };
    text.chars().map(capitalize).collect()
}

fn pad(text: &str, before: &Data, after: &Data) -> Data {
    let spaces = |count: &Data| match count {
        Data::Integer(count) => " ".repeat(usize::try_from((*count).min(10_000)).unwrap_or(0)),
        _ => String::new(),
    };
    Data::Text(if text.is_empty() { String::new() } else { spaces(before) + text + &spaces(after) })
}

fn truncate(text: &str, length: &Data) -> Result<Data, String> {
    let Data::Integer(length) = length else { return Ok(Data::Text(text.to_owned())) };
    let bytes = usize::try_from(*length)
        .map_err(|_| format!("runtime error: slice bounds out of range [:{length}]"))?;
    Ok(Data::Text(text[..text.floor_char_boundary(bytes)].to_owned()))
}

/// Values in a row, with a space between two if neither is a string.
fn print(values: &[Data]) -> String {
    let is_text = |value: &Data| matches!(value, Data::Text(_) | Data::Absent);
    let mut text = String::new();
    for (index, value) in values.iter().enumerate() {
        if index > 0 && !is_text(value) && !is_text(&values[index - 1]) {
            text.push(' ');
        }
        text.push_str(&value.to_string());
    }
    text
}

fn length(value: &Data) -> Result<Data, String> {
    let length = match value {
        Data::Nil | Data::Absent => 0,
        Data::Text(text) => text.len(),
        Data::List(items) => items.len(),
        Data::Map(entries) => entries.len(),
        Data::Missing => return Err("len of nil pointer".to_owned()),
        Data::Bool(_) | Data::Integer(_) | Data::Float(_) | Data::Record(_) => {
            return Err(format!("len of type {}", value.type_name()));
        }
    };
    Ok(Data::Integer(length.try_into().unwrap_or(i128::MAX)))
}

fn index(value: &Data, key: &Data, mode: Mode) -> Result<Data, String> {
    let absent = if mode == Mode::Strict { Data::Missing } else { Data::Absent };
    match (value, key) {
        (Data::Missing, _) => Err("index of untyped nil".to_owned()),
        (Data::Map(entries), Data::Text(key)) => Ok(entries.get(key).cloned().unwrap_or(absent)),
        (Data::Nil | Data::Absent, Data::Text(_)) => Ok(absent),
        (Data::Map(_), _) => Err(format!("value has type {}; should be string", key.type_name())),
        (Data::List(items), Data::Integer(at)) => item(*at, items.len()).map(|at| items[at].clone()),
        (Data::Text(text), Data::Integer(at)) => {
            let at = item(*at, text.len()).map_err(|error| error.replace("slice", "string"))?;
            Ok(Data::Integer(text.as_bytes()[at].into()))
        }
        (Data::Nil | Data::Absent, Data::Integer(at)) => item(*at, 0).map(|_| Data::Missing),
        (Data::List(_) | Data::Text(_) | Data::Nil | Data::Absent, _) => {
            Err(format!("cannot index slice/array with type {}", key.type_name()))
        }
        _ => Err(format!("can't index item of type {}", value.type_name())),
    }
}

/// Go tells the first index behind the end from all others.
fn item(at: i128, length: usize) -> Result<usize, String> {
    match usize::try_from(at) {
        Ok(at) if at < length => Ok(at),
        Ok(at) if at == length => Err("reflect: slice index out of range".to_owned()),
        Ok(_) | Err(_) => Err(format!("index out of range: {at}")),
    }
}

fn slice(value: &Data, bounds: &[Data]) -> Result<Data, String> {
    let length = match value {
        Data::Text(text) => text.len(),
        Data::List(items) => items.len(),
        _ => return Err(format!("can't slice item of type {}", value.type_name())),
    };
    let bound = |index: usize, default: usize| match bounds.get(index) {
        None => Ok(default),
        Some(Data::Integer(at)) if *at == 0 => Ok(0),
        Some(Data::Integer(at)) => {
            item(at - 1, length).map(|at| at + 1).map_err(|_| format!("index out of range: {at}"))
        }
        Some(other) => Err(format!("cannot index slice/array with type {}", other.type_name())),
    };
    let (from, to) = (bound(0, 0)?, bound(1, length)?);
    match value {
        _ if from > to => Err(format!("invalid slice index: {from} > {to}")),
        Data::List(items) => Ok(Data::List(items[from..to].to_vec())),
        _ => Ok(Data::Text(String::from_utf8_lossy(&value.to_string().as_bytes()[from..to]).into_owned())),
    }
}

const INCOMPATIBLE: &str = "incompatible types for comparison";

fn equals_any(value: &Data, others: &[Data]) -> Result<bool, String> {
    if others.is_empty() {
        return Err("missing argument for comparison".to_owned());
    }
    let is_composite = |data: &Data| matches!(data, Data::List(_) | Data::Map(_) | Data::Record(_));
    let is_nil = |data: &Data| matches!(data, Data::Missing | Data::Nil);
    for other in others {
        if is_composite(value) || is_composite(other) {
            return Err(format!(
                "non-comparable types {value}: {}, {}: {other}",
                value.type_name(),
                other.type_name()
            ));
        }
        let is_equal = match (is_nil(value), is_nil(other)) {
            (false, false) if value.type_name() != other.type_name() => return Err(INCOMPATIBLE.to_owned()),
            (false, false) => value.to_string() == other.to_string(),
            (left, right) => left && right,
        };
        if is_equal {
            return Ok(true);
        }
    }
    Ok(false)
}

fn compare(left: &Data, right: &Data) -> Result<Ordering, String> {
    let (left, right) = (present(left), present(right));
    match (&left, &right) {
        (Data::Integer(left), Data::Integer(right)) => Ok(left.cmp(right)),
        (Data::Float(left), Data::Float(right)) => Ok(left.partial_cmp(right).unwrap_or(Ordering::Greater)),
        (Data::Text(left), Data::Text(right)) => Ok(left.cmp(right)),
        (Data::Integer(_) | Data::Float(_) | Data::Text(_) | Data::Bool(_), other)
            if other.type_name() != left.type_name() =>
        {
            Err(INCOMPATIBLE.to_owned())
        }
        _ => Err("invalid type for comparison".to_owned()),
    }
}

fn present(value: &Data) -> Data {
    if *value == Data::Absent { Data::Text(String::new()) } else { value.clone() }
}
