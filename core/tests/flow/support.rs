//! A call that tests drive by hand, and the invoices and tokens that a server would send.

use std::sync::LazyLock;
use std::time::Duration;

use bitcoin::hashes::{Hash, sha256};
use bitcoin::secp256k1::{Secp256k1, SecretKey};
use lightning_invoice::{Currency, InvoiceBuilder, PaymentSecret};
use plannt_core::flow::{
    BodyFacts, CredentialState, Event, FeeLimit, Flow, Found, Intent, IntentState, Loaded, Origin,
    Policy, Receipt, Refusal, RequestFacts, Reservation, ResponseFacts, Step, StoredCredential,
    StoredToken,
};
use plannt_core::{
    Keyring, MintRequest, Network, PaymentHash, Preimage, RootKey, Scheme, challenge_header,
};

pub(crate) const NOW: u64 = 1_764_000_000;
pub(crate) const EXPIRY: u64 = 3_600;
pub(crate) const PRICE_MSAT: u64 = 21_000;
pub(crate) const FEE_MSAT: u64 = 1_000;

pub(crate) fn preimage(seed: u8) -> Preimage {
    Preimage::from_bytes([seed; 32])
}

pub(crate) fn hash(seed: u8) -> PaymentHash {
    preimage(seed).payment_hash()
}

/// An invoice like a server's, with what a test changes about it.
pub(crate) struct Invoice {
    pub(crate) seed: u8,
    pub(crate) amount_msat: Option<u64>,
    pub(crate) currency: Currency,
    pub(crate) expiry: u64,
    /// A payee that the invoice names, and that did not sign it.
    pub(crate) payee_seed: Option<u8>,
}

impl Invoice {
    pub(crate) fn of(seed: u8) -> Self {
        Self {
            seed,
            amount_msat: Some(PRICE_MSAT),
            currency: Currency::Regtest,
            expiry: EXPIRY,
            payee_seed: None,
        }
    }

    pub(crate) fn text(&self) -> String {
        let mut builder = InvoiceBuilder::new(self.currency.clone())
            .description("one call".into())
            .payment_hash(sha256::Hash::from_byte_array(*hash(self.seed).as_bytes()))
            .payment_secret(PaymentSecret([8; 32]))
            .duration_since_epoch(Duration::from_secs(NOW))
            .expiry_time(Duration::from_secs(self.expiry))
            .min_final_cltv_expiry_delta(18);
        if let Some(amount) = self.amount_msat {
            builder = builder.amount_milli_satoshis(amount);
        }
        if let Some(seed) = self.payee_seed {
            let other = SecretKey::from_slice(&[seed; 32]).unwrap();
            builder = builder.payee_pub_key(other.public_key(&Secp256k1::new()));
        }
        let node = SecretKey::from_slice(&[0x42; 32]).unwrap();
        builder
            .build_signed(|m| Secp256k1::new().sign_ecdsa_recoverable(m, &node))
            .unwrap()
            .to_string()
    }
}

pub(crate) fn token(seed: u8, valid_until: u64) -> String {
    token_for(seed, "GET", "/v1/demo", valid_until)
}

pub(crate) fn token_for(seed: u8, method: &str, path: &str, valid_until: u64) -> String {
    let keyring = Keyring::new(Network::Regtest, RootKey::from_bytes([1; 32]));
    let request = MintRequest::new(hash(seed), "demo", method, path, valid_until, PRICE_MSAT);
    keyring.mint(&request).unwrap().into_string()
}

pub(crate) fn challenge(seed: u8) -> ResponseFacts {
    challenge_of(&token(seed, NOW + 10_000), &invoice_text(seed))
}

/// The usual invoices, signed once.
pub(crate) fn invoice_text(seed: u8) -> String {
    static TEXTS: LazyLock<Vec<String>> =
        LazyLock::new(|| (0..8).map(|seed| Invoice::of(seed).text()).collect());
    TEXTS[usize::from(seed)].clone()
}

pub(crate) fn challenge_of(token: &str, invoice: &str) -> ResponseFacts {
    ResponseFacts {
        status: 402,
        www_authenticate: vec![challenge_header(token, invoice).into_bytes()],
        ..Default::default()
    }
}

pub(crate) fn answer(status: u16, x_l402: Option<&str>) -> ResponseFacts {
    ResponseFacts { status, x_l402: x_l402.map(|v| v.as_bytes().to_vec()), ..Default::default() }
}

pub(crate) fn policy() -> Policy {
    let mut policy = Policy::new(Network::Regtest, 100_000);
    policy.max_fee = FeeLimit::fixed(FEE_MSAT);
    policy
}

pub(crate) fn request() -> RequestFacts {
    RequestFacts {
        method: "GET".into(),
        origin: Origin::parse("https://api.example").unwrap(),
        target: "/v1/demo".into(),
        body: BodyFacts::of(b""),
    }
}

pub(crate) fn intent(seed: u8) -> Intent {
    Intent {
        payment_hash: hash(seed),
        request: request().key("wallet").unwrap(),
        scheme: Scheme::L402,
        token: token(seed, NOW + 10_000),
        invoice: invoice_text(seed),
        network: Network::Regtest,
        payee: None,
        amount_msat: PRICE_MSAT,
        max_fee_msat: FEE_MSAT,
        invoice_expires_at: NOW + EXPIRY,
        created_at: NOW,
    }
}

pub(crate) fn stored(seed: u8, state: CredentialState) -> StoredCredential {
    StoredCredential {
        scheme: Scheme::L402,
        token: StoredToken::new(token(seed, NOW + 10_000)),
        preimage: preimage(seed),
        receipt: Receipt {
            payment_hash: hash(seed),
            network: Network::Regtest,
            payee: None,
            amount_msat: PRICE_MSAT,
            fee_msat: Some(7),
            charged_msat: PRICE_MSAT + 7,
            method: "GET".into(),
            origin: request().origin,
            target: "/v1/demo".into(),
            wallet: "wallet".into(),
            created_at: NOW,
            settled_at: Some(NOW),
            state: IntentState::Paid,
            credential: Some(state),
            failure: None,
        },
    }
}

/// A flow and the time.
pub(crate) struct Call {
    pub(crate) flow: Flow,
    pub(crate) now: u64,
}

impl Call {
    pub(crate) fn new() -> Self {
        Self::with(policy(), request())
    }

    pub(crate) fn with(policy: Policy, request: RequestFacts) -> Self {
        Self { flow: Flow::new(policy, request, "wallet".into()), now: NOW }
    }

    pub(crate) fn dry(policy: Policy, request: RequestFacts) -> Self {
        Self { flow: Flow::dry_run(policy, request, "wallet".into()), now: NOW }
    }

    pub(crate) fn tell(&mut self, event: Event) -> &mut Self {
        let step = format!("{:?}", self.flow.next());
        self.flow
            .handle(event.clone(), self.now)
            .unwrap_or_else(|e| panic!("{step}, {event:?}: {e}"));
        self
    }

    pub(crate) fn load(&mut self, found: Found) -> &mut Self {
        self.tell(Event::Loaded(Loaded { found, budget_left_msat: None }))
    }

    pub(crate) fn load_with_budget(&mut self, left_msat: u64) -> &mut Self {
        let budget_left_msat = Some(left_msat);
        self.tell(Event::Loaded(Loaded { found: Found::Nothing, budget_left_msat }))
    }

    pub(crate) fn respond(&mut self, facts: ResponseFacts) -> &mut Self {
        self.tell(Event::Responded(facts))
    }

    /// A new call as far as the 402.
    pub(crate) fn challenged(seed: u8) -> Self {
        let mut call = Self::new();
        call.load(Found::Nothing).respond(challenge(seed));
        call
    }

    /// A new call as far as the pay request.
    pub(crate) fn paying(seed: u8) -> Self {
        let mut call = Self::challenged(seed);
        call.load(Found::Nothing).tell(Event::Reserved(Reservation::Granted));
        call
    }

    /// A new call that has paid and sends its credential.
    pub(crate) fn presenting(seed: u8) -> Self {
        let mut call = Self::paying(seed);
        call.tell(paid(seed)).tell(Event::Stored);
        call
    }

    pub(crate) fn step(&self) -> Step {
        self.flow.next()
    }

    /// The name of the step, for short assertions.
    pub(crate) fn name(&self) -> String {
        let text = format!("{:?}", self.flow.next());
        text.split([' ', '(', '{']).next().unwrap_or_default().into()
    }

    pub(crate) fn refusal(&self) -> Refusal {
        match self.flow.next() {
            Step::Refused(refusal) => refusal,
            step => panic!("not refused: {step:?}"),
        }
    }

    pub(crate) fn code(&self) -> &'static str {
        self.refusal().code()
    }

    /// The credential that is about to be sent.
    pub(crate) fn authorization(&self) -> Option<String> {
        match self.flow.next() {
            Step::SendRequest { authorization } => authorization.map(|a| a.expose().to_owned()),
            step => panic!("not sending: {step:?}"),
        }
    }
}

pub(crate) fn paid(seed: u8) -> Event {
    Event::Payment(plannt_core::flow::PaymentResult::Paid { preimage: preimage(seed), fee_msat: 7 })
}

pub(crate) fn credential(seed: u8) -> String {
    let hex = preimage(seed).expose_hex();
    format!("L402 {}:{}", token(seed, NOW + 10_000), hex.as_str())
}
