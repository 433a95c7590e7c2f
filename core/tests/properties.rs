//! What holds for every input: readers are total, round trips are exact, and the verifier lets in
//! what was minted and nothing with one bit changed.
#![allow(clippy::unwrap_used)]

mod common;

use std::num::NonZeroU32;

use common::*;
use plannt_core::macaroon::{Format, Macaroon, MacaroonRef};
use plannt_core::{
    Identifier, Keyring, MintRequest, Network, PaymentHash, Preimage, RequestContext, RootKey,
    attenuate_token, base64,
};
use proptest::collection::vec;
use proptest::prelude::*;

fn macaroon() -> impl Strategy<Value = Macaroon> {
    let location = proptest::option::of("[ -~é\n]{1,20}");
    let caveats = vec(vec(any::<u8>(), 0..150), 0..8);
    (vec(any::<u8>(), 0..100), vec(any::<u8>(), 0..200), location, caveats).prop_map(
        |(key, identifier, location, caveats)| {
            let mut macaroon = Macaroon::create(&key, &identifier, location.as_deref()).unwrap();
            for caveat in caveats {
                macaroon.attenuate(&caveat).unwrap();
            }
            assert!(macaroon.verify_signature(&key));
            macaroon
        },
    )
}

#[derive(Clone, Debug)]
struct Sale {
    root_key: [u8; 32],
    preimage: [u8; 32],
    service: String,
    tier: u8,
    valid_until: u64,
    method: String,
    path: String,
    price: u64,
    uses: NonZeroU32,
    query: Option<[u8; 32]>,
    digest: Option<[u8; 32]>,
    capabilities: Vec<String>,
}

fn sale() -> impl Strategy<Value = Sale> {
    let bound = proptest::option::of(any::<[u8; 32]>());
    (
        (any::<[u8; 32]>(), any::<[u8; 32]>(), "[a-z0-9-]{1,12}", any::<u8>(), 1u64..),
        ("[A-Z]{1,7}", "/[a-zA-Z0-9/._~%=&-]{0,100}", any::<u64>(), 1u32..),
        (bound.clone(), bound, vec("[a-z:=]{1,8}", 0..4)),
    )
        .prop_map(|((root_key, preimage, service, tier, valid_until), what, bound)| {
            let ((method, path, price, uses), (query, digest, capabilities)) = (what, bound);
            let uses = NonZeroU32::new(uses).unwrap();
            Sale {
                root_key,
                preimage,
                service,
                tier,
                valid_until,
                method,
                path,
                price,
                uses,
                query,
                digest,
                capabilities,
            }
        })
}

impl Sale {
    fn keyring(&self) -> Keyring {
        Keyring::new(Network::Bitcoin, RootKey::from_bytes(self.root_key))
    }

    fn preimage(&self) -> Preimage {
        Preimage::from_bytes(self.preimage)
    }

    /// `None` for the few texts that a mint refuses.
    fn token(&self) -> Option<String> {
        let capabilities: Vec<_> = self.capabilities.iter().map(String::as_str).collect();
        let request = MintRequest {
            payment_hash: self.preimage().payment_hash(),
            service: &self.service,
            tier: self.tier,
            valid_until: self.valid_until,
            method: &self.method,
            path: &self.path,
            max_price_msat: self.price,
            uses: self.uses,
            query: self.query,
            digest: self.digest,
            capabilities: &capabilities,
        };
        let token = self.keyring().mint(&request).ok()?;
        assert_eq!(base64::decode(token.as_str()).unwrap().len(), request.encoded_len());
        Some(token.to_string())
    }

    /// The request that it is sold for.
    fn request(&self) -> RequestContext<'_> {
        RequestContext {
            now: self.valid_until - 1,
            service: &self.service,
            tier: self.tier,
            method: &self.method,
            path: &self.path,
            query: self.query.unwrap_or_default(),
            requires_query: self.query.is_some(),
            digest: self.digest,
            requires_digest: self.digest.is_some(),
            lowest_price_msat: self.price,
            capability: self.capabilities.first().map(String::as_str),
            strict: true,
        }
    }
}

/// A caveat that a holder might add: of the chain's service or another, sound or not.
fn caveat() -> impl Strategy<Value = String> {
    let condition = prop_oneof![
        Just("services"),
        Just("demo_valid_until"),
        Just("demo_method"),
        Just("demo_path"),
        Just("demo_max_price_msat"),
        Just("demo_uses"),
        Just("demo_query"),
        Just("demo_digest"),
        Just("demo_capabilities"),
        Just("other_path"),
        Just("preimage"),
        Just("")
    ];
    let value = prop_oneof![
        Just("demo:0".to_owned()),
        Just("demo:1".to_owned()),
        Just("GET".to_owned()),
        Just("/v1/demo".to_owned()),
        Just("/v1/*".to_owned()),
        Just("*".to_owned()),
        (0u64..3).prop_map(|n| (NOW + n * 3_600).to_string()),
        (0u64..3).prop_map(|n| (n * 21_000).to_string()),
        (0u64..3).prop_map(|n| n.to_string()),
        Just("a".to_owned()),
        Just("a,b".to_owned()),
        Just("22".repeat(32)),
        ".{0,10}"
    ];
    (condition, value).prop_map(|(condition, value)| format!("{condition}={value}"))
}

proptest! {
    #[test]
    fn readers_are_total(bytes in vec(any::<u8>(), 0..300)) {
        let _ = MacaroonRef::parse(&bytes);
        let _ = Macaroon::from_v1(&bytes);
        let _ = Macaroon::from_json(&bytes);
        let _ = Macaroon::parse(&bytes);
        let _ = Identifier::parse(&bytes);
        let text = String::from_utf8_lossy(&bytes);
        let _ = base64::decode(&text);
        let _ = attenuate_token(&text, &["a=b"]);
        let _ = plannt_core::caveat::split(&bytes);
    }

    /// Bytes that are nearly right reach further than random ones.
    #[test]
    fn readers_are_total_near_a_macaroon(
        macaroon in macaroon(), at in any::<prop::sample::Index>(), byte: u8, cut: bool,
    ) {
        for format in [Format::V1, Format::V2, Format::V2Json] {
            let mut bytes = macaroon.to_format(format).unwrap();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            if cut {
                bytes.truncate(at);
            }
            // What is read all the same is exactly what was there.
            match (format, Macaroon::parse(&bytes)) {
                (Format::V2, Ok(read)) => prop_assert_eq!(read.to_v2(), bytes),
                (Format::V1, Ok(read)) => prop_assert_eq!(read.to_v1().unwrap(), bytes),
                _ => {}
            }
        }
    }

    #[test]
    fn every_format_gives_the_macaroon_back(macaroon in macaroon()) {
        for format in [Format::V1, Format::V2, Format::V2Json] {
            let bytes = macaroon.to_format(format).unwrap();
            prop_assert_eq!(Format::sniff(&bytes), Some(format));
            prop_assert_eq!(&Macaroon::parse(&bytes).unwrap(), &macaroon);
        }
        let bytes = macaroon.to_v2();
        let borrowed = MacaroonRef::parse(&bytes).unwrap();
        prop_assert!(borrowed.caveats().eq(macaroon.caveats()));
        prop_assert_eq!(borrowed.to_macaroon(), macaroon);
    }

    #[test]
    fn base64_gives_the_bytes_back(bytes in vec(any::<u8>(), 0..200)) {
        let text = base64::encode(&bytes);
        let url_safe = text.replace('+', "-").replace('/', "_");
        for text in [&text, &url_safe, text.trim_end_matches('='), url_safe.trim_end_matches('=')] {
            prop_assert_eq!(&base64::decode(text).unwrap(), &bytes);
        }
    }

    /// No text but those four spellings is read as the same bytes.
    #[test]
    fn base64_has_no_other_spelling(text in "[A-Za-z0-9+/_=-]{0,12}") {
        if let Ok(bytes) = base64::decode(&text) {
            let written = base64::encode(&bytes);
            let standard = text.replace('-', "+").replace('_', "/");
            prop_assert!(written == standard || written.trim_end_matches('=') == standard);
            prop_assert!(!(text.contains(['+', '/']) && text.contains(['-', '_'])));
        }
    }

    #[test]
    fn identifiers_round_trip(hash: [u8; 32], token_id: [u8; 32]) {
        let identifier = Identifier { payment_hash: PaymentHash::from_bytes(hash), token_id };
        prop_assert_eq!(Identifier::parse(&identifier.to_bytes()), Ok(identifier));
    }

    #[test]
    fn what_was_minted_verifies(sale in sale()) {
        let Some(token) = sale.token() else { return Ok(()) };
        let verified = verify_with(&sale.keyring(), &token, &sale.preimage(), &sale.request());
        let verified = verified.unwrap();
        prop_assert_eq!(verified.payment_hash, sale.preimage().payment_hash());
        prop_assert_eq!(verified.uses, sale.uses.get());
        prop_assert_eq!(verified.valid_until, sale.valid_until);
        prop_assert_eq!(verified.keep_until, sale.valid_until.saturating_add(300));
    }

    #[test]
    fn nothing_with_one_bit_changed_verifies(
        sale in sale(), at in any::<prop::sample::Index>(), bit in 0..8u8,
    ) {
        let Some(token) = sale.token() else { return Ok(()) };
        let mut bytes = base64::decode(&token).unwrap();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        // The location is the one part that no macaroon library signs.
        if !(3..7).contains(&at) {
            let changed = base64::encode(&bytes);
            let result = verify_with(&sale.keyring(), &changed, &sale.preimage(), &sale.request());
            prop_assert!(matches!(
                result.unwrap_err().code(), "invalid_credential" | "malformed_credential"
            ));
        }
        let mut preimage = sale.preimage;
        preimage[at % 32] ^= 1 << bit;
        let preimage = Preimage::from_bytes(preimage);
        let result = verify_with(&sale.keyring(), &token, &preimage, &sale.request());
        prop_assert_eq!(result.unwrap_err().code(), "invalid_credential");
    }

    /// Whatever a holder adds, each further caveat allows only what the chain before it allowed.
    #[test]
    fn attenuation_only_narrows(
        caveats in vec(caveat(), 1..5),
        minted_path in prop_oneof![Just("/v1/demo"), Just("/v1/*")],
        path in prop_oneof![Just("/v1/demo"), Just("/v1/data"), Just("/v2")],
        method in prop_oneof![Just("GET"), Just("POST")],
        tier in 0..2u8,
        now in NOW..NOW + 7_200,
        lowest_price_msat in 0..50_000u64,
        capability in prop_oneof![Just(None), Just(Some("a")), Just(Some("b"))],
    ) {
        let mint = MintRequest {
            path: minted_path, capabilities: &["a", "b"], ..mint_request()
        };
        let request = RequestContext {
            path, method, tier, now, lowest_price_msat, capability, ..request()
        };
        let mut token = keyring().mint(&mint).unwrap();
        let mut before = verify(token.as_str(), &request);
        for caveat in &caveats {
            token = attenuate_token(token.as_str(), &[caveat]).unwrap();
            let after = verify(token.as_str(), &request);
            if let Ok(after) = &after {
                let before = before.as_ref().expect("a refused chain is not let in by a caveat");
                prop_assert!(after.uses <= before.uses && after.valid_until <= before.valid_until);
                prop_assert_eq!(after.keep_until, before.keep_until);
            }
            before = after;
        }
    }
}

/// Each single bit of one token and its preimage, not a sample.
#[test]
fn no_bit_of_a_token_is_free() {
    let token = keyring().mint(&mint_request()).unwrap();
    let bytes = base64::decode(token.as_str()).unwrap();
    let location = 3..7;
    for at in (0..bytes.len()).filter(|at| !location.contains(at)) {
        for bit in 0..8 {
            let mut changed = bytes.clone();
            changed[at] ^= 1 << bit;
            let result = verify(&base64::encode(&changed), &request());
            assert!(result.is_err(), "byte {at}, bit {bit}");
        }
    }
    for bit in 0..256 {
        let mut preimage = *preimage().expose_bytes();
        preimage[bit / 8] ^= 1 << (bit % 8);
        let preimage = Preimage::from_bytes(preimage);
        assert!(verify_with(&keyring(), token.as_str(), &preimage, &request()).is_err());
    }
}
