//! What single values of flags may be, as Docker's client checks them while it reads its command line.

use std::net::IpAddr;

use clap::builder::{StringValueParser, TypedValueParser};
use ipnet::IpNet;

use crate::model::parse_bool;

/// A value that makes no sense; the words are Docker's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum ValueError {
    /// A variable without name.
    #[error("invalid environment variable: {0}")]
    Variable(String),
    /// A label without key.
    #[error("invalid label '{0}': empty name")]
    EmptyLabel(String),
    /// A label's key with white space.
    #[error("label '{0}' contains whitespaces")]
    SpacedLabel(String),
    /// Text that is no address.
    #[error("failed to parse IP: {0:?}")]
    Address(String),
    /// The same, where several may be given.
    #[error("invalid string being converted to IP address: {0}")]
    AddressOfSeveral(String),
    /// Text that is no subnet.
    #[error("invalid string being converted to CIDR: {0}")]
    Subnet(String),
    /// Text that is neither true nor false.
    #[error("{0}")]
    Truth(String),
}

/// `NAME` or `NAME=VALUE`.
pub(super) fn variable(text: &str) -> Result<String, ValueError> {
    let is_named = !text.is_empty() && !text.starts_with('=');
    if is_named { Ok(text.to_owned()) } else { Err(ValueError::Variable(text.to_owned())) }
}

/// A label may be a key alone; its value is empty then.
pub(super) fn label(text: &str) -> Result<(String, String), ValueError> {
    const SPACE: [char; 2] = [' ', '\t'];
    let (key, value) = pair(text);
    let shown = key.trim_start_matches(SPACE);
    if shown.is_empty() {
        return Err(ValueError::EmptyLabel(text.to_owned()));
    }
    if shown.contains(SPACE) {
        return Err(ValueError::SpacedLabel(shown.to_owned()));
    }
    Ok((key, value))
}

/// `KEY=VALUE`; without an equals sign the value is empty.
pub(super) fn option() -> impl TypedValueParser<Value = (String, String)> {
    StringValueParser::new().map(|text| pair(&text))
}

/// An address of either IP version: whether it is the right one is for the network to say.
pub(super) fn address(text: &str) -> Result<IpAddr, ValueError> {
    text.trim().parse().map_err(|_| ValueError::Address(text.to_owned()))
}

/// One of several addresses.
pub(super) fn one_address(text: &str) -> Result<IpAddr, ValueError> {
    text.trim().parse().map_err(|_| ValueError::AddressOfSeveral(text.to_owned()))
}

/// One of several gateways; nothing stands for none.
pub(super) fn one_gateway(text: &str) -> Result<Option<IpAddr>, ValueError> {
    if text.is_empty() { Ok(None) } else { one_address(text).map(Some) }
}

/// One of several subnets, whose address may be any in it; nothing stands for none.
pub(super) fn one_subnet(text: &str) -> Result<Option<IpNet>, ValueError> {
    let read = |text: &str| text.trim().parse::<IpNet>().map_err(|_| ValueError::Subnet(text.to_owned()));
    if text.is_empty() { Ok(None) } else { read(text).map(|subnet| Some(subnet.trunc())) }
}

/// `true`, `1`, `f` and what else Go takes.
pub(super) fn truth(text: &str) -> Result<bool, ValueError> {
    parse_bool(text).map_err(ValueError::Truth)
}

fn pair(text: &str) -> (String, String) {
    let (key, value) = text.split_once('=').unwrap_or((text, ""));
    (key.to_owned(), value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_have_a_key_without_space() {
        let read = |text| label(text).map_err(|error| error.to_string());
        let pair = |key: &str, value: &str| Ok((key.to_owned(), value.to_owned()));
        assert_eq!(read("stage=a=b"), pair("stage", "a=b"));
        assert_eq!(read("bare"), pair("bare", ""));
        for (text, error) in [
            ("", "invalid label '': empty name"),
            ("=x", "invalid label '=x': empty name"),
            (" =x", "invalid label ' =x': empty name"),
            ("a b=c", "label 'a b' contains whitespaces"),
        ] {
            assert_eq!(read(text), Err(error.to_owned()));
        }
    }

    #[test]
    fn variables_have_a_name() {
        for text in ["A", "A=", "A=b=c"] {
            assert_eq!(variable(text), Ok(text.to_owned()));
        }
        for text in ["", "=1"] {
            assert_eq!(variable(text), Err(ValueError::Variable(text.to_owned())));
        }
    }
}
