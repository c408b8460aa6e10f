//! `netebpf daemon`: the daemon with its socket, in the foreground.

use std::time::Duration;

use tokio::{sync::oneshot, time::timeout};
use tracing::warn;

use super::{Error, args::DaemonArgs};
use crate::{
    daemon::{Daemon, Observer, Settings},
    frontend::{Socket, api},
};

/// How long answers may take to be read once the daemon ends.
const FAREWELL: Duration = Duration::from_secs(1);

pub(super) async fn run(settings: Settings, args: &DaemonArgs) -> Result<(), Error> {
    let socket = Socket::claim(&settings, args.group.as_deref())?;
    let mut daemon = Daemon::start(&settings, args.options()).await?;
    let observer = Observer::start(&settings)?;
    let listener = socket.listen()?;
    let (end, ended) = oneshot::channel::<()>();
    let ended = async { drop(ended.await) };
    let server = tokio::spawn(api::serve(listener, daemon.handle(), observer.clone(), settings, ended));
    daemon.announce();
    daemon.run().await;
    // While the daemon still has the store to itself, so that this is not the socket of the next one.
    socket.close()?;
    observer.close();
    drop(end);
    match timeout(FAREWELL, server).await {
        Ok(Ok(Ok(()))) => {}
        Ok(Ok(Err(error))) => warn!(%error, "the socket was not served to the end"),
        Ok(Err(error)) => warn!(%error, "the socket was not served to the end"),
        Err(_) => warn!("a client did not read its answer"),
    }
    Ok(())
}
