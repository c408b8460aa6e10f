//! Pins: the names on the BPF file system that keep programs and bpf links alive.

use std::{fs, io, path::Path};

use aya::pin::PinError;

use super::Error;

/// Ends the name of a pin that is about to take another's place. (The BPF file system allows no dot in names.)
const NEW: &str = "-new";

/// Pins an object in place of an earlier one in one step, so that the name leads to one at any time.
pub(super) fn replace(
    directory: &Path,
    name: &str,
    pin: impl FnOnce(&Path) -> Result<(), PinError>,
) -> Result<(), Error> {
    let (path, new) = (directory.join(name), directory.join(format!("{name}{NEW}")));
    // A daemon that was killed in between has left it.
    remove(&new)?;
    pin(&new).map_err(|source| Error::Pin { path: new.clone(), source })?;
    fs::rename(&new, &path).map_err(Error::file("replace", path))
}

/// Removes a pin, and with it what only the pin kept; one that is gone already is fine.
pub(super) fn remove(pin: &Path) -> Result<(), Error> {
    match fs::remove_file(pin) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::file("remove", pin)(error)),
        _ => Ok(()),
    }
}
