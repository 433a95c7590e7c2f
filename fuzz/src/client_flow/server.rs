//! A server that may answer anything.

use std::sync::LazyLock;
use std::time::Duration;

use arbitrary::{Result, Unstructured};
use bitcoin::hashes::{Hash, sha256};
use bitcoin::secp256k1::{Secp256k1, SecretKey};
use lightning_invoice::{Currency, InvoiceBuilder, PaymentSecret};
use plannt_core::flow::{Event, ResponseFacts};
use plannt_core::{
    Keyring, MintRequest, Network, PaymentHash, Preimage, RootKey, challenge_header,
};

use super::NOW;

/// Payment hashes that the server has invoices for.
const HASHES: u8 = 6;
const EXPIRY: u64 = 3_600;

pub(super) fn preimage(seed: u8) -> Preimage {
    Preimage::from_bytes([seed; 32])
}

/// The preimage of a hash that the server knows.
pub(super) fn preimage_of(hash: &PaymentHash) -> Preimage {
    (0..HASHES).map(preimage).find(|preimage| preimage.proves(hash)).expect("one of its own")
}

/// Challenges of all kinds: good ones of several amounts, and those that must not be paid.
struct Offer {
    token: String,
    invoice: String,
}

static OFFERS: LazyLock<Vec<Offer>> = LazyLock::new(|| {
    let mut offers: Vec<Offer> = (0..HASHES)
        .map(|seed| Offer {
            token: token(seed, NOW + 10_000),
            invoice: invoice(seed, Some(1 + 20_000 * u64::from(seed)), Currency::Regtest, EXPIRY),
        })
        .collect();
    // The same hash at another price, a token of another hash, and a token that says nothing.
    let usual = |seed| invoice(seed, Some(21_000), Currency::Regtest, EXPIRY);
    offers.push(Offer { token: token(1, NOW + 10_000), invoice: usual(1) });
    offers.push(Offer { token: token(2, NOW + 10_000), invoice: usual(3) });
    offers.push(Offer { token: "opaque".into(), invoice: usual(4) });
    offers.push(Offer { token: token(1, NOW + 100), invoice: usual(1) });
    let odd = [
        invoice(1, None, Currency::Regtest, EXPIRY),
        invoice(1, Some(21_000), Currency::Bitcoin, EXPIRY),
        invoice(1, Some(21_000), Currency::Regtest, 20),
        invoice(1, Some(u64::MAX / 10), Currency::Regtest, EXPIRY),
        "lnbcrt1".into(),
    ];
    offers.extend(odd.map(|invoice| Offer { token: token(1, NOW + 10_000), invoice }));
    offers
});

fn token(seed: u8, valid_until: u64) -> String {
    let keyring = Keyring::new(Network::Regtest, RootKey::from_bytes([1; 32]));
    let hash = preimage(seed).payment_hash();
    let request = MintRequest::new(hash, "demo", "GET", "/v1/demo", valid_until, 21_000);
    keyring.mint(&request).unwrap().into_string()
}

fn invoice(seed: u8, amount_msat: Option<u64>, currency: Currency, expiry: u64) -> String {
    let hash = *preimage(seed).payment_hash().as_bytes();
    let mut builder = InvoiceBuilder::new(currency)
        .description("one call".into())
        .payment_hash(sha256::Hash::from_byte_array(hash))
        .payment_secret(PaymentSecret([8; 32]))
        .duration_since_epoch(Duration::from_secs(NOW))
        .expiry_time(Duration::from_secs(expiry))
        .min_final_cltv_expiry_delta(18);
    if let Some(amount) = amount_msat {
        builder = builder.amount_milli_satoshis(amount);
    }
    let node = SecretKey::from_slice(&[0x42; 32]).unwrap();
    let sign = |hash: &_| Secp256k1::signing_only().sign_ecdsa_recoverable(hash, &node);
    builder.build_signed(sign).unwrap().to_string()
}

/// The answer to a request.
pub(super) fn respond(u: &mut Unstructured<'_>) -> Result<Event> {
    if u.ratio(1, 12)? {
        return Ok(Event::SendFailed);
    }
    let mut head = ResponseFacts {
        status: *u.choose(&[402, 402, 402, 402, 402, 402, 200, 204, 302, 401, 500])?,
        ..Default::default()
    };
    head.redirected = u.ratio(1, 16)?;
    if u.ratio(1, 6)? {
        let values = [&b"spent"[..], b"SPENT ; x", b"valid; remaining=1", b"unspent", b"\xff"];
        head.x_l402 = Some(u.choose(&values)?.to_vec());
    }
    for _ in 0..*u.choose(&[1, 1, 1, 0, 2])? {
        let line = match u.ratio(1, 8)? {
            true => u.arbitrary::<&[u8]>()?.to_vec(),
            false => {
                let offer = u.choose(&OFFERS)?;
                challenge_header(&offer.token, &offer.invoice).into_bytes()
            }
        };
        head.www_authenticate.push(line);
    }
    Ok(Event::Responded(head))
}

/// A body, perhaps with a challenge.
pub(super) fn body(u: &mut Unstructured<'_>) -> Result<Event> {
    Ok(Event::Body(match u.int_in_range(0..=3u8)? {
        0 => None,
        1 => Some(u.arbitrary::<&[u8]>()?.to_vec()),
        _ => {
            let Offer { token, invoice } = u.choose(&OFFERS)?;
            let json = format!(r#"{{"invoice":"{invoice}","macaroon":"{token}"}}"#);
            Some(json.into_bytes())
        }
    }))
}
