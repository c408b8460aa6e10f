//! Writes results: lines, tables as Docker's, JSON as Docker's `inspect`.

use std::{
    fmt::Display,
    io::{self, BufWriter, Stdout, Write},
};

use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;
use serde_json::ser::PrettyFormatter;

use crate::frontend::api::wire::{End, Ends};

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

    /// Writes text as it is.
    pub fn text(&mut self, text: &str) -> io::Result<()> {
        self.writer.write_all(text.as_bytes())
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

/// `10.1.0.2:4000 (web) → 192.0.2.9:53`.
#[must_use]
pub(super) fn ends(Ends { source, destination }: &Ends) -> String {
    format!("{} → {}", end(source), end(destination))
}

fn end(End { address, port, sandbox }: &End) -> String {
    let text = match port {
        0 => address.clone(),
        _ if address.contains(':') => format!("[{address}]:{port}"),
        _ => format!("{address}:{port}"),
    };
    sandbox.as_ref().map_or(text.clone(), |sandbox| format!("{text} ({sandbox})"))
}

/// Bytes as Docker writes them: three digits and a decimal unit.
#[must_use]
pub(super) fn bytes(count: u64) -> String {
    let units = [(1_000_000_000_000, "TB"), (1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")];
    let Some((unit, name)) = units.into_iter().find(|(unit, _)| count >= *unit) else {
        return format!("{count}B");
    };
    let hundredths = count / (unit / 100);
    match hundredths {
        0..1_000 => format!("{}.{:02}{name}", hundredths / 100, hundredths % 100),
        1_000..10_000 => format!("{}.{}{name}", hundredths / 100, hundredths % 100 / 10),
        _ => format!("{}{name}", hundredths / 100),
    }
}

/// A time in its largest unit.
#[must_use]
pub(super) fn seconds(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds}s"),
        120..7_200 => format!("{}m", seconds / 60),
        7_200..172_800 => format!("{}h", seconds / 3_600),
        _ => format!("{}d", seconds / 86_400),
    }
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
    fn numbers_have_three_digits() {
        let texts = [0, 999, 1_234, 12_345, 123_456, 999_999, 2_345_678, 5_000_000_000_000].map(bytes);
        assert_eq!(texts, ["0B", "999B", "1.23kB", "12.3kB", "123kB", "999kB", "2.34MB", "5.00TB"]);
        assert_eq!([0, 119, 120, 7_200, 200_000].map(seconds), ["0s", "119s", "2m", "2h", "2d"]);
    }
}
