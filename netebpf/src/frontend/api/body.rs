//! Reads what a request carries; nonsense is answered in the API's own error shape.

use std::{
    num::{IntErrorKind, ParseIntError},
    str::FromStr,
};

use axum::{
    extract::{FromRequest, FromRequestParts, Path, Query, Request},
    http::request::Parts,
};
use bytes::Bytes;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

use super::error::Error;

/// A JSON body.
pub(super) struct Body<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<Self, Error> {
        serde_json::from_slice(&read(request, state).await?).map(Self).map_err(Error::Json)
    }
}

/// A JSON body of Docker's clients, in which null stands for nothing, whatever should be there: so Go reads it.
pub(super) struct DockersBody<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for DockersBody<T> {
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<Self, Error> {
        let mut value = serde_json::from_slice(&read(request, state).await?).map_err(Error::Json)?;
        remove_nulls(&mut value);
        serde_json::from_value(value).map(Self).map_err(Error::Json)
    }
}

async fn read<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Error> {
    let unreadable = |status, reason| Error::Unreadable { status, reason };
    let bytes = Bytes::from_request(request, state).await;
    bytes.map_err(|rejection| unreadable(rejection.status(), rejection.body_text()))
}

fn remove_nulls(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|_, member| !member.is_null());
            members.values_mut().for_each(remove_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(remove_nulls),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The parameters after the question mark.
pub(super) struct Parameters<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Parameters<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let query = Query::from_request_parts(parts, state).await.map_err(|rejection| Error::Unreadable {
            status: rejection.status(),
            reason: rejection.body_text(),
        })?;
        Ok(Self(query.0))
    }
}

/// The name, id or beginning of an id in the path.
pub(super) struct Id(pub(super) String);

/// What the path captures; a version prefix is captured, too, and means nothing.
#[derive(Deserialize)]
struct Captures {
    /// None where a word of the API stands in its place.
    id: Option<String>,
}

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let path: Path<Captures> = Path::from_request_parts(parts, state).await.map_err(|rejection| {
            Error::Unreadable { status: rejection.status(), reason: rejection.body_text() }
        })?;
        let last = || parts.uri.path().rsplit('/').next().unwrap_or_default().to_owned();
        Ok(Self(path.0.id.unwrap_or_else(last)))
    }
}

/// Whether a switch is on, as Docker reads it: off are nothing, `0`, `no`, `false` and `none`.
pub(super) fn is_set(text: Option<&str>) -> bool {
    let text = text.unwrap_or_default().trim().to_ascii_lowercase();
    !matches!(text.as_str(), "" | "0" | "no" | "false" | "none")
}

/// A number of a parameter.
pub(super) fn number<T: FromStr<Err = ParseIntError>>(text: &str) -> Result<T, NumberError> {
    text.parse().map_err(|source: ParseIntError| {
        let is_too_much = matches!(source.kind(), IntErrorKind::PosOverflow | IntErrorKind::NegOverflow);
        let problem = if is_too_much { "value out of range" } else { "invalid syntax" };
        NumberError { text: text.to_owned(), problem }
    })
}

/// Text that is no number, in the words of Go.
#[derive(Debug, thiserror::Error)]
#[error("strconv.Atoi: parsing {text:?}: {problem}")]
pub(super) struct NumberError {
    text: String,
    problem: &'static str,
}
