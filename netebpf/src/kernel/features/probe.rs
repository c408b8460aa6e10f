//! How is a feature of the kernel looked for? By using it.

use std::{io, net::UdpSocket};

use aya::{
    maps::MapType,
    programs::{ProgramError, ProgramType, SchedClassifier, TcAttachType},
    sys::{BpfHelper, SyscallError, is_helper_supported, is_map_supported},
};
use nix::{
    errno::Errno,
    sys::socket::{AddressFamily, SockFlag, SockProtocol, SockType, socket},
};
use rtnetlink::sys::{Socket, SocketAddr, protocols::NETLINK_SOCK_DIAG};

use super::{Error, Feature};
use crate::kernel::namespaces;

/// Whether the kernel has a feature; an error means that it could not be found out.
pub(super) fn has(feature: Feature) -> Result<bool, Error> {
    let failed = |source| Error::Program {
        doing: "probe the kernel for",
        name: feature.as_str(),
        source: Box::new(source),
    };
    match feature {
        Feature::RingBuffer => map(MapType::RingBuf),
        Feature::LongestPrefix => map(MapType::LpmTrie),
        Feature::SocketHooks => {
            is_helper_supported(ProgramType::CgroupSockAddr, BpfHelper::BPF_FUNC_get_netns_cookie)
        }
        Feature::RedirectPeer => classifier_helper(BpfHelper::BPF_FUNC_redirect_peer),
        Feature::RedirectNeighbour => classifier_helper(BpfHelper::BPF_FUNC_redirect_neigh),
        Feature::NetnsCookie => Ok(namespaces::cookie().is_ok()),
        Feature::Tcx => tcx(),
        Feature::SocketDestroy => socket_destroy().map_err(Into::into),
        Feature::Sctp => Ok(sockets(AddressFamily::Inet, SockType::Stream, Some(SockProtocol::Sctp))),
        Feature::Ipv6 => Ok(sockets(AddressFamily::Inet6, SockType::Datagram, None)),
    }
    .map_err(failed)
}

fn map(kind: MapType) -> Result<bool, ProgramError> {
    Ok(is_map_supported(kind)?)
}

fn classifier_helper(helper: BpfHelper) -> Result<bool, ProgramError> {
    is_helper_supported(ProgramType::SchedClassifier, helper)
}

/// Asks for the programs of a device that every namespace has.
fn tcx() -> Result<bool, ProgramError> {
    match SchedClassifier::query_tcx("lo", TcAttachType::Ingress) {
        Ok(_) => Ok(true),
        Err(ProgramError::SyscallError(SyscallError { io_error, .. })) => {
            // Known to the kernel, but nothing is attached.
            Ok(io_error.raw_os_error() == Some(Errno::ENOENT as i32))
        }
        Err(error) => Err(error),
    }
}

fn sockets(family: AddressFamily, kind: SockType, protocol: Option<SockProtocol>) -> bool {
    socket(family, kind, SockFlag::SOCK_CLOEXEC, protocol).is_ok()
}

/// Has the kernel close a socket of ours.
fn socket_destroy() -> io::Result<bool> {
    let victim = UdpSocket::bind("0.0.0.0:0")?;
    let mut diagnosis = Socket::new(NETLINK_SOCK_DIAG)?;
    diagnosis.bind_auto()?;
    diagnosis.send_to(&destroy_request(victim.local_addr()?.port()), &SocketAddr::new(0, 0), 0)?;
    let (answer, _) = diagnosis.recv_from_full()?;
    // The code of an NLMSG_ERROR follows its header.
    let code = answer.get(HEADER..HEADER + 4).and_then(|code| code.try_into().ok()).map(i32::from_ne_bytes);
    Ok(code == Some(0))
}

/// Lengths of `struct nlmsghdr` and of the request with it.
const HEADER: usize = 16;
const REQUEST: u8 = 72;

/// A `SOCK_DESTROY` of the UDP socket that is bound to a port on all addresses (`linux/inet_diag.h`).
fn destroy_request(port: u16) -> [u8; REQUEST as usize] {
    const SOCK_DESTROY: u16 = 21;
    const NLM_F_REQUEST_ACK: u16 = 5;
    const AF_INET: u8 = 2;
    const IPPROTO_UDP: u8 = 17;
    const SOURCE_PORT: usize = HEADER + 8;
    const COOKIE: usize = HEADER + 48;

    let mut request = [0; REQUEST as usize];
    request[0] = REQUEST;
    request[4..6].copy_from_slice(&SOCK_DESTROY.to_ne_bytes());
    request[6..8].copy_from_slice(&NLM_F_REQUEST_ACK.to_ne_bytes());
    request[HEADER..HEADER + 2].copy_from_slice(&[AF_INET, IPPROTO_UDP]);
    request[HEADER + 4..HEADER + 8].copy_from_slice(&u32::MAX.to_ne_bytes());
    request[SOURCE_PORT..SOURCE_PORT + 2].copy_from_slice(&port.to_be_bytes());
    // Whatever the socket's cookie is.
    request[COOKIE..].fill(0xff);
    request
}
