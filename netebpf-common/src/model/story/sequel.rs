//! Packets that follow from what was forwarded: answers, third packets, ends, errors, fragments.

use std::vec::Vec;

use super::{Choices, Past, any_address, fresh};
use crate::{
    abi::Family,
    model::{FrameSpec, Origin, Segment, World},
};

/// A packet after one of the past; `None` if there is none that would follow.
pub(super) fn sequel(choices: &mut Choices<'_>, past: &[Past]) -> Option<(Origin, Vec<u8>)> {
    let recent = past.len().saturating_sub(1 + choices.below(past.len().clamp(1, 8)));
    let Past { from, sent, to, got } = past.get(recent)?;
    match choices.below(8) {
        0..=2 => {
            let answer = World::answer_from(*to, got)?;
            let answer = with_flags(choices, answer);
            Some((*to, fresh::shape(choices, &answer)))
        }
        3 | 4 => {
            let again =
                World::sent_by(*from, FrameSpec::new(sent.source, sent.destination, sent.segment.clone()));
            let again = with_flags(choices, again);
            Some((*from, fresh::shape(choices, &again)))
        }
        5 => {
            let (at, about) = (*to, got.build());
            let error = error(choices, &about)?;
            Some((at, World::sent_by(at, error).build()))
        }
        6 => {
            let answer = World::answer_from(*to, got)?;
            let whole = FrameSpec { payload: std::vec![choices.byte(); 90], identification: 77, ..answer };
            let parts = whole.cut(64);
            Some((*to, choices.pick(&parts)))
        }
        _ => {
            let whole =
                FrameSpec { payload: std::vec![choices.byte(); 90], identification: 78, ..sent.clone() };
            let parts = World::sent_by(*from, whole).cut(64);
            Some((*from, choices.pick(&parts)))
        }
    }
}

/// Goes on with, ends or breaks a TCP connection.
fn with_flags(choices: &mut Choices<'_>, spec: FrameSpec) -> FrameSpec {
    let Segment::Tcp { source, destination, flags } = spec.segment else { return spec };
    let flags = choices.pick(&[flags, 16, 16, 16, 17, 4, 2]);
    FrameSpec { segment: Segment::Tcp { source, destination, flags }, ..spec }
}

/// An error about a frame from somebody, quoting some of it, not always sent to who sent that.
fn error(choices: &mut Choices<'_>, about: &[u8]) -> Option<FrameSpec> {
    let arrived = FrameSpec::read(about)?;
    let (family, kinds) =
        if arrived.source.is_ipv4() { (Family::V4, [3, 11, 12, 3]) } else { (Family::V6, [1, 2, 3, 4]) };
    let reporter = if choices.one_in(3) { any_address(choices, family) } else { arrived.destination };
    let quoted = choices.pick(&[8, 8, 28, 500]);
    let error = FrameSpec::error_about(about, reporter, choices.pick(&kinds), quoted)?;
    let destination = if choices.one_in(10) { any_address(choices, family) } else { error.destination };
    Some(FrameSpec { destination, ..error })
}
