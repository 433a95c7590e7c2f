//! Accounts, invoices and payments in SQLite. Every change is one durable transaction.

use std::path::Path;
use std::sync::{Mutex, MutexGuard};

use plannt_core::{PaymentHash, Preimage};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, TransactionBehavior, params};

use super::DevnetError;
use super::records::{InvoiceRecord, PaymentRecord};

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS accounts (
    name TEXT PRIMARY KEY,
    node_key BLOB NOT NULL,
    macaroon BLOB NOT NULL UNIQUE,
    balance_msat INTEGER NOT NULL CHECK (balance_msat >= 0)
) STRICT;
CREATE TABLE IF NOT EXISTS invoices (
    id INTEGER PRIMARY KEY,
    payment_hash BLOB NOT NULL UNIQUE,
    account TEXT NOT NULL REFERENCES accounts,
    preimage BLOB NOT NULL,
    payment_request TEXT NOT NULL UNIQUE,
    amount_msat INTEGER NOT NULL,
    memo TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    paid_msat INTEGER NOT NULL DEFAULT 0,
    settled_at INTEGER
) STRICT;
CREATE TABLE IF NOT EXISTS payments (
    id INTEGER PRIMARY KEY,
    payment_hash BLOB NOT NULL,
    account TEXT NOT NULL REFERENCES accounts,
    payment_request TEXT NOT NULL,
    amount_msat INTEGER NOT NULL,
    fee_msat INTEGER NOT NULL,
    status TEXT NOT NULL,
    failure_reason TEXT NOT NULL,
    requests INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    UNIQUE (account, payment_hash)
) STRICT;
";

/// A node of the devnet, as it is stored.
#[derive(Clone)]
pub(super) struct AccountKeys {
    pub(super) name: String,
    pub(super) node_key: [u8; 32],
    pub(super) macaroon: Vec<u8>,
}

/// The database of one devnet.
pub(super) struct Ledger {
    connection: Mutex<Connection>,
}

/// A payment to try.
pub(super) struct Attempt<'a> {
    pub(super) account: &'a str,
    pub(super) hash: PaymentHash,
    pub(super) payment_request: &'a str,
    pub(super) amount_msat: u64,
    pub(super) fee_msat: u64,
    pub(super) fee_limit_msat: u64,
    pub(super) now: u64,
    /// What happens instead of the payment.
    pub(super) instead: Option<Instead>,
    /// Whether one of the devnet's own nodes signed the invoice.
    pub(super) payee_known: bool,
}

/// A made-up end of an attempt.
#[derive(Clone, Copy)]
pub(super) enum Instead {
    Fail(&'static str),
    Stuck,
}

/// What became of an attempt.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Begun {
    AlreadyPaid,
    InTransition,
    /// It is recorded: in flight, succeeded or failed.
    Recorded,
    SelfPayment,
}

impl Ledger {
    pub(super) fn open(path: &Path) -> Result<Self, DevnetError> {
        let connection = Connection::open(path)?;
        // Acknowledged means on disk: a restart, even of the machine, must not give money back.
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        connection.execute_batch(SCHEMA)?;
        Ok(Self { connection: Mutex::new(connection) })
    }

    /// Adds the account unless it is there.
    pub(super) fn add_account(&self, keys: &AccountKeys, balance: u64) -> Result<(), DevnetError> {
        self.lock().execute(
            "INSERT INTO accounts (name, node_key, macaroon, balance_msat) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (name) DO NOTHING",
            params![keys.name, keys.node_key, keys.macaroon, balance as i64],
        )?;
        Ok(())
    }

    pub(super) fn accounts(&self) -> Result<Vec<AccountKeys>, DevnetError> {
        let db = self.lock();
        let mut rows = db.prepare("SELECT name, node_key, macaroon FROM accounts ORDER BY name")?;
        let rows = rows.query_map([], |row| {
            Ok(AccountKeys { name: row.get(0)?, node_key: row.get(1)?, macaroon: row.get(2)? })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    pub(super) fn balance_msat(&self, account: &str) -> Result<u64, DevnetError> {
        let db = self.lock();
        let sql = "SELECT balance_msat FROM accounts WHERE name = ?1";
        Ok(db.query_row(sql, [account], |row| row.get(0).map(unsigned))?)
    }

    /// Adds an invoice; false when there is one with that hash.
    pub(super) fn add_invoice(
        &self,
        invoice: &InvoiceRecord,
        preimage: &Preimage,
    ) -> Result<bool, DevnetError> {
        let added = self.lock().execute(
            "INSERT INTO invoices (payment_hash, account, preimage, payment_request, amount_msat,
                 memo, created_at, expires_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
             ON CONFLICT (payment_hash) DO NOTHING",
            params![
                preimage.payment_hash().as_bytes(),
                invoice.account,
                preimage.expose_bytes(),
                invoice.payment_request,
                invoice.amount_msat as i64,
                invoice.memo,
                invoice.created_at as i64,
                invoice.expires_at as i64
            ],
        )?;
        Ok(added == 1)
    }

    /// An invoice of `account`, and its preimage.
    pub(super) fn invoice(
        &self,
        account: &str,
        hash: &PaymentHash,
        now: u64,
    ) -> Result<Option<(InvoiceRecord, Preimage)>, DevnetError> {
        let db = self.lock();
        let sql = format!("{INVOICE} WHERE account = ?1 AND payment_hash = ?2");
        let found = db.query_row(&sql, params![account, hash.as_bytes()], |row| {
            Ok((read_invoice(row, now)?, Preimage::from_bytes(row.get("preimage")?)))
        });
        Ok(found.optional()?)
    }

    pub(super) fn invoices(&self, now: u64) -> Result<Vec<InvoiceRecord>, DevnetError> {
        let db = self.lock();
        let mut rows = db.prepare(&format!("{INVOICE} ORDER BY id"))?;
        Ok(rows.query_map([], |row| read_invoice(row, now))?.collect::<Result<_, _>>()?)
    }

    /// A payment of `account`, and its preimage once it succeeded.
    pub(super) fn payment(
        &self,
        account: &str,
        hash: &PaymentHash,
    ) -> Result<Option<(PaymentRecord, Option<Preimage>)>, DevnetError> {
        let db = self.lock();
        let sql = "SELECT payments.*, (SELECT preimage FROM invoices
                WHERE invoices.payment_hash = payments.payment_hash AND status = 'SUCCEEDED')
                AS preimage
            FROM payments WHERE account = ?1 AND payment_hash = ?2";
        let found = db.query_row(sql, params![account, hash.as_bytes()], |row| {
            let preimage: Option<[u8; 32]> = row.get("preimage")?;
            Ok((read_payment(row)?, preimage.map(Preimage::from_bytes)))
        });
        Ok(found.optional()?)
    }

    pub(super) fn payments(&self) -> Result<Vec<PaymentRecord>, DevnetError> {
        let db = self.lock();
        let mut rows = db.prepare("SELECT * FROM payments ORDER BY id")?;
        Ok(rows.query_map([], read_payment)?.collect::<Result<_, _>>()?)
    }

    /// Tries a payment: one transaction, so that of any number at once one moves the money.
    pub(super) fn pay(&self, attempt: &Attempt<'_>) -> Result<Begun, DevnetError> {
        let mut db = self.lock();
        let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let begun = pay(&tx, attempt)?;
        tx.commit()?;
        Ok(begun)
    }

    /// Ends the payments of `hash` that are in flight; false when there is none.
    pub(super) fn end_in_flight(
        &self,
        hash: &PaymentHash,
        settle: bool,
        now: u64,
    ) -> Result<bool, DevnetError> {
        let mut db = self.lock();
        let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let sql = "SELECT account, amount_msat, fee_msat FROM payments
                   WHERE payment_hash = ?1 AND status = 'IN_FLIGHT'";
        let in_flight: Vec<(String, i64, i64)> = tx
            .prepare(sql)?
            .query_map([hash.as_bytes()], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
            .collect::<Result<_, _>>()?;
        for (account, amount, fee) in &in_flight {
            let payment = (account.as_str(), hash);
            if settle && credit_payee(&tx, hash, *amount, now)? {
                set_status(&tx, payment, "SUCCEEDED", "FAILURE_REASON_NONE")?;
            } else {
                tx.execute(
                    "UPDATE accounts SET balance_msat = balance_msat + ?2 WHERE name = ?1",
                    params![account, amount + fee],
                )?;
                set_status(&tx, payment, "FAILED", "FAILURE_REASON_INCORRECT_PAYMENT_DETAILS")?;
            }
        }
        tx.commit()?;
        Ok(!in_flight.is_empty())
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().expect("no panic while held")
    }
}

fn pay(tx: &Transaction<'_>, attempt: &Attempt<'_>) -> Result<Begun, DevnetError> {
    let payment = (attempt.account, &attempt.hash);
    let status: Option<String> = tx
        .query_row(
            "UPDATE payments SET requests = requests + 1
             WHERE account = ?1 AND payment_hash = ?2 RETURNING status",
            params![attempt.account, attempt.hash.as_bytes()],
            |row| row.get(0),
        )
        .optional()?;
    match status.as_deref() {
        Some("SUCCEEDED") => return Ok(Begun::AlreadyPaid),
        Some("IN_FLIGHT") => return Ok(Begun::InTransition),
        _ => {}
    }
    let payee: Option<(String, String, bool)> = tx
        .query_row(
            "SELECT account, payment_request, settled_at IS NOT NULL FROM invoices
             WHERE payment_hash = ?1",
            [attempt.hash.as_bytes()],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )
        .optional()?;
    if payee.as_ref().is_some_and(|(account, ..)| account == attempt.account) {
        return Ok(Begun::SelfPayment);
    }
    tx.execute(
        "INSERT INTO payments (payment_hash, account, payment_request, amount_msat, fee_msat,
             status, failure_reason, requests, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, 'IN_FLIGHT', 'FAILURE_REASON_NONE', 1, ?6)
         ON CONFLICT (account, payment_hash) DO UPDATE SET payment_request = ?3, amount_msat = ?4,
             fee_msat = ?5, status = 'IN_FLIGHT', failure_reason = 'FAILURE_REASON_NONE'",
        params![
            attempt.hash.as_bytes(),
            attempt.account,
            attempt.payment_request,
            attempt.amount_msat as i64,
            attempt.fee_msat as i64,
            attempt.now as i64
        ],
    )?;
    let refusal = if let Some(Instead::Fail(reason)) = attempt.instead {
        Some(reason)
    } else if !attempt.payee_known || attempt.fee_msat > attempt.fee_limit_msat {
        // To lnd, no route within the fee limit is no route.
        Some("FAILURE_REASON_NO_ROUTE")
    } else if !payee.is_some_and(|(_, text, paid)| text == attempt.payment_request && !paid) {
        Some("FAILURE_REASON_INCORRECT_PAYMENT_DETAILS")
    } else if !debit_payer(tx, attempt)? {
        Some("FAILURE_REASON_INSUFFICIENT_BALANCE")
    } else {
        None
    };
    if let Some(reason) = refusal {
        set_status(tx, payment, "FAILED", reason)?;
    } else if attempt.instead.is_none() {
        credit_payee(tx, &attempt.hash, attempt.amount_msat as i64, attempt.now)?;
        set_status(tx, payment, "SUCCEEDED", "FAILURE_REASON_NONE")?;
    }
    Ok(Begun::Recorded)
}

/// Takes amount and fee, if the balance has them.
fn debit_payer(tx: &Transaction<'_>, attempt: &Attempt<'_>) -> Result<bool, DevnetError> {
    let Some(total) = attempt.amount_msat.checked_add(attempt.fee_msat) else { return Ok(false) };
    let Ok(total) = i64::try_from(total) else { return Ok(false) };
    let changed = tx.execute(
        "UPDATE accounts SET balance_msat = balance_msat - ?2
         WHERE name = ?1 AND balance_msat >= ?2",
        params![attempt.account, total],
    )?;
    Ok(changed == 1)
}

/// Gives the amount to the invoice's owner, if it is not settled yet.
fn credit_payee(
    tx: &Transaction<'_>,
    hash: &PaymentHash,
    amount_msat: i64,
    now: u64,
) -> Result<bool, DevnetError> {
    let account: Option<String> = tx
        .query_row(
            "UPDATE invoices SET paid_msat = ?2, settled_at = ?3
             WHERE payment_hash = ?1 AND settled_at IS NULL RETURNING account",
            params![hash.as_bytes(), amount_msat, now as i64],
            |row| row.get(0),
        )
        .optional()?;
    let Some(account) = account else { return Ok(false) };
    tx.execute(
        "UPDATE accounts SET balance_msat = balance_msat + ?2 WHERE name = ?1",
        params![account, amount_msat],
    )?;
    Ok(true)
}

fn set_status(
    tx: &Transaction<'_>,
    (account, hash): (&str, &PaymentHash),
    status: &str,
    reason: &str,
) -> Result<(), DevnetError> {
    tx.execute(
        "UPDATE payments SET status = ?3, failure_reason = ?4
         WHERE account = ?1 AND payment_hash = ?2",
        params![account, hash.as_bytes(), status, reason],
    )?;
    Ok(())
}

const INVOICE: &str = "SELECT * FROM invoices";

fn read_invoice(row: &Row<'_>, now: u64) -> rusqlite::Result<InvoiceRecord> {
    let expires_at = unsigned(row.get("expires_at")?);
    let settled_at: Option<i64> = row.get("settled_at")?;
    Ok(InvoiceRecord {
        payment_hash: PaymentHash::from_bytes(row.get("payment_hash")?).to_string(),
        account: row.get("account")?,
        payment_request: row.get("payment_request")?,
        amount_msat: unsigned(row.get("amount_msat")?),
        paid_msat: unsigned(row.get("paid_msat")?),
        memo: row.get("memo")?,
        created_at: unsigned(row.get("created_at")?),
        expires_at,
        state: match settled_at {
            Some(_) => "SETTLED",
            // lnd cancels what expires.
            None if now >= expires_at => "CANCELED",
            None => "OPEN",
        }
        .into(),
    })
}

fn read_payment(row: &Row<'_>) -> rusqlite::Result<PaymentRecord> {
    Ok(PaymentRecord {
        payment_hash: PaymentHash::from_bytes(row.get("payment_hash")?).to_string(),
        account: row.get("account")?,
        payment_request: row.get("payment_request")?,
        amount_msat: unsigned(row.get("amount_msat")?),
        fee_msat: unsigned(row.get("fee_msat")?),
        status: row.get("status")?,
        failure_reason: row.get("failure_reason")?,
        requests: unsigned(row.get("requests")?),
        created_at: unsigned(row.get("created_at")?),
    })
}

/// What was written from a `u64` that fits; a negative number would be another's doing.
fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}
