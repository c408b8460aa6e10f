//! The pieces that templates are cut into.

/// A piece of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind,
    /// As written.
    pub(super) text: &'a str,
    /// Where it begins, in bytes.
    pub(super) position: usize,
}

/// What a token is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    /// Outside of `{{` and `}}`.
    Text,
    LeftDelimiter,
    RightDelimiter,
    Space,
    /// `.Name`.
    Field,
    /// `.`.
    Dot,
    /// `$` or `$name`.
    Variable,
    /// A function's name.
    Identifier,
    Keyword,
    Bool,
    Nil,
    Number,
    /// `'c'`.
    Character,
    Quoted,
    RawQuoted,
    Pipe,
    /// `=`.
    Assign,
    /// `:=`.
    Declare,
    LeftParen,
    RightParen,
    /// Any other printable character.
    Other,
    End,
    /// What is wrong here; the last token.
    Wrong(String),
}
