//! Rows to values. What does not fit its type is damage, never a default.

use plannt_core::flow::{
    CredentialState, Intent, IntentState, Origin, Receipt, RequestKey, StoredCredential,
    StoredToken,
};
use plannt_core::{Network, PaymentHash, Preimage, Scheme};
use rusqlite::types::Type;
use rusqlite::{Error, Row};

/// The columns of every payment query, in the order that [`receipt`] and its like expect by name.
pub(super) const COLUMNS: &str = "payment_hash, method, origin, target, body_sha256, wallet, scheme, token, invoice, \
     network, payee, amount_msat, max_fee_msat, fee_msat, charged_msat, state, credential, preimage, failure, \
     invoice_expires_at, created_at, settled_at";

/// A number that is never negative. SQLite's integers are signed.
pub(super) fn unsigned(row: &Row<'_>, name: &str) -> Result<u64, Error> {
    number(row.get(name)?, name)
}

fn optional(row: &Row<'_>, name: &str) -> Result<Option<u64>, Error> {
    row.get::<_, Option<i64>>(name)?.map(|n| number(n, name)).transpose()
}

fn number(number: i64, name: &str) -> Result<u64, Error> {
    u64::try_from(number).map_err(|_| damaged(name, Type::Integer))
}

/// The nearest number that SQLite can hold.
pub(super) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn damaged(name: &str, kind: Type) -> Error {
    Error::FromSqlConversionFailure(0, kind, format!("unreadable {name}").into())
}

fn parsed<T: std::str::FromStr>(row: &Row<'_>, name: &str) -> Result<T, Error> {
    let text: String = row.get(name)?;
    text.parse().map_err(|_| damaged(name, Type::Text))
}

fn hash(row: &Row<'_>) -> Result<PaymentHash, Error> {
    Ok(PaymentHash::from_bytes(row.get("payment_hash")?))
}

fn origin(row: &Row<'_>) -> Result<Origin, Error> {
    Origin::parse(&row.get::<_, String>("origin")?).map_err(|_| damaged("origin", Type::Text))
}

fn scheme(row: &Row<'_>) -> Result<Scheme, Error> {
    let name: String = row.get("scheme")?;
    Scheme::from_name(&name).ok_or_else(|| damaged("scheme", Type::Text))
}

pub(super) fn intent(row: &Row<'_>) -> Result<Intent, Error> {
    Ok(Intent {
        payment_hash: hash(row)?,
        request: RequestKey {
            method: row.get("method")?,
            origin: origin(row)?,
            target: row.get("target")?,
            body_sha256: row.get("body_sha256")?,
            wallet: row.get("wallet")?,
        },
        scheme: scheme(row)?,
        token: row.get("token")?,
        invoice: row.get("invoice")?,
        network: parsed::<Network>(row, "network")?,
        payee: row.get("payee")?,
        amount_msat: unsigned(row, "amount_msat")?,
        max_fee_msat: unsigned(row, "max_fee_msat")?,
        invoice_expires_at: unsigned(row, "invoice_expires_at")?,
        created_at: unsigned(row, "created_at")?,
    })
}

pub(super) fn receipt(row: &Row<'_>) -> Result<Receipt, Error> {
    let credential: Option<String> = row.get("credential")?;
    Ok(Receipt {
        payment_hash: hash(row)?,
        network: parsed::<Network>(row, "network")?,
        payee: row.get("payee")?,
        amount_msat: unsigned(row, "amount_msat")?,
        fee_msat: optional(row, "fee_msat")?,
        charged_msat: unsigned(row, "charged_msat")?,
        method: row.get("method")?,
        origin: origin(row)?,
        target: row.get("target")?,
        wallet: row.get("wallet")?,
        created_at: unsigned(row, "created_at")?,
        settled_at: optional(row, "settled_at")?,
        state: parsed::<IntentState>(row, "state")?,
        credential: credential
            .map(|text| {
                text.parse::<CredentialState>().map_err(|_| damaged("credential", Type::Text))
            })
            .transpose()?,
        failure: row.get("failure")?,
    })
}

pub(super) fn credential(row: &Row<'_>) -> Result<StoredCredential, Error> {
    let preimage = Preimage::from_bytes(row.get("preimage")?);
    let receipt = receipt(row)?;
    if !preimage.proves(&receipt.payment_hash) {
        return Err(damaged("preimage", Type::Blob));
    }
    Ok(StoredCredential {
        scheme: scheme(row)?,
        token: StoredToken::new(row.get("token")?),
        preimage,
        receipt,
    })
}
