//! Executes a template on a value, with the errors of Go's `text/template`.

use std::fmt::Display;

use super::{
    Error, Mode, line,
    node::{Branch, BranchKind, Command, Node, Operand, OperandKind, Pipeline},
};
use crate::cli::format::data::{Data, Label, Record};

/// What the nodes make of a value, and why that ended early if it did.
pub(super) fn evaluate(
    source: &str,
    nodes: &[Node],
    value: &Data,
    mode: Mode,
) -> (String, Result<(), Error>) {
    let variables = vec![("$".to_owned(), value.clone())];
    let mut run = Run { source, mode, variables, output: String::new() };
    let result = run.nodes(value, nodes).map(|_| ());
    (run.output, result)
}

/// How to go on after a node.
#[derive(Debug, PartialEq, Eq)]
enum Flow {
    Next,
    Break,
    Continue,
}

pub(super) struct Run<'a> {
    source: &'a str,
    pub(super) mode: Mode,
    /// Those in scope, the innermost last.
    variables: Vec<(String, Data)>,
    output: String,
}

impl Run<'_> {
    pub(super) fn error(&self, position: usize, node: &impl Display, problem: impl Into<String>) -> Error {
        let before = &self.source[..position];
        let column = before.len() - before.rfind('\n').map_or(0, |end| end + 1);
        let (node, problem) = (node.to_string(), problem.into());
        Error::Execution { line: line(self.source, position), column, node, problem }
    }

    /// An error about the value of a pipeline: its last command is to blame.
    fn error_in(&self, pipeline: &Pipeline, problem: &str) -> Error {
        let command = &pipeline.commands[pipeline.commands.len() - 1];
        let first = &command.operands[0];
        if matches!(first.kind, OperandKind::Function(_)) {
            self.error(first.position, command, problem)
        } else {
            self.error(first.position, first, problem)
        }
    }

    fn nodes(&mut self, dot: &Data, nodes: &[Node]) -> Result<Flow, Error> {
        for node in nodes {
            let flow = match node {
                Node::Text(text) => {
                    self.output.push_str(text);
                    Flow::Next
                }
                Node::Action(pipeline) => {
                    let value = self.pipeline(dot, pipeline)?;
                    if pipeline.variables.is_empty() {
                        self.print(&value);
                    }
                    Flow::Next
                }
                Node::Branch(branch) => {
                    let scope = self.variables.len();
                    let flow = self.branch(dot, branch)?;
                    self.variables.truncate(scope);
                    flow
                }
                Node::Break => Flow::Break,
                Node::Continue => Flow::Continue,
            };
            if flow != Flow::Next {
                return Ok(flow);
            }
        }
        Ok(Flow::Next)
    }

    fn print(&mut self, value: &Data) {
        let text = if *value == Data::Missing { "<no value>".to_owned() } else { value.to_string() };
        self.output.push_str(&text);
    }

    fn branch(&mut self, dot: &Data, branch: &Branch) -> Result<Flow, Error> {
        let value = self.pipeline(dot, &branch.pipeline)?;
        match branch.kind {
            BranchKind::Range => self.range(dot, branch, value),
            _ if !value.is_true() => self.nodes(dot, &branch.otherwise),
            BranchKind::If => self.nodes(dot, &branch.body),
            BranchKind::With => self.nodes(&value, &branch.body),
        }
    }

    fn range(&mut self, dot: &Data, branch: &Branch, value: Data) -> Result<Flow, Error> {
        let number = |at: usize| Data::Integer(at.try_into().unwrap_or(i128::MAX));
        let items: Box<dyn Iterator<Item = (Data, Data)>> = match value {
            Data::List(items) => Box::new(items.into_iter().enumerate().map(|(at, item)| (number(at), item))),
            Data::Map(entries) => Box::new(entries.into_iter().map(|(key, item)| (Data::Text(key), item))),
            Data::Integer(end) => Box::new((0..end).map(|at| (Data::Integer(at), Data::Integer(at)))),
            Data::Missing | Data::Nil | Data::Absent => Box::new(std::iter::empty()),
            Data::Bool(_) | Data::Float(_) | Data::Text(_) | Data::Record(_) => {
                let problem = format!("range can't iterate over {value}");
                return Err(self.error_in(&branch.pipeline, &problem));
            }
        };
        let mut items = items.peekable();
        if items.peek().is_none() {
            return self.nodes(dot, &branch.otherwise);
        }
        let scope = self.variables.len();
        for (key, item) in items {
            self.assign_item(&branch.pipeline, key, item.clone());
            let flow = self.nodes(&item, &branch.body)?;
            self.variables.truncate(scope);
            if flow == Flow::Break {
                break;
            }
        }
        Ok(Flow::Next)
    }

    /// Gives a range's variables their values: the item, or its key and the item.
    fn assign_item(&mut self, pipeline: &Pipeline, key: Data, item: Data) {
        let values = if pipeline.variables.len() > 1 { vec![key, item] } else { vec![item] };
        for (name, value) in pipeline.variables.iter().zip(values) {
            self.assign(name, value);
        }
    }

    /// Sets the innermost variable of a name, and returns whether there is one.
    fn assign(&mut self, name: &str, value: Data) -> bool {
        let variable = self.variables.iter_mut().rev().find(|(variable, _)| variable == name);
        variable.map(|variable| variable.1 = value).is_some()
    }

    pub(super) fn pipeline(&mut self, dot: &Data, pipeline: &Pipeline) -> Result<Data, Error> {
        let mut value = None;
        for command in &pipeline.commands {
            value = Some(self.command(dot, command, value)?);
        }
        let value = value.unwrap_or(Data::Missing);
        for name in &pipeline.variables {
            if !pipeline.is_assignment {
                self.variables.push((name.clone(), value.clone()));
            } else if !self.assign(name, value.clone()) {
                return Err(self.error_in(pipeline, &format!("undefined variable: {name}")));
            }
        }
        Ok(value)
    }

    /// The value of an operand without arguments.
    pub(super) fn operand(&mut self, dot: &Data, operand: &Operand) -> Result<Data, Error> {
        match &operand.kind {
            OperandKind::Dot => Ok(dot.clone()),
            OperandKind::Nil => Ok(Data::Missing),
            OperandKind::Constant(value, _) => Ok(value.clone()),
            OperandKind::Field(names) => self.fields(dot.clone(), names, operand),
            OperandKind::Variable(name, names) => {
                let value = self.variable(name);
                self.fields(value, names, operand)
            }
            OperandKind::Pipeline(pipeline) => self.pipeline(dot, pipeline),
            OperandKind::Chain(inner, names) => {
                let value = self.operand(dot, inner)?;
                self.fields(value, names, operand)
            }
            OperandKind::Function(name) => {
                let command = Command { operands: Vec::new() };
                self.call_at(operand, name, dot, &command, None)
            }
        }
    }

    pub(super) fn variable(&self, name: &str) -> Data {
        let variable = self.variables.iter().rev().find(|(variable, _)| variable == name);
        variable.map_or(Data::Missing, |(_, value)| value.clone())
    }

    pub(super) fn fields(&self, value: Data, names: &[String], operand: &Operand) -> Result<Data, Error> {
        names.iter().try_fold(value, |value, name| {
            self.field(&value, name).map_err(|problem| self.error(operand.position, operand, problem))
        })
    }

    pub(super) fn field(&self, value: &Data, name: &str) -> Result<Data, String> {
        let is_strict = self.mode == Mode::Strict;
        match value {
            Data::Record(Record { label: Some(_), .. }) if name == "Label" => {
                Err("wrong number of args for Label: want 1 got 0".to_owned())
            }
            Data::Record(record) => match (record.field(name), &record.label) {
                (Some(value), _) => Ok(value.clone()),
                (None, Some(Label::Heading)) => Ok(Data::Missing),
                (None, _) => Err(format!("can't evaluate field {name} in type {}", record.type_name)),
            },
            Data::Map(entries) => match entries.get(name) {
                Some(value) => Ok(value.clone()),
                None if is_strict => Err(format!("map has no entry for key \"{name}\"")),
                None => Ok(Data::Missing),
            },
            Data::Missing | Data::Nil | Data::Absent if is_strict => {
                Err(format!("nil data; no entry for key \"{name}\""))
            }
            Data::Missing | Data::Nil | Data::Absent => Ok(Data::Missing),
            Data::Bool(_) | Data::Integer(_) | Data::Float(_) | Data::Text(_) | Data::List(_) => {
                // What comes out of a map of anything has no type of its own for Go.
                let type_name = if is_strict { "interface {}" } else { value.type_name() };
                Err(format!("can't evaluate field {name} in type {type_name}"))
            }
        }
    }
}
