//! How much the daemon uses of what others need as well.

use std::fs;

use anyhow::{Context as _, Result, bail};
use netebpf_tests::wait;
use serde_json::Value;

use crate::scene::Scene;

/// Kilobytes by which its memory may grow under any load, once it has seen one.
const MEMORY: u64 = 64 << 10;
/// Descriptors that it may have more than before, when the load is over.
const DESCRIPTORS: usize = 24;

/// What a daemon had at one moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Consumption {
    process: u64,
    kilobytes: u64,
    descriptors: usize,
}

impl Consumption {
    /// Looks at the daemon of a scene.
    pub(super) fn of_daemon(scene: &Scene) -> Result<Self> {
        let status = scene.engine.json(&["status", "--json"])?;
        let process = status.get("pid").and_then(Value::as_u64).context("the status names no process")?;
        let text = fs::read_to_string(format!("/proc/{process}/status"))?;
        let resident = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
        let kilobytes = resident.trim().trim_end_matches(" kB").parse()?;
        let descriptors = fs::read_dir(format!("/proc/{process}/fd"))?.count();
        Ok(Self { process, kilobytes, descriptors })
    }

    /// Fails unless it is the same process, and has not much more than now as soon as nothing is waited for any more.
    pub(super) fn has_not_grown(self, scene: &Scene) -> Result<()> {
        let fits = |now: &Self| {
            now.process == self.process
                && now.kilobytes <= self.kilobytes + MEMORY
                && now.descriptors <= self.descriptors + DESCRIPTORS
        };
        let settled = wait::until("the daemon uses what it did before", wait::LONG, || {
            Self::of_daemon(scene).ok().filter(fits)
        });
        match settled {
            Ok(_) => Ok(()),
            Err(_) => bail!("before: {self:?}, now: {:?}", Self::of_daemon(scene)?),
        }
    }
}
