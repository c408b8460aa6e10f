//! Prints what the daemon tells, line by line, until Ctrl-C.

use std::pin::pin;

use tokio::signal::ctrl_c;

use super::{
    Client, Error, Output,
    client::{self, segment},
};
use crate::frontend::api::wire::Event;

/// Follows events: with `json` as they come, else as `line` writes them.
pub(super) async fn follow(
    client: &Client,
    path: &str,
    json: bool,
    output: &mut Output,
    line: impl Fn(&Event) -> String,
) -> Result<(), Error> {
    // Watched before anything is printed, so that no Ctrl-C is taken for a crash.
    let mut interrupted = pin!(ctrl_c());
    let mut events = client.follow(path).await?;
    loop {
        let text = tokio::select! {
            signal = &mut interrupted => return signal.map_err(Error::Wait),
            text = events.next() => text?.ok_or(client::Error::Ended)?,
        };
        if json {
            output.line(&text)?;
        } else {
            let event: Event = client::parse(path, text.as_bytes())?;
            if event.missed > 0 {
                output.line(format_args!("({} more were too fast to be told)", event.missed))?;
            }
            output.line(line(&event))?;
        }
        output.flush()?;
    }
}

/// A path with those of the parameters that are there.
pub(super) fn query(path: &str, parameters: &[(&str, Option<String>)]) -> String {
    let given = parameters.iter().filter_map(|(name, value)| Some((name, value.as_deref()?)));
    let given: Vec<_> = given.map(|(name, value)| format!("{name}={}", segment(value))).collect();
    if given.is_empty() { path.to_owned() } else { format!("{path}?{}", given.join("&")) }
}

#[cfg(test)]
mod tests {
    use super::query;

    #[test]
    fn only_what_was_given_is_asked_for() {
        assert_eq!(query("/x", &[("a", None)]), "/x");
        let given = [("a", Some("fd00::1".to_owned())), ("b", None), ("c", Some("1&d=2".to_owned()))];
        assert_eq!(query("/x", &given), "/x?a=fd00%3A%3A1&c=1%26d%3D2");
    }
}
