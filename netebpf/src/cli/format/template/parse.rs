//! Makes a template's tokens a tree, with the errors of Go's `text/template`.

use super::{
    Error, MAXIMUM_DEPTH,
    lex::lex,
    line,
    node::{Branch, BranchKind, Node},
    token::{Kind, Token},
};
use crate::cli::format::quote;

/// Parses a whole template.
pub(super) fn parse(source: &str) -> Result<Vec<Node>, Error> {
    let mut parser =
        Parser { source, tokens: lex(source), next: 0, variables: vec!["$".to_owned()], loops: 0, depth: 0 };
    match parser.list()? {
        (nodes, Stop::End) => Ok(nodes),
        (_, Stop::Action(keyword)) => Err(parser.wrong(format!("unexpected {{{{{keyword}}}}}"))),
    }
}

/// What ends a list of nodes.
enum Stop {
    /// The template's end.
    End,
    /// `end` or `else`.
    Action(String),
}

pub(super) struct Parser<'a> {
    source: &'a str,
    tokens: Vec<Token<'a>>,
    pub(super) next: usize,
    /// Those in scope.
    pub(super) variables: Vec<String>,
    /// How many `range` we are in.
    loops: usize,
    /// How many branches we are in.
    depth: usize,
}

impl<'a> Parser<'a> {
    pub(super) fn peek(&self) -> &Token<'a> {
        // The last token is `End` or `Wrong`, and is never passed.
        &self.tokens[self.next.min(self.tokens.len() - 1)]
    }

    pub(super) fn take(&mut self) -> Token<'a> {
        let token = self.peek().clone();
        self.next += 1;
        token
    }

    pub(super) fn skip_space(&mut self) {
        while self.peek().kind == Kind::Space {
            self.next += 1;
        }
    }

    pub(super) fn wrong(&self, problem: impl Into<String>) -> Error {
        let last = &self.tokens[self.next.saturating_sub(1).min(self.tokens.len() - 1)];
        Error::Syntax { line: line(self.source, last.position), problem: problem.into() }
    }

    pub(super) fn unexpected(&self, token: &Token<'_>, context: &str) -> Error {
        let text = match &token.kind {
            Kind::Wrong(problem) => return self.wrong(problem.clone()),
            Kind::End => "EOF".to_owned(),
            Kind::Keyword => format!("<{}>", token.text),
            _ if token.text.chars().count() > 10 => {
                let start: String = token.text.chars().take(10).collect();
                format!("{}...", quote::quote(&start))
            }
            _ => quote::quote(token.text),
        };
        self.wrong(format!("unexpected {text} in {context}"))
    }

    fn list(&mut self) -> Result<(Vec<Node>, Stop), Error> {
        let mut nodes = Vec::new();
        loop {
            let token = self.take();
            match token.kind {
                Kind::End => return Ok((nodes, Stop::End)),
                Kind::Text => nodes.push(Node::Text(token.text.to_owned())),
                Kind::LeftDelimiter => {
                    self.skip_space();
                    match self.peek() {
                        Token { kind: Kind::Keyword, text: text @ ("end" | "else"), .. } => {
                            let keyword = (*text).to_owned();
                            self.take();
                            return Ok((nodes, Stop::Action(keyword)));
                        }
                        _ => nodes.push(self.action()?),
                    }
                }
                _ => return Err(self.unexpected(&token, "input")),
            }
        }
    }

    fn action(&mut self) -> Result<Node, Error> {
        if self.peek().kind != Kind::Keyword {
            return Ok(Node::Action(self.pipeline("command", &Kind::RightDelimiter)?));
        }
        match self.take().text {
            "if" => self.branch(BranchKind::If),
            "with" => self.branch(BranchKind::With),
            "range" => self.branch(BranchKind::Range),
            word @ ("break" | "continue") => {
                if self.loops == 0 {
                    return Err(self.wrong(format!("{{{{{word}}}}} outside {{{{range}}}}")));
                }
                self.close(word)?;
                Ok(if word == "break" { Node::Break } else { Node::Continue })
            }
            word => Err(self.wrong(format!("{{{{{word}}}}} is not available in formats"))),
        }
    }

    /// The end of an action that has no arguments.
    fn close(&mut self, context: &str) -> Result<(), Error> {
        self.skip_space();
        match self.take() {
            Token { kind: Kind::RightDelimiter, .. } => Ok(()),
            token => Err(self.unexpected(&token, context)),
        }
    }

    fn branch(&mut self, kind: BranchKind) -> Result<Node, Error> {
        self.depth += 1;
        if self.depth > MAXIMUM_DEPTH {
            return Err(self.wrong("max nesting depth exceeded"));
        }
        let scope = self.variables.len();
        let pipeline = self.pipeline(kind.keyword(), &Kind::RightDelimiter)?;
        self.loops += usize::from(kind == BranchKind::Range);
        let (body, stop) = self.list()?;
        self.loops -= usize::from(kind == BranchKind::Range);
        let otherwise = match stop {
            Stop::Action(keyword) if keyword == "else" => self.otherwise(kind)?,
            Stop::Action(_) => {
                self.close("end")?;
                Vec::new()
            }
            Stop::End => return Err(self.wrong("unexpected EOF")),
        };
        self.variables.truncate(scope);
        self.depth -= 1;
        Ok(Node::Branch(Branch { kind, pipeline, body, otherwise }))
    }

    /// What follows `else`, up to and with the branch's `end`.
    fn otherwise(&mut self, kind: BranchKind) -> Result<Vec<Node>, Error> {
        self.skip_space();
        if matches!(kind, BranchKind::If | BranchKind::With) && self.peek().text == kind.keyword() {
            self.take();
            return Ok(vec![self.branch(kind)?]);
        }
        self.close("else")?;
        match self.list()? {
            (_, Stop::End) => Err(self.wrong("unexpected EOF")),
            (_, Stop::Action(keyword)) if keyword == "else" => {
                Err(self.wrong("expected end; found {{else}}"))
            }
            (nodes, Stop::Action(_)) => self.close("end").map(|()| nodes),
        }
    }
}
