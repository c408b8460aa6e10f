//! Cuts a template into tokens, as Go's `text/template` does.

use super::{
    MAXIMUM_DEPTH, SPACES,
    token::{Kind, Token},
};

const KEYWORDS: [&str; 10] =
    ["block", "break", "continue", "define", "else", "end", "if", "range", "template", "with"];

/// The tokens of a template; the last one is an `End` or tells what is wrong.
pub(super) fn lex(source: &str) -> Vec<Token<'_>> {
    let mut lexer = Lexer { source, start: 0, at: 0, depth: 0, tokens: Vec::new() };
    match lexer.template() {
        Ok(()) => lexer.emit(Kind::End),
        Err(problem) => lexer.emit(Kind::Wrong(problem)),
    }
    lexer.tokens
}

struct Lexer<'a> {
    source: &'a str,
    /// Where the current token begins.
    start: usize,
    /// How far the source is read.
    at: usize,
    /// Open parentheses.
    depth: usize,
    tokens: Vec<Token<'a>>,
}

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        &self.source[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn emit(&mut self, kind: Kind) {
        let text = &self.source[self.start..self.at];
        self.tokens.push(Token { kind, text, position: self.start });
        self.start = self.at;
    }

    fn skip(&mut self, count: usize) {
        self.at += count;
        self.start = self.at;
    }

    fn take_while(&mut self, is_wanted: impl Fn(char) -> bool) {
        self.at = self.source.len() - self.rest().trim_start_matches(is_wanted).len();
    }

    fn template(&mut self) -> Result<(), String> {
        while let Some(length) = self.rest().find("{{") {
            let inside = &self.rest()[length + 2..];
            let trims = inside.starts_with('-') && inside[1..].starts_with(SPACES);
            self.at += if trims { self.rest()[..length].trim_end_matches(SPACES).len() } else { length };
            if self.at > self.start {
                self.emit(Kind::Text);
            }
            self.skip(self.rest().find("{{").unwrap_or_default());
            let marker = if trims { 2 } else { 0 };
            if self.rest()[2 + marker..].starts_with("/*") {
                self.skip(2 + marker);
                self.comment()?;
            } else {
                self.at += 2;
                self.emit(Kind::LeftDelimiter);
                self.skip(marker);
                self.action()?;
            }
        }
        self.at = self.source.len();
        if self.at > self.start {
            self.emit(Kind::Text);
        }
        Ok(())
    }

    fn comment(&mut self) -> Result<(), String> {
        let end = self.rest().find("*/").ok_or("unclosed comment")?;
        self.skip(end + 2);
        let (length, trims) = self.right_delimiter().ok_or("comment ends before closing delimiter")?;
        self.skip(length);
        self.trim_following(trims);
        Ok(())
    }

    /// The length of the `}}` or ` -}}` that comes next, and whether it is the latter.
    fn right_delimiter(&self) -> Option<(usize, bool)> {
        let rest = self.rest();
        let trims = rest.starts_with(SPACES) && rest[1..].starts_with("-}}");
        if trims { Some((4, true)) } else { rest.starts_with("}}").then_some((2, false)) }
    }

    fn trim_following(&mut self, trims: bool) {
        if trims {
            self.take_while(|character| SPACES.contains(&character));
            self.start = self.at;
        }
    }

    fn action(&mut self) -> Result<(), String> {
        loop {
            if let Some((length, trims)) = self.right_delimiter() {
                if self.depth > 0 {
                    return Err("unclosed left paren".to_owned());
                }
                self.at += length;
                self.emit(Kind::RightDelimiter);
                self.trim_following(trims);
                return Ok(());
            }
            let next = self.peek().ok_or("unclosed action")?;
            self.token(next)?;
        }
    }

    fn token(&mut self, next: char) -> Result<(), String> {
        self.at += next.len_utf8();
        let kind = match next {
            ' ' | '\t' | '\r' | '\n' => {
                while self.right_delimiter().is_none() && self.rest().starts_with(SPACES) {
                    self.at += 1;
                }
                Kind::Space
            }
            '=' => Kind::Assign,
            ':' if self.rest().starts_with('=') => {
                self.at += 1;
                Kind::Declare
            }
            ':' => return Err("expected :=".to_owned()),
            '|' => Kind::Pipe,
            '(' if self.depth == MAXIMUM_DEPTH => return Err("max expression depth exceeded".to_owned()),
            '(' => {
                self.depth += 1;
                Kind::LeftParen
            }
            ')' => {
                self.depth = self.depth.checked_sub(1).ok_or("unexpected right paren")?;
                Kind::RightParen
            }
            '"' => self.quoted(next, Kind::Quoted, "unterminated quoted string")?,
            '\'' => self.quoted(next, Kind::Character, "unterminated character constant")?,
            '`' => {
                let length = self.rest().find('`').ok_or("unterminated raw quoted string")?;
                self.at += length + 1;
                Kind::RawQuoted
            }
            '.' if !self.rest().starts_with(|next: char| next.is_ascii_digit()) => {
                self.name(Kind::Dot, Kind::Field)?
            }
            '$' => self.name(Kind::Variable, Kind::Variable)?,
            '.' | '+' | '-' | '0'..='9' => self.number(),
            _ if is_word(next) => self.word()?,
            _ if next.is_ascii_graphic() => Kind::Other,
            _ => return Err(format!("unrecognized character in action: {}", code_point(next))),
        };
        self.emit(kind);
        Ok(())
    }

    fn quoted(&mut self, quote: char, kind: Kind, unterminated: &str) -> Result<Kind, String> {
        let mut characters = self.rest().char_indices();
        while let Some((index, character)) = characters.next() {
            match character {
                '\\' if characters.next().is_some_and(|(_, escaped)| escaped != '\n') => {}
                '\\' | '\n' => break,
                _ if character == quote => {
                    self.at += index + 1;
                    return Ok(kind);
                }
                _ => {}
            }
        }
        Err(unterminated.to_owned())
    }

    /// What follows a `.` or `$`.
    fn name(&mut self, alone: Kind, named: Kind) -> Result<Kind, String> {
        let start = self.at;
        self.take_while(is_word);
        self.terminated()?;
        Ok(if self.at == start { alone } else { named })
    }

    fn word(&mut self) -> Result<Kind, String> {
        self.take_while(is_word);
        self.terminated()?;
        Ok(match &self.source[self.start..self.at] {
            word if KEYWORDS.contains(&word) => Kind::Keyword,
            "true" | "false" => Kind::Bool,
            "nil" => Kind::Nil,
            _ => Kind::Identifier,
        })
    }

    fn terminated(&self) -> Result<(), String> {
        match self.peek() {
            None | Some(' ' | '\t' | '\r' | '\n' | '.' | ',' | '|' | ':' | '(' | ')') => Ok(()),
            Some(_) if self.rest().starts_with("}}") => Ok(()),
            Some(character) => Err(format!("bad character {}", code_point(character))),
        }
    }

    fn number(&mut self) -> Kind {
        self.at = self.start + usize::from(self.source[self.start..].starts_with(['+', '-']));
        let is_hexadecimal = self.rest().starts_with("0x") || self.rest().starts_with("0X");
        self.take_while(|next| is_word(next) || next == '.');
        let is_exponent = |text: &str| !is_hexadecimal && text.ends_with(['e', 'E']);
        if is_exponent(&self.source[self.start..self.at]) && self.rest().starts_with(['+', '-']) {
            self.at += 1;
            self.take_while(is_word);
        }
        Kind::Number
    }
}

fn is_word(character: char) -> bool {
    character == '_' || character.is_alphanumeric()
}

/// `U+007D '}'`.
fn code_point(character: char) -> String {
    format!("U+{:04X} '{character}'", u32::from(character))
}
