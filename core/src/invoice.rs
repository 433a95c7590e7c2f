//! What a BOLT 11 invoice says, once it is signed right.

use alloc::string::String;

use crate::{Network, PaymentHash};

/// An invoice's facts, from its own signed text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvoiceFacts {
    /// The payment hash.
    pub payment_hash: PaymentHash,
    /// The amount in msat. `None` when the payer chooses it; an amount of 0 is read so, too.
    pub amount_msat: Option<u64>,
    /// The network that its prefix names.
    pub network: Network,
    /// When it was made, unix seconds.
    pub issued_at: u64,
    /// When it expires, unix seconds; `u64::MAX` when that is further than 64 bits count.
    pub expires_at: u64,
    /// The node that is paid: a compressed public key, given in the invoice or recovered from its
    /// signature.
    pub payee: Option<[u8; 33]>,
    /// Its description, with control characters replaced. `None` where only a hash is given.
    pub description: Option<String>,
}

/// Why an invoice is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvoiceError {
    /// The amount is more than 64 bits of millionths of a satoshi count: 18 million bitcoin.
    #[error("the invoice's amount is out of range")]
    AmountOutOfRange,
    /// Not BOLT 11, or a field that it must have is missing or doubled.
    #[error("not a bolt 11 invoice")]
    Malformed,
    /// The amount has a part of a millisatoshi.
    #[error("the invoice's amount has a part of a millisatoshi")]
    SubMsat,
    /// It requires features that are not known here.
    #[error("the invoice requires features that are not known")]
    UnknownFeatures,
    /// It is for a network that is not known here.
    #[error("the invoice is for an unknown network")]
    UnknownNetwork,
    /// The signature is wrong, or the text is not written the one way that it can be checked for.
    #[error("the invoice is not signed right")]
    WrongSignature,
}

impl InvoiceError {
    /// The stable code of this error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::AmountOutOfRange => "invoice_amount_out_of_range",
            Self::Malformed => "invoice_malformed",
            Self::SubMsat => "invoice_sub_msat",
            Self::UnknownFeatures => "invoice_unknown_features",
            Self::UnknownNetwork => "invoice_unknown_network",
            Self::WrongSignature => "invoice_wrong_signature",
        }
    }
}

#[cfg(feature = "invoice")]
pub use read::read_invoice;

#[cfg(feature = "invoice")]
mod read {
    use alloc::string::ToString;

    use lightning_invoice::{
        Bolt11Invoice, Bolt11InvoiceDescriptionRef, Bolt11ParseError, Bolt11SemanticError,
        Currency, RawHrp, SignedRawBolt11Invoice,
    };

    use super::{InvoiceError, InvoiceFacts};
    use crate::{Network, PaymentHash};

    /// Parses an invoice, in lower or in upper case, and checks its checksum, its fields, its
    /// signature and its amount. It does not ask for an amount, nor whether it has expired.
    ///
    /// # Errors
    /// [`InvoiceError`].
    pub fn read_invoice(bolt11: &str) -> Result<InvoiceFacts, InvoiceError> {
        let signed: SignedRawBolt11Invoice = bolt11.parse().map_err(|error| match error {
            Bolt11ParseError::UnknownCurrency => InvoiceError::UnknownNetwork,
            // What does not fit as an integer, and what overflows once its unit is applied.
            Bolt11ParseError::ParseAmountError(_) => InvoiceError::AmountOutOfRange,
            Bolt11ParseError::IntegerOverflowError if amount_overflows(bolt11) => {
                InvoiceError::AmountOutOfRange
            }
            // Numbers that no signature has, and a payee that is no point: it can't have signed.
            Bolt11ParseError::MalformedSignature(_) => InvoiceError::WrongSignature,
            _ => InvoiceError::Malformed,
        })?;
        // The library hashes its own encoding of what it read. Where that is not the text (a number
        // with leading zeros, stray padding bits), the signature would be checked for another text,
        // and the recovered payee be a key of nobody.
        if signed.to_string() != bolt11.to_ascii_lowercase() {
            return Err(InvoiceError::WrongSignature);
        }
        // Whole bitcoins that overflow read as no amount at all.
        if signed.raw_invoice().hrp.raw_amount.is_some() && signed.amount_pico_btc().is_none() {
            return Err(InvoiceError::AmountOutOfRange);
        }
        let invoice = Bolt11Invoice::from_signed(signed).map_err(|error| match error {
            Bolt11SemanticError::ImpreciseAmount => InvoiceError::SubMsat,
            Bolt11SemanticError::InvalidFeatures => InvoiceError::UnknownFeatures,
            Bolt11SemanticError::InvalidSignature => InvoiceError::WrongSignature,
            _ => InvoiceError::Malformed,
        })?;
        let issued_at = invoice.duration_since_epoch().as_secs();
        Ok(InvoiceFacts {
            payment_hash: PaymentHash::from_bytes(*invoice.payment_hash().as_ref()),
            amount_msat: invoice.amount_milli_satoshis().filter(|&amount| amount > 0),
            network: network(&invoice.currency()),
            issued_at,
            expires_at: issued_at.saturating_add(invoice.expiry_time().as_secs()),
            payee: Some(invoice.get_payee_pub_key().serialize()),
            description: match invoice.description() {
                Bolt11InvoiceDescriptionRef::Direct(text) => Some(text.to_string()),
                Bolt11InvoiceDescriptionRef::Hash(_) => None,
            },
        })
    }

    /// Whether it is the amount that overflows, and not another number of the invoice.
    fn amount_overflows(bolt11: &str) -> bool {
        let prefix = bolt11.rsplit_once('1').map_or("", |(prefix, _)| prefix);
        let read = prefix.to_ascii_lowercase().parse::<RawHrp>();
        matches!(read, Err(Bolt11ParseError::IntegerOverflowError))
    }

    fn network(currency: &Currency) -> Network {
        match currency {
            Currency::Bitcoin => Network::Bitcoin,
            Currency::BitcoinTestnet => Network::Testnet,
            Currency::Regtest => Network::Regtest,
            Currency::Signet => Network::Signet,
            Currency::Simnet => Network::Simnet,
        }
    }
}

#[cfg(all(test, feature = "invoice"))]
mod tests {
    use alloc::format;
    use alloc::string::ToString;
    use core::time::Duration;

    use bitcoin::hashes::{Hash, sha256};
    use bitcoin::secp256k1::{Message, PublicKey, Secp256k1, SecretKey};
    use lightning_invoice::{
        Bolt11Invoice, Currency, Description, ExpiryTime, InvoiceBuilder, MinFinalCltvExpiryDelta,
        PaymentSecret, PositiveTimestamp, RawBolt11Invoice, RawDataPart, RawHrp, SiPrefix,
        TaggedField,
    };
    use proptest::prelude::*;

    use super::*;

    const NOW: u64 = 1_764_000_000;

    fn node() -> SecretKey {
        SecretKey::from_slice(&[0x42; 32]).expect("in range")
    }

    fn invoice(currency: Currency, amount_msat: Option<u64>, expiry: u64) -> Bolt11Invoice {
        let builder = InvoiceBuilder::new(currency)
            .description("one call".into())
            .payment_hash(sha256::Hash::from_byte_array([7; 32]))
            .payment_secret(PaymentSecret([8; 32]))
            .duration_since_epoch(Duration::from_secs(NOW))
            .expiry_time(Duration::from_secs(expiry))
            .min_final_cltv_expiry_delta(18);
        let builder = match amount_msat {
            Some(amount) => builder.amount_milli_satoshis(amount),
            None => builder,
        };
        builder
            .build_signed(|hash| Secp256k1::new().sign_ecdsa_recoverable(hash, &node()))
            .expect("complete")
    }

    /// An invoice that no builder makes, signed by the node.
    fn raw(raw_amount: Option<u64>, si_prefix: Option<SiPrefix>, fields: &[TaggedField]) -> String {
        let hrp = RawHrp { currency: Currency::Regtest, raw_amount, si_prefix };
        let timestamp = PositiveTimestamp::from_unix_timestamp(NOW).expect("35 bits");
        let tagged_fields = fields.iter().cloned().map(Into::into).collect();
        RawBolt11Invoice { hrp, data: RawDataPart { timestamp, tagged_fields } }
            .sign(|hash: &Message| {
                Ok::<_, ()>(Secp256k1::new().sign_ecdsa_recoverable(hash, &node()))
            })
            .expect("signs")
            .to_string()
    }

    fn fields() -> [TaggedField; 4] {
        let like = invoice(Currency::Regtest, None, 60);
        let features = like.features().expect("the builder sets them").clone();
        [
            TaggedField::PaymentHash(lightning_invoice::Sha256(sha256::Hash::from_byte_array(
                [7; 32],
            ))),
            TaggedField::Description(Description::new("one call".into()).expect("short")),
            TaggedField::PaymentSecret(PaymentSecret([8; 32])),
            TaggedField::Features(features),
        ]
    }

    #[test]
    fn reads_what_a_node_signed() {
        let text = invoice(Currency::Regtest, Some(21_000), 3_600).to_string();
        let payee = PublicKey::from_secret_key(&Secp256k1::new(), &node()).serialize();
        let facts = InvoiceFacts {
            payment_hash: PaymentHash::from_bytes([7; 32]),
            amount_msat: Some(21_000),
            network: Network::Regtest,
            issued_at: NOW,
            expires_at: NOW + 3_600,
            payee: Some(payee),
            description: Some("one call".into()),
        };
        assert_eq!(read_invoice(&text), Ok(facts.clone()));
        assert_eq!(read_invoice(&text.to_uppercase()), Ok(facts));
    }

    #[test]
    fn names_the_network() {
        for (currency, network) in [
            (Currency::Bitcoin, Network::Bitcoin),
            (Currency::BitcoinTestnet, Network::Testnet),
            (Currency::Regtest, Network::Regtest),
            (Currency::Signet, Network::Signet),
            (Currency::Simnet, Network::Simnet),
        ] {
            let text = invoice(currency, Some(1), 60).to_string();
            assert!(text.starts_with(&format!("ln{}", network.currency())));
            assert_eq!(read_invoice(&text).map(|facts| facts.network), Ok(network));
        }
    }

    #[test]
    fn an_amount_is_whole_millisatoshis_or_none() {
        let amount = |raw_amount, prefix| {
            read_invoice(&raw(raw_amount, prefix, &fields())).map(|facts| facts.amount_msat)
        };
        assert_eq!(amount(None, None), Ok(None));
        assert_eq!(amount(Some(0), Some(SiPrefix::Nano)), Ok(None));
        assert_eq!(amount(Some(1), None), Ok(Some(100_000_000_000)));
        assert_eq!(amount(Some(210), Some(SiPrefix::Nano)), Ok(Some(21_000)));
        assert_eq!(amount(Some(10), Some(SiPrefix::Pico)), Ok(Some(1)));
        assert_eq!(amount(Some(11), Some(SiPrefix::Pico)), Err(InvoiceError::SubMsat));
        // 2^64 / 10^12 bitcoin, and the next whole one.
        assert_eq!(amount(Some(18_446_744), None), Ok(Some(1_844_674_400_000_000_000)));
        assert_eq!(amount(Some(18_446_745), None), Err(InvoiceError::AmountOutOfRange));
        let overflow = amount(Some(u64::MAX), Some(SiPrefix::Milli));
        assert_eq!(overflow, Err(InvoiceError::AmountOutOfRange));
    }

    #[test]
    fn an_expiry_can_not_wrap() {
        let [hash, description, secret, features] = fields();
        let expiry = |seconds| TaggedField::ExpiryTime(ExpiryTime::from_seconds(seconds));
        let with = |field| {
            let list = [hash.clone(), description.clone(), secret.clone(), features.clone(), field];
            read_invoice(&raw(Some(10), Some(SiPrefix::Nano), &list)).map(|facts| facts.expires_at)
        };
        assert_eq!(with(expiry(0)), Ok(NOW));
        assert_eq!(with(expiry(u64::MAX)), Ok(u64::MAX));
        let cltv = TaggedField::MinFinalCltvExpiryDelta(MinFinalCltvExpiryDelta(9));
        assert_eq!(with(cltv), Ok(NOW + 3_600), "the default hour");
    }

    #[test]
    fn what_is_not_an_invoice_is_refused() {
        let good = invoice(Currency::Regtest, Some(21_000), 3_600).to_string();
        for text in
            ["", "lnbc", "lnbcrt1", &good[1..], &format!(" {good}"), &good[..good.len() - 1]]
        {
            assert_eq!(read_invoice(text), Err(InvoiceError::Malformed), "{text}");
        }
        assert_eq!(read_invoice(&format!("lightning:{good}")), Err(InvoiceError::Malformed));
        assert_eq!(read_invoice(&good.replacen("ln", "LN", 1)), Err(InvoiceError::Malformed));
        for missing in 0..4 {
            let mut list = fields().to_vec();
            list.remove(missing);
            let error = read_invoice(&raw(None, None, &list)).expect_err("a field is missing");
            let expected =
                if missing == 3 { InvoiceError::UnknownFeatures } else { InvoiceError::Malformed };
            assert_eq!(error, expected, "{missing}");
        }
    }

    #[test]
    fn the_examples_of_bolt_11_that_must_fail_do() {
        for (text, error) in [
            // A feature bit that is not known, and required.
            (
                "lnbc25m1pvjluezpp5qqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqypqdq5vdhkven9v5sxyetpdeessp5zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zygs9q4psqqqqqqqqqqqqqqqqsgqtqyx5vggfcsll4wu246hz02kp85x4katwsk9639we5n5yngc3yhqkm35jnjw4len8vrnqnf5ejh0mzj9n3vz2px97evektfm2l6wqccp3y7372",
                InvoiceError::UnknownFeatures,
            ),
            // A signature from which no key can be recovered.
            (
                "lnbc2500u1pvjluezpp5qqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqypqdq5xysxxatsyp3k7enxv4jsxqzpusp5zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zygs9qrsgqwgt7mcn5yqw3yx0w94pswkpq6j9uh6xfqqqtsk4tnarugeektd4hg5975x9am52rz4qskukxdmjemg92vvqz8nvmsye63r5ykel43pgz7zq0g2",
                InvoiceError::WrongSignature,
            ),
            // An amount of 0.1 msat.
            (
                "lnbc2500000001p1pvjluezpp5qqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqypqdq5xysxxatsyp3k7enxv4jsxqzpusp5zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zygs9qrsgq0lzc236j96a95uv0m3umg28gclm5lqxtqqwk32uuk4k6673k6n5kfvx3d2h8s295fad45fdhmusm8sjudfhlf6dcsxmfvkeywmjdkxcp99202x",
                InvoiceError::SubMsat,
            ),
        ] {
            assert_eq!(read_invoice(text), Err(error));
        }
    }

    #[test]
    fn a_signature_over_another_text_is_refused() {
        // The same amount with a leading zero: the library would check its own spelling of it.
        let good = invoice(Currency::Regtest, Some(21_000), 3_600).to_string();
        let parsed = bech32_parts(&good.replacen("210n", "0210n", 1));
        assert_eq!(read_invoice(&parsed), Err(InvoiceError::WrongSignature));
        // A payee that did not sign.
        let other = SecretKey::from_slice(&[0x43; 32]).expect("in range");
        let key = PublicKey::from_secret_key(&Secp256k1::new(), &other);
        let mut list = fields().to_vec();
        list.push(TaggedField::PayeePubKey(lightning_invoice::PayeePubKey(key)));
        assert_eq!(read_invoice(&raw(None, None, &list)), Err(InvoiceError::WrongSignature));
    }

    #[test]
    fn each_fault_has_its_own_code() {
        let good = invoice(Currency::Regtest, Some(21_000), 3_600).to_string();
        // An expiry beyond 64 bits is no fault of the amount's.
        let endless = good.replacen("xqrrss", "xqdlllllllllllll", 1);
        assert_ne!(endless, good);
        assert_eq!(read_invoice(&bech32_parts(&endless)), Err(InvoiceError::Malformed));
        // Numbers that no signature has.
        let signature = good.len() - 6 - 104;
        for (at, words) in [(signature, "l".repeat(51)), (signature + 103, "y".into())] {
            let mut bad = good.clone();
            bad.replace_range(at..at + words.len(), &words);
            assert_eq!(read_invoice(&bech32_parts(&bad)), Err(InvoiceError::WrongSignature));
        }
    }

    /// The text with its checksum made right again.
    fn bech32_parts(text: &str) -> String {
        const CHARSET: &str = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
        let (hrp, data) = text.rsplit_once('1').expect("a separator");
        let value = |c| CHARSET.find(c).and_then(|i| u32::try_from(i).ok()).expect("bech32");
        let mut state = 1u32;
        let mut add = |v: u32| {
            let top = state >> 25;
            state = (state & 0x1ff_ffff) << 5 ^ v;
            for (i, generator) in
                [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3].iter().enumerate()
            {
                if top >> i & 1 == 1 {
                    state ^= generator;
                }
            }
            state
        };
        hrp.bytes().for_each(|b| _ = add(u32::from(b >> 5)));
        add(0);
        hrp.bytes().for_each(|b| _ = add(u32::from(b & 31)));
        let data = &data[..data.len() - 6];
        data.chars().for_each(|c| _ = add(value(c)));
        let sum = (0..6).map(|_| add(0)).last().expect("six") ^ 1;
        let digits = (0..6).map(|i| (sum >> (5 * (5 - i)) & 31) as usize);
        let tail: String = digits.map(|i| CHARSET.as_bytes()[i] as char).collect();
        format!("{hrp}1{data}{tail}")
    }

    proptest! {
        #[test]
        fn any_text_gives_facts_or_an_error(
            text in "(lnbcrt|lnbc|LNTB|\\PC)[0-9munpx]{0,22}1?[0-9a-z]{0,300}",
        ) {
            let _ = read_invoice(&text);
        }

        #[test]
        fn one_wrong_character_is_noticed(
            at in any::<proptest::sample::Index>(),
            c in "[02-9ac-hj-np-z]",
        ) {
            let good = invoice(Currency::Regtest, Some(21_000), 3_600).to_string();
            let at = at.index(good.len());
            let mut bad = good.clone();
            bad.replace_range(at..=at, &c);
            prop_assume!(bad != good);
            prop_assert!(read_invoice(&bad).is_err());
        }
    }
}
