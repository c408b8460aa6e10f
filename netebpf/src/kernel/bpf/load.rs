//! Loads the BPF object and pins its programs.

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
    for name in classifiers() {
        classifier(&mut programs, name)?.load().map_err(refused(name))?;
    }
    for name in cgroup::HOOKS {
        socket_hook(&mut programs, name)?.load().map_err(refused(name))?;
    }
    for name in classifiers().chain(cgroup::HOOKS) {
        let program = program(&mut programs, name)?;
        pins::replace(&settings.programs(), name, |path| program.pin(path))?;
    }
    Ok(programs)
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
