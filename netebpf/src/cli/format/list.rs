//! Lists: as a table, as JSON, by a template, or ids alone.

use super::{
    columns,
    data::{Data, Label, Record},
    error::Error,
    template::{Mode, Template},
};

/// What can be listed: its fields and Docker's formats for it.
pub(in crate::cli) trait Row: Default {
    /// The headings of the fields in tables.
    const HEADINGS: &'static [(&'static str, &'static str)];
    /// The format `table`.
    const TABLE: &'static str;
    /// The format `raw`.
    const RAW: &'static str;
    /// The format `raw` together with `--quiet`.
    const RAW_QUIET: &'static str;
    /// Whether `--quiet` outdoes a template; otherwise it is the other way round.
    const QUIET_WINS: bool;
    /// Whether Docker tries a format out on an empty row before it lists anything.
    const IS_REHEARSED: bool;

    /// The fields, in the order of JSON; `is_short` unless `--no-trunc` is given.
    fn record(&self, is_short: bool) -> Record;
}

/// How a list is printed: the flags that its commands share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::cli) struct List<'a> {
    /// `--format`: `table`, `table TEMPLATE`, `json`, `raw` or a template; the default table when empty.
    pub(in crate::cli) format: &'a str,
    /// `--quiet`.
    pub(in crate::cli) is_quiet: bool,
    /// `--no-trunc`.
    pub(in crate::cli) is_untruncated: bool,
}

impl List<'_> {
    /// What Docker says on standard error before it prints such a list.
    pub(in crate::cli) fn warning<R: Row>(&self) -> Option<&'static str> {
        let is_ignored = R::QUIET_WINS && self.is_quiet && !self.format.is_empty();
        is_ignored.then_some("WARNING: Ignoring custom format, because both --format and --quiet are set.")
    }

    /// Prints rows, which are in order, each on a line of its own.
    pub(in crate::cli) fn print<R: Row>(&self, rows: &[R]) -> Result<String, Error> {
        if R::IS_REHEARSED {
            rehearse::<R>(self.format)?;
        }
        let format = self.template::<R>();
        let (format, is_table) =
            format.strip_prefix("table").map_or((format, false), |format| (format, true));
        let format = if format == "json" { "{{json .}}" } else { format.trim_matches(' ') };
        let format = format.replace("\\t", "\t").replace("\\n", "\n");
        let template = Template::parse(&format).map_err(Error::Template)?;
        let mut body = String::new();
        for row in rows {
            let (line, result) =
                template.execute(&Data::Record(row.record(!self.is_untruncated)), Mode::Values);
            result.map_err(Error::Template)?;
            body.push_str(&line);
            body.push('\n');
        }
        Ok(if is_table {
            columns::align(&format!("{}\n{body}", heading::<R>(&template)), columns::OF_THINGS)
        } else {
            body
        })
    }

    /// Docker's names for formats replaced by the templates that they stand for.
    fn template<R: Row>(&self) -> &str {
        match (self.format, self.is_quiet) {
            ("raw", true) => R::RAW_QUIET,
            ("" | "table", true) => "{{.ID}}",
            (_, true) if R::QUIET_WINS => "{{.ID}}",
            ("raw", false) => R::RAW,
            ("" | "table", false) => R::TABLE,
            (format, _) => format,
        }
    }
}

/// The line above a table: the template on the headings, as far as it gets.
fn heading<R: Row>(template: &Template) -> String {
    let fields =
        R::HEADINGS.iter().map(|(field, heading)| (*field, Data::Text((*heading).to_owned()))).collect();
    let record = Record { type_name: "formatter.SubHeaderContext", fields, label: Some(Label::Heading) };
    template.execute(&Data::Record(record), Mode::Headings).0
}

/// Tries a format out as it was typed, so that columns in errors count from its beginning.
fn rehearse<R: Row>(format: &str) -> Result<(), Error> {
    let template = Template::parse(format).map_err(Error::Rehearsal)?;
    let row = Data::Record(R::default().record(true));
    template.execute(&row, Mode::Values).1.map_err(Error::Execution)
}
