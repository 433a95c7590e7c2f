//! Invoices: texts of any kind, and any fields under a right signature.

use arbitrary::{Arbitrary, Unstructured};
use bitcoin::hashes::{Hash, sha256};
use bitcoin::secp256k1::{Message, Secp256k1, SecretKey};
use lightning_invoice::{
    Currency, Description, ExpiryTime, PaymentSecret, PositiveTimestamp, RawBolt11Invoice,
    RawDataPart, RawHrp, Sha256, SiPrefix, SignedRawBolt11Invoice, TaggedField,
};
use plannt_core::{InvoiceError, Network, read_invoice};

use crate::support::first;

const CHARSET: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
const CURRENCIES: [(Currency, Network); 5] = [
    (Currency::Bitcoin, Network::Bitcoin),
    (Currency::BitcoinTestnet, Network::Testnet),
    (Currency::Regtest, Network::Regtest),
    (Currency::Signet, Network::Signet),
    (Currency::Simnet, Network::Simnet),
];

/// Input: a byte that says which of three: a text; a text without its checksum; or fields to be signed.
pub fn run(data: &[u8]) {
    let (kind, data) = first(data);
    match kind % 3 {
        0 => any_text(data),
        1 => any_text(with_checksum(data).as_bytes()),
        _ => _ = Fields::arbitrary(&mut Unstructured::new(data)).map(signed),
    }
}

fn any_text(data: &[u8]) {
    let Ok(text) = core::str::from_utf8(data) else { return };
    let Ok(facts) = read_invoice(text) else { return };
    assert!(facts.amount_msat.is_none_or(|amount| amount > 0));
    assert!(facts.expires_at >= facts.issued_at);
    assert!(facts.payee.is_some());
    let other_case = if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        text.to_ascii_lowercase()
    } else {
        text.to_ascii_uppercase()
    };
    assert_eq!(read_invoice(&other_case), Ok(facts));
    for at in (0..text.len()).step_by(7) {
        let mut bytes = text.as_bytes().to_vec();
        bytes[at] = if bytes[at] == b'q' { b'p' } else { b'q' };
        let changed = String::from_utf8(bytes).unwrap();
        assert!(read_invoice(&changed).is_err(), "a wrong character at {at}");
    }
}

/// An invoice as nobody writes it, signed.
#[derive(Arbitrary, Clone, Debug)]
struct Fields {
    currency: u8,
    amount: Option<u64>,
    prefix: u8,
    timestamp: u64,
    payment_hash: [u8; 32],
    tagged: Vec<Field>,
}

#[derive(Arbitrary, Clone, Debug)]
enum Field {
    Description(String),
    DescriptionHash([u8; 32]),
    Expiry(u64),
    Features(bool),
    PaymentHash,
    PaymentSecret([u8; 32]),
}

fn signed(fields: Fields) {
    let (currency, network) = &CURRENCIES[usize::from(fields.currency) % CURRENCIES.len()];
    let prefixes = [
        None,
        Some(SiPrefix::Milli),
        Some(SiPrefix::Micro),
        Some(SiPrefix::Nano),
        Some(SiPrefix::Pico),
    ];
    let prefix = prefixes[usize::from(fields.prefix) % prefixes.len()];
    let Ok(timestamp) = PositiveTimestamp::from_unix_timestamp(fields.timestamp % (1 << 35)) else {
        return;
    };
    let hash =
        || TaggedField::PaymentHash(Sha256(sha256::Hash::from_byte_array(fields.payment_hash)));
    let mut tagged = vec![hash()];
    for field in fields.tagged.into_iter().take(8) {
        tagged.push(match field {
            Field::Description(text) => match Description::new(text) {
                Ok(description) => TaggedField::Description(description),
                Err(_) => continue,
            },
            Field::DescriptionHash(bytes) => {
                TaggedField::DescriptionHash(Sha256(sha256::Hash::from_byte_array(bytes)))
            }
            Field::Expiry(seconds) => TaggedField::ExpiryTime(ExpiryTime::from_seconds(seconds)),
            Field::Features(required) => {
                let mut features = lightning_types::features::Bolt11InvoiceFeatures::empty();
                features.set_variable_length_onion_required();
                features.set_payment_secret_required();
                if required {
                    features.set_basic_mpp_required();
                }
                TaggedField::Features(features)
            }
            Field::PaymentHash => hash(),
            Field::PaymentSecret(bytes) => TaggedField::PaymentSecret(PaymentSecret(bytes)),
        });
    }
    let amount = fields.amount;
    let expiry = tagged.iter().find_map(|field| match field {
        TaggedField::ExpiryTime(time) => Some(time.as_seconds()),
        _ => None,
    });
    let hrp = RawHrp { currency: currency.clone(), raw_amount: amount, si_prefix: prefix };
    let tagged_fields = tagged.into_iter().map(Into::into).collect();
    let raw = RawBolt11Invoice { hrp, data: RawDataPart { timestamp, tagged_fields } };
    let text = sign(raw).to_string();

    // Picobitcoin, of which ten are a msat.
    let unit: u128 = match prefix {
        None => 1_000_000_000_000,
        Some(SiPrefix::Milli) => 1_000_000_000,
        Some(SiPrefix::Micro) => 1_000_000,
        Some(SiPrefix::Nano) => 1_000,
        Some(SiPrefix::Pico) => 1,
    };
    let pico = amount.map(|amount| u128::from(amount) * unit);
    match read_invoice(&text) {
        Ok(facts) => {
            assert_eq!(facts.payment_hash.as_bytes(), &fields.payment_hash);
            assert_eq!(facts.network, *network);
            let msat = pico.filter(|pico| *pico > 0).map(|pico| pico / 10);
            assert_eq!(facts.amount_msat.map(u128::from), msat, "{text}");
            assert!(pico.is_none_or(|pico| pico % 10 == 0 && pico <= u128::from(u64::MAX)));
            assert_eq!(facts.issued_at, fields.timestamp % (1 << 35));
            let expires_at = facts.issued_at.saturating_add(expiry.unwrap_or(3_600));
            assert_eq!(facts.expires_at, expires_at);
            assert!(text.to_string().starts_with(&format!("ln{}", network.currency())));
            any_text(text.as_bytes());
        }
        Err(InvoiceError::SubMsat) => assert!(pico.is_some_and(|pico| pico % 10 != 0)),
        Err(InvoiceError::AmountOutOfRange) => {
            assert!(pico.is_some_and(|pico| pico > u128::from(u64::MAX)));
        }
        // Fields that are missing, doubled, or of no use.
        Err(_) => {}
    }
}

fn sign(raw: RawBolt11Invoice) -> SignedRawBolt11Invoice {
    let node = SecretKey::from_slice(&[0x42; 32]).unwrap();
    raw.sign(|hash: &Message| {
        Ok::<_, ()>(Secp256k1::signing_only().sign_ecdsa_recoverable(hash, &node))
    })
    .unwrap()
}

/// The text with a right checksum, so that what is behind it is reached. What is no character of
/// bech32 in the part that counts becomes one.
fn with_checksum(data: &[u8]) -> String {
    let split = data.iter().rposition(|byte| *byte == b'1').unwrap_or(data.len());
    let (hrp, rest) = data.split_at(split);
    let hrp: Vec<u8> = hrp.iter().map(|byte| (byte % 94 + 33).to_ascii_lowercase()).collect();
    let rest = rest.get(1..).unwrap_or_default();
    let values: Vec<u8> = rest
        .iter()
        .map(|byte| CHARSET.iter().position(|c| c == byte).unwrap_or((byte % 32).into()) as u8)
        .collect();
    let mut all: Vec<u8> = hrp.iter().map(|byte| byte >> 5).chain([0]).collect();
    all.extend(hrp.iter().map(|byte| byte & 31).chain(values.iter().copied()).chain([0; 6]));
    let mut state = 1u32;
    for value in all {
        let top = state >> 25;
        state = (state & 0x1ff_ffff) << 5 ^ u32::from(value);
        for (i, generator) in
            [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3].iter().enumerate()
        {
            state ^= if top >> i & 1 == 1 { *generator } else { 0 };
        }
    }
    let state = state ^ 1;
    let sum = (0..6).map(|i| (state >> (5 * (5 - i)) & 31) as u8);
    let digits = values.into_iter().chain(sum).map(|value| CHARSET[usize::from(value)]);
    let bytes: Vec<u8> = hrp.into_iter().chain([b'1']).chain(digits).collect();
    String::from_utf8(bytes).unwrap()
}
