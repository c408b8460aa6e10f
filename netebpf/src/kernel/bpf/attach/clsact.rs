//! Attaches by filters of a clsact qdisc (Linux 4.5), for kernels without TCX.
//!
//! A filter of a fixed priority and handle is replaced in one step and found again by anybody. The qdisc goes with our last
//! filter if it was ours, of which the record `qdisc-<ifindex>` tells, and if nobody else has put a filter there.

use std::{
    fs, io,
    os::fd::{AsFd as _, AsRawFd as _},
};

use aya::programs::{SchedClassifier, TcAttachType};
use nix::errno::Errno;
use rtnetlink::{
    packet_core::{NLM_F_CREATE, NLM_F_DUMP, NLM_F_ECHO, NLM_F_EXCL},
    packet_route::{
        RouteNetlinkMessage,
        tc::{TcAttribute, TcBpfFlags, TcFilterBpf, TcFilterBpfOption, TcHandle, TcMessage, TcOption},
    },
};

use super::{Error, Place, Settings, direction, recorded, routing::request};
use crate::kernel::bpf::pins;

/// After filters that somebody has given a low number, before those that got one from the kernel (49152 and down).
const PRIORITY: u16 = 20_034;

/// The handle of our filter at its priority.
const HANDLE: TcHandle = TcHandle { major: 0, minor: 1 };

const KIND: &str = "clsact";
const NO_CLSACT: &str = "the kernel has neither TCX (Linux 6.6) nor clsact (the module sch_ingress)";
const ALL_PROTOCOLS: u16 = 3;

/// Attaches a program, in place of an earlier one if there is one.
pub(super) fn attach(program: &mut SchedClassifier, settings: &Settings, place: Place) -> Result<(), Error> {
    let directory = settings.bpf_filters();
    // Recorded first: what is recorded and not there does no harm, the other way round would be forgotten.
    pins::replace(&directory, &place.record(), |path| program.pin(path))?;
    let qdisc = directory.join(qdisc_record(place.ifindex));
    let was_ours = qdisc.exists();
    if !was_ours {
        pins::replace(&directory, &qdisc_record(place.ifindex), |path| program.pin(path))?;
    }
    let made = add_qdisc(place);
    if !was_ours && !matches!(made, Ok(true)) {
        pins::remove(&qdisc)?;
    }
    made?;
    let fd = program.fd().map_err(|source| Error::Program {
        doing: "attach",
        name: place.hook.as_str(),
        source: Box::new(source),
    })?;
    let filter = RouteNetlinkMessage::NewTrafficFilter(filter(place, fd.as_fd().as_raw_fd()));
    request(filter, NLM_F_CREATE).map(drop).map_err(|source| place.failed(source))
}

/// Removes a filter and, after the last one, the qdisc if it is ours.
pub(super) fn detach(settings: &Settings, place: Place) -> Result<(), Error> {
    let directory = settings.bpf_filters();
    let record = directory.join(place.record());
    if !record.exists() {
        return Ok(());
    }
    let failed =
        |source| Error::Link { doing: "remove the filter of", link: place.ifindex.to_string(), source };
    gone(request(RouteNetlinkMessage::DelTrafficFilter(address(place)), 0)).map_err(failed)?;
    pins::remove(&record)?;
    let qdisc = directory.join(qdisc_record(place.ifindex));
    let others = recorded(&directory)?.iter().any(|other| other.ifindex == place.ifindex);
    if others || !qdisc.exists() {
        return Ok(());
    }
    if !has_filters(place.ifindex) {
        let qdisc = RouteNetlinkMessage::DelQueueDiscipline(qdisc_address(place.ifindex));
        gone(request(qdisc, 0)).map_err(failed)?;
    }
    pins::remove(&qdisc)
}

/// Removes every filter that is recorded.
pub(crate) fn remove_all(settings: &Settings) -> Result<(), Error> {
    if !fs::exists(settings.bpf_filters()).is_ok_and(|exists| exists) {
        return Ok(());
    }
    recorded(&settings.bpf_filters())?.into_iter().try_for_each(|place| detach(settings, place))
}

/// Whether the kernel runs the program of this id there.
pub(super) fn runs(place: Place, program: u32) -> Result<bool, Error> {
    let answer = match request(RouteNetlinkMessage::GetTrafficFilter(address(place)), 0) {
        Ok(answer) => answer,
        // No filter, no qdisc, or no link.
        Err(error) if is_gone(&error) => return Ok(false),
        Err(source) => return Err(Error::List { what: "filters of a link", source }),
    };
    let ours = TcOption::Bpf(TcFilterBpfOption::ProgId(program));
    Ok(answer.iter().any(|message| {
        let RouteNetlinkMessage::NewTrafficFilter(filter) = message else { return false };
        let is_ours = |attribute: &TcAttribute| {
            matches!(attribute, TcAttribute::Options(options) if options.contains(&ours))
        };
        filter.attributes.iter().any(is_ours)
    }))
}

fn qdisc_record(ifindex: u32) -> String {
    format!("qdisc-{ifindex}")
}

/// Makes the qdisc; false if there is one.
fn add_qdisc(place: Place) -> Result<bool, Error> {
    let mut qdisc = qdisc_address(place.ifindex);
    qdisc.attributes.push(TcAttribute::Kind(KIND.to_owned()));
    let made = request(RouteNetlinkMessage::NewQueueDiscipline(qdisc), NLM_F_CREATE | NLM_F_EXCL);
    match made {
        Ok(_) => Ok(true),
        Err(error) if is(&error, Errno::EEXIST) => check_kind(place).map(|()| false),
        Err(error) if is(&error, Errno::ENOENT) => Err(place.failed(io::Error::other(NO_CLSACT))),
        Err(error) => Err(place.failed(error)),
    }
}

/// Refuses an ingress qdisc, which clsact cannot stand beside: it would take filters for egress and run them on ingress.
fn check_kind(place: Place) -> Result<(), Error> {
    // Without ECHO the answer goes only to those who listen for changes.
    let found = request(RouteNetlinkMessage::GetQueueDiscipline(qdisc_address(place.ifindex)), NLM_F_ECHO);
    let found = found.map_err(|source| place.failed(source))?;
    let clsact = TcAttribute::Kind(KIND.to_owned());
    let is_clsact = |message: &RouteNetlinkMessage| matches!(message, RouteNetlinkMessage::NewQueueDiscipline(qdisc) if qdisc.attributes.contains(&clsact));
    if found.iter().any(is_clsact) {
        return Ok(());
    }
    let name = place.link_name().unwrap_or_else(|| place.ifindex.to_string());
    let what =
        format!("{name} has an ingress qdisc in the place of clsact: `tc qdisc del dev {name} ingress`");
    Err(place.failed(io::Error::other(what)))
}

/// Whether anybody has a filter on a link; when in doubt, somebody has.
fn has_filters(ifindex: u32) -> bool {
    [TcHandle::MIN_INGRESS, TcHandle::MIN_EGRESS].into_iter().any(|minor| {
        let mut all = TcMessage::with_index(ifindex.cast_signed());
        all.header.parent = TcHandle { minor, ..TcHandle::CLSACT };
        match request(RouteNetlinkMessage::GetTrafficFilter(all), NLM_F_DUMP) {
            Ok(found) => !found.is_empty(),
            Err(error) => !is_gone(&error),
        }
    })
}

fn qdisc_address(ifindex: u32) -> TcMessage {
    let mut message = TcMessage::with_index(ifindex.cast_signed());
    message.header.parent = TcHandle::CLSACT;
    message.header.handle = TcHandle { minor: 0, ..TcHandle::CLSACT };
    message
}

/// What our filter is found by.
fn address(place: Place) -> TcMessage {
    let mut message = TcMessage::with_index(place.ifindex.cast_signed());
    let minor = match direction(place.hook) {
        Some(TcAttachType::Egress) => TcHandle::MIN_EGRESS,
        _ => TcHandle::MIN_INGRESS,
    };
    message.header.parent = TcHandle { minor, ..TcHandle::CLSACT };
    message.header.handle = HANDLE;
    message.header.info = u32::from(PRIORITY) << 16 | u32::from(ALL_PROTOCOLS.to_be());
    message
}

fn filter(place: Place, program: i32) -> TcMessage {
    let mut message = address(place);
    let options = [
        TcFilterBpfOption::ProgFd(program.cast_unsigned()),
        TcFilterBpfOption::ProgName(format!("netebpf_{}", place.hook.as_str())),
        TcFilterBpfOption::Flags(TcBpfFlags::DirectAction),
    ];
    message.attributes = vec![
        TcAttribute::Kind(TcFilterBpf::KIND.to_owned()),
        TcAttribute::Options(options.map(TcOption::Bpf).into()),
    ];
    message
}

/// Makes success of what is gone already.
fn gone<T>(result: io::Result<T>) -> io::Result<()> {
    match result {
        Err(error) if !is_gone(&error) => Err(error),
        _ => Ok(()),
    }
}

/// No filter (`ENOENT`), no qdisc (`EINVAL`), no link (`ENODEV`).
fn is_gone(error: &io::Error) -> bool {
    [Errno::ENOENT, Errno::EINVAL, Errno::ENODEV].into_iter().any(|errno| is(error, errno))
}

fn is(error: &io::Error, errno: Errno) -> bool {
    error.raw_os_error() == Some(errno as i32)
}
