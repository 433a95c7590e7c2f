//! Invoices that no honest node makes, signed right all the same.

use std::convert::Infallible;
use std::time::Duration;

use bitcoin::hashes::{Hash, sha256};
use bitcoin::secp256k1::{Message, Secp256k1, SecretKey};
pub(super) use lightning_invoice::{Currency, SiPrefix};
use lightning_invoice::{
    Description, ExpiryTime, InvoiceBuilder, MinFinalCltvExpiryDelta, PaymentSecret,
    PositiveTimestamp, RawBolt11Invoice, RawDataPart, RawHrp, TaggedField,
};
use plannt_core::PaymentHash;

use super::house::now;

/// What such an invoice says.
pub(super) struct Odd {
    pub(super) currency: Currency,
    pub(super) amount: Option<u64>,
    pub(super) unit: Option<SiPrefix>,
    /// Unix seconds.
    pub(super) issued_at: u64,
    /// Seconds; `None` leaves the field out.
    pub(super) expiry: Option<u64>,
    pub(super) hash: PaymentHash,
}

impl Odd {
    /// 21 sats on regtest, payable for ten minutes: nothing odd yet.
    pub(super) fn new(hash: PaymentHash) -> Self {
        Self {
            currency: Currency::Regtest,
            amount: Some(210),
            unit: Some(SiPrefix::Nano),
            issued_at: now(),
            expiry: Some(600),
            hash,
        }
    }

    /// Signed by a node that nobody knows.
    pub(super) fn sign(self) -> String {
        let hash = sha256::Hash::from_byte_array(*self.hash.as_bytes());
        let mut fields = vec![
            TaggedField::PaymentHash(lightning_invoice::Sha256(hash)),
            TaggedField::Description(Description::new("odd".into()).expect("short")),
            TaggedField::PaymentSecret(PaymentSecret([8; 32])),
            TaggedField::MinFinalCltvExpiryDelta(MinFinalCltvExpiryDelta(80)),
        ];
        fields.extend(self.expiry.map(ExpiryTime::from_seconds).map(TaggedField::ExpiryTime));
        fields.extend(features());
        let timestamp =
            PositiveTimestamp::from_unix_timestamp(self.issued_at).expect("35 bits of seconds");
        let data =
            RawDataPart { timestamp, tagged_fields: fields.into_iter().map(Into::into).collect() };
        let hrp = RawHrp { currency: self.currency, raw_amount: self.amount, si_prefix: self.unit };
        let key = key();
        let sign = |hash: &Message| {
            Ok::<_, Infallible>(Secp256k1::new().sign_ecdsa_recoverable(hash, &key))
        };
        let Ok(signed) = RawBolt11Invoice { hrp, data }.sign(sign);
        signed.to_string()
    }
}

fn key() -> SecretKey {
    SecretKey::from_slice(&[0x42; 32]).expect("in range")
}

/// What an invoice with a payment secret says of itself; the library makes them only inside one.
fn features() -> Option<TaggedField> {
    let like = InvoiceBuilder::new(Currency::Regtest)
        .description(String::new())
        .payment_hash(sha256::Hash::all_zeros())
        .payment_secret(PaymentSecret([0; 32]))
        .duration_since_epoch(Duration::ZERO)
        .min_final_cltv_expiry_delta(80)
        .build_signed(|hash| Secp256k1::new().sign_ecdsa_recoverable(hash, &key()));
    like.ok()?.features().cloned().map(TaggedField::Features)
}

#[cfg(test)]
mod tests {
    use plannt_core::{InvoiceError, read_invoice};

    use super::*;

    const HASH: PaymentHash = PaymentHash::from_bytes([7; 32]);

    #[test]
    fn they_are_odd_in_one_way_each() {
        let facts = read_invoice(&Odd::new(HASH).sign()).expect("nothing odd");
        assert_eq!((facts.payment_hash, facts.amount_msat), (HASH, Some(21_000)));
        let amount = |amount, unit| read_invoice(&Odd { amount, unit, ..Odd::new(HASH) }.sign());
        let whole = amount(Some(1), None).expect("a whole bitcoin");
        assert_eq!(whole.amount_msat, Some(100_000_000_000));
        assert_eq!(amount(Some(211), Some(SiPrefix::Pico)), Err(InvoiceError::SubMsat));
        assert_eq!(amount(None, None).map(|facts| facts.amount_msat), Ok(None));
    }
}
