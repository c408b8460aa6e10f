//! Runs the collector's program: candidates go in as a packet and come out marked.

use aya::{
    Ebpf,
    programs::{ProgramError, SchedClassifier, TestRun as _, TestRunOptions},
};
use netebpf_common::collect::{BATCH, Candidate, HEADER};
use zerocopy::{FromBytes as _, IntoBytes as _};

use super::{Error, Settings, load, pins};

/// Name of the program.
pub(super) const NAME: &str = "collect";

/// Loads the program and pins it in place of an earlier one.
pub(super) fn load(programs: &mut Ebpf, settings: &Settings) -> Result<(), Error> {
    let program = load::classifier(programs, NAME)?;
    program.load().map_err(failed("load"))?;
    pins::replace(&settings.programs(), NAME, |path| program.pin(path))
}

/// The pinned program.
pub(super) struct Collector(SchedClassifier);

impl Collector {
    /// Opens the program by its pin.
    pub(super) fn open(settings: &Settings) -> Result<Self, Error> {
        SchedClassifier::from_pin(settings.programs().join(NAME)).map(Self).map_err(failed("open"))
    }

    /// Removes those of the flows that are over, and returns how many that were.
    pub(super) fn remove(&self, candidates: &[Candidate]) -> Result<usize, Error> {
        candidates.chunks(BATCH).map(|batch| self.run(batch)).sum()
    }

    fn run(&self, batch: &[Candidate]) -> Result<usize, Error> {
        let packet = [&[0; HEADER], batch.as_bytes()].concat();
        let mut marked = vec![0; packet.len()];
        let mut options = TestRunOptions::new();
        options.data_in = Some(&packet);
        options.data_out = Some(&mut marked);
        self.0.test_run(options).map_err(failed("run"))?;
        let records = marked.get(HEADER..).unwrap_or_default().chunks_exact(size_of::<Candidate>());
        let records = records.filter_map(|record| Candidate::read_from_bytes(record).ok());
        Ok(records.filter(Candidate::is_removed).count())
    }
}

fn failed(doing: &'static str) -> impl FnOnce(ProgramError) -> Error {
    move |source| Error::Program { doing, name: NAME, source: Box::new(source) }
}
