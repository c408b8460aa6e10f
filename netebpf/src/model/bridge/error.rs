//! Why an option cannot be had, in Docker's words.

/// An option that cannot be had, in Docker's words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OptionError {
    /// The value is not of the option's kind.
    #[error("failed to parse {option} value: {value} ({reason})")]
    Value {
        /// The option.
        option: String,
        /// The value as given.
        value: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Whether a network has an IP version is yes or no.
    #[error("driver-opt {0:?} is not a valid bool")]
    Switch(String),
    /// A number of announcements that is none.
    #[error("value for option {option} {value:?} must be an integer")]
    Count {
        /// The option.
        option: String,
        /// The value as given.
        value: String,
    },
    /// A pause that is none.
    #[error("value for option {option} {value:?} must be integer milliseconds")]
    Interval {
        /// The option.
        option: String,
        /// The value as given.
        value: String,
    },
    /// A number that is too small or too big.
    #[error("{option} must be in the range {first} to {last}")]
    Range {
        /// The option.
        option: String,
        /// The least number.
        first: u16,
        /// The greatest one.
        last: u16,
    },
    /// No packet has a negative length.
    #[error("invalid MTU number: {0}")]
    NegativeMtu(i64),
    /// No link takes this length.
    #[error("invalid MTU number: {0}, it must be 0 for the default, or from 68 to 65535")]
    Mtu(i64),
    /// IPv6 needs longer packets (RFC 8200, 5).
    #[error("invalid MTU number: {0}, a network with IPv6 needs at least 1280")]
    MtuV6(u32),
    /// The mode would cut off a network that is not to be.
    #[error("gateway mode 'isolated' can only be used for an internal network")]
    Isolated,
}
