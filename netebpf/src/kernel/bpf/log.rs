//! What the BPF programs log: translations of host sockets, when the log filter lets debug lines through.
//!
//! The level is a constant of the programs, set when they are loaded. Unless it is debug, the verifier removes all logging
//! from them, so it costs nothing; packets are counted and never logged.

use std::time::Duration;

use aya::{Ebpf, EbpfLoader};
use aya_log::EbpfLogger;
use tracing::{Level, warn};

/// The module of the programs that log.
const TARGET: &str = "netebpf_ebpf::socket";

/// Between two looks at the ring buffer; short for a reader, and nothing for a machine that is being debugged.
const PAUSE: Duration = Duration::from_millis(100);

/// `aya_log_common::Level::Debug`.
const DEBUG: &u8 = &4;
const OFF: &u8 = &0;

/// Sets the programs' log level from the process' log filter.
pub(super) fn set_level(loader: &mut EbpfLoader<'_>) {
    loader.override_global(aya_log::LEVEL, if is_wanted() { DEBUG } else { OFF }, true);
}

/// Prints what the programs log, for as long as the process lives. Must run inside an async runtime.
pub(super) fn follow(programs: &mut Ebpf) {
    if !is_wanted() {
        return;
    }
    match EbpfLogger::init(programs) {
        Ok(logger) => drop(tokio::spawn(print(logger))),
        Err(error) => warn!(%error, "cannot read what the BPF programs log"),
    }
}

fn is_wanted() -> bool {
    tracing::enabled!(target: TARGET, Level::DEBUG)
}

async fn print(mut logger: EbpfLogger<&'static dyn log::Log>) {
    let mut tick = tokio::time::interval(PAUSE);
    loop {
        tick.tick().await;
        logger.flush();
    }
}
