//! Which version of Docker's API does a request speak?

use std::{fmt, str::FromStr};

use axum::{
    extract::Request,
    middleware::Next,
    response::{IntoResponse as _, Response},
};

use super::Error;

/// A version of Docker's API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ApiVersion {
    major: u16,
    minor: u16,
}

impl ApiVersion {
    /// The newest one whose network shapes are answered; requests without a version speak it.
    pub(super) const NEWEST: Self = Self::new(1, 55);
    /// The oldest one: clients below it send shapes that nobody has sent for years (Engine 29's own limit).
    pub(super) const OLDEST: Self = Self::new(1, 40);
    /// The first one that does not count a container's identifier and host name among its aliases.
    pub(super) const WITHOUT_MADE_UP_ALIASES: Self = Self::new(1, 45);
    /// The first one that tells which kind of stream logs are.
    pub(super) const WITH_STREAM_TYPES: Self = Self::new(1, 42);
    /// The first one in which a network may go without IPv4 addresses.
    pub(super) const WITH_IPV4_SWITCH: Self = Self::new(1, 48);
    /// The first one that tells how full networks are, and does without what was shown twice.
    pub(super) const WITH_STATUS: Self = Self::new(1, 52);

    const fn new(major: u16, minor: u16) -> Self {
        Self { major, minor }
    }
}

/// Refuses versions that are not spoken here; the others become an extension of the request.
pub(super) async fn negotiate(mut request: Request, next: Next) -> Response {
    match spoken(request.uri().path()) {
        Ok(version) => {
            request.extensions_mut().insert(version);
            next.run(request).await
        }
        Err(error) => error.into_response(),
    }
}

/// The version at the beginning of a path.
fn spoken(path: &str) -> Result<ApiVersion, Error> {
    let prefix = path.strip_prefix("/v").and_then(|rest| rest.split_once('/'));
    let Some((text, _)) = prefix else { return Ok(ApiVersion::NEWEST) };
    let version: ApiVersion = text.parse().map_err(|()| Error::NoSuchPage)?;
    if version < ApiVersion::OLDEST {
        Err(Error::TooOld(text.to_owned()))
    } else if version > ApiVersion::NEWEST {
        Err(Error::TooNew(text.to_owned()))
    } else {
        Ok(version)
    }
}

impl FromStr for ApiVersion {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (major, minor) = text.split_once('.').unwrap_or((text, "0"));
        let number = |text: &str| text.parse().map_err(drop);
        Ok(Self { major: number(major)?, minor: number(minor)? })
    }
}

impl fmt::Display for ApiVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_the_path_and_refused_in_dockers_words() {
        let spoken =
            |path| spoken(path).map(|version| version.to_string()).map_err(|error| error.to_string());
        assert_eq!(spoken("/v1.47/networks"), Ok("1.47".to_owned()));
        for unversioned in ["/networks", "/version", "/_ping", "/netebpf/status"] {
            assert_eq!(spoken(unversioned), Ok(ApiVersion::NEWEST.to_string()));
        }
        let old = "client version 1.24 is too old. Minimum supported API version is 1.40, please upgrade your \
                   client to a newer version";
        assert_eq!(spoken("/v1.24/networks"), Err(old.to_owned()));
        let new = "client version 1.99 is too new. Maximum supported API version is 1.55";
        assert_eq!(spoken("/v1.99/networks"), Err(new.to_owned()));
        assert_eq!(spoken("/vast/networks"), Err("page not found".to_owned()));
        assert!(ApiVersion::new(1, 9) < ApiVersion::new(1, 10));
    }
}
