//! The limit of challenges per client: an invoice costs the node something, and a challenge costs
//! its asker nothing.

use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

/// One client fetches up to three challenges for one payment (a deployed client does).
const MIN_BURST: NonZeroU32 = NonZeroU32::new(3).expect("3 is not 0");
/// Clients that are told apart; beyond, new ones share one limit.
const MAX_CLIENTS: usize = 100_000;
/// How many checks until idle clients are forgotten.
const SWEEP_EVERY: u32 = 4_096;

/// Whom a limit counts for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Client {
    Network(IpAddr),
    /// Unknown, or beyond [`MAX_CLIENTS`].
    Other,
}

pub(crate) struct ChallengeLimiter {
    limiter: DefaultKeyedRateLimiter<Client>,
    clock: DefaultClock,
    checks: AtomicU32,
    max_clients: usize,
}

impl ChallengeLimiter {
    pub(crate) fn new(per_minute: NonZeroU32) -> Self {
        let quota = Quota::per_minute(per_minute).allow_burst(per_minute.max(MIN_BURST));
        Self {
            limiter: RateLimiter::keyed(quota),
            clock: DefaultClock::default(),
            checks: AtomicU32::new(0),
            max_clients: MAX_CLIENTS,
        }
    }

    /// Counts one challenge; `Err` says how long to wait for it.
    pub(crate) fn check(&self, client: Option<IpAddr>) -> Result<(), Duration> {
        if self.checks.fetch_add(1, Ordering::Relaxed) % SWEEP_EVERY == SWEEP_EVERY - 1 {
            self.limiter.retain_recent();
            self.limiter.shrink_to_fit();
        }
        let client = if self.limiter.len() < self.max_clients {
            client.map_or(Client::Other, |address| Client::Network(network(address)))
        } else {
            Client::Other
        };
        self.limiter.check_key(&client).map_err(|until| until.wait_time_from(self.clock.now()))
    }
}

/// The address, or for IPv6 its /64: one household has 2^64 of those.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn limiter(per_minute: u32) -> ChallengeLimiter {
        ChallengeLimiter::new(NonZeroU32::new(per_minute).unwrap())
    }

    fn granted(limiter: &ChallengeLimiter, clients: &[&str]) -> Vec<bool> {
        let check = |text: &&str| limiter.check(Some(text.parse().unwrap())).is_ok();
        clients.iter().map(check).collect()
    }

    #[test]
    fn the_burst_is_at_least_three() {
        let limiter = limiter(1);
        assert_eq!(granted(&limiter, &["10.0.0.1"; 4]), [true, true, true, false]);
        let wait = limiter.check(Some("10.0.0.1".parse().unwrap())).unwrap_err();
        assert!(wait > Duration::ZERO && wait <= Duration::from_secs(60), "{wait:?}");
        assert_eq!(granted(&limiter, &["10.0.0.2"]), [true]);
    }

    #[test]
    fn ipv6_counts_by_its_64_bit_network_and_mapped_ipv4_as_ipv4() {
        let limiter = limiter(1);
        let household = ["2001:db8::1", "2001:db8::2", "2001:db8:0:0:ffff::", "2001:db8::3"];
        assert_eq!(granted(&limiter, &household), [true, true, true, false]);
        assert_eq!(granted(&limiter, &["2001:db8:0:1::1"]), [true]);
        let same = ["10.0.0.1", "::ffff:10.0.0.1", "10.0.0.1", "::ffff:10.0.0.1"];
        assert_eq!(granted(&limiter, &same), [true, true, true, false]);
    }

    #[test]
    fn memory_is_bounded() {
        let mut limiter = limiter(1);
        limiter.max_clients = 4;
        let clients: Vec<String> = (0..20).map(|n| format!("10.0.0.{n}")).collect();
        let clients: Vec<&str> = clients.iter().map(String::as_str).collect();
        let granted = granted(&limiter, &clients);
        assert!(limiter.limiter.len() <= 5);
        assert_eq!(granted.iter().filter(|ok| **ok).count(), 4 + 3);
    }
}
