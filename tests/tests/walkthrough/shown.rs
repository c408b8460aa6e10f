//! Does an answer have what a document shows? Ids and MAC addresses are another's every time; the rest is the same.

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Map, Value, json};

/// Stands for any id, in what is expected.
const ID: &str = "<id>";
/// Stands for any MAC of one interface. Docker before 28 made them of IPv4 addresses, as the documents show; today they are
/// random and marked as locally administered.
const MAC: &str = "<mac>";

/// Fields of networks that came after the documents.
pub(crate) const NEWER_OF_NETWORKS: &[&str] = &[
    "Created",
    "EnableIPv4",
    "EnableIPv6",
    "Internal",
    "Attachable",
    "Ingress",
    "ConfigFrom",
    "ConfigOnly",
    "Status",
];
/// Fields of a sandbox's networks that came after the documents, or that they leave out where they are null.
pub(crate) const NEWER_OF_ENDPOINTS: &[&str] = &["Links", "Aliases", "DriverOpts", "GwPriority", "DNSNames"];

/// A network of the driver bridge with one subnet, with today's address of the gateway: the documents show it with or
/// without the length of the prefix.
pub(crate) fn network(name: &str, subnet: &str, gateway: &str) -> Value {
    json!({
        "Name": name,
        "Id": ID,
        "Scope": "local",
        "Driver": "bridge",
        "IPAM": {
            "Driver": "default",
            "Options": {},
            "Config": [{ "Subnet": subnet, "Gateway": gateway }],
        },
        "Containers": {},
        "Options": {},
        "Labels": {},
    })
}

/// A network as [`network`], with another value in one place.
pub(crate) fn with(network: &Value, pointer: &str, value: Value) -> Value {
    let mut network = network.clone();
    if let Some(place) = network.pointer_mut(pointer) {
        *place = value;
    }
    network
}

/// What `network inspect` shows of sandboxes: id, name and address with prefix length of each.
pub(crate) fn members(members: &[(&str, &str, &str)]) -> Value {
    let member = |(id, name, address): &(&str, &str, &str)| {
        let fields = json!({
            "Name": name,
            "EndpointID": ID,
            "MacAddress": MAC,
            "IPv4Address": address,
            "IPv6Address": "",
        });
        ((*id).to_owned(), fields)
    };
    Value::Object(members.iter().map(member).collect())
}

/// What `inspect` shows of a sandbox's place in a network, by what the user asked for, the gateway, and the address
/// with its prefix length.
pub(crate) fn endpoint(asked: &Value, gateway: &str, (address, length): (&str, u8)) -> Value {
    json!({
        "IPAMConfig": asked,
        "NetworkID": ID,
        "EndpointID": ID,
        "Gateway": gateway,
        "IPAddress": address,
        "IPPrefixLen": length,
        "IPv6Gateway": "",
        "GlobalIPv6Address": "",
        "GlobalIPv6PrefixLen": 0,
        "MacAddress": MAC,
    })
}

/// Each element of a list or object without fields that all of them must have.
pub(crate) fn without(fields: &[&str], found: Value) -> Result<Value> {
    let strip = |element: &mut Map<String, Value>| -> Result<()> {
        fields.iter().try_for_each(|field| {
            element.remove(*field).map(drop).with_context(|| format!("no field {field}"))
        })
    };
    let mut found = found;
    match &mut found {
        Value::Array(elements) => elements.iter_mut().filter_map(Value::as_object_mut).try_for_each(strip)?,
        Value::Object(elements) => {
            elements.values_mut().filter_map(Value::as_object_mut).try_for_each(strip)?;
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            bail!("neither list nor object: {found}")
        }
    }
    Ok(found)
}

/// Fails unless both are the same but for ids and MAC addresses.
pub(crate) fn same(found: &Value, expected: &Value) -> Result<()> {
    match (found, expected) {
        (Value::Object(found), Value::Object(expected)) => {
            ensure!(found.len() == expected.len(), "{found:?} instead of {expected:?}");
            for (key, value) in expected {
                let found = found.get(key).with_context(|| format!("no {key} in {found:?}"))?;
                same(found, value).with_context(|| key.clone())?;
            }
        }
        (Value::Array(found), Value::Array(expected)) => {
            ensure!(found.len() == expected.len(), "{found:?} instead of {expected:?}");
            found.iter().zip(expected).try_for_each(|(found, expected)| same(found, expected))?;
        }
        (Value::String(found), Value::String(expected)) if expected == ID => {
            ensure!(is_id(found), "{found} is no id");
        }
        (Value::String(found), Value::String(expected)) if expected == MAC => {
            ensure!(is_local_mac(found), "{found} is no locally administered MAC of one interface");
        }
        (found, expected) => ensure!(found == expected, "{found} instead of {expected}"),
    }
    Ok(())
}

/// Whether a text is an id in full.
pub(crate) fn is_id(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn is_local_mac(text: &str) -> bool {
    let bytes: Option<Vec<_>> = text.split(':').map(|byte| u8::from_str_radix(byte, 16).ok()).collect();
    bytes.is_some_and(|bytes| bytes.len() == 6 && bytes.first().is_some_and(|first| first & 0b11 == 0b10))
}
