//! Which processes run in a sandbox?

use super::{Error, Handle, Settings};
use crate::{
    change,
    kernel::process::{self, Listed, Members},
    model::NetworkMode,
};

impl Handle {
    /// Lists the processes of a running sandbox.
    pub fn top(&self, reference: &str, settings: &Settings) -> Result<Vec<Listed>, Error> {
        let spec = self.spec();
        let sandbox = change::find_sandbox(&spec, reference)?;
        if !sandbox.is_running() {
            return Err(change::Error::SandboxNotRunning(sandbox.id).into());
        }
        let namespace = settings.namespace(sandbox.id);
        let members = match (&sandbox.mode, sandbox.process()) {
            (NetworkMode::Host | NetworkMode::Container(_), Some(process)) => {
                Members::Beside(process, sandbox.id)
            }
            (NetworkMode::Host | NetworkMode::Container(_), None) => return Ok(Vec::new()),
            (NetworkMode::Own(_) | NetworkMode::Adopted(_), _) => Members::Inside(&namespace),
        };
        process::list(members).map_err(Error::kernel)
    }
}
