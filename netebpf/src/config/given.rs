//! Directives with their values, as a file or a command line gives them.

use std::str::FromStr;

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use super::{
    Fault,
    directives::{Directives, schema},
};

/// A JSON object with some of the directives.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Given(Map<String, Value>);

impl FromStr for Given {
    type Err = Fault;

    /// Reads a file, which may be empty or begin with a byte order mark.
    fn from_str(text: &str) -> Result<Self, Fault> {
        let text = text.trim_start_matches('\u{feff}').trim();
        if text.is_empty() {
            return Ok(Self::default());
        }
        match serde_json::from_str(text).map_err(Fault::Json)? {
            Value::Object(object) => Ok(Self(object)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                Err(Fault::NoObject)
            }
        }
    }
}

impl Given {
    /// What flags give.
    ///
    /// # Panics
    ///
    /// When they do not become a JSON object, which is a property of their type.
    #[must_use]
    pub fn by_flags(flags: &impl Serialize) -> Self {
        match serde_json::to_value(flags) {
            Ok(Value::Object(object)) => Self(object),
            other => unreachable!("flags are an object: {other:?}"),
        }
    }

    /// Refuses directives that do not exist, and those that flags give as well, as Docker does.
    pub(super) fn refuse_conflicts(&self, flags: &Self) -> Result<(), Fault> {
        let schema = schema();
        let known = schema.get("properties").and_then(Value::as_object);
        let is_unknown = |key: &&String| !known.is_some_and(|known| known.contains_key(*key));
        let unknown: Vec<_> = self.0.keys().filter(is_unknown).cloned().collect();
        if !unknown.is_empty() {
            return Err(Fault::Unknown(unknown));
        }
        if self.0.contains_key(HOST_GATEWAY) && self.0.contains_key(HOST_GATEWAYS) {
            return Err(Fault::HostGatewayTwice);
        }
        let conflicts: Vec<_> = self
            .0
            .iter()
            .filter_map(|(key, value)| {
                let flag = flags.0.get(if key == HOST_GATEWAY { HOST_GATEWAYS } else { key })?;
                Some(format!("{key}: (from flag: {}, from file: {})", in_go(flag), in_go(value)))
            })
            .collect();
        if conflicts.is_empty() { Ok(()) } else { Err(Fault::Conflicts(conflicts)) }
    }

    /// Refuses values that are not of their directive's kind.
    pub(super) fn check(&self) -> Result<(), Fault> {
        let schema = schema();
        for (key, value) in self.0.iter().filter(|(_, value)| !value.is_null()) {
            let alone = Map::from_iter([(key.clone(), value.clone())]);
            if let Err(error) = from_object::<Directives>(alone) {
                let example = schema.pointer(&format!("/properties/{key}/examples/0"));
                return Err(Fault::Value {
                    directive: key.clone(),
                    value: value.to_string(),
                    reason: error.to_string(),
                    example: example.map(Value::to_string).unwrap_or_default(),
                });
            }
        }
        Ok(())
    }

    /// These and those.
    pub(super) fn with(mut self, others: Self) -> Self {
        self.0.extend(others.0);
        self
    }

    /// What they say together with the defaults. A null says nothing, as in Docker's file.
    pub(super) fn read(self) -> Result<Directives, Fault> {
        from_object(self.0.into_iter().filter(|(_, value)| !value.is_null()).collect()).map_err(Fault::Json)
    }
}

/// The old name of [`HOST_GATEWAYS`], with one address.
const HOST_GATEWAY: &str = "host-gateway-ip";
const HOST_GATEWAYS: &str = "host-gateway-ips";

fn from_object<T: DeserializeOwned>(object: Map<String, Value>) -> serde_json::Result<T> {
    serde_json::from_value(Value::Object(object))
}

/// A value as Go prints it.
fn in_go(value: &Value) -> String {
    match value {
        Value::Null => "<nil>".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(elements) => {
            let elements: Vec<_> = elements.iter().map(in_go).collect();
            format!("[{}]", elements.join(" "))
        }
        Value::Object(object) => {
            let pairs: Vec<_> = object.iter().map(|(key, value)| format!("{key}:{}", in_go(value))).collect();
            format!("map[{}]", pairs.join(" "))
        }
        Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}
