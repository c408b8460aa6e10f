//! What has happened to networks and sandboxes, as the Docker Engine API tells it (version 1.55).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// One line of `GET /events`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineEvent {
    /// The action once more, if it is about a container; for clients before version 1.52, like the next field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// The actor's identifier once more, if it is a container.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// `container` or `network`.
    #[serde(rename = "Type")]
    pub kind: String,
    /// What has happened, such as `start`.
    #[serde(rename = "Action")]
    pub action: String,
    /// To whom it has happened.
    #[serde(rename = "Actor")]
    pub actor: Actor,
    /// Always `local`.
    pub scope: String,
    /// When, in seconds since the Unix epoch.
    pub time: i64,
    /// When, in nanoseconds since the Unix epoch.
    #[serde(rename = "timeNano")]
    pub time_nano: i64,
}

/// To whom something has happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// Identifier; empty when several were pruned.
    #[serde(rename = "ID")]
    pub id: String,
    /// Its name, for containers also its labels, and more about the event.
    #[serde(rename = "Attributes")]
    pub attributes: BTreeMap<String, String>,
}
