//! Writes results: lines, tables as Docker's, JSON as Docker's `inspect`.

use std::{
    fmt::Display,
    io::{self, BufWriter, Stdout, Write},
};

use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;
use serde_json::ser::PrettyFormatter;

/// Standard output, the only way to it.
#[derive(Debug)]
pub struct Output {
    writer: BufWriter<Stdout>,
}

impl Default for Output {
    fn default() -> Self {
        Self { writer: BufWriter::new(io::stdout()) }
    }
}

impl Output {
    /// Writes a line.
    pub fn line(&mut self, text: impl Display) -> io::Result<()> {
        writeln!(self.writer, "{text}")
    }

    /// Writes columns under headings, three spaces apart.
    pub fn table<const N: usize>(&mut self, headings: [&str; N], rows: Vec<[String; N]>) -> io::Result<()> {
        self.line(table(headings, rows))
    }

    /// Writes JSON with four spaces of indentation.
    pub fn json(&mut self, value: &impl Serialize) -> io::Result<()> {
        let formatter = PrettyFormatter::with_indent(b"    ");
        let mut serializer = serde_json::Serializer::with_formatter(&mut self.writer, formatter);
        value.serialize(&mut serializer)?;
        writeln!(self.writer)
    }

    /// Writes bytes as they are.
    pub fn bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.writer.write_all(bytes)
    }

    /// Hands over what is still held back.
    pub fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

/// The first 12 digits of an id.
#[must_use]
pub(super) fn short(id: &str) -> String {
    id.chars().take(12).collect()
}

/// At most `width` characters, the last one an ellipsis if something was cut off.
#[must_use]
pub(super) fn shortened(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    text.chars().take(width.saturating_sub(1)).chain(['…']).collect()
}

fn table<const N: usize>(headings: [&str; N], rows: Vec<[String; N]>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(headings).add_rows(rows);
    for column in table.column_iter_mut() {
        column.set_padding((0, 3));
    }
    table.trim_fmt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_look_like_dockers() {
        let rows =
            vec![["0123456789ab".to_owned(), "web".to_owned()], ["ba9876543210".to_owned(), "db".to_owned()]];
        assert_eq!(
            table(["SANDBOX ID", "NAME"], rows),
            "SANDBOX ID     NAME\n0123456789ab   web\nba9876543210   db"
        );
    }

    #[test]
    fn a_table_without_rows_has_its_headings() {
        assert_eq!(table(["NETWORK ID", "NAME"], Vec::new()), "NETWORK ID   NAME");
    }

    #[test]
    fn long_commands_are_cut_as_docker_cuts_them() {
        assert_eq!(shortened("sleep 1", 19), "sleep 1");
        assert_eq!(shortened("python3 -m http.server 80", 19), "python3 -m http.se…");
    }
}
