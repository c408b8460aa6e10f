//! Talks to the daemon.

use std::{io, path::PathBuf};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{Method, Request, Response, StatusCode, body::Incoming, client::conn::http1, header};
use hyper_util::rt::TokioIo;
use serde::{Serialize, de::DeserializeOwned};
use tokio::{net::UnixStream, task::AbortHandle};

use super::format::Filters;
use crate::{frontend::api::wire::ErrorResponse, kernel::Settings};

/// Why the daemon did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nobody listens.
    #[error("Cannot connect to the netebpf daemon at {}. Is it running? Start it with: netebpf daemon", .0.display())]
    NoDaemon(PathBuf),
    /// The socket cannot be used.
    #[error("cannot connect to the netebpf daemon at {}: {source}", path.display())]
    Connect {
        /// Where.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The daemon refused.
    #[error("Error response from daemon: {}", .response.message)]
    Daemon {
        /// What kind of refusal it is.
        status: StatusCode,
        /// Why.
        response: ErrorResponse,
    },
    /// The connection broke, or what came is no HTTP.
    #[error("the connection to the netebpf daemon broke: {0}")]
    Broken(#[from] hyper::Error),
    /// The daemon has ended while it was followed.
    #[error("the netebpf daemon has ended")]
    Ended,
    /// What came is not what was asked for.
    #[error("cannot understand the netebpf daemon's answer to {path}: {source}; is it of another version?")]
    Answer {
        /// What was asked for.
        path: String,
        /// What is wrong with the answer.
        source: serde_json::Error,
    },
    /// What was typed does not make a request.
    #[error("cannot ask for {path}: {source}")]
    Request {
        /// What was to be asked for.
        path: String,
        /// What is wrong.
        source: hyper::http::Error,
    },
}

impl Error {
    /// Whether what was asked for is not there.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Daemon { status: StatusCode::NOT_FOUND, .. })
    }
}

/// A client of one engine.
#[derive(Debug, Clone)]
pub struct Client {
    socket: PathBuf,
}

impl Client {
    /// A client of the engine with these directories; connects when it is asked something.
    #[must_use]
    pub fn new(settings: &Settings) -> Self {
        Self { socket: settings.socket() }
    }

    /// Asks for something.
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Error> {
        let answer = self.ask(Method::GET, path, Bytes::new()).await?;
        parse(path, &answer)
    }

    /// Makes something, and returns what the daemon tells of it.
    pub async fn create<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T, Error> {
        let answer = self.ask(Method::POST, path, to_json(path, body)?).await?;
        parse(path, &answer)
    }

    /// Has something done.
    pub async fn post(&self, path: &str, body: &impl Serialize) -> Result<(), Error> {
        self.ask(Method::POST, path, to_json(path, body)?).await.map(drop)
    }

    /// Has something removed.
    pub async fn delete(&self, path: &str) -> Result<(), Error> {
        self.ask(Method::DELETE, path, Bytes::new()).await.map(drop)
    }

    /// Follows what the daemon tells, one line after the other.
    pub async fn follow(&self, path: &str) -> Result<Lines, Error> {
        Ok(Lines { stream: self.stream(path).await?, buffer: Vec::new() })
    }

    /// Reads an answer as it comes.
    pub async fn stream(&self, path: &str) -> Result<Stream, Error> {
        let (response, connection) = self.send(Method::GET, path, Bytes::new()).await?;
        let mut stream = Stream { body: response, connection };
        let status = stream.body.status();
        if status.is_success() {
            return Ok(stream);
        }
        let answer = stream.body.body_mut().collect().await?.to_bytes();
        Err(refusal(status, &answer))
    }

    async fn ask(&self, method: Method, path: &str, body: Bytes) -> Result<Bytes, Error> {
        let (response, connection) = self.send(method, path, body).await?;
        let status = response.status();
        let answer = response.into_body().collect().await?.to_bytes();
        connection.abort();
        // What is as it should be already is not changed: Docker's answer to a second start.
        let is_done = status.is_success() || status == StatusCode::NOT_MODIFIED;
        if is_done { Ok(answer) } else { Err(refusal(status, &answer)) }
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<(Response<Incoming>, AbortHandle), Error> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, "netebpf")
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(body))
            .map_err(|source| Error::Request { path: path.to_owned(), source })?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(self.connect().await?)).await?;
        let connection = tokio::spawn(connection).abort_handle();
        Ok((sender.send_request(request).await?, connection))
    }

    async fn connect(&self) -> Result<UnixStream, Error> {
        UnixStream::connect(&self.socket).await.map_err(|source| {
            let path = self.socket.clone();
            let nobody = matches!(source.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused);
            if nobody { Error::NoDaemon(path) } else { Error::Connect { path, source } }
        })
    }
}

/// An answer that may have no end.
#[derive(Debug)]
pub struct Stream {
    body: Response<Incoming>,
    connection: AbortHandle,
}

impl Stream {
    /// Waits for more; `None` when the daemon has no more. May be cancelled without losing any.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        loop {
            let Some(frame) = self.body.body_mut().frame().await else { return Ok(None) };
            if let Ok(data) = frame?.into_data() {
                return Ok(Some(data));
            }
        }
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.connection.abort();
    }
}

/// An answer without end, as lines.
#[derive(Debug)]
pub struct Lines {
    stream: Stream,
    buffer: Vec<u8>,
}

impl Lines {
    /// Waits for the next line; `None` when the daemon has no more. May be cancelled without losing any.
    pub async fn next(&mut self) -> Result<Option<String>, Error> {
        loop {
            if let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
                let line = String::from_utf8_lossy(&self.buffer[..end]).into_owned();
                self.buffer.drain(..=end);
                return Ok(Some(line));
            }
            let Some(data) = self.stream.next().await? else { return Ok(None) };
            self.buffer.extend_from_slice(&data);
        }
    }
}

/// The path of a network, which is told by name, id or the beginning of an id.
pub(super) fn network(reference: &str) -> Result<String, super::Error> {
    let reference = reference.trim();
    if reference.is_empty() {
        return Err(super::Error::NoReference("network"));
    }
    Ok(format!("/networks/{}", segment(reference)))
}

/// Writes a name or id as one segment of a path, or as the value of a parameter (RFC 3986, 2.1).
#[must_use]
pub(super) fn segment(text: &str) -> String {
    let escape = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'~' => char::from(byte).to_string(),
        // A segment of dots alone would be taken for a relative path.
        b'.' if text.len() > 2 => ".".to_owned(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(escape).collect()
}

/// A path with the parameter `filters`, if there are any.
#[must_use]
pub(super) fn query(path: &str, filters: &Filters) -> String {
    if filters.is_empty() {
        path.to_owned()
    } else {
        format!("{path}?filters={}", segment(&filters.to_json()))
    }
}

fn to_json(path: &str, body: &impl Serialize) -> Result<Bytes, Error> {
    serde_json::to_vec(body)
        .map(Bytes::from)
        .map_err(|source| Error::Answer { path: path.to_owned(), source })
}

/// Reads what the daemon answered to a path.
pub(super) fn parse<T: DeserializeOwned>(path: &str, answer: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(answer).map_err(|source| Error::Answer { path: path.to_owned(), source })
}

fn refusal(status: StatusCode, answer: &[u8]) -> Error {
    let response = serde_json::from_slice(answer).unwrap_or_else(|_| ErrorResponse {
        message: format!("{status}: {}", String::from_utf8_lossy(answer)),
        exit_code: None,
    });
    Error::Daemon { status, response }
}

#[cfg(test)]
mod tests {
    use super::segment;

    #[test]
    fn names_cannot_leave_their_segment() {
        assert_eq!(segment("front-1_x"), "front-1_x");
        assert_eq!(segment("a/../b c?d"), "a%2F..%2Fb%20c%3Fd");
        assert_eq!(segment(".."), "%2E%2E");
    }
}
