//! Why a configuration is refused, in Docker's words where Docker has some.

use std::{io, net::IpAddr, path::PathBuf};

use netebpf_common::abi::Family;

use crate::model::{Driver, OptionError, TimeoutError};

/// Why the daemon cannot be configured.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file is at fault.
    #[error("unable to configure the netebpf daemon with file {}: {fault}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        fault: Fault,
    },
    /// The flags are, or what they and the file come to together.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// What is wrong with a configuration.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The file cannot be read.
    #[error("{0}")]
    Unreadable(io::Error),
    /// It is not JSON.
    #[error("invalid JSON: {0}")]
    Json(serde_json::Error),
    /// It is JSON, but no object.
    #[error("invalid JSON: it must be an object of directives, such as {{\"icc\": false}}")]
    NoObject,
    /// There are no such directives.
    #[error(
        "the following directives don't match any configuration option: {}; \
         `netebpf daemon --print-default-config` shows all that do",
        .0.join(", ")
    )]
    Unknown(Vec<String>),
    /// Nobody knows which of two values is meant.
    #[error(
        "the following directives are specified both as a flag and in the configuration file: {}",
        .0.join(", ")
    )]
    Conflicts(Vec<String>),
    /// The old and the new name of one directive.
    #[error("host-gateway-ip and host-gateway-ips must not both be specified in the config file")]
    HostGatewayTwice,
    /// The value is not of the directive's kind.
    #[error("invalid {directive}: {value}: {reason}; write it as {example}")]
    Value {
        /// The directive.
        directive: String,
        /// Its value, as JSON.
        value: String,
        /// What is wrong with it.
        reason: String,
        /// One that would do, as JSON.
        example: String,
    },
    /// The value contradicts another, or makes no sense.
    #[error("invalid {directive}: {value}: {reason}")]
    Refused {
        /// The directive.
        directive: &'static str,
        /// Its value.
        value: String,
        /// Why not.
        reason: String,
    },
    /// A bridge of the user's has its addresses already.
    #[error("You specified -b & --{0}, mutually exclusive options. Please specify only one")]
    BridgeAndAddress(&'static str),
    /// No packet has this length.
    #[error("invalid default MTU: {0}, mtu must be 0 for the kernel's default, or from 68 to 65535")]
    Mtu(i64),
    /// IPv6 needs longer packets (RFC 8200, 5).
    #[error("invalid default MTU: {0}, with ipv6 mtu must be at least 1280")]
    MtuV6(i64),
    /// The other gateway is somewhere else.
    #[error(
        "invalid {directive}: {gateway}: default gateway ip must be part of the network, which is {subnet}"
    )]
    GatewayOutside {
        /// The directive.
        directive: &'static str,
        /// The address.
        gateway: IpAddr,
        /// The network's subnet.
        subnet: ipnet::IpNet,
    },
    /// The host cannot be meant by two addresses of one IP version.
    #[error("only one {} host gateway IP address can be specified", version(*.0))]
    HostGateways(Family),
    /// No domain has this name.
    #[error("invalid dns-search: {0} is not a valid domain; write it as example.com, or . for none at all")]
    Domain(String),
    /// No driver has this name.
    #[error("invalid default-network-opts: there is no network driver {driver:?}, there are {}", drivers())]
    Driver {
        /// The name.
        driver: String,
    },
    /// Networks could not be created with such an option.
    #[error("invalid default-network-opts: {0}")]
    Option(#[from] OptionError),
    /// No idle time.
    #[error("invalid flow-timeouts: {0}")]
    Timeout(#[from] TimeoutError),
}

const fn version(family: Family) -> &'static str {
    match family {
        Family::V4 => "IPv4",
        Family::V6 => "IPv6",
    }
}

fn drivers() -> String {
    Driver::ALL.map(Driver::as_str).join(", ")
}
