//! A credential's life and a payment on bare metal.
#![no_std]
#![no_main]

extern crate alloc;

use alloc::string::ToString;

use plannt_core::flow::{
    BodyFacts, Event, Flow, Found, Loaded, Origin, PaymentResult, Policy, RequestFacts,
    Reservation, ResponseFacts, Step,
};
use plannt_core::{
    Credential, InvoiceFacts, Keyring, MintRequest, Network, PathRules, Preimage, RequestContext,
    RootKey, Verified, VerifyError, attenuate_token, authorization_value, challenge_header,
    normalize_path, query_digest, read_challenge,
};

plannt_embedded::firmware!(main);

const NOW: u64 = 1_800_000_000;
const PRICE_MSAT: u64 = 21_000;
const INVOICE: &str = "lnbcrt210n1example";

fn main() {
    let preimage = Preimage::from_bytes([7; 32]);
    let keyring = Keyring::new(Network::Regtest, RootKey::from_bytes([1; 32]));
    let path = normalize_path("/v1/%64emo", &PathRules::default()).expect("plain");
    let sale =
        MintRequest::new(preimage.payment_hash(), "demo", "GET", &path, NOW + 3_600, PRICE_MSAT);
    let token = keyring.mint(&sale).expect("a plain sale").to_string();
    plannt_embedded::print(c"minted\n");

    let verified = verify(&keyring, &token, &preimage).expect("what was minted verifies");
    assert_eq!((verified.uses, verified.valid_until), (1, NOW + 3_600));
    let narrower = attenuate_token(&token, &["demo_valid_until=1800000001"]).expect("small");
    let verified = verify(&keyring, narrower.as_str(), &preimage).expect("narrower");
    assert_eq!(verified.valid_until, NOW + 1);
    let wrong = Preimage::from_bytes([8; 32]);
    assert_eq!(verify(&keyring, &token, &wrong), Err(VerifyError::Invalid));
    let stranger = Keyring::new(Network::Regtest, RootKey::from_bytes([2; 32]));
    assert_eq!(verify(&stranger, &token, &preimage), Err(VerifyError::Invalid));
    plannt_embedded::print(c"verified\n");

    let sent = pay(&token, &preimage);
    assert_eq!(sent.as_str(), authorization_value(&token, &preimage).as_str());
    plannt_embedded::print(c"paid\n");
}

fn verify(keyring: &Keyring, token: &str, preimage: &Preimage) -> Result<Verified, VerifyError> {
    let header = authorization_value(token, preimage);
    let credential = Credential::from_authorization([header.as_bytes()])?.expect("our scheme");
    let request = RequestContext {
        now: NOW,
        service: "demo",
        tier: 0,
        method: "GET",
        path: "/v1/demo",
        query: query_digest(b""),
        requires_query: false,
        digest: None,
        requires_digest: false,
        lowest_price_msat: PRICE_MSAT,
        capability: None,
        strict: true,
    };
    let before = plannt_embedded::allocated();
    let answer = keyring.verify(&credential, &request);
    assert!(answer.is_err() || plannt_embedded::allocated() == before, "it allocated");
    answer
}

/// A whole call of the client; the invoice's facts come from outside, as its parser is not here.
fn pay(token: &str, preimage: &Preimage) -> alloc::string::String {
    let request = RequestFacts {
        method: "GET".into(),
        origin: Origin::parse("https://api.example").expect("an origin"),
        target: "/v1/demo".into(),
        body: BodyFacts::of(b""),
    };
    let policy = Policy::new(Network::Regtest, 100_000);
    let mut flow = Flow::new(policy, request, "wallet".into());
    loop {
        let event = match flow.next() {
            Step::LoadCredential { .. } => {
                Event::Loaded(Loaded { found: Found::Nothing, budget_left_msat: None })
            }
            Step::SendRequest { authorization: Some(value) } => return value.expose().into(),
            Step::SendRequest { authorization: None } => {
                let header = challenge_header(token, INVOICE).into_bytes();
                let found = read_challenge([header.as_slice()], None);
                assert!(found.is_ok_and(|challenge| challenge.is_some()));
                let www_authenticate = alloc::vec![header];
                Event::Responded(ResponseFacts {
                    status: 402,
                    www_authenticate,
                    ..Default::default()
                })
            }
            Step::ReadInvoice { bolt11 } => {
                assert_eq!(bolt11, INVOICE);
                Event::InvoiceRead(Ok(InvoiceFacts {
                    payment_hash: preimage.payment_hash(),
                    amount_msat: Some(PRICE_MSAT),
                    network: Network::Regtest,
                    issued_at: NOW,
                    expires_at: NOW + 600,
                    payee: None,
                    description: None,
                }))
            }
            Step::JournalIntent(_) => Event::Reserved(Reservation::Granted),
            Step::Pay(_) => {
                Event::Payment(PaymentResult::Paid { preimage: preimage.clone(), fee_msat: 0 })
            }
            Step::Commit { .. } => Event::Stored,
            step => panic!("{step:?}"),
        };
        flow.handle(event, NOW).expect("it answers the step");
    }
}
