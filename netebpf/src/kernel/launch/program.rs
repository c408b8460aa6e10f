//! Which file a command's first word means.

use std::{
    env,
    ffi::OsStr,
    fs, io,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use super::environment::Environment;

/// Where programs are looked for when nobody says it: as in Docker's containers.
const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Finds a program as the command's own environment says; a name with a slash is a path.
pub(super) fn find(name: &str, environment: &Environment) -> io::Result<PathBuf> {
    if name.contains('/') {
        return Ok(PathBuf::from(name));
    }
    let path = environment.get(OsStr::new("PATH")).map_or(OsStr::new(DEFAULT_PATH), |path| path.as_os_str());
    let found = env::split_paths(path).map(|directory| directory.join(name)).find(|file| is_program(file));
    found.filter(|_| !name.is_empty()).ok_or_else(|| io::ErrorKind::NotFound.into())
}

fn is_program(file: &Path) -> bool {
    fs::metadata(file).is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}
