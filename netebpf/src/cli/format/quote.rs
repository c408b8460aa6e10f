//! Go's quoted strings and other constants: written and read.

use super::data::Data;

/// A text in double quotes, as Go's `strconv.Quote` writes it.
pub(super) fn quote(text: &str) -> String {
    format!("\"{}\"", text.chars().map(|character| escape(character, '"')).collect::<String>())
}

/// A character in single quotes.
pub(super) fn quote_character(character: char) -> String {
    format!("'{}'", escape(character, '\''))
}

fn escape(character: char, quote: char) -> String {
    match character {
        '\u{7}' => "\\a".to_owned(),
        '\u{8}' => "\\b".to_owned(),
        '\u{c}' => "\\f".to_owned(),
        '\n' => "\\n".to_owned(),
        '\r' => "\\r".to_owned(),
        '\t' => "\\t".to_owned(),
        '\u{b}' => "\\v".to_owned(),
        '\\' => "\\\\".to_owned(),
        _ if character == quote => format!("\\{character}"),
        _ if character.is_ascii_control() => format!("\\x{:02x}", u32::from(character)),
        _ if character.is_control() => format!("\\u{:04x}", u32::from(character)),
        _ => character.to_string(),
    }
}

/// What a constant of a template stands for: a string in `"` or `` ` ``, a character in `'`, a number.
pub(super) fn constant(text: &str) -> Result<Data, String> {
    let inner = || &text[1..text.len() - 1];
    match text.chars().next() {
        Some('`') => Ok(Data::Text(inner().replace('\r', ""))),
        Some('"') => {
            unescape(inner()).map(Data::Text).ok_or_else(|| format!("cannot unquote string: {text}"))
        }
        Some('\'') => {
            let characters = unescape(inner()).unwrap_or_default();
            let mut characters = characters.chars();
            match (characters.next(), characters.next()) {
                (Some(character), None) => Ok(Data::Integer(u32::from(character).into())),
                _ => Err(format!("malformed character constant: {text}")),
            }
        }
        _ => number(text).ok_or_else(|| format!("bad number syntax: {}", quote(text))),
    }
}

fn unescape(text: &str) -> Option<String> {
    let mut rest = text;
    let mut plain = String::new();
    while let Some(start) = rest.find('\\') {
        plain.push_str(&rest[..start]);
        let escaped = rest[start + 1..].chars().next()?;
        rest = &rest[start + 1 + escaped.len_utf8()..];
        let digits = match escaped {
            'x' => 2,
            'u' => 4,
            'U' => 8,
            _ => 0,
        };
        plain.push(match escaped {
            'a' => '\u{7}',
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\u{b}',
            '\\' | '\'' | '"' => escaped,
            'x' | 'u' | 'U' => char::from_u32(u32::from_str_radix(rest.get(..digits)?, 16).ok()?)?,
            _ => return None,
        });
        rest = &rest[digits..];
    }
    Some(plain + rest)
}

fn number(text: &str) -> Option<Data> {
    let (sign, digits) = match text.as_bytes().first()? {
        b'-' => (-1, &text[1..]),
        b'+' => (1, &text[1..]),
        _ => (1, text),
    };
    let plain = digits.replace('_', "").to_ascii_lowercase();
    let (base, whole) = match plain.get(..2) {
        Some("0x") => (16, &plain[2..]),
        Some("0o") => (8, &plain[2..]),
        Some("0b") => (2, &plain[2..]),
        _ if plain.len() > 1 && plain.starts_with('0') && plain.bytes().all(|byte| byte.is_ascii_digit()) => {
            (8, &plain[1..])
        }
        _ => (10, plain.as_str()),
    };
    if let Ok(value) = i128::from_str_radix(whole, base) {
        return Some(Data::Integer(sign * value));
    }
    let is_decimal = plain.bytes().all(|byte| byte.is_ascii_digit() || b".e+-".contains(&byte));
    let value: f64 = plain.parse().ok().filter(|_| is_decimal)?;
    Some(Data::Float(if sign < 0 { -value } else { value }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_quoted_as_in_go() {
        assert_eq!(quote("a\"b\\\n\t\u{1}\u{85}é日"), "\"a\\\"b\\\\\\n\\t\\x01\\u0085é日\"");
        assert_eq!(quote_character('\''), r"'\''");
    }

    #[test]
    fn constants_are_read_as_in_go() {
        let text = |text: &str| Ok(Data::Text(text.to_owned()));
        assert_eq!(constant(r#""a\tbA\x41\"""#), text("a\tbAA\""));
        assert_eq!(constant(r"`a\t`"), text(r"a\t"));
        assert_eq!(constant("'\\n'"), Ok(Data::Integer(10)));
        for (text, value) in [("-0x10", -16), ("1_000", 1000), ("017", 15), ("0b11", 3), ("+0", 0)] {
            assert_eq!(constant(text), Ok(Data::Integer(value)));
        }
        assert_eq!(constant("1.5e3"), Ok(Data::Float(1500.0)));
        assert_eq!(constant("1x"), Err("bad number syntax: \"1x\"".to_owned()));
        assert_eq!(constant("'ab'"), Err("malformed character constant: 'ab'".to_owned()));
        assert!(constant(r#""\q""#).is_err() && constant(r#""\xé""#).is_err());
    }
}
