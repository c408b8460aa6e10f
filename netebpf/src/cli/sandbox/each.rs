//! The same for each of several sandboxes, with Docker's output: the names of those that it worked for.

use crate::cli::{Client, Error, Output, client::segment};

/// Posts to `/containers/NAME/CALL` for all of them at once, and prints the names in the order in which they were given.
pub(super) async fn post(
    references: &[String],
    call: &str,
    client: &Client,
    output: &mut Output,
) -> Result<(), Error> {
    let post = |reference: &String| {
        let (client, path) = (client.clone(), format!("/containers/{}/{call}", segment(reference)));
        tokio::spawn(async move { client.post(&path, &()).await })
    };
    let answers: Vec<_> = references.iter().map(post).collect();
    let mut errors = Vec::new();
    for (reference, answer) in references.iter().zip(answers) {
        match answer.await.map_err(|error| Error::Wait(error.into()))? {
            Ok(()) => output.line(reference)?,
            Err(error) => errors.push(error.into()),
        }
    }
    Error::gather(errors)
}
