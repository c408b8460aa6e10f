//! A pool of subnets as the file has it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{DefaultPool, DefaultPoolError};

/// A block that subnets of one length are cut from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Wire", into = "Wire")]
#[schemars(with = "Wire")]
pub struct AddressPool(pub DefaultPool);

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "AddressPool")]
struct Wire {
    /// The block
    base: String,
    /// The length of the subnets' prefixes
    size: u8,
}

impl TryFrom<Wire> for AddressPool {
    type Error = DefaultPoolError;

    fn try_from(wire: Wire) -> Result<Self, DefaultPoolError> {
        let base = wire.base.parse().map_err(|_| DefaultPoolError::Base(wire.base))?;
        DefaultPool::new(base, wire.size).map(Self)
    }
}

impl From<AddressPool> for Wire {
    fn from(AddressPool(pool): AddressPool) -> Self {
        Self { base: pool.base().to_string(), size: pool.size() }
    }
}
