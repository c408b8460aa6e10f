//! Which work do links leave to hardware? Switched off by ethtool's netlink family (`linux/ethtool_netlink.h`), because
//! between virtual links a checksum that is left to hardware is never computed, and so proves nothing.

use anyhow::{Context as _, Result, ensure};
use rtnetlink::sys::{Socket, SocketAddr, protocols::NETLINK_GENERIC};

use crate::netns::Namespace;

/// `struct nlmsghdr` and `struct genlmsghdr`.
const HEADER: usize = 16;
const GENERIC_HEADER: usize = 4;
const NLM_F_REQUEST: u16 = 1;
const NLM_F_ACK: u16 = 4;
const NLA_F_NESTED: u16 = 1 << 15;

/// The family of families, `linux/genetlink.h`.
const GENL_ID_CTRL: u16 = 0x10;
const CTRL_CMD_GETFAMILY: u8 = 3;
const CTRL_ATTR_FAMILY_ID: u16 = 1;
const CTRL_ATTR_FAMILY_NAME: u16 = 2;

const ETHTOOL_MSG_FEATURES_SET: u8 = 12;
const ETHTOOL_A_FEATURES_HEADER: u16 = 1;
const ETHTOOL_A_FEATURES_WANTED: u16 = 3;
const ETHTOOL_A_HEADER_DEV_NAME: u16 = 2;
const ETHTOOL_A_HEADER_FLAGS: u16 = 3;
const ETHTOOL_FLAG_OMIT_REPLY: u32 = 2;
const ETHTOOL_A_BITSET_BITS: u16 = 3;
const ETHTOOL_A_BITSET_BITS_BIT: u16 = 1;
const ETHTOOL_A_BITSET_BIT_NAME: u16 = 2;

impl Namespace {
    /// Has the stack do what a link would leave to hardware; the feature is named as `ethtool -k` names it.
    pub fn without_offload(&self, link: &str, feature: &str) -> Result<()> {
        let set = || {
            let socket = Socket::new(NETLINK_GENERIC)?;
            let name = attribute(CTRL_ATTR_FAMILY_NAME, b"ethtool\0");
            let families = ask(&socket, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, NLM_F_REQUEST, &name)?;
            let id = family_id(&families).context("ethtool has no netlink family")?;
            ask(&socket, id, ETHTOOL_MSG_FEATURES_SET, NLM_F_REQUEST | NLM_F_ACK, &off(link, feature))
        };
        self.run(set).map(drop).with_context(|| format!("switch {feature} of {link} off"))
    }
}

/// A feature that is named without a value is to be off.
fn off(link: &str, feature: &str) -> Vec<u8> {
    let device = attribute(ETHTOOL_A_HEADER_DEV_NAME, format!("{link}\0").as_bytes());
    let flags = attribute(ETHTOOL_A_HEADER_FLAGS, &ETHTOOL_FLAG_OMIT_REPLY.to_ne_bytes());
    let name = attribute(ETHTOOL_A_BITSET_BIT_NAME, format!("{feature}\0").as_bytes());
    let bits = nested(ETHTOOL_A_BITSET_BITS, &nested(ETHTOOL_A_BITSET_BITS_BIT, &name));
    let header = nested(ETHTOOL_A_FEATURES_HEADER, &[device, flags].concat());
    [header, nested(ETHTOOL_A_FEATURES_WANTED, &bits)].concat()
}

fn nested(kind: u16, content: &[u8]) -> Vec<u8> {
    attribute(kind | NLA_F_NESTED, content)
}

fn attribute(kind: u16, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(4 + content.len()).expect("attributes of requests are short");
    let mut bytes = [length.to_ne_bytes(), kind.to_ne_bytes()].concat();
    bytes.extend(content);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

/// Sends a request and returns the answer without its headers; an error code in it is an error.
fn ask(socket: &Socket, family: u16, command: u8, flags: u16, body: &[u8]) -> Result<Vec<u8>> {
    const NLMSG_ERROR: [u8; 2] = 2_u16.to_ne_bytes();
    let length = u32::try_from(HEADER + GENERIC_HEADER + body.len())?;
    let mut request = length.to_ne_bytes().to_vec();
    request.extend([family.to_ne_bytes(), flags.to_ne_bytes()].concat());
    request.extend([0; 8]);
    request.extend([command, 1, 0, 0]);
    request.extend(body);
    socket.send_to(&request, &SocketAddr::new(0, 0), 0)?;
    let (answer, _) = socket.recv_from_full()?;
    if answer.get(4..6) == Some(&NLMSG_ERROR) {
        let code = answer.get(HEADER..HEADER + 4).and_then(|code| code.try_into().ok());
        let code = i32::from_ne_bytes(code.context("a short answer")?);
        ensure!(code == 0, "{}", std::io::Error::from_raw_os_error(-code));
    }
    Ok(answer.get(HEADER + GENERIC_HEADER..).unwrap_or_default().to_vec())
}

/// The number of the family that an answer tells of.
fn family_id(answer: &[u8]) -> Option<u16> {
    let mut rest = answer;
    loop {
        let (&[l0, l1, k0, k1], content) = rest.split_first_chunk()?;
        let length = usize::from(u16::from_ne_bytes([l0, l1]));
        if u16::from_ne_bytes([k0, k1]) == CTRL_ATTR_FAMILY_ID {
            let &[a, b, ..] = content else { return None };
            return Some(u16::from_ne_bytes([a, b]));
        }
        rest = rest.get(length.next_multiple_of(4)..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::{attribute, family_id};

    #[test]
    fn a_family_is_found_among_other_attributes() {
        let answer = [attribute(2, b"ethtool\0"), attribute(1, &21_u16.to_ne_bytes())].concat();
        assert_eq!(family_id(&answer), Some(21));
        assert_eq!(family_id(&attribute(2, b"ethtool\0")), None);
        assert_eq!(family_id(&[0; 3]), None);
    }
}
