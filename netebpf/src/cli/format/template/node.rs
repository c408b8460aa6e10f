//! What templates are made of, and how errors spell it.

use std::fmt::{self, Display, Formatter};

use crate::cli::format::data::Data;

/// A part of a template.
#[derive(Debug)]
pub(super) enum Node {
    Text(String),
    /// Prints a value, unless it is assigned to a variable.
    Action(Pipeline),
    Branch(Branch),
    Break,
    Continue,
}

/// `{{if}}`, `{{with}}` or `{{range}}`.
#[derive(Debug)]
pub(super) struct Branch {
    pub(super) kind: BranchKind,
    pub(super) pipeline: Pipeline,
    pub(super) body: Vec<Node>,
    /// What follows `{{else}}`.
    pub(super) otherwise: Vec<Node>,
}

/// Which branch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BranchKind {
    If,
    With,
    Range,
}

/// Commands, each of which is the last argument of the next.
#[derive(Debug)]
pub(super) struct Pipeline {
    /// The variables that get the value, with their `$`.
    pub(super) variables: Vec<String>,
    /// Whether the variables exist already.
    pub(super) is_assignment: bool,
    pub(super) commands: Vec<Command>,
}

/// A function or value with arguments; never empty.
#[derive(Debug)]
pub(super) struct Command {
    pub(super) operands: Vec<Operand>,
}

/// A function or a value.
#[derive(Debug)]
pub(super) struct Operand {
    /// Where errors say it is, in bytes from the beginning of the template.
    pub(super) position: usize,
    pub(super) kind: OperandKind,
}

/// What an operand is.
#[derive(Debug)]
pub(super) enum OperandKind {
    Dot,
    Nil,
    /// A value, and how it was written.
    Constant(Data, String),
    /// Fields of the current value.
    Field(Vec<String>),
    /// A variable, with its `$`, and fields of it.
    Variable(String, Vec<String>),
    Function(String),
    /// In parentheses.
    Pipeline(Pipeline),
    /// Fields of what is in parentheses.
    Chain(Box<Operand>, Vec<String>),
}

impl BranchKind {
    /// The keyword.
    pub(super) const fn keyword(self) -> &'static str {
        match self {
            Self::If => "if",
            Self::With => "with",
            Self::Range => "range",
        }
    }
}

impl Display for Pipeline {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if !self.variables.is_empty() {
            let operator = if self.is_assignment { "=" } else { ":=" };
            write!(f, "{} {operator} ", self.variables.join(", "))?;
        }
        let commands: Vec<_> = self.commands.iter().map(Command::to_string).collect();
        f.write_str(&commands.join(" | "))
    }
}

impl Display for Command {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let operands: Vec<_> = self.operands.iter().map(Operand::to_string).collect();
        f.write_str(&operands.join(" "))
    }
}

impl Display for Operand {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let fields = |fields: &[String]| fields.iter().flat_map(|field| [".", field]).collect::<String>();
        match &self.kind {
            OperandKind::Dot => f.write_str("."),
            OperandKind::Nil => f.write_str("nil"),
            OperandKind::Constant(_, text) | OperandKind::Function(text) => f.write_str(text),
            OperandKind::Field(names) => f.write_str(&fields(names)),
            OperandKind::Variable(name, names) => write!(f, "{name}{}", fields(names)),
            OperandKind::Pipeline(pipeline) => write!(f, "({pipeline})"),
            OperandKind::Chain(operand, names) => write!(f, "{operand}{}", fields(names)),
        }
    }
}
