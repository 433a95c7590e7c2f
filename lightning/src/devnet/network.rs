//! What the devnet's nodes do, behind their HTTP interface.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bitcoin::hashes::{Hash, sha256};
use bitcoin::secp256k1::{PublicKey, Secp256k1, SecretKey};
use lightning_invoice::{Bolt11Invoice, Currency, InvoiceBuilder, PaymentSecret};
use plannt_core::{PaymentHash, Preimage};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::fault::{FaultKind, Faults};
use super::ledger::{AccountKeys, Attempt, Begun, Instead, Ledger};
use super::records::{InvoiceRecord, PaymentRecord};
use super::rpc::{NewInvoice, RpcError, SendPayment};
use super::{DevnetConfig, DevnetError};

/// How many requests to pay are remembered.
const REMEMBERED_REQUESTS: usize = 10_000;

/// The shared state of one devnet.
pub(super) struct Network {
    pub(super) accounts: Vec<AccountKeys>,
    pub(super) faults: Faults,
    pub(super) ledger: Ledger,
    fee_msat: u64,
    /// The invoices of all requests to pay, the refused ones included; the newest last.
    asked: Mutex<VecDeque<String>>,
    /// Changes with every payment that ends after it was stuck.
    ended: watch::Sender<()>,
    /// True once the devnet stops.
    stopping: watch::Sender<bool>,
    /// Work that goes on when its client has hung up.
    tasks: Mutex<JoinSet<()>>,
}

impl Network {
    pub(super) fn new(ledger: Ledger, config: &DevnetConfig) -> Result<Self, DevnetError> {
        for account in config.all_accounts()? {
            let keys = AccountKeys {
                name: account.name,
                node_key: random()?,
                macaroon: random::<48>()?.to_vec(),
            };
            ledger.add_account(&keys, account.balance_msat)?;
        }
        Ok(Self {
            accounts: ledger.accounts()?,
            faults: Faults::default(),
            ledger,
            fee_msat: config.fee_msat,
            asked: Mutex::default(),
            ended: watch::Sender::new(()),
            stopping: watch::Sender::new(false),
            tasks: Mutex::default(),
        })
    }

    /// Runs `work` on the ledger, off the async threads.
    pub(super) async fn run<T: Send + 'static, E: From<DevnetError> + Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Self) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E> {
        let this = Arc::clone(self);
        let done = tokio::task::spawn_blocking(move || work(&this)).await;
        done.unwrap_or_else(|e| Err(DevnetError::Store { message: e.to_string() }.into()))
    }

    /// Runs `work` to its end even when the caller goes away: a hang-up cancels nothing at a node.
    /// `None` when the devnet stops first.
    pub(super) async fn detached<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Option<T> {
        let mut stopping = self.stopping();
        let (done, result) = tokio::sync::oneshot::channel();
        {
            let mut tasks = self.tasks.lock().expect("no panic while held");
            while tasks.try_join_next().is_some() {}
            tasks.spawn(async move {
                tokio::select! {
                    value = work => drop(done.send(value)),
                    _ = stopping.wait_for(|stop| *stop) => {}
                }
            });
        }
        result.await.ok()
    }

    pub(super) fn stopping(&self) -> watch::Receiver<bool> {
        self.stopping.subscribe()
    }

    pub(super) fn stop(&self) {
        self.stopping.send_replace(true);
        self.tasks.lock().expect("no panic while held").abort_all();
    }

    pub(super) fn account_of(&self, macaroon: &[u8]) -> Option<&AccountKeys> {
        self.accounts.iter().find(|a| a.macaroon == macaroon)
    }

    /// Issues an invoice, signed by the account's own node key.
    pub(super) fn issue(
        &self,
        account: &str,
        request: &NewInvoice,
    ) -> Result<InvoiceRecord, RpcError> {
        let keys = self.accounts.iter().find(|a| a.name == account);
        let keys = keys.ok_or_else(|| RpcError::unknown("no such account"))?;
        let amount_msat = request.amount_msat()?;
        let (memo, expiry) = (request.memo.clone(), request.expiry_seconds()?);
        if memo.len() > 639 {
            return Err(RpcError::unknown("memo too large"));
        }
        let preimage = Preimage::from_bytes(match &request.r_preimage {
            Some(bytes) => *bytes,
            None => random()?,
        });
        let now = unix_now();
        let mut builder = InvoiceBuilder::new(Currency::Regtest)
            .description(memo.clone())
            .payment_hash(sha256::Hash::from_byte_array(*preimage.payment_hash().as_bytes()))
            .payment_secret(PaymentSecret(random()?))
            .duration_since_epoch(Duration::from_secs(now))
            .min_final_cltv_expiry_delta(80)
            .expiry_time(Duration::from_secs(expiry))
            .basic_mpp();
        if amount_msat > 0 {
            builder = builder.amount_milli_satoshis(amount_msat);
        }
        let key = secret_key(keys)?;
        let invoice = builder
            .build_signed(|message| Secp256k1::signing_only().sign_ecdsa_recoverable(message, &key))
            .map_err(|e| RpcError::unknown(format!("unable to create invoice: {e}")))?;
        let record = InvoiceRecord {
            payment_hash: preimage.payment_hash().to_string(),
            account: account.into(),
            payment_request: invoice.to_string(),
            amount_msat,
            paid_msat: 0,
            memo,
            created_at: now,
            expires_at: now + expiry,
            state: "OPEN".into(),
        };
        if !self.ledger.add_invoice(&record, &preimage)? {
            return Err(RpcError::unknown("invoice with payment hash already exists"));
        }
        Ok(record)
    }

    /// Tries a payment. `Ok`: it is recorded, and [`Network::payment_end`] tells its end.
    pub(super) fn pay(
        &self,
        account: &str,
        request: &SendPayment,
        fault: Option<&FaultKind>,
    ) -> Result<PaymentHash, RpcError> {
        self.remember_asked(&request.payment_request);
        let invoice: Bolt11Invoice = request
            .payment_request
            .parse()
            .map_err(|e| RpcError::unknown(format!("invalid payment request: {e}")))?;
        if invoice.currency() != Currency::Regtest {
            return Err(RpcError::unknown("invoice not for current active network 'regtest'"));
        }
        if request.timeout_seconds < 1 {
            return Err(RpcError::unknown("timeout_seconds must be specified"));
        }
        let now = unix_now();
        let expired = invoice.would_expire(Duration::from_secs(now));
        if expired || matches!(fault, Some(FaultKind::Expired)) {
            let until = invoice.expires_at().unwrap_or_default().as_secs();
            return Err(RpcError::unknown(format!("invoice expired. Valid until {until}")));
        }
        if matches!(fault, Some(FaultKind::AlreadyPaid)) {
            return Err(RpcError::already_paid());
        }
        let hash = PaymentHash::from_bytes(invoice.payment_hash().to_byte_array());
        let payee = invoice.get_payee_pub_key();
        let instead = match fault {
            Some(FaultKind::IncorrectDetails) => {
                Some(Instead::Fail("FAILURE_REASON_INCORRECT_PAYMENT_DETAILS"))
            }
            Some(FaultKind::NoBalance) => {
                Some(Instead::Fail("FAILURE_REASON_INSUFFICIENT_BALANCE"))
            }
            Some(FaultKind::NoRoute) => Some(Instead::Fail("FAILURE_REASON_NO_ROUTE")),
            Some(FaultKind::Timeout) => Some(Instead::Fail("FAILURE_REASON_TIMEOUT")),
            Some(FaultKind::Stuck) => Some(Instead::Stuck),
            _ => None,
        };
        let begun = self.ledger.pay(&Attempt {
            account,
            hash,
            payment_request: &request.payment_request,
            amount_msat: request.amount_msat(invoice.amount_milli_satoshis())?,
            fee_msat: self.fee_msat,
            fee_limit_msat: request.fee_limit_msat()?,
            now,
            instead,
            payee_known: self.accounts.iter().any(|a| public_key(a) == Some(payee)),
        })?;
        match begun {
            Begun::AlreadyPaid => Err(RpcError::already_paid()),
            Begun::InTransition => Err(RpcError::in_transition()),
            Begun::Recorded => Ok(hash),
            Begun::SelfPayment => Err(RpcError::unknown("self-payments not allowed")),
        }
    }

    fn remember_asked(&self, payment_request: &str) {
        let mut asked = self.asked.lock().expect("no panic while held");
        if asked.len() == REMEMBERED_REQUESTS {
            asked.pop_front();
        }
        asked.push_back(payment_request.to_owned());
    }

    pub(super) fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("no panic while held").iter().cloned().collect()
    }

    /// Waits until a payment is no longer in flight.
    pub(super) async fn payment_end(
        self: &Arc<Self>,
        account: &str,
        hash: PaymentHash,
    ) -> Result<(PaymentRecord, Option<Preimage>), RpcError> {
        let mut ended = self.ended.subscribe();
        loop {
            let name = account.to_owned();
            let payment = self.run(move |n| n.payment(&name, &hash)).await?;
            if payment.0.status != "IN_FLIGHT" {
                return Ok(payment);
            }
            ended.changed().await.map_err(|_| RpcError::unknown("the devnet stops"))?;
        }
    }

    pub(super) fn payment(
        &self,
        account: &str,
        hash: &PaymentHash,
    ) -> Result<(PaymentRecord, Option<Preimage>), RpcError> {
        let payment = self.ledger.payment(account, hash)?;
        payment.ok_or_else(|| RpcError::not_found("payment isn't initiated"))
    }

    /// Settles or fails what is stuck.
    pub(super) fn end_in_flight(
        &self,
        hash: &PaymentHash,
        settle: bool,
    ) -> Result<(), DevnetError> {
        if !self.ledger.end_in_flight(hash, settle, unix_now())? {
            return Err(DevnetError::NotInFlight);
        }
        self.ended.send_replace(());
        Ok(())
    }
}

/// A node's public key, as its invoices show it.
pub(super) fn public_key(keys: &AccountKeys) -> Option<PublicKey> {
    Some(secret_key(keys).ok()?.public_key(&Secp256k1::signing_only()))
}

fn secret_key(keys: &AccountKeys) -> Result<SecretKey, RpcError> {
    SecretKey::from_slice(&keys.node_key).map_err(|_| RpcError::unknown("the node key is not one"))
}

fn random<const N: usize>() -> Result<[u8; N], DevnetError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|e| DevnetError::Io {
        context: "reading random bytes".into(),
        source: std::io::Error::other(e),
    })?;
    Ok(bytes)
}

pub(super) fn unix_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}
