//! Loads the BPF object and pins its programs.

use std::{
    num::NonZero,
    panic::resume_unwind,
    sync::{Mutex, PoisonError},
    thread,
};

use aya::{
    Ebpf, EbpfLoader,
    programs::{CgroupSockAddr, Program, ProgramError, ProgramInfo, SchedClassifier},
};
use netebpf_common::abi::Hook;

use super::{Error, Settings, attach, cgroup, log, pins};

/// Loads the object, with the pinned maps where there are any, and pins all programs in place of the earlier ones.
pub(super) fn load(settings: &Settings, object: &[u8]) -> Result<Ebpf, Error> {
    if object.is_empty() {
        return Err(Error::NoObject);
    }
    let mut loader = EbpfLoader::new();
    loader.default_map_pin_directory(settings.maps());
    log::set_level(&mut loader);
    let mut programs = loader.load(object).map_err(Error::Load)?;
    verify(&mut programs)?;
    for name in classifiers().chain(cgroup::HOOKS) {
        let program = program(&mut programs, name)?;
        pins::replace(&settings.programs(), name, |path| program.pin(path))?;
    }
    Ok(programs)
}

/// Has the kernel verify all programs, as many at once as there are processors, because that is most of a start's time.
fn verify(programs: &mut Ebpf) -> Result<(), Error> {
    let name_of = |name: &str| classifiers().chain(cgroup::HOOKS).find(|known| *known == name);
    let wanted = programs.programs_mut().filter_map(|(name, program)| Some((name_of(name)?, program)));
    let queue = Mutex::new(wanted.collect::<Vec<_>>());
    let work = || {
        let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).pop();
        while let Some((name, program)) = next() {
            load_one(program).map_err(refused(name))?;
        }
        Ok(())
    };
    thread::scope(|scope| {
        let processors = thread::available_parallelism().map_or(1, NonZero::get);
        let others: Vec<_> = (1..processors).map(|_| scope.spawn(work)).collect();
        let own = work();
        let joined =
            others.into_iter().map(|other| other.join().unwrap_or_else(|panic| resume_unwind(panic)));
        joined.fold(own, Result::and)
    })
}

fn load_one(program: &mut Program) -> Result<(), ProgramError> {
    if let Program::SchedClassifier(program) = program {
        return program.load();
    }
    let program: &mut CgroupSockAddr = program.try_into()?;
    program.load()
}

/// Names of the TC programs.
pub(super) fn classifiers() -> impl Iterator<Item = &'static str> {
    let hooks = Hook::ALL.into_iter().filter(|hook| *hook != Hook::Socket).map(Hook::as_str);
    hooks.chain([attach::FROM_NETDEV_BARE, attach::TO_NETDEV_BARE])
}

/// The TC program of this name.
pub(super) fn classifier<'a>(
    programs: &'a mut Ebpf,
    name: &'static str,
) -> Result<&'a mut SchedClassifier, Error> {
    program(programs, name)?.try_into().map_err(refused(name))
}

/// The socket program of this name.
pub(super) fn socket_hook<'a>(
    programs: &'a mut Ebpf,
    name: &'static str,
) -> Result<&'a mut CgroupSockAddr, Error> {
    program(programs, name)?.try_into().map_err(refused(name))
}

/// What the kernel tells of a loaded program.
pub(super) fn info(programs: &Ebpf, name: &'static str) -> Result<ProgramInfo, Error> {
    let program = programs.program(name).ok_or(Error::Missing { kind: "program", name })?;
    program.info().map_err(|source| Error::Program { doing: "inspect", name, source: Box::new(source) })
}

fn program<'a>(programs: &'a mut Ebpf, name: &'static str) -> Result<&'a mut Program, Error> {
    programs.program_mut(name).ok_or(Error::Missing { kind: "program", name })
}

fn refused(name: &'static str) -> impl FnOnce(ProgramError) -> Error {
    move |source| Error::Program { doing: "load", name, source: Box::new(source) }
}
