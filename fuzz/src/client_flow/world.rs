//! A journal and a wallet that keep to what the flow may count on (docs/PROTOCOL.md §5.4).

use std::collections::BTreeMap;

use arbitrary::{Result, Unstructured};
use plannt_core::flow::{
    CredentialState, Event, Found, Intent, IntentState, Loaded, LookUp, PaymentResult, Receipt,
    RequestFacts, RequestKey, Reservation, Step, StoredCredential, StoredToken, token_fits,
};
use plannt_core::{PaymentHash, Preimage, authorization_value_for};

use super::server::{self, preimage, preimage_of};
use super::{Call, WALLET};

/// What the wallet has really done for a hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Truth {
    Failed,
    InFlight,
    /// The pay request never arrived; it won't any more.
    NotSent,
    Paid {
        fee_msat: u64,
    },
}

/// The journal's entry of a payment.
struct Row {
    intent: Intent,
    state: IntentState,
    charged_msat: u64,
    paid: Option<(Preimage, u64, CredentialState)>,
}

pub(super) struct World {
    pub(super) now: u64,
    limit_msat: Option<u64>,
    /// What was charged beyond its reservation, by wallets that take no fee limit.
    excess_msat: u64,
    rows: BTreeMap<[u8; 32], Row>,
    wallet: BTreeMap<[u8; 32], Truth>,
    /// Which call holds which request's key.
    locks: Vec<(usize, RequestKey)>,
}

impl World {
    pub(super) fn new(limit_msat: Option<u64>) -> Self {
        Self {
            now: super::NOW,
            limit_msat,
            excess_msat: 0,
            rows: BTreeMap::new(),
            wallet: BTreeMap::new(),
            locks: Vec::new(),
        }
    }

    pub(super) fn unlock(&mut self, call: usize) {
        self.locks.retain(|(holder, _)| *holder != call);
    }

    fn charged_msat(&self) -> u64 {
        self.rows.values().map(|row| row.charged_msat).sum()
    }

    fn left_msat(&self) -> Option<u64> {
        self.limit_msat.map(|limit| limit.saturating_sub(self.charged_msat()))
    }

    /// What holds after every step.
    pub(super) fn check(&self) {
        let limit = self.limit_msat.map(|limit| limit + self.excess_msat);
        assert!(limit.is_none_or(|limit| self.charged_msat() <= limit), "above the budget");
        for (hash, row) in &self.rows {
            let truth = self.wallet.get(hash).copied().unwrap_or(Truth::NotSent);
            let moved = matches!(truth, Truth::Paid { .. } | Truth::InFlight);
            assert!(!moved || row.charged_msat > 0, "money moves that nothing is reserved for");
            let proven = row
                .paid
                .as_ref()
                .is_some_and(|(preimage, ..)| preimage.proves(&PaymentHash::from_bytes(*hash)));
            assert_eq!(proven, row.state == IntentState::Paid);
        }
    }

    /// What came of a step.
    pub(super) fn answer(
        &mut self,
        at: usize,
        call: &Call,
        step: &Step,
        u: &mut Unstructured<'_>,
    ) -> Result<Event> {
        let journals = matches!(
            step,
            Step::Commit { .. }
                | Step::Hold { .. }
                | Step::JournalIntent(_)
                | Step::LoadCredential { .. }
                | Step::Release { .. }
                | Step::StoreCredential { .. }
        );
        if journals && u.ratio(1, 24)? {
            return Ok(Event::JournalFailed);
        }
        Ok(match step {
            Step::LoadCredential { request, key, exclusive } => {
                return Ok(self.load(at, request, key.as_ref(), *exclusive));
            }
            Step::SendRequest { authorization } => {
                if let Some(value) = authorization {
                    self.presented(&call.request, value.expose());
                }
                return server::respond(u);
            }
            Step::ReadBody { .. } => return server::body(u),
            Step::JournalIntent(intent) => Event::Reserved(self.reserve(at, intent)),
            Step::Pay(intent) => {
                Event::Payment(self.pay(intent, call.policy.wallet_limits_fee, u)?)
            }
            Step::LookUpPayment { payment_hash } => Event::LookedUp(self.look_up(payment_hash, u)?),
            Step::Commit { payment_hash, preimage, fee_msat } => {
                let truth = self.wallet[payment_hash.as_bytes()];
                assert_eq!(truth, Truth::Paid { fee_msat: *fee_msat });
                let row = self.row(payment_hash);
                assert!(row.state.is_unresolved());
                let cost = row.intent.amount_msat + fee_msat;
                let excess = cost.saturating_sub(row.charged_msat);
                row.charged_msat = cost;
                row.state = IntentState::Paid;
                row.paid = Some((preimage.clone(), *fee_msat, CredentialState::Undelivered));
                self.excess_msat += excess;
                Event::Stored
            }
            Step::Hold { payment_hash, state } => {
                assert!(state.is_unresolved());
                let row = self.row(payment_hash);
                assert!(row.state.is_unresolved());
                row.state = *state;
                Event::Stored
            }
            Step::Release { payment_hash, .. } => {
                let truth = self.wallet.get(payment_hash.as_bytes()).copied();
                let free = matches!(truth, None | Some(Truth::Failed | Truth::NotSent));
                assert!(free, "released while {truth:?}");
                let now = self.now;
                let row = self.row(payment_hash);
                assert!(truth == Some(Truth::Failed) || now >= row.intent.invoice_expires_at);
                assert!(row.state.is_unresolved());
                row.state = IntentState::Failed;
                row.charged_msat = 0;
                Event::Stored
            }
            Step::StoreCredential { payment_hash, state } => {
                let row = self.row(payment_hash);
                let (_, _, stored) = row.paid.as_mut().expect("a credential is paid for");
                *stored = *state;
                Event::Stored
            }
            step => panic!("not a step that goes on: {step:?}"),
        })
    }

    fn row(&mut self, hash: &PaymentHash) -> &mut Row {
        self.rows.get_mut(hash.as_bytes()).expect("nothing happens that was not written down first")
    }

    fn load(
        &mut self,
        at: usize,
        request: &RequestFacts,
        key: Option<&RequestKey>,
        exclusive: bool,
    ) -> Event {
        if exclusive {
            let key = key.expect("only what can be repeated is held");
            match self.locks.iter().find(|(_, held)| held == key) {
                Some((holder, _)) if *holder != at => return Event::Busy,
                Some(_) => {}
                None => self.locks.push((at, key.clone())),
            }
        }
        let same = |row: &&Row| Some(&row.intent.request) == key;
        let kept = |row: &Row, wanted| {
            let (preimage, fee_msat, state) = row.paid.as_ref()?;
            (*state == wanted).then(|| stored(&row.intent, preimage, *fee_msat, *state))
        };
        let rows = || self.rows.values();
        let unresolved = rows().filter(same).find(|row| row.state.is_unresolved());
        let found = if let Some(row) = unresolved {
            Found::Unresolved(row.intent.clone())
        } else if let Some(credential) =
            rows().filter(same).find_map(|row| kept(row, CredentialState::Undelivered))
        {
            Found::Undelivered(credential)
        } else {
            let fits = |row: &&Row| {
                row.intent.request.origin == request.origin
                    && token_fits(&row.intent.token, request, self.now)
            };
            rows()
                .filter(fits)
                .find_map(|row| kept(row, CredentialState::Delivered))
                .map_or(Found::Nothing, Found::Delivered)
        };
        Event::Loaded(Loaded { found, budget_left_msat: self.left_msat() })
    }

    /// A credential goes only where it was bought, and only once it is journaled.
    fn presented(&self, request: &RequestFacts, value: &str) {
        let owner = self.rows.values().find(|row| {
            row.paid.as_ref().is_some_and(|(preimage, ..)| {
                *authorization_value_for(row.intent.scheme, &row.intent.token, preimage) == value
            })
        });
        let owner = owner.expect("presented before it is journaled");
        assert_eq!(owner.intent.request.origin, request.origin, "presented to another origin");
    }

    fn reserve(&mut self, at: usize, intent: &Intent) -> Reservation {
        let held = self.locks.iter().any(|(call, key)| *call == at && *key == intent.request);
        assert!(held, "written without holding the request's key");
        assert_eq!(intent.request.wallet, WALLET);
        if self.rows.contains_key(intent.payment_hash.as_bytes()) {
            return Reservation::HashKnown;
        }
        let busy = |row: &Row| row.intent.request == intent.request && row.state.is_unresolved();
        if self.rows.values().any(busy) {
            return Reservation::KeyBusy;
        }
        if let Some(left_msat) = self.left_msat().filter(|left| *left < intent.reservation_msat()) {
            return Reservation::OverBudget { left_msat };
        }
        let row = Row {
            intent: intent.clone(),
            state: IntentState::Intended,
            charged_msat: intent.reservation_msat(),
            paid: None,
        };
        self.rows.insert(*intent.payment_hash.as_bytes(), row);
        Reservation::Granted
    }

    fn pay(
        &mut self,
        intent: &Intent,
        limits_fee: bool,
        u: &mut Unstructured<'_>,
    ) -> Result<PaymentResult> {
        let row = self.row(&intent.payment_hash);
        assert_eq!(row.state, IntentState::Intended, "paid without an intent");
        assert!(row.intent == *intent);
        let limit = if limits_fee { intent.max_fee_msat } else { intent.max_fee_msat + 5_000 };
        let fee_msat = u.int_in_range(0..=limit)?;
        let (truth, told) = match u.int_in_range(0..=6u8)? {
            0 => (Truth::Failed, PaymentResult::Failed { failure: "no_route".into() }),
            1 => (Truth::Failed, PaymentResult::Unknown),
            2 => (Truth::NotSent, PaymentResult::Unknown),
            3 => (Truth::InFlight, PaymentResult::Unknown),
            4 => (Truth::Paid { fee_msat }, PaymentResult::Unknown),
            5 => {
                let preimage = preimage(0xee);
                (Truth::Paid { fee_msat }, PaymentResult::Paid { preimage, fee_msat })
            }
            _ => {
                let preimage = preimage_of(&intent.payment_hash);
                (Truth::Paid { fee_msat }, PaymentResult::Paid { preimage, fee_msat })
            }
        };
        let before = self.wallet.insert(*intent.payment_hash.as_bytes(), truth);
        assert_eq!(before, None, "paid twice");
        Ok(told)
    }

    fn look_up(&mut self, hash: &PaymentHash, u: &mut Unstructured<'_>) -> Result<LookUp> {
        let max_fee = self.row(hash).intent.max_fee_msat;
        let known = self.wallet.get_mut(hash.as_bytes());
        // Time settles what is in flight.
        if let Some(truth @ Truth::InFlight) = known {
            *truth = match u.int_in_range(0..=2u8)? {
                0 => Truth::InFlight,
                1 => Truth::Failed,
                _ => Truth::Paid { fee_msat: u.int_in_range(0..=max_fee)? },
            };
        }
        if u.ratio(1, 8)? {
            return Ok(LookUp::Unknown);
        }
        Ok(match self.wallet.get(hash.as_bytes()) {
            None | Some(Truth::NotSent) => LookUp::NotFound,
            Some(Truth::Failed) => LookUp::Failed { failure: "no_route".into() },
            Some(Truth::InFlight) => LookUp::InFlight,
            Some(Truth::Paid { fee_msat }) => {
                let wrong = u.ratio(1, 8)?;
                let preimage = if wrong { preimage(0xee) } else { preimage_of(hash) };
                LookUp::Paid { preimage, fee_msat: *fee_msat }
            }
        })
    }
}

fn stored(
    intent: &Intent,
    preimage: &Preimage,
    fee_msat: u64,
    state: CredentialState,
) -> StoredCredential {
    let RequestKey { method, origin, target, wallet, .. } = intent.request.clone();
    StoredCredential {
        scheme: intent.scheme,
        token: StoredToken::new(intent.token.clone()),
        preimage: preimage.clone(),
        receipt: Receipt {
            payment_hash: intent.payment_hash,
            network: intent.network,
            payee: intent.payee,
            amount_msat: intent.amount_msat,
            fee_msat: Some(fee_msat),
            charged_msat: intent.amount_msat + fee_msat,
            method,
            origin,
            target,
            wallet,
            created_at: intent.created_at,
            settled_at: Some(intent.created_at),
            state: IntentState::Paid,
            credential: Some(state),
            failure: None,
        },
    }
}
