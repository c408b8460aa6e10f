//! How is a scenario written down? As a chapter of a document: a heading and the commands below it.
//!
//! A document is Markdown. Each heading of the second level begins a scenario; each line of a fenced block is a step, which
//! both engines get; a backslash at its end joins it with the next. A step is a line for a shell, of Docker's commands. One
//! that begins with `engine` instead is for the engine's own program: `docker` has an image that containers come from,
//! `netebpf` runs a command of the machine in a sandbox. Both are spelled
//!
//! ```text
//! engine run -d --name web -- httpd -f
//! ```
//!
//! A table says what name servers answer: in each row a container, a question and the answer. Rows about the same container
//! are one step.

use std::{collections::BTreeMap, mem};

use super::subject::{Engine, IMAGE};

/// The head of each table.
const HEAD: [&str; 3] = ["from", "question", "answer"];

/// Commands that both engines get, one after the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scenario {
    /// The document's name and the heading's words, such as `create/a-subnet-and-a-gateway`.
    pub name: String,
    /// The commands, as written.
    pub steps: Vec<String>,
    /// The lines that a step's output is, by the number of the step, where the document says so.
    pub outputs: BTreeMap<usize, Vec<String>>,
}

impl Scenario {
    /// The same, typed for the engines' own programs where it is for Docker's client: `netebpf network` for
    /// `docker network`.
    #[must_use]
    pub fn for_own_programs(&self) -> Self {
        let steps =
            self.steps.iter().map(|step| step.replace("docker network ", "engine network ")).collect();
        Self { name: format!("own-{}", self.name), steps, outputs: self.outputs.clone() }
    }

    /// A row of a table: what a container asks, and what it is told.
    fn ask(&mut self, container: &str, question: &str, answer: &str) {
        let command = format!("engine exec {container} -- netebpf-probe ask");
        if self.steps.last().is_none_or(|last| !last.starts_with(&command)) {
            self.steps.push(command);
        }
        let place = self.steps.len() - 1;
        self.steps[place].extend([" '", question, "'"]);
        self.outputs.entry(place).or_default().push(format!("{question}: {answer}"));
    }
}

/// Reads the scenarios of a document.
#[must_use]
pub fn scenarios(document: &str, text: &str) -> Vec<Scenario> {
    let mut found: Vec<Scenario> = Vec::new();
    let mut is_block = false;
    let mut begun = String::new();
    for line in text.lines() {
        if line.starts_with("```") {
            is_block = !is_block;
        } else if let (false, Some(heading)) = (is_block, line.strip_prefix("## ")) {
            let name = format!("{document}/{}", words(heading));
            found.push(Scenario { name, steps: Vec::new(), outputs: BTreeMap::new() });
        } else if let (false, Some([container, question, answer]), Some(scenario)) =
            (is_block, row(line), found.last_mut())
        {
            scenario.ask(container, question, answer);
        } else if let (true, Some(scenario), false) = (is_block, found.last_mut(), line.trim().is_empty()) {
            begun.push_str(line.trim_end_matches('\\'));
            if !line.ends_with('\\') {
                scenario.steps.push(mem::take(&mut begun));
            }
        }
    }
    found
}

/// The cells of a table's row; none of its head, whose second line has dashes.
fn row(line: &str) -> Option<[&str; 3]> {
    let cells: Vec<_> = line.strip_prefix('|')?.strip_suffix('|')?.split('|').map(str::trim).collect();
    let row: [&str; 3] = cells.try_into().ok()?;
    let is_head = row[0].starts_with('-') || row == HEAD;
    (!is_head).then_some(row)
}

/// A step as one engine's shell gets it.
#[must_use]
pub fn spelled(step: &str, engine: Engine) -> String {
    let own = |part: &str| match (part.strip_prefix("engine "), engine) {
        (None, _) => part.to_owned(),
        (Some(rest), Engine::Netebpf) => format!("netebpf {rest}"),
        (Some(rest), Engine::Docker) => {
            let starts = |verbs: &[&str]| verbs.iter().any(|verb| rest.starts_with(verb));
            let image = if starts(&["run ", "create "]) { format!(" {IMAGE} ") } else { " ".to_owned() };
            let rest = if starts(&["network "]) { rest.to_owned() } else { rest.replacen(" -- ", &image, 1) };
            format!("docker {rest}")
        }
    };
    // A command may stand in another one, or after one.
    let mut spelled = step.to_owned();
    for before in ["$(", "; ", "&& ", "| ", "do ", "xargs "] {
        spelled = spelled.split(before).map(own).collect::<Vec<_>>().join(before);
    }
    spelled
}

/// A heading in the letters of a test's name.
fn words(heading: &str) -> String {
    let letters =
        |word: &str| word.chars().filter(|letter| letter.is_alphanumeric() || *letter == '-').collect();
    heading.split_whitespace().map(letters).collect::<Vec<String>>().join("-").to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_are_scenarios_and_lines_in_blocks_are_steps() {
        let text = "# Title\n\n## The first, of two\n\nSays why.\n\n```sh\ndocker network ls \\\n  -q\n\nengine ps\n```\n## Second\n";
        let steps = vec!["docker network ls   -q".to_owned(), "engine ps".to_owned()];
        assert_eq!(
            scenarios("ls", text),
            [
                Scenario { name: "ls/the-first-of-two".to_owned(), steps, outputs: BTreeMap::new() },
                Scenario { name: "ls/second".to_owned(), steps: Vec::new(), outputs: BTreeMap::new() }
            ]
        );
    }

    #[test]
    fn rows_of_a_table_are_questions_of_containers() {
        let text = "## Names\n\n```sh\ntrue\n```\n\n| from | question | answer |\n|---|---|---|\n| web | A db | x |\n| web | A b | y |\n| db | A b | z |\n";
        let scenario = scenarios("names", text).remove(0);
        let web = "engine exec web -- netebpf-probe ask 'A db' 'A b'";
        assert_eq!(scenario.steps, ["true", web, "engine exec db -- netebpf-probe ask 'A b'"]);
        let outputs = [(1, vec!["A db: x".to_owned(), "A b: y".to_owned()]), (2, vec!["A b: z".to_owned()])];
        assert_eq!(scenario.outputs, BTreeMap::from(outputs));
    }

    #[test]
    fn a_scenario_for_dockers_client_is_one_for_the_engines_own_programs_too() {
        let steps = vec!["docker network ls -q | xargs docker network rm".to_owned(), "docker ps".to_owned()];
        let all = Scenario { name: "rm/all".to_owned(), steps, outputs: BTreeMap::new() };
        let own = all.for_own_programs();
        assert_eq!(own.name, "own-rm/all");
        let spelled: Vec<_> = own.steps.iter().map(|step| spelled(step, Engine::Netebpf)).collect();
        assert_eq!(spelled, ["netebpf network ls -q | xargs netebpf network rm", "docker ps"]);
    }

    #[test]
    fn the_engines_own_program_is_spelled_for_each() {
        for (step, docker, netebpf) in [
            ("docker network ls", "docker network ls", "docker network ls"),
            (
                "engine run -d --name a -- sh -c 'true -- x'",
                "docker run -d --name a busybox sh -c 'true -- x'",
                "netebpf run -d --name a -- sh -c 'true -- x'",
            ),
            ("engine exec a -- ip a", "docker exec a ip a", "netebpf exec a -- ip a"),
            ("engine network create -- -x", "docker network create -- -x", "netebpf network create -- -x"),
            (
                "true || echo $(engine port a)",
                "true || echo $(docker port a)",
                "true || echo $(netebpf port a)",
            ),
        ] {
            assert_eq!(spelled(step, Engine::Docker), docker);
            assert_eq!(spelled(step, Engine::Netebpf), netebpf);
        }
    }
}
