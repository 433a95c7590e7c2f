//! Where to ask about which invoice (LUD-21).

use std::collections::{HashMap, VecDeque};

use plannt_core::PaymentHash;
use url::Url;

/// The invoices whose own address is kept; the oldest goes first.
const MAX_KEPT: usize = 10_000;

/// The `verify` addresses of the invoices that were issued.
#[derive(Default)]
pub(super) struct Verifiers {
    kept: HashMap<PaymentHash, Url>,
    order: VecDeque<PaymentHash>,
    /// An address around its payment hash, where they are made like that.
    around: Option<(String, String)>,
}

impl Verifiers {
    pub(super) fn add(&mut self, hash: PaymentHash, url: &Url) {
        let around = url.as_str().split_once(&hash.to_string());
        self.around = around.map(|(before, after)| (before.to_owned(), after.to_owned()));
        if self.kept.insert(hash, url.clone()).is_none() {
            self.order.push_back(hash);
        }
        if self.order.len() > MAX_KEPT
            && let Some(oldest) = self.order.pop_front()
        {
            self.kept.remove(&oldest);
        }
    }

    pub(super) fn find(&self, hash: &PaymentHash) -> Option<Url> {
        let kept = self.kept.get(hash).cloned();
        kept.or_else(|| {
            let (before, after) = self.around.as_ref()?;
            Url::parse(&format!("{before}{hash}{after}")).ok()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_around_the_hash_serves_every_invoice() {
        let (one, two) = (PaymentHash::from_bytes([1; 32]), PaymentHash::from_bytes([2; 32]));
        let mut verifiers = Verifiers::default();
        assert_eq!(verifiers.find(&one), None);
        let opaque = Url::parse("https://pay.example/verify/7").expect("a URL");
        verifiers.add(one, &opaque);
        assert_eq!((verifiers.find(&one), verifiers.find(&two)), (Some(opaque), None));
        let url = |hash| Url::parse(&format!("https://pay.example/v/{hash}?x=1")).expect("a URL");
        verifiers.add(one, &url(one));
        assert_eq!(verifiers.find(&two), Some(url(two)));
    }

    #[test]
    fn they_are_bounded() {
        let mut verifiers = Verifiers::default();
        let url = Url::parse("https://pay.example/verify/7").expect("a URL");
        for n in 0..=MAX_KEPT as u64 {
            let mut bytes = [0; 32];
            bytes[..8].copy_from_slice(&n.to_be_bytes());
            verifiers.add(PaymentHash::from_bytes(bytes), &url);
        }
        assert_eq!((verifiers.kept.len(), verifiers.order.len()), (MAX_KEPT, MAX_KEPT));
        assert_eq!(verifiers.find(&PaymentHash::from_bytes([0; 32])), None);
    }
}
