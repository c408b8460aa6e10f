//! Attaches by TCX (Linux 6.6): programs are replaced and detached through pinned bpf links.

use std::{io, path::Path};

use aya::{
    programs::{
        LinkOrder, ProgramError, SchedClassifier, TcAttachType,
        links::{FdLink, LinkError, PinnedLink},
        tc::{SchedClassifierLink, TcAttachOptions},
    },
    sys::SyscallError,
};
use nix::errno::Errno;

use super::{Error, Place, Settings, direction};
use crate::kernel::bpf::pins;

/// Attaches a program, in place of an earlier one if there is one.
pub(super) fn attach(
    program: &mut SchedClassifier,
    settings: &Settings,
    place: Place,
    direction: TcAttachType,
) -> Result<(), Error> {
    let pin = settings.bpf_links().join(place.record());
    if replace(program, place, &pin)? {
        return Ok(());
    }
    pins::remove(&pin)?;
    let failed =
        |source| Error::Attach { hook: place.hook, ifindex: place.ifindex, source: Box::new(source) };
    let name = place.link_name().ok_or_else(|| place.failed(Errno::ENODEV.into()))?;
    let options = TcAttachOptions::TcxOrder(LinkOrder::default());
    let id = program.attach_with_options(&name, direction, options).map_err(failed)?;
    let link = program.take_link(id).map_err(failed)?;
    let link = FdLink::try_from(link).map_err(|source| Error::PinnedLink { path: pin.clone(), source })?;
    link.pin(&pin).map(drop).map_err(|source| Error::Pin { path: pin, source })
}

/// Detaches a program: the bpf link goes with its pin.
pub(super) fn detach(settings: &Settings, place: Place) -> Result<(), Error> {
    pins::remove(&settings.bpf_links().join(place.record()))
}

/// Whether the kernel runs the program of this id there.
pub(super) fn runs(place: Place, program: u32) -> Result<bool, Error> {
    let (Some(direction), Some(name)) = (direction(place.hook), place.link_name()) else { return Ok(false) };
    match SchedClassifier::query_tcx(&name, direction) {
        Ok((_, present)) => Ok(present.iter().any(|info| info.id() == program)),
        // Nothing is attached, or the link went away just now.
        Err(ProgramError::SyscallError(error)) if has_errno(&error, Errno::ENOENT) => Ok(false),
        Err(ProgramError::TcError(_)) => Ok(false),
        Err(source) => Err(program_failed("query", place, source)),
    }
}

/// Replaces the program of a pinned bpf link in one step; false when there is no such link or its device is gone.
fn replace(program: &mut SchedClassifier, place: Place, pin: &Path) -> Result<bool, Error> {
    let unusable = |source| Error::PinnedLink { path: pin.to_owned(), source };
    let link = match PinnedLink::from_pin(pin) {
        Ok(link) => FdLink::from(link),
        Err(LinkError::SyscallError(error)) if error.io_error.kind() == io::ErrorKind::NotFound => {
            return Ok(false);
        }
        Err(error) => return Err(unusable(error)),
    };
    let link = SchedClassifierLink::try_from(link).map_err(unusable)?;
    match program.attach_to_link(link) {
        // The pin keeps the link; this descriptor of it may close.
        Ok(id) => match program.take_link(id) {
            Ok(link) => drop(link),
            Err(source) => return Err(program_failed("replace", place, source)),
        },
        Err(ProgramError::SyscallError(error)) if has_errno(&error, Errno::ENOLINK) => return Ok(false),
        Err(source) => return Err(program_failed("replace", place, source)),
    }
    Ok(true)
}

fn program_failed(doing: &'static str, place: Place, source: ProgramError) -> Error {
    Error::Program { doing, name: place.hook.as_str(), source: Box::new(source) }
}

fn has_errno(error: &SyscallError, errno: Errno) -> bool {
    error.io_error.raw_os_error() == Some(errno as i32)
}
