//! The paying client in a world that is out to confuse it: any server, a wallet that loses answers,
//! a journal that fails, calls at once, and processes that die between any two steps. The journal
//! and the wallet keep to their contracts, so that what goes wrong is the flow's.

mod server;
mod world;

use arbitrary::{Result, Unstructured};
use plannt_core::Network;
use plannt_core::flow::{
    BodyFacts, Event, FeeLimit, Flow, Found, Loaded, LookUp, Origin, PaymentResult, Policy,
    RequestFacts, Reservation, Step,
};

use world::World;

pub(crate) const NOW: u64 = 1_764_000_000;
const WALLET: &str = "wallet";
/// Calls at once.
const CALLS: usize = 3;

/// Input: all choices of a script.
pub fn run(data: &[u8]) {
    let mut u = Unstructured::new(data);
    // It ends where the input does.
    let _ = script(&mut u);
}

/// One call in progress.
struct Call {
    flow: Flow,
    request: RequestFacts,
    policy: Policy,
    dry: bool,
    payments: u32,
    /// What the journal last said that the budget has left.
    budget_left_msat: Option<u64>,
}

fn script(u: &mut Unstructured<'_>) -> Result<()> {
    let budget = u.arbitrary::<Option<u32>>()?.map(|msat| u64::from(msat) % 200_000);
    let mut world = World::new(budget);
    let mut calls: [Option<Call>; CALLS] = [const { None }; CALLS];
    while !u.is_empty() {
        let at = u.int_in_range(0..=CALLS - 1)?;
        let Some(call) = &mut calls[at] else {
            calls[at] = Some(Call::arbitrary(u)?);
            continue;
        };
        if u.ratio(1, 24)? {
            // The process dies: what it held is free, and what it wrote stays.
            world.unlock(at);
            calls[at] = None;
            continue;
        }
        // Mostly at once, so that an invoice lives through a call; at times beyond its expiry.
        world.now += match u.int_in_range(0..=31u8)? {
            0 => 4_000,
            1..=4 => u64::from(u.arbitrary::<u8>()?),
            _ => 0,
        };
        let step = call.flow.next();
        call.judge(&step);
        if is_end(&step) {
            world.unlock(at);
            calls[at] = None;
            continue;
        }
        call.strays(&step, u, &world)?;
        let event = world.answer(at, call, &step, u)?;
        if let Event::Loaded(loaded) = &event {
            call.budget_left_msat = loaded.budget_left_msat;
        }
        let name = format!("{step:?}, {event:?}");
        call.flow.handle(event, world.now).unwrap_or_else(|error| panic!("{name}: {error}"));
        world.check();
    }
    Ok(())
}

fn is_end(step: &Step) -> bool {
    matches!(step, Step::Done(_) | Step::Quoted(_) | Step::Refused(_) | Step::Unanswered(_))
}

impl Call {
    fn arbitrary(u: &mut Unstructured<'_>) -> Result<Self> {
        let mut policy = Policy::new(Network::Regtest, u64::from(u.arbitrary::<u16>()?) * 4);
        policy.max_fee = FeeLimit::fixed(u64::from(u.arbitrary::<u8>()?) * 10);
        policy.pay_after_loss = u.arbitrary()?;
        policy.wallet_limits_fee = u.arbitrary()?;
        policy.fit_fee = u.arbitrary()?;
        let origins = ["https://api.example", "http://other.example", "https://other.example:8443"];
        let request = RequestFacts {
            method: (*u.choose(&["GET", "GET", "POST", "CONNECT"])?).into(),
            origin: Origin::parse(u.choose(&origins)?).unwrap(),
            target: (*u.choose(&["/v1/demo", "/v1/demo?a=b", "/"])?).into(),
            body: if u.ratio(1, 8)? { BodyFacts::Once } else { BodyFacts::of(b"") },
        };
        let dry = u.ratio(1, 8)?;
        let new = if dry { Flow::dry_run } else { Flow::new };
        let flow = new(policy.clone(), request.clone(), WALLET.into());
        Ok(Self { flow, request, policy, dry, payments: 0, budget_left_msat: None })
    }

    /// What no call may ask for, whatever came before.
    fn judge(&mut self, step: &Step) {
        match step {
            Step::JournalIntent(intent) => {
                let needed = intent.reservation_msat();
                assert!(needed >= intent.amount_msat && intent.amount_msat > 0);
                assert!(needed <= self.policy.max_payment_msat, "above the limit of a call");
                assert!(
                    self.budget_left_msat.is_none_or(|left| needed <= left),
                    "above the budget"
                );
                assert_eq!(self.payments, 0, "reserved for a second payment");
                assert_eq!(intent.network, self.policy.network);
                assert_eq!(Some(&intent.request), self.request.key(WALLET).as_ref());
                assert!(self.request.origin.is_https());
            }
            Step::Pay(_) => {
                self.payments += 1;
                assert_eq!(self.payments, 1, "one call pays at most once");
            }
            Step::Commit { payment_hash, preimage, .. } => {
                assert!(preimage.proves(payment_hash), "stored before the preimage hashes right");
            }
            _ => {}
        }
        let harmless = matches!(
            step,
            Step::LoadCredential { exclusive: false, .. }
                | Step::SendRequest { authorization: None }
                | Step::ReadBody { .. }
        );
        assert!(!self.dry || harmless || is_end(step), "a dry run has an effect: {step:?}");
    }

    /// An event that does not answer the step changes nothing.
    fn strays(&self, step: &Step, u: &mut Unstructured<'_>, world: &World) -> Result<()> {
        let nothing = Loaded { found: Found::Nothing, budget_left_msat: None };
        let stray = match u.int_in_range(0..=11u8)? {
            0 => Event::Body(None),
            1 => Event::Busy,
            2 => Event::JournalFailed,
            3 => Event::Loaded(nothing),
            4 => Event::LookedUp(LookUp::NotFound),
            5 => Event::Payment(PaymentResult::Failed { failure: "no_route".into() }),
            6 => Event::Reserved(Reservation::Granted),
            7 => Event::SendFailed,
            8 => Event::Stored,
            _ => return Ok(()),
        };
        let answers = match step {
            Step::LoadCredential { exclusive, .. } => {
                matches!(stray, Event::Loaded(_) | Event::JournalFailed)
                    || *exclusive && matches!(stray, Event::Busy)
            }
            Step::SendRequest { .. } => matches!(stray, Event::SendFailed),
            Step::JournalIntent(_) => matches!(stray, Event::Reserved(_) | Event::JournalFailed),
            Step::Pay(_) => matches!(stray, Event::Payment(_)),
            Step::LookUpPayment { .. } => matches!(stray, Event::LookedUp(_)),
            Step::ReadBody { .. } => matches!(stray, Event::Body(_)),
            _ => matches!(stray, Event::Stored | Event::JournalFailed),
        };
        let mut other = self.flow.clone();
        let taken = other.handle(stray.clone(), world.now);
        assert_eq!(taken.is_ok(), answers, "{step:?}, {stray:?}");
        if taken.is_err() {
            assert_eq!(format!("{other:?}"), format!("{:?}", self.flow), "changed by {stray:?}");
        }
        Ok(())
    }
}
