//! Signals that are meant for the command in the foreground, but come to us.

use std::io::{self, IsTerminal as _};

use tokio::{
    signal::unix::{SignalKind, signal},
    sync::mpsc,
};

use crate::model::Signal;

/// What is passed on: all that ends programs unless they handle it, but for those that are about a fault of our own.
const RELAYED: [i32; 8] = [1, 2, 3, 10, 12, 14, 15, 30];

/// What a key on the terminal sends to the command without us.
const OF_TERMINAL: [i32; 2] = [2, 3];

/// The signals that come from now on.
#[derive(Debug)]
pub(super) struct Relay {
    arrived: mpsc::Receiver<Signal>,
}

impl Relay {
    /// Begins to take signals, which do not end this program any more.
    pub(super) fn begin() -> io::Result<Self> {
        let (sender, arrived) = mpsc::channel(RELAYED.len());
        let on_terminal = io::stdin().is_terminal();
        for number in RELAYED {
            let Some(named) = Signal::from_number(number) else { continue };
            let mut source = signal(SignalKind::from_raw(number))?;
            let sender = sender.clone();
            let is_ignored = on_terminal && OF_TERMINAL.contains(&number);
            tokio::spawn(async move {
                while source.recv().await.is_some() {
                    if !is_ignored && sender.send(named).await.is_err() {
                        return;
                    }
                }
            });
        }
        Ok(Self { arrived })
    }

    /// Waits for the next one.
    pub(super) async fn next(&mut self) -> Signal {
        match self.arrived.recv().await {
            Some(signal) => signal,
            // The tasks end with the runtime only.
            None => std::future::pending().await,
        }
    }
}
