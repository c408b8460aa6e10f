//! Go's `printf`: the verbs and flags that make sense for text, numbers and lists of them.
//!
//! Left out: `*` as a width, and arguments by index.

use crate::cli::format::{
    data::{Data, Record},
    quote::{quote, quote_character},
};

/// What stands between `%` and its verb.
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
struct Layout {
    is_left: bool,
    has_sign: bool,
    has_zeros: bool,
    is_alternate: bool,
    width: usize,
    precision: Option<usize>,
}

/// Fills a format with values.
pub(super) fn printf(format: &str, values: &[Data]) -> String {
    let mut text = String::new();
    let mut values = values.iter();
    let mut rest = format;
    while let Some(start) = rest.find('%') {
        text.push_str(&rest[..start]);
        let (layout, after) = Layout::parse(&rest[start + 1..]);
        let Some(verb) = after.chars().next() else {
            return text + "%!(NOVERB)" + &extra(values.as_slice());
        };
        rest = &after[verb.len_utf8()..];
        match verb {
            '%' => text.push('%'),
            _ => match values.next() {
                Some(value) => text.push_str(&layout.pad(&layout.write(verb, value), value)),
                None => text.extend(["%!", &verb.to_string(), "(MISSING)"]),
            },
        }
    }
    text + rest + &extra(values.as_slice())
}

/// Values that the format has no verbs for.
fn extra(values: &[Data]) -> String {
    let values: Vec<_> = values.iter().map(described).collect();
    if values.is_empty() { String::new() } else { format!("%!(EXTRA {})", values.join(", ")) }
}

/// `string=web`.
fn described(value: &Data) -> String {
    match value {
        Data::Missing | Data::Nil => "<nil>".to_owned(),
        _ => format!("{}={value}", value.type_name()),
    }
}

impl Layout {
    fn parse(text: &str) -> (Self, &str) {
        let mut layout = Self::default();
        let flags = text.trim_start_matches(['-', '+', '0', '#', ' ']);
        for flag in text[..text.len() - flags.len()].chars() {
            match flag {
                '-' => layout.is_left = true,
                '+' => layout.has_sign = true,
                '0' => layout.has_zeros = true,
                '#' => layout.is_alternate = true,
                _ => {}
            }
        }
        let (width, rest) = digits(flags);
        layout.width = width;
        match rest.strip_prefix('.') {
            Some(rest) => {
                let (precision, rest) = digits(rest);
                (Self { precision: Some(precision), ..layout }, rest)
            }
            None => (layout, rest),
        }
    }

    fn write(self, verb: char, value: &Data) -> String {
        match (verb, value) {
            ('v' | 's' | 'q' | 'd' | 'x' | 'X', Data::List(items)) => {
                let items: Vec<_> = items.iter().map(|item| self.write(verb, item)).collect();
                format!("[{}]", items.join(" "))
            }
            ('v' | 's' | 'q' | 'd' | 'x' | 'X', Data::Map(entries)) => {
                let key = |key: &String| self.write(verb, &Data::Text(key.clone()));
                let entries =
                    entries.iter().map(|(name, value)| format!("{}:{}", key(name), self.write(verb, value)));
                format!("map[{}]", entries.collect::<Vec<_>>().join(" "))
            }
            ('v' | 's' | 'q', Data::Record(record)) => self.record(verb, record),
            ('T', _) => value.type_name().to_owned(),
            ('v', Data::Text(text)) if self.is_alternate => quote(text),
            ('v', Data::Float(_)) if self.precision.is_some() => self.write('f', value),
            ('v', _) | ('g', Data::Float(_)) => self.signed(value, value.to_string()),
            ('s', Data::Text(text)) => self.cut(text),
            ('s' | 'q' | 'x' | 'X', Data::Absent) => self.write(verb, &Data::Text(String::new())),
            ('q', Data::Text(text)) => quote(&self.cut(text)),
            ('x', Data::Text(text)) => hexadecimal(text),
            ('X', Data::Text(text)) => hexadecimal(text).to_uppercase(),
            ('t', Data::Bool(value)) => value.to_string(),
            ('d', Data::Integer(number)) => self.signed(value, number.to_string()),
            ('x', Data::Integer(number)) => based(*number, &format!("{:x}", number.unsigned_abs())),
            ('X', Data::Integer(number)) => based(*number, &format!("{:X}", number.unsigned_abs())),
            ('o', Data::Integer(number)) => based(*number, &format!("{:o}", number.unsigned_abs())),
            ('b', Data::Integer(number)) => based(*number, &format!("{:b}", number.unsigned_abs())),
            ('c', Data::Integer(number)) => character(*number).to_string(),
            ('q', Data::Integer(number)) => quote_character(character(*number)),
            ('U', Data::Integer(number)) => format!("U+{number:04X}"),
            ('f' | 'F', Data::Float(number)) => {
                self.signed(value, format!("{number:.*}", self.precision.unwrap_or(6)))
            }
            ('e', Data::Float(number)) => {
                self.signed(value, exponential(*number, self.precision.unwrap_or(6)))
            }
            (_, Data::Missing | Data::Nil) => format!("%!{verb}(<nil>)"),
            _ => format!("%!{verb}({})", described(value)),
        }
    }

    /// `{a b}`, or `{Name:a Id:b}` with `+`.
    fn record(self, verb: char, record: &Record) -> String {
        let field = |(name, value): &(&str, Data)| {
            let value = self.write(verb, value);
            if self.has_sign { format!("{name}:{value}") } else { value }
        };
        format!("{{{}}}", record.fields.iter().map(field).collect::<Vec<_>>().join(" "))
    }

    fn cut(self, text: &str) -> String {
        text.chars().take(self.precision.unwrap_or(usize::MAX)).collect()
    }

    fn signed(self, value: &Data, text: String) -> String {
        let is_number = matches!(value, Data::Integer(_) | Data::Float(_));
        if self.has_sign && is_number && !text.starts_with('-') { format!("+{text}") } else { text }
    }

    fn pad(self, text: &str, value: &Data) -> String {
        let missing = self.width.saturating_sub(text.chars().count());
        let sign = usize::from(text.starts_with(['-', '+']));
        match value {
            _ if self.is_left => text.to_owned() + &" ".repeat(missing),
            Data::Integer(_) | Data::Float(_) if self.has_zeros => {
                format!("{}{}{}", &text[..sign], "0".repeat(missing), &text[sign..])
            }
            _ => " ".repeat(missing) + text,
        }
    }
}

/// A number at the beginning, 0 if there is none, and what follows.
fn digits(text: &str) -> (usize, &str) {
    let rest = text.trim_start_matches(|next: char| next.is_ascii_digit());
    // Nobody wants wider columns, and the memory has to come from somewhere.
    (text[..text.len() - rest.len()].parse().unwrap_or(0).min(10_000), rest)
}

fn hexadecimal(text: &str) -> String {
    text.bytes()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect()
}

fn based(number: i128, digits: &str) -> String {
    format!("{}{digits}", if number < 0 { "-" } else { "" })
}

fn character(number: i128) -> char {
    u32::try_from(number).ok().and_then(char::from_u32).unwrap_or(char::REPLACEMENT_CHARACTER)
}

fn exponential(number: f64, precision: usize) -> String {
    let text = format!("{number:.precision$e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, digits) = exponent.strip_prefix('-').map_or(('+', exponent), |digits| ('-', digits));
    format!("{mantissa}e{sign}{digits:0>2}")
}
