//! The question that is asked, as bytes, and whether an answer is right (RFC 1035, 4.1).

use anyhow::{Result, ensure};

/// The name that is asked for; it has one IPv4 address.
pub(super) const NAME: &str = "known";

/// Whether netebpf answers it in the kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Question {
    /// The name's IPv4 address and nothing else.
    Plain,
    /// With an EDNS option that no server knows and every server must ignore (RFC 6891, 6.1.2): the kernel leaves that to
    /// netebpf's server.
    WithOption,
}

/// An option's code from those for local use, and what it holds.
const OPTION: (u16, u8) = (65_001, 0);

const TYPE_A: u16 = 1;
const CLASS_IN: u16 = 1;
const TYPE_OPT: u16 = 41;
/// The longest answer that is taken.
const UDP_SIZE: u16 = 1232;

const RECURSION_DESIRED: u8 = 0x01;
const RESPONSE: u8 = 0x80;
const CODE: u8 = 0x0f;

impl Question {
    /// The query with this number.
    pub(super) fn query(self, id: u16) -> Vec<u8> {
        let additional = u8::from(self == Self::WithOption);
        let mut bytes = id.to_be_bytes().to_vec();
        bytes.extend([RECURSION_DESIRED, 0, 0, 1, 0, 0, 0, 0, 0, additional]);
        bytes.extend(u8::try_from(NAME.len()));
        bytes.extend(NAME.bytes());
        bytes.push(0);
        bytes.extend([TYPE_A, CLASS_IN].map(u16::to_be_bytes).as_flattened());
        if self == Self::WithOption {
            let (code, content) = OPTION;
            bytes.push(0);
            bytes.extend([TYPE_OPT, UDP_SIZE, 0, 0, 5, code, 1].map(u16::to_be_bytes).as_flattened());
            bytes.push(content);
        }
        bytes
    }

    /// The same as options of dnsperf.
    pub(super) fn for_dnsperf(self) -> String {
        match self {
            Self::Plain => String::new(),
            Self::WithOption => {
                let (code, content) = OPTION;
                format!("-E {code}:{content:02x}")
            }
        }
    }
}

/// The number of the query that an answer is to; fails if it is not one address.
pub(super) fn check(answer: &[u8]) -> Result<u16> {
    let [high, low, first, second, _, _, records @ ..] = answer else {
        anyhow::bail!("an answer of {} bytes", answer.len());
    };
    ensure!(first & RESPONSE != 0 && second & CODE == 0, "flags {first:02x}{second:02x} are no answer's");
    ensure!(records.starts_with(&[0, 1]), "not one address");
    Ok(u16::from_be_bytes([*high, *low]))
}
