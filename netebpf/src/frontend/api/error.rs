//! Which status code an error gets.

use std::io;

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use tracing::debug;

use super::{body::NumberError, version::ApiVersion, wire::ErrorResponse};
use crate::{
    change::{self, Kind},
    daemon,
    dns::KindError,
    model::{
        DnsError, DriverError, ExposeError, ExtraHostError, HostnameError, LinkError, NameError,
        ProtocolError, PublishError, SignalError,
    },
};

/// Why a request is answered with an error.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error(transparent)]
    Daemon(#[from] daemon::Error),
    #[error("page not found")]
    NoSuchPage,
    #[error(
        "client version {0} is too old. Minimum supported API version is {oldest}, please upgrade your client to a \
         newer version",
        oldest = ApiVersion::OLDEST
    )]
    TooOld(String),
    #[error("client version {0} is too new. Maximum supported API version is {newest}", newest = ApiVersion::NEWEST)]
    TooNew(String),
    #[error("method not allowed")]
    MethodNotAllowed,
    #[error("cannot read the request: {reason}")]
    Unreadable { status: StatusCode, reason: String },
    #[error("cannot read the request: {0}")]
    Json(serde_json::Error),
    #[error(transparent)]
    Name(#[from] NameError),
    #[error("invalid JSON: ParseAddr({0:?}): unable to parse IP")]
    Address(String),
    #[error("{matches} matches found based on ID prefix: network {reference} is ambiguous")]
    Ambiguous { reference: String, matches: usize },
    #[error(transparent)]
    Driver(#[from] DriverError),
    #[error("invalid scope: {0:?}, it must be local, or swarm on a manager of a swarm")]
    Scope(String),
    #[error(transparent)]
    Publish(#[from] PublishError),
    #[error(transparent)]
    Protocol(#[from] ProtocolError),
    #[error("invalid range of ports: {first}-{last}, the last one must not come before the first")]
    PortRange { first: u16, last: u16 },
    #[error(transparent)]
    Expose(#[from] ExposeError),
    #[error(transparent)]
    Link(#[from] LinkError),
    #[error(transparent)]
    Signal(#[from] SignalError),
    #[error(transparent)]
    Dns(#[from] DnsError),
    #[error(transparent)]
    Hostname(#[from] HostnameError),
    #[error(transparent)]
    ExtraHost(#[from] ExtraHostError),
    #[error("invalid MAC address: {0}, write six bytes in hexadecimal, such as 02:42:ac:11:00:02")]
    Mac(String),
    #[error("unknown {what} {name:?}: known are {}", known.join(", "))]
    UnknownName { what: &'static str, name: String, known: Vec<&'static str> },
    #[error("invalid filter{}", if .0.is_empty() { String::new() } else { format!(" '{}'", .0) })]
    UnknownFilter(String),
    #[error("invalid value for filter '{0}', must be \"true\" (or \"1\"), or \"false\" (or \"0\")")]
    NoTruth(&'static str),
    #[error("invalid value for {name}: {value}: strconv.ParseBool: parsing {value:?}: invalid syntax")]
    Switch { name: &'static str, value: String },
    #[error("invalid filter: '{name}'='{value}'")]
    FilterValue { name: &'static str, value: String },
    #[error("invalid filter '{name}={value}': invalid value for {what} ({value}): must be one of {}", known.join(", "))]
    FilterChoice { name: &'static str, what: &'static str, value: String, known: &'static [&'static str] },
    #[error("invalid filter '{name}={value}': {source}")]
    FilterNumber { name: &'static str, value: String, source: NumberError },
    #[error("filter for '{name}' should not contain ':': {value}")]
    FilterColon { name: &'static str, value: String },
    #[error("error while looking up for {name} {value}: write PORT[-PORT][/tcp|udp|sctp]")]
    FilterPort { name: &'static str, value: String },
    #[error("{doing}: {source}")]
    During { doing: String, source: Box<Self> },
    #[error("Neither old nor new names may be empty")]
    EmptyName,
    #[error("Error when allocating new name: {0}")]
    NewName(NameError),
    #[error("invalid condition: {0:?}")]
    Condition(String),
    #[error("must specify at least one of 'stdout' or 'stderr'")]
    NoStream,
    #[error(
        "invalid value for '{name}': invalid timestamp {value:?}: write seconds since 1970, also with a fraction"
    )]
    Moment { name: &'static str, value: String },
    #[error("`since` time ({since}) cannot be after `until` time ({until})")]
    Reversed { since: String, until: String },
    #[error("{0}")]
    NotHere(&'static str),
    #[error("cannot read the log of the container: {0}")]
    Log(io::Error),
    #[error(transparent)]
    Number(#[from] NumberError),
    #[error(transparent)]
    RecordType(#[from] KindError),
    #[error("sandbox {0} has no name server: it must run, and be on a network other than the default one")]
    NoNameServer(String),
    #[error("more than one until filter specified")]
    SeveralUntil,
    #[error("failed to parse value as time or duration: {0:?}")]
    Until(String),
    #[error("{0} is not supported")]
    Unsupported(&'static str),
    #[error("got more than one value for filter key \"{0}\"")]
    SeveralValues(&'static str),
}

impl From<change::Error> for Error {
    fn from(error: change::Error) -> Self {
        Self::Daemon(error.into())
    }
}

impl Error {
    /// What was being done when it happened, in front of it.
    pub(super) fn during(self, doing: &str) -> Self {
        Self::During { doing: doing.to_owned(), source: Box::new(self) }
    }

    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::During { source, .. } => source.status(),
            Self::NotHere(_) => StatusCode::NOT_IMPLEMENTED,
            Self::Log(_) => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Daemon(error) => status_of(error),
            Self::NoSuchPage | Self::Driver(DriverError::NotFound(_)) => StatusCode::NOT_FOUND,
            Self::Driver(DriverError::NotManager) => StatusCode::FORBIDDEN,
            Self::NoNameServer(_) => StatusCode::CONFLICT,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::Unreadable { status, .. } => *status,
            Self::TooOld(_)
            | Self::TooNew(_)
            | Self::Ambiguous { .. }
            | Self::Json(_)
            | Self::Name(_)
            | Self::Address(_)
            | Self::Scope(_)
            | Self::Publish(_)
            | Self::Protocol(_)
            | Self::PortRange { .. }
            | Self::Expose(_)
            | Self::Link(_)
            | Self::Signal(_)
            | Self::Dns(_)
            | Self::RecordType(_)
            | Self::Hostname(_)
            | Self::ExtraHost(_)
            | Self::Unsupported(_)
            | Self::Mac(_)
            | Self::UnknownName { .. }
            | Self::UnknownFilter(_)
            | Self::NoTruth(_)
            | Self::Switch { .. }
            | Self::FilterValue { .. }
            | Self::FilterChoice { .. }
            | Self::FilterNumber { .. }
            | Self::FilterColon { .. }
            | Self::FilterPort { .. }
            | Self::Number(_)
            | Self::EmptyName
            | Self::NewName(_)
            | Self::Condition(_)
            | Self::NoStream
            | Self::Moment { .. }
            | Self::Reversed { .. }
            | Self::SeveralValues(_)
            | Self::SeveralUntil
            | Self::Until(_) => StatusCode::BAD_REQUEST,
        }
    }
}

fn status_of(error: &daemon::Error) -> StatusCode {
    match error {
        daemon::Error::Change(error) => match error.kind() {
            Kind::NotFound => StatusCode::NOT_FOUND,
            Kind::Conflict => StatusCode::CONFLICT,
            Kind::Forbidden => StatusCode::FORBIDDEN,
            Kind::InvalidParameter => StatusCode::BAD_REQUEST,
            Kind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        },
        daemon::Error::CommandNotFound { .. }
        | daemon::Error::CommandNotExecutable { .. }
        | daemon::Error::ExtraHost(_)
        | daemon::Error::NoSuchProcess { .. } => StatusCode::BAD_REQUEST,
        daemon::Error::StartedAlready { .. } => StatusCode::CONFLICT,
        daemon::Error::ShuttingDown => StatusCode::SERVICE_UNAVAILABLE,
        daemon::Error::Store(_) | daemon::Error::Kernel(_) | daemon::Error::Undying => {
            StatusCode::INTERNAL_SERVER_ERROR
        }
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let exit_code = if let Self::Daemon(error) = &self { error.exit_code() } else { None };
        let body = ErrorResponse { message: self.to_string(), exit_code };
        debug!(status = %self.status(), message = body.message, "answered with an error");
        (self.status(), Json(body)).into_response()
    }
}
