//! Who asks: a container of a Docker Engine and a sandbox of netebpf, made by the same commands on machines alike.

use std::{
    fs,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
};

use anyhow::{Context as _, Result, ensure};
use netebpf_tests::{
    docker::{
        Release,
        script::spelled,
        subject::{Engine, Subject},
    },
    netns::Namespace,
};
use serde_json::Value;

use super::question::NAME;

/// Where programs in containers find the name server of their engine.
pub(super) const SERVER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(127, 0, 0, 11)), 53);

const ASKER: &str = "asker";

/// A container that asks on a network where another one has the name.
pub(super) struct Asker {
    // Closed before the machine ends that it is part of.
    pub(super) namespace: Namespace,
    pub(super) directory: PathBuf,
    engine: Subject,
}

impl Asker {
    pub(super) fn start(engine: Engine) -> Result<Self> {
        let engine = Subject::start(engine, Release::Forky)?;
        let container = |name| format!("engine run -d --name {name} --network names -- sleep 1d");
        for line in ["docker network create names".to_owned(), container(NAME), container(ASKER)] {
            ok(&engine, &line)?;
        }
        let directory = engine.world().directory().join("asked");
        fs::create_dir(&directory)?;
        Ok(Self { namespace: engine.namespace(ASKER)?, directory, engine })
    }

    /// The version of the engine, as it says itself.
    pub(super) fn version(&self) -> Result<String> {
        Ok(ok(&self.engine, "docker version --format '{{.Server.Version}}'")?.trim().to_owned())
    }

    /// How many queries netebpf has answered in the kernel.
    pub(super) fn answered_in_kernel(&self) -> Result<u64> {
        let status: Value = serde_json::from_str(&ok(&self.engine, "netebpf status --json")?)?;
        let counters = status["counters"].as_array().context("status has no counters")?;
        let answered = counters.iter().filter(|counter| counter["outcome"] == "answered");
        Ok(answered.filter_map(|counter| counter["packets"].as_u64()).sum())
    }
}

fn ok(engine: &Subject, line: &str) -> Result<String> {
    let said = engine.run(&spelled(line, engine.engine()))?;
    ensure!(said.code == Some(0), "{}: `{line}`: {said:?}", engine.engine().name());
    Ok(said.stdout)
}
