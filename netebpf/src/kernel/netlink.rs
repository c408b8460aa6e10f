//! Connections to the kernel's routing socket.

use std::io;

use rtnetlink::Handle;

/// Opens a connection in the network namespace of the calling thread, served by the current async runtime.
///
/// The connection, and with it the namespace, lives as long as the handle.
pub(super) fn connect() -> io::Result<Handle> {
    let (connection, handle, _) = rtnetlink::new_connection_with_strict_check()?;
    tokio::spawn(connection);
    Ok(handle)
}

/// The system error behind an error of the library.
pub(super) fn cause(error: rtnetlink::Error) -> io::Error {
    if let rtnetlink::Error::NetlinkError(message) = error {
        message.to_io()
    } else {
        io::Error::other(error)
    }
}

/// Makes success of one error: repeating an action that was done already is harmless.
pub(super) fn unless(errno: nix::Error, result: Result<(), rtnetlink::Error>) -> io::Result<()> {
    match result.map_err(cause) {
        Err(error) if error.raw_os_error() == Some(errno as i32) => Ok(()),
        result => result,
    }
}
