//! Names to addresses. What may be paid over plain `http` because of its name alone has to be where the name says.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// Why a name leads nowhere.
#[derive(Debug, thiserror::Error)]
#[error("an onion service is reached through Tor, and this machine's resolver does not lead there")]
struct NoTor;

/// The system's resolver, but for names that never leave this machine: `localhost` is the loopback address whatever
/// any server says of it (RFC 6761), and an onion service (RFC 7686) is at an address of the local Tor, never at one
/// of the network.
pub(super) struct Resolver;

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let name = name.as_str().to_ascii_lowercase();
            let host = name.strip_suffix('.').unwrap_or(&name);
            if host == "localhost" || host.ends_with(".localhost") {
                let loopback = [IpAddr::from(Ipv4Addr::LOCALHOST), Ipv6Addr::LOCALHOST.into()];
                return Ok(addresses(loopback.map(|ip| SocketAddr::new(ip, 0))));
            }
            let mut found: Vec<_> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[tokio::test]
    async fn localhost_never_leaves_this_machine() {
        for name in ["localhost", "LOCALHOST.", "a.localhost", "a.b.localhost."] {
            let found = Resolver.resolve(name.parse().unwrap()).await.unwrap();
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
}
