//! Parses what stands between `{{` and `}}`: pipelines, their commands and operands.

use super::{
    Error, functions,
    node::{Command, Operand, OperandKind, Pipeline},
    parse::Parser,
    token::{Kind, Token},
};
use crate::cli::format::{data::Data, quote};

impl Parser<'_> {
    /// Commands up to a token, which is taken as well; `context` is what errors call them.
    pub(super) fn pipeline(&mut self, context: &str, end: &Kind) -> Result<Pipeline, Error> {
        self.skip_space();
        let (variables, is_assignment) = self.declaration(context)?;
        let mut commands: Vec<Command> = Vec::new();
        loop {
            self.skip_space();
            let token = self.peek().clone();
            match token.kind {
                ref kind if kind == end => break,
                Kind::Bool
                | Kind::Character
                | Kind::Dot
                | Kind::Field
                | Kind::Identifier
                | Kind::Number
                | Kind::Nil
                | Kind::RawQuoted
                | Kind::Quoted
                | Kind::Variable
                | Kind::LeftParen => commands.push(self.command()?),
                _ => {
                    self.take();
                    return Err(self.unexpected(&token, context));
                }
            }
        }
        self.take();
        if commands.is_empty() {
            return Err(self.wrong(format!("missing value for {context}")));
        }
        let is_value = |command: &Command| {
            matches!(
                command.operands[0].kind,
                OperandKind::Dot | OperandKind::Nil | OperandKind::Constant(..)
            )
        };
        if let Some(stage) = commands.iter().skip(1).position(is_value) {
            return Err(self.wrong(format!("non executable command in pipeline stage {}", stage + 2)));
        }
        Ok(Pipeline { variables, is_assignment, commands })
    }

    /// `$x :=`, `$x =` or `$i, $x :=`, if the pipeline begins so.
    fn declaration(&mut self, context: &str) -> Result<(Vec<String>, bool), Error> {
        let start = self.next;
        let mut names = Vec::new();
        while self.peek().kind == Kind::Variable {
            names.push(self.take().text.to_owned());
            self.skip_space();
            match (&self.peek().kind, self.peek().text) {
                (Kind::Declare, _) => {
                    self.take();
                    self.variables.extend(names.iter().cloned());
                    return Ok((names, false));
                }
                (Kind::Assign, _) => {
                    self.take();
                    return Ok((names, true));
                }
                (Kind::Other, ",") if context == "range" && names.len() == 1 => {
                    self.take();
                    self.skip_space();
                }
                (Kind::Other, ",") => return Err(self.wrong(format!("too many declarations in {context}"))),
                _ => break,
            }
        }
        self.next = start;
        Ok((Vec::new(), false))
    }

    fn command(&mut self) -> Result<Command, Error> {
        let mut operands = Vec::new();
        loop {
            self.skip_space();
            operands.extend(self.operand()?);
            let token = self.peek().clone();
            match token.kind {
                Kind::Space => {}
                Kind::RightDelimiter | Kind::RightParen => break,
                Kind::Pipe => {
                    self.take();
                    break;
                }
                _ => {
                    self.take();
                    return Err(self.unexpected(&token, "operand"));
                }
            }
        }
        Ok(Command { operands })
    }

    fn operand(&mut self) -> Result<Option<Operand>, Error> {
        let Some(Operand { position, kind }) = self.term()? else { return Ok(None) };
        let chain = self.peek().position;
        let mut fields = Vec::new();
        while self.peek().kind == Kind::Field {
            fields.push(self.take().text[1..].to_owned());
        }
        if fields.is_empty() {
            return Ok(Some(Operand { position, kind }));
        }
        let kind = match kind {
            OperandKind::Field(mut names) => {
                names.append(&mut fields);
                OperandKind::Field(names)
            }
            OperandKind::Variable(name, _) => OperandKind::Variable(name, fields),
            OperandKind::Dot | OperandKind::Nil | OperandKind::Constant(..) => {
                let term = Operand { position, kind }.to_string();
                return Err(self.wrong(format!("unexpected . after term {}", quote::quote(&term))));
            }
            kind @ (OperandKind::Function(_) | OperandKind::Pipeline(_) | OperandKind::Chain(..)) => {
                OperandKind::Chain(Box::new(Operand { position, kind }), fields)
            }
        };
        Ok(Some(Operand { position: chain, kind }))
    }

    fn term(&mut self) -> Result<Option<Operand>, Error> {
        let Token { kind, text, position } = self.take();
        let constant = |data| OperandKind::Constant(data, text.to_owned());
        let kind = match kind {
            Kind::Dot => OperandKind::Dot,
            Kind::Nil => OperandKind::Nil,
            Kind::Bool => constant(Data::Bool(text == "true")),
            Kind::Field => OperandKind::Field(vec![text[1..].to_owned()]),
            Kind::Identifier if functions::exists(text) => OperandKind::Function(text.to_owned()),
            Kind::Identifier => {
                return Err(self.wrong(format!("function {} not defined", quote::quote(text))));
            }
            Kind::Variable if self.variables.iter().any(|name| name == text) => {
                OperandKind::Variable(text.to_owned(), Vec::new())
            }
            Kind::Variable => return Err(self.wrong(format!("undefined variable {}", quote::quote(text)))),
            Kind::Number | Kind::Character | Kind::Quoted | Kind::RawQuoted => {
                constant(quote::constant(text).map_err(|problem| self.wrong(problem))?)
            }
            Kind::LeftParen => {
                OperandKind::Pipeline(self.pipeline("parenthesized pipeline", &Kind::RightParen)?)
            }
            _ => {
                self.next -= 1;
                return Ok(None);
            }
        };
        Ok(Some(Operand { position, kind }))
    }
}
