//! Identifiers: 32 random bytes, written as 64 hexadecimal digits like Docker's.

use std::{fmt, str::FromStr};

/// How many hexadecimal digits an identifier has.
pub const ID_DIGITS: usize = 64;

/// Text that is not an identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid id {0:?}: an id has 64 hexadecimal digits")]
pub struct IdError(String);

macro_rules! identifier {
    ($(#[$doc:meta])+ $name:ident) => {
        $(#[$doc])+
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; 32]);

        impl $name {
            /// Makes an identifier of 32 bytes, random ones in practice.
            #[must_use]
            pub const fn new(bytes: [u8; 32]) -> Self {
                Self(bytes)
            }

            /// The 32 bytes.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; 32] {
                &self.0
            }

            /// The first 12 digits, as tables show them and links are named after.
            #[must_use]
            pub fn short(&self) -> String {
                let mut text = String::with_capacity(12);
                for byte in &self.0[..6] {
                    for digit in [byte >> 4, byte & 15] {
                        text.extend(char::from_digit(digit.into(), 16));
                    }
                }
                text
            }

            /// Whether the identifier's digits begin with a text.
            #[must_use]
            pub fn starts_with(&self, text: &str) -> bool {
                let digits = self.0.iter().flat_map(|byte| [byte >> 4, byte & 15]);
                let mut digits = digits.map(|digit| char::from_digit(digit.into(), 16));
                text.chars().all(|character| digits.next() == Some(Some(character)))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.short())
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                let invalid = || IdError(text.to_owned());
                if text.len() != ID_DIGITS || !text.is_ascii() {
                    return Err(invalid());
                }
                let mut bytes = [0; 32];
                for (index, byte) in bytes.iter_mut().enumerate() {
                    *byte = u8::from_str_radix(&text[index * 2..index * 2 + 2], 16).map_err(|_| invalid())?;
                }
                Ok(Self(bytes))
            }
        }
    };
}

identifier! {
    /// Identifies a network.
    NetworkId
}
identifier! {
    /// Identifies an endpoint.
    EndpointId
}
identifier! {
    /// Identifies a sandbox.
    SandboxId
}
