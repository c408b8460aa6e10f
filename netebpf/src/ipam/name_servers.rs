//! Whom does the host ask for names? A network with such an address would keep its sandboxes from resolving anything.

use std::net::{IpAddr, Ipv4Addr};

/// Where systemd-resolved listens (`DNSStubListener=`).
const STUB: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 53));

/// The name servers of a resolv.conf(5), in order; what is none is passed over.
pub fn name_servers(resolv_conf: &str) -> impl Iterator<Item = IpAddr> {
    resolv_conf.lines().filter_map(|line| {
        let mut words = line.split_ascii_whitespace();
        let address = words.next().filter(|keyword| *keyword == "nameserver").and_then(|_| words.next())?;
        // A link-local address may name its link.
        address.split('%').next()?.parse().ok()
    })
}

/// Whether a resolv.conf leads to systemd-resolved and nowhere else; its real servers stand in another file then.
#[must_use]
pub fn is_stub(resolv_conf: &str) -> bool {
    name_servers(resolv_conf).eq([STUB])
}

#[cfg(test)]
mod tests {
    use ipnet::IpNet;
    use proptest::prelude::*;

    use super::*;
    use crate::{
        ipam::{Sources, next_subnet, ula},
        model::{DefaultPool, FAMILIES},
    };

    fn read(text: &str) -> Vec<String> {
        name_servers(text).map(|address| address.to_string()).collect()
    }

    #[test]
    fn name_servers_are_read_as_the_resolver_reads_them() {
        let text = "# nameserver 192.0.2.1\nsearch example.com\n nameserver\t192.0.2.2 # ours\n\
                    nameserver fe80::1%eth0\nnameserver\nnameserver x\nnameservers 192.0.2.3\nnameserver ::1";
        assert_eq!(read(text), ["192.0.2.2", "fe80::1", "::1"]);
        assert_eq!(read(""), [""; 0]);
    }

    #[test]
    fn the_stub_of_systemd_is_known() {
        assert!(is_stub("nameserver 127.0.0.53\noptions edns0 trust-ad\n"));
        for other in ["", "nameserver 127.0.0.1", "nameserver 127.0.0.53\nnameserver 192.0.2.1"] {
            assert!(!is_stub(other), "{other}");
        }
    }

    proptest! {
        #[test]
        fn any_text_can_be_read(text in any::<String>(), lines in prop::collection::vec("nameserver[ \t]?.{0,20}", 0..5)) {
            let count = name_servers(&format!("{text}\n{}", lines.join("\n"))).count();
            prop_assert!(count <= text.lines().count() + lines.len());
        }

        /// Whatever the servers are, they are read back, and no chosen subnet has one.
        #[test]
        fn no_subnet_that_is_chosen_has_a_name_server(
            v4 in prop::collection::vec((172_u8..=192, 16_u8..=255, any::<[u8; 2]>()), 0..12),
            v6 in prop::collection::vec(any::<[u8; 11]>(), 0..4),
        ) {
            let own_prefix = ula([1; 5]);
            let v4 = v4.into_iter().map(|(a, b, [c, d])| IpAddr::from([a, b, c, d]));
            let v6 = v6.into_iter().map(|tail| {
                let mut octets = own_prefix.addr().octets();
                octets[7..8].copy_from_slice(&[tail[0] % 4]);
                octets[8..].copy_from_slice(&tail[3..]);
                IpAddr::from(octets)
            });
            let servers: Vec<_> = v4.chain(v6).collect();
            let lines: Vec<_> = servers.iter().map(|server| format!("nameserver {server}")).collect();
            let text = lines.join("\n");
            prop_assert_eq!(name_servers(&text).collect::<Vec<_>>(), servers.clone());
            let avoided: Vec<_> = name_servers(&text).map(IpNet::from).collect();
            let pools = DefaultPool::dockers();
            let sources = Sources { pools: &pools, own_prefix, avoided: &avoided };
            for family in FAMILIES {
                if let Ok(subnet) = next_subnet(family, None, &sources, &[]) {
                    prop_assert!(!servers.iter().any(|server| subnet.contains(server)), "{} of {}", subnet, text);
                }
            }
        }
    }
}
