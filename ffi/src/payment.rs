//! What the journal keeps of a payment, and what is shown of it.

use std::sync::Arc;

use plannt_core::flow;
use plannt_core::flow::{BodyFacts, Origin};
use plannt_core::{PaymentHash, flow::StoredToken};

use crate::convert::{Convert, mirrored_enum, record};
use crate::{
    Bytes32, Msat, Network, Preimage, PublicKey, RefusalError, Scheme, SecretText, StatusCode,
    UnixSeconds, UnknownStateError,
};

mirrored_enum! {
    /// Where a payment stands.
    IntentState of flow::IntentState {
        /// Certainly not paid, and nothing in flight; the reservation is free again.
        Failed,
        /// The wallet says that the payment is on its way; unresolved.
        InFlight,
        /// Written down before the pay request; unresolved until the wallet has said more.
        Intended,
        /// Paid, and the preimage is kept.
        Paid,
        /// The wallet could not tell; unresolved, and it keeps its reservation.
        Unknown,
    }
}

#[uniffi::export]
impl IntentState {
    /// Its stable name.
    pub fn text(&self) -> String {
        let state: flow::IntentState = (*self).convert();
        state.name().into()
    }

    /// Whether it may still become paid.
    pub fn is_unresolved(&self) -> bool {
        let state: flow::IntentState = (*self).convert();
        state.is_unresolved()
    }
}

/// The state with that name.
#[uniffi::export]
pub fn parse_intent_state(text: String) -> Result<IntentState, UnknownStateError> {
    let state: flow::IntentState = text.parse().map_err(UnknownStateError::from)?;
    Ok(state.convert())
}

mirrored_enum! {
    /// What became of a paid credential (docs/PROTOCOL.md §5.6).
    CredentialState of flow::CredentialState {
        /// One answer was 2xx or 3xx and did not say `spent`: tried first for its origin.
        Delivered,
        /// It had been delivered, and the server asked for money again: not kept.
        Dropped,
        /// Paid, but the server asked for money again before anything was delivered: not kept.
        Lost,
        /// The server said that it is used up.
        Spent,
        /// Paid, and no answer was 2xx or 3xx yet: the next call with the same request key tries it first.
        Undelivered,
    }
}

#[uniffi::export]
impl CredentialState {
    /// Its stable name.
    pub fn text(&self) -> String {
        let state: flow::CredentialState = (*self).convert();
        state.name().into()
    }
}

/// The state with that name.
#[uniffi::export]
pub fn parse_credential_state(text: String) -> Result<CredentialState, UnknownStateError> {
    let state: flow::CredentialState = text.parse().map_err(UnknownStateError::from)?;
    Ok(state.convert())
}

mirrored_enum! {
    /// Which credential a request carried.
    CredentialUse of flow::CredentialUse {
        /// One that this call paid for.
        Bought,
        /// One that was delivered before and is good for more.
        Kept,
        /// None.
        None,
        /// One that an earlier call paid for, which had brought no answer.
        Recovered,
    }
}

#[uniffi::export]
impl CredentialUse {
    /// Its stable name.
    pub fn text(&self) -> String {
        let carried: flow::CredentialUse = (*self).convert();
        carried.name().into()
    }
}

record! {
    /// What the journal knows a request by: the same method, origin, path, query, body and wallet.
    #[derive(PartialEq, Eq)]
    RequestKey both flow::RequestKey {
        /// The method.
        method: String,
        /// Scheme, host and port.
        origin: Origin,
        /// Path and query, as sent.
        target: String,
        /// SHA-256 of the body.
        body_sha256: Bytes32,
        /// The wallet that pays, by its stable id.
        wallet: String,
    }
}

#[uniffi::export]
impl RequestKey {
    /// One hash over all of it, for an index.
    pub fn digest(&self) -> Bytes32 {
        let key: flow::RequestKey = self.clone().convert();
        Bytes32(key.digest())
    }
}

/// One request, as the flow sees it.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct RequestFacts {
    /// The method, as sent.
    pub method: String,
    /// Where it goes.
    pub origin: Origin,
    /// Path and query, as sent.
    pub target: String,
    /// SHA-256 of the body (of nothing where there is none); none for a stream that is gone once sent: such a request is
    /// never paid for, since it could not be repeated.
    pub body_sha256: Option<Bytes32>,
}

/// The facts of a request whose body is held in memory.
#[uniffi::export]
pub fn request_facts(
    method: String,
    origin: Origin,
    target: String,
    body: Vec<u8>,
) -> RequestFacts {
    let body_sha256 = Some(crate::content_digest(body));
    RequestFacts { method, origin, target, body_sha256 }
}

#[uniffi::export]
impl RequestFacts {
    /// What the journal knows this request by, or none where its body can't be repeated.
    pub fn key(&self, wallet: String) -> Option<RequestKey> {
        let request: flow::RequestFacts = self.clone().convert();
        request.key(&wallet).convert()
    }

    /// The target's path, without its query.
    pub fn path(&self) -> String {
        let request: flow::RequestFacts = self.clone().convert();
        request.path().into()
    }

    /// What follows the first `?`; empty when there is none.
    pub fn query(&self) -> String {
        let request: flow::RequestFacts = self.clone().convert();
        request.query().into()
    }
}

impl Convert<flow::RequestFacts> for RequestFacts {
    fn convert(self) -> flow::RequestFacts {
        let body = self
            .body_sha256
            .map_or(BodyFacts::Once, |digest| BodyFacts::Replayable { sha256: digest.0 });
        flow::RequestFacts { method: self.method, origin: self.origin, target: self.target, body }
    }
}

impl Convert<RequestFacts> for flow::RequestFacts {
    fn convert(self) -> RequestFacts {
        let body_sha256 = match self.body {
            BodyFacts::Once => None,
            BodyFacts::Replayable { sha256 } => Some(Bytes32(sha256)),
        };
        let Self { method, origin, target, .. } = self;
        RequestFacts { method, origin, target, body_sha256 }
    }
}

/// A response's head, as far as the flow cares.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct ResponseFacts {
    /// The status code.
    pub status: StatusCode,
    /// The values of the `WWW-Authenticate` lines, in their order.
    #[uniffi(default = [])]
    pub www_authenticate: Vec<Vec<u8>>,
    /// The value of `x-l402`, if there is one.
    #[uniffi(default = None)]
    pub x_l402: Option<Vec<u8>>,
    /// Whether a redirect was followed on the way to it.
    #[uniffi(default = false)]
    pub redirected: bool,
}

impl Convert<flow::ResponseFacts> for ResponseFacts {
    fn convert(self) -> flow::ResponseFacts {
        flow::ResponseFacts {
            // No status at all: nothing is paid for it.
            status: u16::try_from(self.status.0).unwrap_or(u16::MAX),
            www_authenticate: self.www_authenticate,
            x_l402: self.x_l402,
            redirected: self.redirected,
        }
    }
}

record! {
    /// A payment that is about to be made: what the journal writes down before the wallet is asked to pay.
    Intent both flow::Intent {
        /// The invoice's payment hash: the journal's key.
        payment_hash: PaymentHash,
        /// The request that it pays for.
        request: RequestKey,
        /// The scheme to answer with.
        scheme: Scheme,
        /// The challenge's token, exactly as received.
        token: SecretText,
        /// The BOLT 11 text.
        invoice: String,
        /// The invoice's network.
        network: Network,
        /// The node that is paid, where the invoice tells.
        payee: Option<PublicKey>,
        /// The invoice's amount, msat.
        amount_msat: Msat,
        /// The most that the payment may cost beyond that, msat.
        max_fee_msat: Msat,
        /// When the invoice expires, unix seconds.
        invoice_expires_at: UnixSeconds,
        /// When the flow decided to pay, unix seconds.
        created_at: UnixSeconds,
    }
}

#[uniffi::export]
impl Intent {
    /// What it takes from the budget until it is resolved, msat.
    pub fn reservation_msat(&self) -> Msat {
        let intent: flow::Intent = self.clone().convert();
        Msat(intent.reservation_msat())
    }
}

record! {
    /// A payment as it is shown: never with the preimage or the token.
    #[derive(PartialEq, Eq)]
    Receipt both flow::Receipt {
        /// The payment hash.
        payment_hash: PaymentHash,
        /// The invoice's network.
        network: Network,
        /// The node that is paid, where the invoice told.
        payee: Option<PublicKey>,
        /// The invoice's amount, msat.
        amount_msat: Msat,
        /// What the payment cost beyond that, msat; none until it is paid.
        fee_msat: Option<Msat>,
        /// What it takes from the budget, msat: the reservation while unresolved, then the true cost, or nothing.
        charged_msat: Msat,
        /// The request's method.
        method: String,
        /// The request's origin.
        origin: Origin,
        /// The request's path and query.
        target: String,
        /// The wallet, by its stable id.
        wallet: String,
        /// When the intent was written, unix seconds.
        created_at: UnixSeconds,
        /// When it was paid or failed, unix seconds.
        settled_at: Option<UnixSeconds>,
        /// Where the payment stands.
        state: IntentState,
        /// What became of the credential, once paid.
        credential: Option<CredentialState>,
        /// Why it failed, as a stable code, where it did.
        failure: Option<String>,
    }
}

#[uniffi::export]
impl Receipt {
    /// The target without its query, which may hold secrets of the user's.
    pub fn path(&self) -> String {
        let receipt: flow::Receipt = self.clone().convert();
        receipt.path().into()
    }

    /// What was paid, msat, fee included; nothing until it is paid.
    pub fn paid_msat(&self) -> Msat {
        let receipt: flow::Receipt = self.clone().convert();
        Msat(receipt.paid_msat())
    }
}

/// A paid credential from the journal.
#[derive(Clone, Debug, uniffi::Record)]
pub struct StoredCredential {
    /// The scheme to present it with.
    pub scheme: Scheme,
    /// The token, exactly as received.
    pub token: SecretText,
    /// The preimage.
    pub preimage: Arc<Preimage>,
    /// The payment that bought it.
    pub receipt: Receipt,
}

impl Convert<flow::StoredCredential> for StoredCredential {
    fn convert(self) -> flow::StoredCredential {
        flow::StoredCredential {
            scheme: self.scheme.convert(),
            token: StoredToken::new(self.token.0),
            preimage: self.preimage.convert(),
            receipt: self.receipt.convert(),
        }
    }
}

record! {
    /// How a call that was not refused ended.
    #[derive(PartialEq, Eq)]
    Outcome from flow::Outcome {
        /// Which credential the last request carried.
        credential: CredentialUse,
        /// The payment that bought it.
        receipt: Option<Receipt>,
        /// Whether the journal missed the credential's last change of state: the next call may try it in vain.
        journal_failed: bool,
    }
}

record! {
    /// What a request would cost, and whether it would be paid.
    Quote from flow::Quote {
        /// The invoice's payment hash.
        payment_hash: PaymentHash,
        /// The invoice's network.
        network: Network,
        /// The node that would be paid, where the invoice tells.
        payee: Option<PublicKey>,
        /// The invoice's description: the server's own words.
        description: Option<String>,
        /// The invoice's amount, msat.
        amount_msat: Msat,
        /// The most that the payment would cost beyond it, msat.
        max_fee_msat: Msat,
        /// Who asks for it.
        origin: Origin,
        /// When the invoice expires, unix seconds.
        invoice_expires_at: UnixSeconds,
        /// Until when the credential would be good, unix seconds, where the token tells.
        valid_until: Option<UnixSeconds>,
        /// What the tightest budget has left, msat; none without a budget.
        budget_left_msat: Option<Msat>,
        /// What an earlier call with the same request left behind; a real call would use it and take no new challenge.
        pending: Option<Pending>,
        /// Why a real call would not pay; none if it would.
        refusal: Option<RefusalError>,
    }
}

#[uniffi::export]
impl Quote {
    /// Amount plus maximum fee, msat; none where that overflows.
    pub fn total_msat(&self) -> Option<Msat> {
        self.amount_msat.0.checked_add(self.max_fee_msat.0).convert()
    }
}

/// What an earlier call with the same request left behind.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum Pending {
    /// A delivered credential of this origin that may fit; a call tries it first.
    Delivered {
        /// Its payment.
        receipt: Receipt,
    },
    /// A paid credential that brought no answer yet; a call tries it first.
    Undelivered {
        /// Its payment.
        receipt: Receipt,
    },
    /// A payment that is not resolved; a call asks the wallet about it first.
    Unresolved {
        /// The payment.
        payment_hash: PaymentHash,
    },
}

impl Convert<Pending> for flow::Pending {
    fn convert(self) -> Pending {
        match self {
            Self::Delivered(receipt) => Pending::Delivered { receipt: receipt.convert() },
            Self::Undelivered(receipt) => Pending::Undelivered { receipt: receipt.convert() },
            Self::Unresolved(payment_hash) => Pending::Unresolved { payment_hash },
            _ => unreachable!("every variant is listed"),
        }
    }
}
