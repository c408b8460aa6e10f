//! Another name for a sandbox.

use super::{Error, find_sandbox, sandbox::free_name};
use crate::model::{Name, Spec};

/// Gives a sandbox another name, which links to it follow.
pub fn rename_sandbox(spec: &mut Spec, reference: &str, name: Name) -> Result<(), Error> {
    let sandbox = find_sandbox(spec, reference)?;
    let id = sandbox.id;
    if sandbox.name == name {
        return Err(Error::SameName);
    }
    let name = free_name(spec, name).map_err(|source| Error::NewName(Box::new(source)))?;
    if let Some(sandbox) = spec.sandboxes.get_mut(&id) {
        sandbox.name = name;
    }
    Ok(())
}
