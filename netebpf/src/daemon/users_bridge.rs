//! The default network on a bridge that the user made: what addresses it has is configuration as well.

use netebpf_common::abi::Family;
use tracing::warn;

use crate::{
    kernel::Observed,
    model::{DefaultBridge, RangeOutside, family_of},
};

/// Why the default network cannot be on the user's bridge, in Docker's words.
#[derive(Debug, thiserror::Error)]
pub enum BridgeError {
    /// It is not there.
    #[error("bridge device with non default name {0} must be created manually")]
    Missing(String),
    /// It has no address that goes with the configured range.
    #[error(transparent)]
    Range(#[from] RangeOutside),
}

/// Completes the configuration of the default network by the addresses of its bridge.
///
/// # Errors
///
/// As with Docker, when there is no such bridge, or when no address of it goes with `fixed-cidr-v6`. A `fixed-cidr` like
/// that is only warned about.
pub(super) fn adopt(bridge: &mut DefaultBridge, observed: &Observed) -> Result<(), BridgeError> {
    let Some(link) = observed.links.values().find(|link| link.name == bridge.device) else {
        let is_own = bridge.device == DefaultBridge::OWN_DEVICE;
        return if is_own { Ok(()) } else { Err(BridgeError::Missing(bridge.device.clone())) };
    };
    let of =
        |family| link.addresses.iter().copied().filter(move |address| family_of(address.addr()) == family);
    if let Err(outside) = bridge.v4.take_from(of(Family::V4)) {
        warn!("{outside}; addresses are chosen from all of its subnet");
    }
    if let Some(v6) = &mut bridge.v6 {
        v6.take_from(of(Family::V6))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bridge_that_is_not_there_is_refused_unless_it_is_the_engines() {
        let nothing = Observed::default();
        let own = DefaultBridge { is_users: true, ..DefaultBridge::on(DefaultBridge::OWN_DEVICE) };
        let mut bridge = own.clone();
        assert!(adopt(&mut bridge, &nothing).is_ok());
        assert_eq!(bridge, own);
        let error = adopt(&mut DefaultBridge::on("lan0"), &nothing).expect_err("nobody made it").to_string();
        assert_eq!(error, "bridge device with non default name lan0 must be created manually");
    }
}
