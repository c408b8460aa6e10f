//! Everything that is printed, compared with what Docker's client 28.2 printed for the same answers of an engine.
//!
//! In `recorded.json`: the engine's answers, then for each command a list of formats, each with the standard output
//! and, if the client failed, the error and the exit code.

mod inspected;

use std::{collections::BTreeMap, time::Duration};

use proptest::prelude::*;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

use super::{
    Binding, ContainerRow, Error, Inspection, List, NetworkRow, PortMapping, Row, compare_naturally,
    port_lines,
};

/// A format, and what came of it.
#[derive(Deserialize)]
#[serde(untagged)]
enum Recorded {
    Failed(String, String, String, u8),
    Printed(String, String),
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListedContainer {
    id: String,
    names: Vec<String>,
    image: String,
    command: String,
    created: String,
    age: u64,
    ports: Vec<PortMapping>,
    labels: BTreeMap<String, String>,
    state: String,
    status: String,
    networks: Vec<String>,
}

fn recorded<T: DeserializeOwned>(key: &str) -> T {
    let all: Value =
        serde_json::from_str(include_str!("tests/recorded.json")).expect("the recording is JSON");
    serde_json::from_value(all[key].clone()).unwrap_or_else(|error| panic!("{key}: {error}"))
}

fn networks() -> Vec<NetworkRow> {
    let row = |network: inspected::Network| NetworkRow {
        id: network.id,
        name: network.name,
        driver: network.driver,
        scope: network.scope,
        ipv4: network.enable_ipv4,
        ipv6: network.enable_ipv6,
        internal: network.internal,
        labels: network.labels,
        created: network.created,
    };
    let mut rows: Vec<_> = recorded::<Vec<_>>("networks").into_iter().map(row).collect();
    rows.sort_by(|one, other| compare_naturally(&one.name, &other.name));
    rows
}

fn containers() -> Vec<ContainerRow> {
    let row = |container: ListedContainer| ContainerRow {
        id: container.id,
        names: container.names,
        image: container.image,
        command: container.command,
        created: container.created,
        age: Duration::from_secs(container.age),
        state: container.state,
        status: container.status,
        ports: container.ports,
        labels: container.labels,
        networks: container.networks,
    };
    recorded::<Vec<_>>("containers").into_iter().map(row).collect()
}

/// An error and the exit code.
type Failure = (String, u8);

fn failure(error: &Error) -> Failure {
    (error.to_string(), error.exit_code())
}

/// Prints in every format of a command, and tells all that is not as recorded.
fn compare(command: &str, mut print: impl FnMut(&str) -> (String, Result<(), Failure>)) {
    let mut wrong = Vec::new();
    for record in recorded::<Vec<Recorded>>(command) {
        let (format, expected) = match record {
            Recorded::Printed(format, output) => (format, (output, Ok(()))),
            Recorded::Failed(format, output, error, code) => (format, (output, Err((error, code)))),
        };
        let printed = print(&format);
        if printed != expected {
            wrong.push(format!(
                "{command} --format '{format}'\n  expected {expected:?}\n  printed  {printed:?}"
            ));
        }
    }
    assert!(wrong.is_empty(), "{} formats:\n{}", wrong.len(), wrong.join("\n"));
}

fn print_list<R: Row>(list: List<'_>, rows: &[R]) -> (String, Result<(), Failure>) {
    match list.print(rows) {
        Ok(text) => (text, Ok(())),
        Err(error) => (String::new(), Err(failure(&error))),
    }
}

#[test]
fn networks_are_listed_as_docker_lists_them() {
    let rows = networks();
    compare("network ls", |format| print_list(List { format, ..List::default() }, &rows));
    compare("network ls --quiet", |format| {
        print_list(List { format, is_quiet: true, ..List::default() }, &rows)
    });
    compare("network ls --no-trunc", |format| {
        print_list(List { format, is_untruncated: true, ..List::default() }, &rows)
    });
}

#[test]
fn containers_are_listed_as_docker_lists_them() {
    let rows = containers();
    compare("ps", |format| print_list(List { format, ..List::default() }, &rows));
    compare("ps --quiet", |format| print_list(List { format, is_quiet: true, ..List::default() }, &rows));
    compare("ps --no-trunc", |format| {
        print_list(List { format, is_untruncated: true, ..List::default() }, &rows)
    });
}

#[test]
fn docker_warns_of_a_format_that_quiet_outdoes() {
    let list = List { format: "{{.Names}}", is_quiet: true, is_untruncated: false };
    assert!(list.warning::<ContainerRow>().is_some());
    assert!(list.warning::<NetworkRow>().is_none());
    assert!(List { format: "", ..list }.warning::<ContainerRow>().is_none());
}

#[test]
fn an_empty_list_has_its_headings() {
    let printed = print_list::<NetworkRow>(List::default(), &[]);
    assert_eq!(printed, ("NETWORK ID   NAME      DRIVER    SCOPE\n".to_owned(), Ok(())));
}

fn inspect(format: &str, element: &impl serde::Serialize) -> (String, Result<(), Failure>) {
    let mut inspection = match Inspection::new(format) {
        Ok(inspection) => inspection,
        Err(error) => return (String::new(), Err(failure(&error))),
    };
    let added = inspection.add(element).map_err(|error| failure(&error));
    (inspection.into_text().unwrap_or_default(), added)
}

#[test]
fn networks_are_inspected_as_docker_inspects_them() {
    let networks: Vec<inspected::Network> = recorded("networks");
    let network = networks.iter().find(|network| network.name == "net9").expect("the recording has it");
    compare("network inspect", |format| inspect(format, network));
}

#[test]
fn containers_are_inspected_as_docker_inspects_them() {
    let container: inspected::Container = recorded("container");
    compare("inspect", |format| inspect(format, &container));
}

#[test]
fn nothing_inspected_is_an_empty_array_or_line() {
    let text = |format| Inspection::new(format).and_then(Inspection::into_text).unwrap_or_default();
    assert_eq!(["", "json", "{{.Name}}"].map(text), ["[]\n", "[]\n", "\n"]);
}

#[test]
fn published_ports_are_told_as_docker_tells_them() {
    let container: inspected::Container = recorded("container");
    let ports: &BTreeMap<String, Option<Vec<Binding>>> = &container.network_settings.ports;
    compare("port", |wanted| {
        let wanted = (!wanted.is_empty()).then_some(wanted);
        match port_lines(ports, wanted, "web") {
            Ok(lines) => (lines.join("\n") + "\n", Ok(())),
            Err(error) => (String::new(), Err(failure(&error))),
        }
    });
}

#[test]
fn no_format_makes_the_client_panic() {
    let (networks, container) = (networks(), recorded::<Value>("container"));
    let piece = prop_oneof![
        "[ -~é日\\n\\t]{0,4}",
        proptest::sample::select(PIECES.to_vec()).prop_map(str::to_owned),
    ];
    proptest!(|(pieces in proptest::collection::vec(piece, 0..12))| {
        let format = pieces.concat();
        drop(print_list(List { format: &format, ..List::default() }, &networks));
        drop(inspect(&format, &container));
    });
}

#[test]
fn a_format_may_not_be_nested_without_end() {
    for (piece, problem) in
        [("{{(", "max expression depth exceeded"), ("{{if 1}}", "max nesting depth exceeded")]
    {
        let format = piece.to_owned() + &piece.trim_start_matches("{{(").repeat(10_000) + &"(".repeat(10_000);
        let (_, result) = print_list::<NetworkRow>(List { format: &format, ..List::default() }, &[]);
        assert_eq!(result, Err((format!("template parsing error: template: :1: {problem}"), 1)));
    }
}

/// What formats are made of.
const PIECES: [&str; 40] = [
    "{{",
    "}}",
    "{{- ",
    " -}}",
    "{{if ",
    "{{else}}",
    "{{else if ",
    "{{end}}",
    "{{range ",
    "{{with ",
    "{{/*",
    "*/}}",
    ".Name",
    ".Labels",
    ".Config",
    ".NetworkSettings.Networks",
    ".",
    "$",
    "$x",
    " := ",
    ", ",
    " | ",
    "(",
    ")",
    "\"a\"",
    "'é'",
    "`x`",
    "3",
    "-1.5e3",
    "index ",
    "slice ",
    "truncate ",
    "pad ",
    "split ",
    "join ",
    "json ",
    "len ",
    "eq ",
    "printf \"%5.2q|%-3x\" ",
    "title ",
];
