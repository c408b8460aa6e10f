//! Ends host sockets that are connected to where a published port no longer leads.
//!
//! A UDP socket is translated once, when it is connected; its datagrams are not looked at again. When the port goes away or
//! leads elsewhere, it would send to the old sandbox, or to whoever gets its address next, for ever. Ended, its program
//! gets an error and connects anew. TCP needs none of this: there the other side says that it knows no such connection.

use netebpf_common::abi::{PublishBlock, protocol};
use nix::errno::Errno;
use tracing::{debug, warn};

use super::{Error, Settings, bpf::TranslatedSockets, diagnosis::Diagnosis};

#[cfg(test)]
mod tests;

/// Looks for such sockets after the entry of a block of ports was written or removed. Whatever goes wrong is logged: the
/// change itself is done.
pub(super) fn disconnect(settings: &Settings, changed: &PublishBlock) {
    if changed.key.protocol() != protocol::UDP {
        return;
    }
    match disconnect_all(settings) {
        Ok(0) => {}
        Ok(ended) => debug!(ended, "ended sockets that were connected to a published port"),
        Err(error) => {
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            warn!(%error, cause, "cannot end sockets that are connected to a published port");
        }
    }
}

fn disconnect_all(settings: &Settings) -> Result<usize, Error> {
    let diagnosis = Diagnosis::open().map_err(failed("open a socket to diagnose sockets"))?;
    let connected = diagnosis.connected().map_err(failed("list connected UDP sockets"))?;
    if connected.is_empty() {
        return Ok(0);
    }
    let mut translated = TranslatedSockets::open(settings)?;
    let mut ended = 0;
    for socket in connected {
        let (cookie, peer) = (socket.cookie(), socket.peer());
        if !translated.is_stale(cookie, peer)? {
            continue;
        }
        match diagnosis.end(&socket) {
            Ok(()) => translated.forget(cookie, peer)?,
            // `netebpf status` tells of it among the kernel's features.
            Err(error) if error.raw_os_error() == Some(Errno::EOPNOTSUPP as i32) => return Ok(ended),
            Err(error) => return Err(failed("end a connected UDP socket")(error)),
        }
        ended += 1;
    }
    Ok(ended)
}

fn failed(doing: &'static str) -> impl FnOnce(std::io::Error) -> Error {
    move |source| Error::System { doing, source }
}
