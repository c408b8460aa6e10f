//! `inspect`: a JSON array, or a template's line for each element.

use serde::Serialize;
use serde_json::ser::PrettyFormatter;

use super::{
    data::{Data, capture::capture},
    error::Error,
    template::{Mode, Template},
};

/// What is inspected, element by element, in the form that was asked for.
#[derive(Debug)]
pub(in crate::cli) struct Inspection {
    form: Form,
}

#[derive(Debug)]
enum Form {
    /// An array with four spaces of indentation.
    Indented(Vec<Data>),
    /// An array in one line.
    Compact(Vec<Data>),
    /// A line for each element.
    Lines(Template, String),
}

impl Inspection {
    /// Reads `--format`: nothing for indented JSON, `json`, or a template.
    ///
    /// # Errors
    ///
    /// It is no template.
    pub(in crate::cli) fn new(format: &str) -> Result<Self, Error> {
        let form = match format {
            "" => Form::Indented(Vec::new()),
            "json" => Form::Compact(Vec::new()),
            _ => Form::Lines(Template::parse(format).map_err(Error::InspectSyntax)?, String::new()),
        };
        Ok(Self { form })
    }

    /// Adds an element.
    ///
    /// # Errors
    ///
    /// The template does not fit it. The others are printed all the same, and the errors go to standard error, a line
    /// each.
    pub(in crate::cli) fn add(&mut self, element: &impl Serialize) -> Result<(), Error> {
        let element = capture(element)?;
        match &mut self.form {
            Form::Indented(elements) | Form::Compact(elements) => elements.push(element),
            Form::Lines(template, lines) => {
                let line = match template.execute(&element, Mode::Values) {
                    (line, Ok(())) => line,
                    // Docker tries again with what the JSON holds, and tells what is wrong with that.
                    (_, Err(_)) => {
                        let (line, result) = template.execute(&element.into_untyped(), Mode::Strict);
                        result.map_err(Error::Template)?;
                        line
                    }
                };
                lines.push_str(&line);
                lines.push('\n');
            }
        }
        Ok(())
    }

    /// What goes to standard output, also if there was an error for every element.
    pub(in crate::cli) fn into_text(self) -> Result<String, Error> {
        Ok(match self.form {
            Form::Indented(elements) => indented(&elements)? + "\n",
            Form::Compact(elements) => Data::List(elements).to_json() + "\n",
            Form::Lines(_, lines) if lines.is_empty() => "\n".to_owned(),
            Form::Lines(_, lines) => lines,
        })
    }
}

fn indented(elements: &[Data]) -> Result<String, Error> {
    let mut json = Vec::new();
    let formatter = PrettyFormatter::with_indent(b"    ");
    elements.serialize(&mut serde_json::Serializer::with_formatter(&mut json, formatter))?;
    Ok(String::from_utf8_lossy(&json).into_owned())
}
