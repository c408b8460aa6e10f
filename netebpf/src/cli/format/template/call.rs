//! Executes commands: functions and methods with their arguments.

use super::{
    Error,
    evaluate::Run,
    functions::{self, Parameter},
    node::{Command, Operand, OperandKind},
};
use crate::cli::format::data::{Data, Label, Record};

impl Run<'_> {
    pub(super) fn command(
        &mut self,
        dot: &Data,
        command: &Command,
        last: Option<Data>,
    ) -> Result<Data, Error> {
        let first = &command.operands[0];
        let has_arguments = command.operands.len() > 1 || last.is_some();
        match &first.kind {
            OperandKind::Function(name) if functions::is_lazy(name) => self.decide(name, dot, command, last),
            OperandKind::Function(name) => self.call(name, dot, command, last),
            OperandKind::Field(names) if has_arguments => self.method(dot, names, dot, command, last),
            OperandKind::Variable(name, names) if has_arguments && !names.is_empty() => {
                let receiver = self.variable(name);
                self.method(&receiver, names, dot, command, last)
            }
            OperandKind::Chain(operand, names) if has_arguments => {
                let receiver = self.operand(dot, operand)?;
                self.method(&receiver, names, dot, command, last)
            }
            _ if has_arguments => {
                let problem = format!("can't give argument to non-function {first}");
                Err(self.error(first.position, first, problem))
            }
            OperandKind::Nil => Err(self.error(first.position, first, "nil is not a command")),
            _ => self.operand(dot, first),
        }
    }

    /// A field with arguments: only rows have methods.
    fn method(
        &mut self,
        receiver: &Data,
        names: &[String],
        dot: &Data,
        command: &Command,
        last: Option<Data>,
    ) -> Result<Data, Error> {
        let operand = &command.operands[0];
        let Some((name, path)) = names.split_last() else { return Ok(receiver.clone()) };
        let receiver = self.fields(receiver.clone(), path, operand)?;
        let count = command.operands.len() - 1 + usize::from(last.is_some());
        let problem = match &receiver {
            Data::Record(Record { label: Some(label), .. }) if name == "Label" && count == 1 => {
                let label = label.clone();
                let key = match command.operands.get(1) {
                    Some(argument) => self.argument(dot, argument, Parameter::Text)?,
                    None => last.unwrap_or(Data::Missing),
                };
                return Ok(Data::Text(labelled(&label, &key.to_string())));
            }
            Data::Record(Record { label: Some(_), .. }) if name == "Label" => {
                format!("wrong number of args for Label: want 1 got {count}")
            }
            Data::Record(record @ Record { label: Some(_), .. }) if record.field(name).is_some() => {
                format!("wrong number of args for {name}: want 0 got {count}")
            }
            Data::Map(_) => format!("{name} is not a method but has arguments"),
            _ => match self.field(&receiver, name) {
                Ok(_) => format!("{name} has arguments but cannot be invoked as function"),
                Err(problem) => problem,
            },
        };
        Err(self.error(operand.position, operand, problem))
    }

    /// `and` and `or`: the first argument that decides, or the last one.
    fn decide(
        &mut self,
        name: &str,
        dot: &Data,
        command: &Command,
        last: Option<Data>,
    ) -> Result<Data, Error> {
        let mut value = None;
        for operand in &command.operands[1..] {
            let argument = self.argument(dot, operand, Parameter::Any)?;
            if argument.is_true() == (name == "or") {
                return Ok(argument);
            }
            value = Some(argument);
        }
        let first = &command.operands[0];
        let problem = format!("wrong number of args for {name}: want at least 1 got 0");
        last.or(value).ok_or_else(|| self.error(first.position, first, problem))
    }

    fn call(&mut self, name: &str, dot: &Data, command: &Command, last: Option<Data>) -> Result<Data, Error> {
        self.call_at(&command.operands[0], name, dot, command, last)
    }

    pub(super) fn call_at(
        &mut self,
        function: &Operand,
        name: &str,
        dot: &Data,
        command: &Command,
        last: Option<Data>,
    ) -> Result<Data, Error> {
        let operands = command.operands.get(1..).unwrap_or_default();
        let count = operands.len() + usize::from(last.is_some());
        let parameters = self.parameters(function, name, count)?;
        let mut arguments = Vec::new();
        for (operand, parameter) in operands.iter().zip(&parameters) {
            arguments.push(self.argument(dot, operand, *parameter)?);
        }
        if let (Some(last), Some(parameter)) = (last, parameters.last()) {
            fits(&last, *parameter).map_err(|problem| self.error(function.position, function, problem))?;
            arguments.push(last);
        }
        functions::call(name, &arguments, self.mode).map_err(|problem| {
            let problem = format!("error calling {name}: {problem}");
            if command.operands.is_empty() {
                self.error(function.position, function, problem)
            } else {
                self.error(function.position, command, problem)
            }
        })
    }

    /// One parameter for each of `count` arguments.
    fn parameters(&self, function: &Operand, name: &str, count: usize) -> Result<Vec<Parameter>, Error> {
        let Some(signature) = functions::signature(name, self.mode) else { return Ok(Vec::new()) };
        let declared = signature.parameters;
        let wanted = if signature.is_variadic { declared.len() - 1 } else { declared.len() };
        if count < wanted || (count > wanted && !signature.is_variadic) {
            let least = if signature.is_variadic { "at least " } else { "" };
            let problem = format!("wrong number of args for {name}: want {least}{wanted} got {count}");
            return Err(self.error(function.position, function, problem));
        }
        let last = declared.last().copied().unwrap_or(Parameter::Any);
        Ok((0..count).map(|at| declared.get(at).copied().unwrap_or(last)).collect())
    }

    fn argument(&mut self, dot: &Data, operand: &Operand, parameter: Parameter) -> Result<Data, Error> {
        let value = self.operand(dot, operand)?;
        let problem = match (&operand.kind, parameter, fits(&value, parameter)) {
            (_, _, Ok(())) => return Ok(value),
            (OperandKind::Constant(_, text), Parameter::Text, _) => format!("expected string; found {text}"),
            (OperandKind::Constant(_, text), Parameter::Integer, _) => {
                format!("expected integer; found {text}")
            }
            (OperandKind::Nil, Parameter::Text, _) => "cannot assign nil to string".to_owned(),
            (_, _, Err(problem)) => problem,
        };
        Err(self.error(operand.position, operand, problem))
    }
}

/// What `Label` answers.
fn labelled(label: &Label, name: &str) -> String {
    match label {
        Label::Of(labels) => labels.get(name).cloned().unwrap_or_default(),
        Label::Heading => name.rsplit('.').next().unwrap_or_default().replace(['-', '_'], " "),
    }
}

/// Whether a value can be the argument for a parameter.
fn fits(value: &Data, parameter: Parameter) -> Result<(), String> {
    let (is_fitting, expected) = match parameter {
        Parameter::Any => (true, "interface {}"),
        Parameter::Text => (matches!(value, Data::Text(_) | Data::Absent), "string"),
        Parameter::Integer => (matches!(value, Data::Integer(_)), "int"),
        Parameter::Texts => (
            matches!(value, Data::Nil | Data::Absent)
                || matches!(value, Data::List(items) if items.iter().all(|item| matches!(item, Data::Text(_)))),
            "[]string",
        ),
    };
    match value {
        _ if is_fitting => Ok(()),
        Data::Missing => Err(format!("invalid value; expected {expected}")),
        _ => Err(format!("wrong type for value; expected {expected}; got {}", value.type_name())),
    }
}
