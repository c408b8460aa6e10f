//! Both engines, and what they say to the steps of a scenario.

use std::{
    collections::BTreeSet,
    fmt::Write as _,
    thread::{self, ScopedJoinHandle},
};

use anyhow::{Context as _, Error, Result, bail, ensure};
use netebpf_tests::docker::{
    Release,
    difference::{Hunk, KnownDifferences, compare},
    mask::Mask,
    script::{Scenario, spelled},
    subject::{Engine, Said, Subject},
};

/// Takes away what a scenario has left, so that the next begins with what an engine has by itself.
const CLEAN: &[&str] = &[
    "ids=$(engine ps -aq); [ -z \"$ids\" ] || engine rm -f $ids",
    // A configuration goes only after the networks that are made from it.
    "docker network ls -q --filter type=custom | xargs -r docker network rm >/dev/null 2>&1 || true",
    "docker network ls -q --filter type=custom | xargs -r docker network rm",
];

/// The engines, started by the first scenario, and what was learnt so far.
pub(super) struct Duel {
    known: KnownDifferences,
    seen: BTreeSet<String>,
    pair: Option<[Subject; 2]>,
}

impl Duel {
    pub(super) fn new(known: KnownDifferences) -> Self {
        Self { known, seen: BTreeSet::new(), pair: None }
    }

    /// Puts a scenario to both; fails with what they say differently.
    pub(super) fn fight(&mut self, scenario: &Scenario) -> Result<()> {
        let pair = match self.pair.take() {
            Some(pair) => pair,
            None => self.start()?,
        };
        let told = both(&pair, |subject| play(subject, scenario));
        let cleaned = both(&pair, clean);
        // An engine that cannot be cleaned would spoil all that follows.
        if cleaned.is_ok() {
            self.pair = Some(pair);
        }
        let [docker, netebpf] = told?;
        self.judge(scenario, &docker, &netebpf)?;
        cleaned.map(drop)
    }

    /// Fails if a known difference has not been seen in any scenario.
    pub(super) fn unseen(&self) -> Result<()> {
        let unseen: Vec<_> = self.known.ids().filter(|id| !self.seen.contains(*id)).collect();
        ensure!(
            unseen.is_empty(),
            "no longer different, take out of known_differences.toml: {}",
            unseen.join(", ")
        );
        Ok(())
    }

    fn start(&mut self) -> Result<[Subject; 2]> {
        let one = |engine| thread::spawn(move || Subject::start(engine, Release::Forky));
        let both = [one(Engine::Docker), one(Engine::Netebpf)];
        let [docker, netebpf] =
            both.map(|thread| thread.join().map_err(|_| Error::msg("the start panicked"))?);
        let docker = docker?;
        let version = docker.run("docker version --format '{{.Server.Version}}'")?.stdout;
        eprintln!("compared with Docker Engine {}", version.trim());
        self.known.keep_those_of(&version);
        Ok([docker, netebpf?])
    }

    fn judge(&mut self, scenario: &Scenario, docker: &[Said], netebpf: &[Said]) -> Result<()> {
        let (mut expected, mut actual) = (Mask::new(&scenario.steps), Mask::new(&scenario.steps));
        let mut told = String::new();
        for (number, (step, (docker, netebpf))) in
            scenario.steps.iter().zip(docker.iter().zip(netebpf)).enumerate()
        {
            let [docker, netebpf] = [masked(docker, &mut expected), masked(netebpf, &mut actual)];
            if let Some(output) = scenario.outputs.get(&number) {
                let output: Vec<_> = output.iter().map(|line| format!("| {line}")).collect();
                let said: Vec<_> = docker.iter().filter(|line| line.starts_with("| ")).cloned().collect();
                for Hunk { docker, netebpf } in compare(&said, &output) {
                    let lines = [docker, netebpf].map(|lines| lines.join("\n    "));
                    write!(
                        told,
                        "\n  {step}\n    docker said\n    {}\n    instead of\n    {}",
                        lines[0], lines[1]
                    )?;
                }
            }
            // What only one of them has said is no difference of what follows.
            expected.level(&mut actual);
            let mut unknown = Vec::new();
            for hunk in compare(&docker, &netebpf) {
                match self.known.find(step, &hunk) {
                    Some(id) => drop(self.seen.insert(id.to_owned())),
                    None => unknown.push(hunk.to_string()),
                }
            }
            if !unknown.is_empty() {
                write!(told, "\n  {step}\n{}", unknown.join("\n    ...\n"))?;
            }
        }
        ensure!(told.is_empty(), "the two differ:{told}");
        Ok(())
    }
}

/// Does the same with both at the same time.
fn both<T: Send>(pair: &[Subject; 2], work: impl Fn(&Subject) -> Result<T> + Sync) -> Result<[T; 2]> {
    let [docker, netebpf] = thread::scope(|scope| {
        let work = &work;
        let threads = pair.each_ref().map(|subject| {
            scope.spawn(move || {
                work(subject).with_context(|| {
                    format!("{}, whose log ends with:\n{}", subject.engine().name(), subject.log_end())
                })
            })
        });
        let join =
            |thread: ScopedJoinHandle<'_, Result<T>>| thread.join().map_err(|_| Error::msg("a panic"))?;
        threads.map(join)
    });
    Ok([docker?, netebpf?])
}

fn play(subject: &Subject, scenario: &Scenario) -> Result<Vec<Said>> {
    scenario.steps.iter().map(|step| subject.run(&spelled(step, subject.engine()))).collect()
}

fn clean(subject: &Subject) -> Result<()> {
    for line in CLEAN {
        let said = subject.run(&spelled(line, subject.engine()))?;
        if said.code != Some(0) {
            bail!("`{line}` after the scenario: {said:?}");
        }
    }
    Ok(())
}

/// From the end: where only one of them names what it has made, it does so before its errors.
fn masked(said: &Said, mask: &mut Mask) -> Vec<String> {
    let mut lines = said.lines();
    for line in lines.iter_mut().rev() {
        *line = mask.apply(line);
    }
    lines
}
