//! Names to addresses. What may be paid over plain `http` because of its name alone has to be where the name says.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// Why a name leads nowhere.
#[derive(Debug, thiserror::Error)]
#[error("an onion service is reached through Tor, and this machine's resolver does not lead there")]
struct NoTor;

/// Why a name, or an address in a URL, is not connected to.
#[derive(Debug, thiserror::Error)]
#[error("it is at an address of this machine or its network, and those are not allowed")]
pub(super) struct NotPublic;

/// The system's resolver, but for names that never leave this machine: `localhost` is the loopback address whatever
/// any server says of it (RFC 6761), and an onion service (RFC 7686) is at an address of the local Tor, never at one
/// of the network.
pub(super) struct Resolver {
    /// Whether it gives public addresses only: a name that leads elsewhere then leads nowhere.
    pub(super) only_public: bool,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let only_public = self.only_public;
        Box::pin(async move {
            let name = name.as_str().to_ascii_lowercase();
            let host = name.strip_suffix('.').unwrap_or(&name);
            if host == "localhost" || host.ends_with(".localhost") {
                if only_public {
                    return Err(NotPublic.into());
                }
                let loopback = [IpAddr::from(Ipv4Addr::LOCALHOST), Ipv6Addr::LOCALHOST.into()];
                return Ok(addresses(loopback.map(|ip| SocketAddr::new(ip, 0))));
            }
            let mut found: Vec<_> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            if only_public {
                // One such address among others would be enough to get in.
                let all = found.iter().all(|address| is_public(address.ip()));
                return if all { Ok(addresses(found)) } else { Err(NotPublic.into()) };
            }
            if !host.ends_with(".onion") {
                return Ok(addresses(found));
            }
            found.retain(|address| is_local(address.ip()));
            if found.is_empty() { Err(NoTor.into()) } else { Ok(addresses(found)) }
        })
    }
}

fn addresses<I>(found: I) -> Addrs
where
    I: IntoIterator<Item = SocketAddr>,
    I::IntoIter: Send + 'static,
{
    Box::new(found.into_iter())
}

/// The ranges that Tor maps onion services to.
fn is_local(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_loopback() || ip.is_private(),
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local(),
    }
}

/// Whether an address is one of the public Internet: neither this machine's nor its network's, nor set aside for
/// something else (IANA's registries of special-purpose addresses, RFC 6890). An address that carries another one in it
/// is judged by that.
pub(super) fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => is_public_v6(ip),
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    let is_special = ip.is_private()
        || ip.is_loopback()
        || ip.is_link_local()
        || ip.is_multicast()
        || ip.is_documentation()
        // "This network".
        || a == 0
        // Between a provider and its customers (RFC 6598).
        || (a == 100 && (64..128).contains(&b))
        // Protocol assignments, but for the two anycast addresses, and the relays of 6to4.
        || (a, b, c) == (192, 0, 0)
        || (a, b, c) == (192, 88, 99)
        // Benchmarks (RFC 2544).
        || (a == 198 && (b & 0xfe) == 18)
        // Reserved, and broadcast.
        || a >= 240;
    !is_special
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    let segments = ip.segments();
    let v4 = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        is_public_v4(Ipv4Addr::new(a, b, c, d))
    };
    match segments {
        // ::ffff:0:0/96, an IPv4 address.
        [0, 0, 0, 0, 0, 0xffff, high, low] => v4(high, low),
        // 64:ff9b::/96, the same behind NAT64 (RFC 6052).
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => v4(high, low),
        // 2002::/16, the same behind 6to4.
        [0x2002, high, low, ..] => v4(high, low),
        // Teredo and other protocol assignments, documentation.
        [0x2001, second, ..] if second < 0x200 || second == 0xdb8 => false,
        [0x3fff, second, ..] if second < 0x1000 => false,
        // Only 2000::/3 is handed out.
        [first, ..] => (first & 0xe000) == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[tokio::test]
    async fn localhost_never_leaves_this_machine() {
        for name in ["localhost", "LOCALHOST.", "a.localhost", "a.b.localhost."] {
            let found =
                Resolver { only_public: false }.resolve(name.parse().unwrap()).await.unwrap();
            let ips: Vec<_> = found.map(|address| address.ip()).collect();
            assert_eq!(ips.len(), 2, "{name}");
            assert!(ips.iter().all(IpAddr::is_loopback), "{name}");
        }
    }

    #[test]
    fn onions_are_at_the_local_tor_only() {
        for (ip, local) in [
            ("127.42.42.0", true),
            ("127.192.0.10", true),
            ("10.192.0.10", true),
            ("fe80::1", true),
            ("8.8.8.8", false),
            ("2001:db8::1", false),
        ] {
            assert_eq!(is_local(ip.parse().unwrap()), local, "{ip}");
        }
    }

    #[tokio::test]
    async fn no_name_leads_home_where_that_is_not_allowed() {
        for name in ["localhost", "a.localhost.", "127.0.0.1", "::1"] {
            let found = Resolver { only_public: true }.resolve(name.parse().unwrap()).await;
            assert!(found.is_err_and(|error| error.is::<NotPublic>()), "{name}");
        }
    }

    #[test]
    fn public_addresses_are_told_from_all_others() {
        for (ip, public) in [
            ("8.8.8.8", true),
            ("100.63.255.255", true),
            ("100.64.0.1", false),
            ("127.0.0.1", false),
            ("10.1.2.3", false),
            ("172.31.0.1", false),
            ("172.32.0.1", true),
            ("192.168.0.1", false),
            ("169.254.169.254", false),
            ("0.0.0.0", false),
            ("192.0.0.8", false),
            ("198.19.0.1", false),
            ("203.0.113.1", false),
            ("224.0.0.1", false),
            ("255.255.255.255", false),
            ("::", false),
            ("::1", false),
            ("fe80::1", false),
            ("fc00::1", false),
            ("fec0::1", false),
            ("ff02::1", false),
            ("::ffff:10.0.0.1", false),
            ("::ffff:8.8.8.8", true),
            ("::7f00:1", false),
            ("64:ff9b::7f00:1", false),
            ("64:ff9b::808:808", true),
            ("2002:7f00:1::", false),
            ("2002:808:808::1", true),
            ("2001:0:4136:e378::", false),
            ("2001:db8::1", false),
            ("2606:4700::1111", true),
        ] {
            assert_eq!(is_public(ip.parse().unwrap()), public, "{ip}");
        }
    }
}
