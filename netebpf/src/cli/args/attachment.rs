//! What `--network` takes: a name, or `name=NAME` with what is wished there, as Docker's client reads it.

use std::{collections::BTreeMap, net::IpAddr, str::FromStr};

/// A network that a sandbox is to join, with what it is to have there.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NetworkAttachment {
    /// Name or identifier of the network, `host`, `none` or `container:NAME`.
    pub target: String,
    /// Further names of the sandbox.
    pub aliases: Vec<String>,
    /// Options of the driver.
    pub driver_options: BTreeMap<String, String>,
    /// IPv4 address.
    pub ip: Option<IpAddr>,
    /// IPv6 address.
    pub ip6: Option<IpAddr>,
    /// Further addresses of the interface.
    pub link_local_ips: Vec<IpAddr>,
    /// MAC, not read yet.
    pub mac: Option<String>,
    /// Of several networks that lead out the one with the highest is the way.
    pub gateway_priority: i64,
}

/// Why a text is no network to join; the words are Docker's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AttachmentError {
    /// A field has no key or no value.
    #[error("invalid field {0}")]
    Field(String),
    /// A field is not known.
    #[error("invalid field key {0}")]
    Key(String),
    /// The name is missing.
    #[error("network name/id is not specified")]
    NoName,
    /// An address is none.
    #[error("ParseAddr({0:?}): unable to parse IP")]
    Address(String),
    /// An option has no key or no value.
    #[error("invalid key value pair format in driver options")]
    DriverOption,
    /// The priority is no number.
    #[error("invalid gw-priority ({text}): {problem}")]
    Priority {
        /// What stands there.
        text: String,
        /// `invalid syntax` or `value out of range`.
        problem: &'static str,
    },
    /// Quotes that do not pair.
    #[error("parse error on line 1: bare or unpaired \" in a field")]
    Quotes,
}

impl FromStr for NetworkAttachment {
    type Err = AttachmentError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if !has_fields(text) {
            return Ok(Self { target: text.to_owned(), ..Self::default() });
        }
        let mut attachment = Self::default();
        for field in fields(text)? {
            attachment.set(&field)?;
        }
        if attachment.target.is_empty() { Err(AttachmentError::NoName) } else { Ok(attachment) }
    }
}

impl NetworkAttachment {
    fn set(&mut self, field: &str) -> Result<(), AttachmentError> {
        // Docker takes fields in any case, and the values with them.
        let lower = field.to_lowercase();
        let (key, value) = pair(&lower).ok_or_else(|| AttachmentError::Field(field.to_owned()))?;
        let text = value.to_owned();
        match key {
            "name" => self.target = text,
            "alias" => self.aliases.push(text),
            "ip" => self.ip = Some(address(value)?),
            "ip6" => self.ip6 = Some(address(value)?),
            "mac-address" => self.mac = Some(text),
            "link-local-ip" => self.link_local_ips.push(address(value)?),
            "driver-opt" => {
                let (key, value) = pair(value).ok_or(AttachmentError::DriverOption)?;
                self.driver_options.insert(key.to_owned(), value.to_owned());
            }
            "gw-priority" => self.gateway_priority = priority(value)?,
            _ => return Err(AttachmentError::Key(key.to_owned())),
        }
        Ok(())
    }
}

/// Whether an equals sign stands between two characters of words; otherwise the text is a name.
fn has_fields(text: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    text.as_bytes()
        .windows(3)
        .any(|bytes| matches!(bytes, [before, b'=', after] if is_word(*before) && is_word(*after)))
}

/// The fields between commas; one with a comma in it stands in quotes, with quotes doubled, as in CSV.
fn fields(text: &str) -> Result<Vec<String>, AttachmentError> {
    let mut fields = Vec::new();
    let mut rest = text;
    loop {
        let (field, after) = match rest.strip_prefix('"') {
            Some(quoted) => quoted_field(quoted)?,
            None => plain_field(rest)?,
        };
        fields.push(field);
        match after {
            Some(after) => rest = after,
            None => return Ok(fields),
        }
    }
}

fn plain_field(text: &str) -> Result<(String, Option<&str>), AttachmentError> {
    let (field, after) = text.split_once(',').map_or((text, None), |(field, after)| (field, Some(after)));
    if field.contains('"') { Err(AttachmentError::Quotes) } else { Ok((field.to_owned(), after)) }
}

fn quoted_field(text: &str) -> Result<(String, Option<&str>), AttachmentError> {
    let mut field = String::new();
    let mut rest = text;
    loop {
        let (inner, after) = rest.split_once('"').ok_or(AttachmentError::Quotes)?;
        field.push_str(inner);
        match after.chars().next() {
            None => return Ok((field, None)),
            Some(',') => return Ok((field, Some(&after[1..]))),
            Some('"') => {
                field.push('"');
                rest = &after[1..];
            }
            Some(_) => return Err(AttachmentError::Quotes),
        }
    }
}

fn pair(text: &str) -> Option<(&str, &str)> {
    let (key, value) = text.split_once('=')?;
    (!key.is_empty()).then(|| (key.trim(), value.trim()))
}

fn address(text: &str) -> Result<IpAddr, AttachmentError> {
    text.parse().map_err(|_| AttachmentError::Address(text.to_owned()))
}

fn priority(text: &str) -> Result<i64, AttachmentError> {
    text.parse().map_err(|_| {
        let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
        let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        let problem = if is_number { "value out of range" } else { "invalid syntax" };
        AttachmentError::Priority { text: text.to_owned(), problem }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> NetworkAttachment {
        text.parse().expect(text)
    }

    #[test]
    fn a_text_without_fields_is_a_name() {
        for name in ["front", "Front", "host", "container:web", "", "name=", "=x", "a b", "alias=,ip="] {
            assert_eq!(parse(name), NetworkAttachment { target: name.to_owned(), ..Default::default() });
        }
    }

    #[test]
    fn every_field_is_understood() {
        let text = "name=front,alias=web,alias=www,ip=10.1.0.5,ip6=fd00::5,mac-address=02:42:00:00:00:05,\
                    link-local-ip=169.254.8.8,link-local-ip=fe80::8,driver-opt=a.b=1,driver-opt=C= 2,gw-priority=-7";
        let options = [("a.b", "1"), ("c", "2")].map(|(key, value)| (key.to_owned(), value.to_owned()));
        let expected = NetworkAttachment {
            target: "front".to_owned(),
            aliases: vec!["web".to_owned(), "www".to_owned()],
            driver_options: options.into(),
            ip: "10.1.0.5".parse().ok(),
            ip6: "fd00::5".parse().ok(),
            link_local_ips: ["169.254.8.8", "fe80::8"].map(|text| text.parse().expect("an address")).into(),
            mac: Some("02:42:00:00:00:05".to_owned()),
            gateway_priority: -7,
        };
        assert_eq!(parse(text), expected);
    }

    #[test]
    fn fields_are_read_in_any_case_with_space_around_them_and_in_quotes() {
        let expected = NetworkAttachment {
            target: "front".to_owned(),
            aliases: vec!["web".to_owned()],
            ..Default::default()
        };
        assert_eq!(parse("NAME=Front,Alias= web "), expected);
        assert_eq!(parse("name=front,\"alias=web\""), expected);
        let sysctls = parse("name=x,\"driver-opt=s=net.ipv4.conf.IFNAME.a=1,b=\"\"2\"\"\"");
        let value = sysctls.driver_options.get("s").map(String::as_str);
        assert_eq!(value, Some("net.ipv4.conf.ifname.a=1,b=\"2\""));
    }

    #[test]
    fn other_texts_are_refused_in_dockers_words() {
        for (text, message) in [
            ("name=front,ip", "invalid field ip"),
            ("name=front,", "invalid field "),
            ("name=front,=x", "invalid field =x"),
            ("alias=web", "network name/id is not specified"),
            ("name=,alias=web", "network name/id is not specified"),
            ("name=front,ip=10.1", "ParseAddr(\"10.1\"): unable to parse IP"),
            ("name=front,ip6=x", "ParseAddr(\"x\"): unable to parse IP"),
            ("name=front,link-local-ip=", "ParseAddr(\"\"): unable to parse IP"),
            ("name=front,driver-opt=a", "invalid key value pair format in driver options"),
            ("name=front,driver-opt==1", "invalid key value pair format in driver options"),
            ("name=front,colour=red", "invalid field key colour"),
            ("name=front,gw-priority=high", "invalid gw-priority (high): invalid syntax"),
            (
                "name=front,gw-priority=9223372036854775808",
                "invalid gw-priority (9223372036854775808): value out of range",
            ),
            ("name=front,\"alias=web", "parse error on line 1: bare or unpaired \" in a field"),
            ("name=front,al\"ias=web", "parse error on line 1: bare or unpaired \" in a field"),
        ] {
            let error = text.parse::<NetworkAttachment>().expect_err(text).to_string();
            assert_eq!(error, message, "{text}");
        }
    }
}
