//! The life of a payment in the file.

use plannt_core::flow::{
    Budget, CredentialState, Found, Intent, IntentState, Loaded, Receipt, RequestFacts, RequestKey,
    Reservation, StoredCredential, token_fits,
};
use plannt_core::{Network, PaymentHash, Preimage};
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, named_params};

use super::row::{self, COLUMNS, signed};
use super::{Journal, JournalError, ledger};

impl Journal {
    /// What earlier calls left behind for a request, and what `budget` and the journal's own rules leave on a network.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn load(
        &self,
        request: &RequestFacts,
        key: Option<&RequestKey>,
        network: Network,
        budget: &Budget,
        now: u64,
    ) -> Result<Loaded, JournalError> {
        self.read(|connection| {
            let found = match key.map(RequestKey::digest) {
                Some(key) => match unfinished(connection, &key)? {
                    Found::Nothing => kept(connection, request, now)?,
                    found => found,
                },
                None => kept(connection, request, now)?,
            };
            let session = self.session.as_ref();
            let budget_left_msat = ledger::left(connection, network, budget, session, now)?;
            Ok(Loaded { found, budget_left_msat })
        })
    }

    /// Reserves amount and maximum fee, and writes the intent: both durably, or none. A payment hash that certainly
    /// failed may be tried again; any other is never written twice.
    ///
    /// # Errors
    /// [`JournalError`], and then nothing was written.
    pub fn reserve(
        &self,
        intent: &Intent,
        budget: &Budget,
        now: u64,
    ) -> Result<Reservation, JournalError> {
        self.in_place()?;
        self.write(|transaction| {
            let key = intent.request.digest();
            let known: Option<String> = transaction
                .prepare_cached("SELECT state FROM payments WHERE payment_hash = ?1")?
                .query_row([intent.payment_hash.as_bytes()], |row| row.get(0))
                .optional()?;
            if known.is_some_and(|state| state != IntentState::Failed.name()) {
                return Ok(Reservation::HashKnown);
            }
            // The key's lock makes sure of this already; the file itself does too.
            if !matches!(unfinished(transaction, &key)?, Found::Nothing) {
                return Ok(Reservation::KeyBusy);
            }
            let needed_msat = intent.reservation_msat();
            let session = self.session.as_ref();
            let left_msat = ledger::left(transaction, intent.network, budget, session, now)?
                .unwrap_or(u64::MAX)
                .min(i64::MAX as u64);
            if needed_msat > left_msat {
                return Ok(Reservation::OverBudget { left_msat });
            }
            insert(transaction, intent, &key, session.map(|session| session.id.as_str()))?;
            Ok(Reservation::Granted)
        })
    }

    /// Journals a payment as paid, with the proof, and charges its true cost.
    ///
    /// # Errors
    /// [`JournalError::PreimageMismatch`] and [`JournalError::Unknown`], besides those of the file.
    pub fn commit(
        &self,
        payment_hash: &PaymentHash,
        preimage: &Preimage,
        fee_msat: u64,
        now: u64,
    ) -> Result<(), JournalError> {
        if !preimage.proves(payment_hash) {
            return Err(JournalError::PreimageMismatch);
        }
        self.change(
            payment_hash,
            "UPDATE payments SET state = 'paid', credential = 'undelivered', preimage = :preimage, failure = NULL, \
             fee_msat = :fee, settled_at = :now, \
             charged_msat = CASE WHEN amount_msat > :max - :fee THEN :max ELSE amount_msat + :fee END \
             WHERE payment_hash = :hash AND state <> 'paid'",
            named_params! {
                ":hash": payment_hash.as_bytes(),
                ":preimage": preimage.expose_bytes(),
                ":fee": signed(fee_msat),
                ":now": signed(now),
                ":max": i64::MAX,
            },
        )
    }

    /// Journals that a payment is not resolved: [`IntentState::InFlight`], or else unknown. It keeps its reservation.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn hold(&self, payment_hash: &PaymentHash, state: IntentState) -> Result<(), JournalError> {
        let state = match state {
            IntentState::InFlight => IntentState::InFlight,
            _ => IntentState::Unknown,
        };
        self.change(
            payment_hash,
            "UPDATE payments SET state = :state WHERE payment_hash = :hash AND settled_at IS NULL",
            named_params! { ":hash": payment_hash.as_bytes(), ":state": state.name() },
        )
    }

    /// Journals that a payment certainly failed, and frees its reservation. One that is paid stays paid.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn release(
        &self,
        payment_hash: &PaymentHash,
        failure: &str,
        now: u64,
    ) -> Result<(), JournalError> {
        self.change(
            payment_hash,
            "UPDATE payments SET state = 'failed', failure = :failure, charged_msat = 0, settled_at = :now \
             WHERE payment_hash = :hash AND settled_at IS NULL",
            named_params! {
                ":hash": payment_hash.as_bytes(),
                ":failure": failure,
                ":now": signed(now),
            },
        )
    }

    /// Journals what became of a paid credential.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn store_credential(
        &self,
        payment_hash: &PaymentHash,
        state: CredentialState,
    ) -> Result<(), JournalError> {
        self.change(
            payment_hash,
            "UPDATE payments SET credential = :credential WHERE payment_hash = :hash AND state = 'paid'",
            named_params! { ":hash": payment_hash.as_bytes(), ":credential": state.name() },
        )
    }

    /// A wallet's payments that are not resolved, oldest first.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn unresolved(&self, wallet: &str) -> Result<Vec<Intent>, JournalError> {
        self.read(|connection| {
            let sql = format!(
                "SELECT {COLUMNS} FROM payments WHERE wallet = ?1 AND settled_at IS NULL ORDER BY created_at, rowid"
            );
            connection.prepare_cached(&sql)?.query_map([wallet], row::intent)?.collect()
        })
    }

    /// The newest receipts first, at most `limit`.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn receipts(&self, limit: usize) -> Result<Vec<Receipt>, JournalError> {
        self.read(|connection| {
            let sql = format!(
                "SELECT {COLUMNS} FROM payments ORDER BY created_at DESC, rowid DESC LIMIT ?1"
            );
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            connection.prepare_cached(&sql)?.query_map([limit], row::receipt)?.collect()
        })
    }

    /// The receipt of one payment.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn receipt(&self, payment_hash: &PaymentHash) -> Result<Option<Receipt>, JournalError> {
        self.read(|connection| {
            let sql = format!("SELECT {COLUMNS} FROM payments WHERE payment_hash = ?1");
            connection
                .prepare_cached(&sql)?
                .query_row([payment_hash.as_bytes()], row::receipt)
                .optional()
        })
    }

    /// Changes one payment; a change that its state does not allow leaves it as it is.
    fn change(
        &self,
        payment_hash: &PaymentHash,
        sql: &str,
        parameters: &[(&str, &dyn rusqlite::ToSql)],
    ) -> Result<(), JournalError> {
        let is_there = self.write(|transaction| {
            let changed = transaction.prepare_cached(sql)?.execute(parameters)?;
            Ok(changed > 0
                || transaction
                    .prepare_cached("SELECT 1 FROM payments WHERE payment_hash = ?1")?
                    .exists([payment_hash.as_bytes()])?)
        })?;
        if is_there { Ok(()) } else { Err(JournalError::Unknown) }
    }

    fn read<T>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, rusqlite::Error>,
    ) -> Result<T, JournalError> {
        let mut connection = self.connection();
        // One transaction, so that all of it is read from one state of the file.
        connection
            .transaction()
            .and_then(|transaction| work(&transaction))
            .map_err(|error| self.blame.sql(error))
    }

    pub(super) fn write<T>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, rusqlite::Error>,
    ) -> Result<T, JournalError> {
        let mut connection = self.connection();
        let written = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .and_then(|transaction| {
                let value = work(&transaction)?;
                transaction.commit()?;
                Ok(value)
            });
        written.map_err(|error| self.blame.sql(error))
    }
}

/// A payment with this request key that is not resolved, or else its credential that is not delivered.
fn unfinished(connection: &Connection, key: &[u8; 32]) -> Result<Found, rusqlite::Error> {
    let sql = format!(
        "SELECT {COLUMNS} FROM payments WHERE request_key = ?1 AND settled_at IS NULL ORDER BY created_at LIMIT 1"
    );
    let unresolved = connection.prepare_cached(&sql)?.query_row([key], row::intent).optional()?;
    if let Some(intent) = unresolved {
        return Ok(Found::Unresolved(intent));
    }
    let sql = format!(
        "SELECT {COLUMNS} FROM payments WHERE request_key = ?1 AND credential = 'undelivered' ORDER BY created_at \
         LIMIT 1"
    );
    let undelivered =
        connection.prepare_cached(&sql)?.query_row([key], row::credential).optional()?;
    Ok(undelivered.map_or(Found::Nothing, Found::Undelivered))
}

/// The newest delivered credential of the origin whose caveats allow the request.
fn kept(
    connection: &Connection,
    request: &RequestFacts,
    now: u64,
) -> Result<Found, rusqlite::Error> {
    let sql = format!(
        "SELECT {COLUMNS} FROM payments WHERE origin = ?1 AND credential = 'delivered' ORDER BY settled_at DESC, \
         rowid DESC"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map([request.origin.to_string()], row::credential)?;
    for credential in rows {
        let credential: StoredCredential = credential?;
        if token_fits(credential.token.as_str(), request, now) {
            return Ok(Found::Delivered(credential));
        }
    }
    Ok(Found::Nothing)
}

fn insert(
    transaction: &Transaction<'_>,
    intent: &Intent,
    key: &[u8; 32],
    session: Option<&str>,
) -> Result<(), rusqlite::Error> {
    transaction
        .prepare_cached(
            "INSERT OR REPLACE INTO payments (payment_hash, request_key, method, origin, target, body_sha256, wallet, \
             scheme, token, invoice, network, payee, amount_msat, max_fee_msat, charged_msat, state, \
             invoice_expires_at, created_at, session) VALUES (:hash, :key, :method, :origin, :target, :body, :wallet, \
             :scheme, :token, :invoice, :network, :payee, :amount, :max_fee, :charged, 'intended', :expires, :created, \
             :session)",
        )?
        .execute(named_params! {
            ":hash": intent.payment_hash.as_bytes(),
            ":key": key,
            ":method": intent.request.method,
            ":origin": intent.request.origin.to_string(),
            ":target": intent.request.target,
            ":body": intent.request.body_sha256,
            ":wallet": intent.request.wallet,
            ":scheme": intent.scheme.as_str(),
            ":token": intent.token,
            ":invoice": intent.invoice,
            ":network": intent.network.name(),
            ":payee": intent.payee,
            ":amount": signed(intent.amount_msat),
            ":max_fee": signed(intent.max_fee_msat),
            ":charged": signed(intent.reservation_msat()),
            ":expires": signed(intent.invoice_expires_at),
            ":created": signed(intent.created_at),
            ":session": session,
        })?;
    Ok(())
}
