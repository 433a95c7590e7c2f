//! What the flow asks of its driver, and what the driver tells it.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use zeroize::Zeroizing;

use super::{
    CredentialState, Intent, IntentState, Quote, Receipt, Refusal, RequestFacts, RequestKey,
    StoredCredential,
};
use crate::{InvoiceError, InvoiceFacts, PaymentHash, Preimage};

/// What to do next. The driver does it and answers with the [`Event`] that is named.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Step {
    /// Journal the payment as paid with its preimage, and charge the true cost: durably, before anything else is
    /// sent. Answer: [`Event::Stored`].
    Commit {
        /// The payment.
        payment_hash: PaymentHash,
        /// Proven to hash to it.
        preimage: Preimage,
        /// What the payment cost beyond the amount, msat.
        fee_msat: u64,
    },
    /// The end: hand the last response back.
    Done(Outcome),
    /// Journal that the payment is not resolved; it keeps its reservation. Answer: [`Event::Stored`].
    Hold {
        /// The payment.
        payment_hash: PaymentHash,
        /// [`IntentState::InFlight`] or [`IntentState::Unknown`].
        state: IntentState,
    },
    /// Reserve [`Intent::reservation_msat`] and write the intent, both or none, durably. Answer: [`Event::Reserved`].
    JournalIntent(Intent),
    /// Look for what earlier calls left behind. Answer: [`Event::Loaded`] or, when another call holds the request's
    /// key too long, [`Event::Busy`].
    LoadCredential {
        /// The request.
        request: RequestFacts,
        /// What the journal knows it by; none where its body can't be repeated, and then never `exclusive`.
        key: Option<RequestKey>,
        /// Whether to hold the request's key from here to the end of the flow, against every other call and process.
        exclusive: bool,
    },
    /// Ask the wallet about a payment. Answer: [`Event::LookedUp`].
    LookUpPayment {
        /// The payment.
        payment_hash: PaymentHash,
    },
    /// Pay the invoice. Answer: [`Event::Payment`].
    Pay(Intent),
    /// The end of a dry run.
    Quoted(Quote),
    /// Read the last response's body as far as `max_bytes`, keeping it for the caller. Answer: [`Event::Body`].
    ReadBody {
        /// The longest body that can hold a challenge.
        max_bytes: usize,
    },
    /// Parse and check the invoice. Only without the feature `invoice`; with it the flow does so itself. Answer:
    /// [`Event::InvoiceRead`].
    ReadInvoice {
        /// Its text.
        bolt11: String,
    },
    /// The end: nothing to hand back.
    Refused(Refusal),
    /// Journal that the payment certainly failed, and free its reservation. Answer: [`Event::Stored`].
    Release {
        /// The payment.
        payment_hash: PaymentHash,
        /// Why, as a stable code.
        failure: String,
    },
    /// Send the request, with this `Authorization` value as the first such line if there is one, and never carry it
    /// over a redirect. Answer: [`Event::Responded`] or [`Event::SendFailed`].
    SendRequest {
        /// The credential.
        authorization: Option<Authorization>,
    },
    /// Journal what became of a credential. Answer: [`Event::Stored`].
    StoreCredential {
        /// The payment that bought it.
        payment_hash: PaymentHash,
        /// Its new state.
        state: CredentialState,
    },
    /// The end: the request brought no response. A paid credential is kept.
    Unanswered(Outcome),
}

/// What the driver tells the flow.
#[allow(
    clippy::large_enum_variant,
    reason = "one lives at a time, and a box is in every driver's way"
)]
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// The response's body; none where it is longer than asked for, or broke off.
    Body(Option<Vec<u8>>),
    /// Another call holds the request's key.
    Busy,
    /// What the invoice says.
    InvoiceRead(Result<InvoiceFacts, InvoiceError>),
    /// The journal could not do what was asked.
    JournalFailed,
    /// What earlier calls left behind.
    Loaded(Loaded),
    /// What the wallet knows.
    LookedUp(LookUp),
    /// How the payment ended.
    Payment(PaymentResult),
    /// Whether the intent was written.
    Reserved(Reservation),
    /// A response's head.
    Responded(ResponseFacts),
    /// No response came.
    SendFailed,
    /// It is journaled.
    Stored,
}

/// What earlier calls left behind for a request, the first that is there in this order.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Found {
    /// A payment that is not resolved, with the same request key.
    Unresolved(Intent),
    /// A paid credential that brought no answer yet, with the same request key.
    Undelivered(StoredCredential),
    /// A delivered credential of the origin whose readable caveats allow the request.
    Delivered(StoredCredential),
    /// Nothing.
    Nothing,
}

/// The answer to [`Step::LoadCredential`].
#[derive(Clone, Debug)]
pub struct Loaded {
    /// What was found.
    pub found: Found,
    /// What the tightest budget has left, msat; none without a budget.
    pub budget_left_msat: Option<u64>,
}

/// What a wallet knows of a payment.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum LookUp {
    /// Certainly not paid, and nothing is in flight.
    Failed {
        /// Why, as a stable code.
        failure: String,
    },
    /// Under way.
    InFlight,
    /// The wallet never saw it: that means failed only once the invoice has expired.
    NotFound,
    /// Paid.
    Paid {
        /// The proof.
        preimage: Preimage,
        /// What it cost beyond the amount, msat.
        fee_msat: u64,
    },
    /// The wallet could not tell.
    Unknown,
}

/// How a payment ended.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum PaymentResult {
    /// Certainly not paid, and nothing is in flight.
    Failed {
        /// Why, as a stable code.
        failure: String,
    },
    /// Paid.
    Paid {
        /// The proof.
        preimage: Preimage,
        /// What it cost beyond the amount, msat.
        fee_msat: u64,
    },
    /// It may have been paid, or may still be.
    Unknown,
}

/// The answer to [`Step::JournalIntent`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reservation {
    /// Reserved and written, durably.
    Granted,
    /// The journal knows the payment hash; nothing was written.
    HashKnown,
    /// The journal has an unfinished payment with the same request key; nothing was written.
    KeyBusy,
    /// A budget has too little left; nothing was written.
    OverBudget {
        /// What the tightest has left, msat.
        left_msat: u64,
    },
}

/// A response's head, as far as the flow cares.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResponseFacts {
    /// The status code.
    pub status: u16,
    /// The values of the `WWW-Authenticate` lines, in their order.
    pub www_authenticate: Vec<Vec<u8>>,
    /// The value of `x-l402`, if there is one.
    pub x_l402: Option<Vec<u8>>,
    /// Whether a redirect was followed on the way to it. The credential never follows one, so a response that says so
    /// is no answer to the credential: a 3xx was.
    pub redirected: bool,
}

impl ResponseFacts {
    /// Whether the server says that the credential is used up.
    pub(super) fn says_spent(&self) -> bool {
        self.x_l402.as_ref().is_some_and(|value| {
            let first = value.split(|b| *b == b';').next().unwrap_or_default();
            first.trim_ascii().eq_ignore_ascii_case(b"spent")
        })
    }
}

/// An `Authorization` value. It erases itself and does not print.
#[derive(Clone)]
pub struct Authorization(pub(super) Zeroizing<String>);

impl Authorization {
    /// The value, in the clear.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Authorization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Authorization([redacted])")
    }
}

/// How a call that was not refused ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Outcome {
    /// Which credential the last request carried.
    pub credential: CredentialUse,
    /// The payment that bought it.
    pub receipt: Option<Receipt>,
    /// Whether the journal missed the credential's last change of state: the next call may try it in vain.
    pub journal_failed: bool,
}

/// Which credential a request carried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CredentialUse {
    /// One that this call paid for.
    Bought,
    /// One that was delivered before and is good for more.
    Kept,
    /// None.
    #[default]
    None,
    /// One that an earlier call paid for, which had brought no answer.
    Recovered,
}

impl CredentialUse {
    /// A stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bought => "bought",
            Self::Kept => "kept",
            Self::None => "none",
            Self::Recovered => "recovered",
        }
    }
}

/// The driver answered with an event that the step does not expect; the flow is as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this event does not answer the flow's step")]
pub struct UnexpectedEventError;
