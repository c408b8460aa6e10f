//! `netebpf daemon`: the daemon with its socket, in the foreground; or what there is to know about its configuration.

use std::{
    io::{self, Write as _},
    time::Duration,
};

use tokio::{sync::oneshot, time::timeout};
use tracing::warn;

use super::{Error, Output, args::DaemonArgs};
use crate::{
    config::{self, Configuration, Given},
    daemon::{Daemon, Observer, Settings, follow_logs},
    frontend::{Socket, api},
};

/// How long answers may take to be read once the daemon ends.
const FAREWELL: Duration = Duration::from_secs(1);

pub(super) async fn run(settings: Settings, args: &DaemonArgs, output: &mut Output) -> Result<(), Error> {
    if args.print_default_config {
        return Ok(output.line(config::default_file())?);
    }
    if args.print_config_schema {
        return Ok(output.line(config::schema())?);
    }
    let configuration = config::load(args.config_file.as_deref(), Given::by_flags(&args.directives))?;
    if args.validate {
        // Where dockerd says it.
        return Ok(writeln!(io::stderr(), "configuration OK")?);
    }
    serve(settings, configuration).await
}

async fn serve(settings: Settings, configuration: Configuration) -> Result<(), Error> {
    let socket = Socket::claim(&settings, configuration.group.as_deref())?;
    let mut daemon = Daemon::start(&settings, configuration.options).await?;
    let observer = Observer::start(&settings)?;
    if let Err(error) = follow_logs(&daemon.handle(), &settings) {
        warn!(%error, "lines of logs get no times");
    }
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
