//! The client itself.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use plannt_core::flow::{CredentialUse, Outcome, Receipt, Refusal};
use plannt_core::{Network, read_challenge};
use plannt_lightning::Payer;

use super::exchange::{HttpExchange, Received, send_once};
use super::outgoing::Outgoing;
use super::redirect::{self, MAX_REDIRECTS};
use super::stacks::Stacks;
use super::{ClientBuilder, PaymentReport, Request, Response};
use crate::driver::{DriverOptions, blocking};
use crate::{
    BudgetStatus, ClientError, Driven, Driver, Journal, JournalError, Observer, Quoted, Recovered,
    TransportError,
};

/// The longest body that is looked at for a challenge, bytes.
const MAX_CHALLENGE_BODY: usize = 65_536;

/// An HTTP client that pays. Cheap to clone; clones share everything.
///
/// It sends no cookies, uses no proxy, decompresses nothing, and follows redirects only if told to, never with a
/// credential.
#[derive(Clone)]
pub struct Client {
    http: Stacks,
    driver: Driver,
    journal: Arc<Journal>,
    options: DriverOptions,
    response_timeout: Option<Duration>,
    follow_redirects: bool,
}

impl Client {
    /// Begins a client that pays with `payer`, whose network is `network`.
    pub fn builder(payer: Arc<dyn Payer>, network: Network) -> ClientBuilder {
        ClientBuilder::new(payer, network)
    }

    pub(super) fn from_builder(builder: ClientBuilder) -> Result<Self, ClientError> {
        if let Some(network) = builder.payer.network().filter(|n| *n != builder.policy.network) {
            let ours = builder.policy.network;
            let message = format!("the wallet is on {network}, the client on {ours}");
            return Err(ClientError::Config { message });
        }
        let http = Stacks::build(&builder)?;
        let journal = match (builder.journal, builder.journal_path) {
            (Some(journal), _) => journal,
            (None, Some(path)) => Arc::new(Journal::open(path)?),
            (None, None) => {
                return Err(ClientError::Config { message: "it needs a journal".into() });
            }
        };
        let options = DriverOptions {
            policy: builder.policy,
            budget: builder.budget,
            payment_timeout: builder.payment_timeout,
            lock_wait: builder.lock_wait,
            clock: builder.clock,
        };
        Ok(Self {
            http,
            driver: Driver::new(journal.clone(), builder.payer, options.clone()),
            journal,
            options,
            response_timeout: builder.response_timeout,
            follow_redirects: builder.follow_redirects,
        })
    }

    /// Sends a request and pays for it where the server asks and the policy allows.
    ///
    /// A request with an own L402 credential in `Authorization` is sent as it is, and never paid for.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn send(&self, request: Request) -> Result<Response, ClientError> {
        let outgoing = Outgoing::new(request)?;
        if outgoing.has_own_credential() {
            return self.pass_through(outgoing).await;
        }
        let facts = outgoing.facts()?;
        let mut exchange = self.exchange(outgoing)?;
        let driven = self.driver.call(facts, &mut exchange).await?;
        self.finish(exchange, driven).await
    }

    /// Sends a request as it stands: it presents nothing, pays nothing, and looks at no journal. A 402 is handed back
    /// as any other answer.
    ///
    /// # Errors
    /// [`ClientError::Request`] and [`ClientError::Transport`].
    pub async fn send_unpaid(&self, request: Request) -> Result<Response, ClientError> {
        let mut outgoing = Outgoing::new(request)?;
        if outgoing.has_own_credential() {
            return self.pass_through(outgoing).await;
        }
        let mut received = self.send_once(&mut outgoing).await?;
        for _ in 0..self.redirects() {
            let head = &received.response;
            let Some(next) = redirect::next(&outgoing, head.status(), head.headers()) else {
                break;
            };
            outgoing = next;
            received = self.send_once(&mut outgoing).await?;
        }
        Ok(response(received, nothing_paid()))
    }

    /// Asks what a request would cost: sends it once without a credential, not even the caller's own, and pays nothing.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn quote(&self, request: Request) -> Result<Quoted<Response>, ClientError> {
        let mut outgoing = Outgoing::new(request)?;
        outgoing.leave_out_own_credential();
        let facts = outgoing.facts()?;
        let mut exchange = self.exchange(outgoing)?;
        match self.driver.quote(facts, &mut exchange).await? {
            Quoted::Charged(quote) => Ok(Quoted::Charged(quote)),
            Quoted::Free(()) => self.finish(exchange, nothing_paid()).await.map(Quoted::Free),
        }
    }

    /// Asks the wallet about payments that earlier calls left unfinished.
    ///
    /// # Errors
    /// [`ClientError::Journal`].
    pub async fn recover(&self) -> Result<Vec<Recovered>, ClientError> {
        self.driver.recover().await
    }

    /// The newest receipts first, at most `limit`.
    ///
    /// # Errors
    /// [`ClientError::Journal`].
    pub async fn receipts(&self, limit: usize) -> Result<Vec<Receipt>, ClientError> {
        let journal = self.journal.clone();
        Ok(blocking(move || journal.receipts(limit)).await?)
    }

    /// How much of each budget rule is used on this client's network.
    ///
    /// # Errors
    /// [`ClientError::Journal`].
    pub async fn budget(&self) -> Result<Vec<BudgetStatus>, ClientError> {
        let (journal, options) = (self.journal.clone(), self.options.clone());
        let status = move || -> Result<_, JournalError> {
            journal.budget_status(options.policy.network, &options.budget, options.clock.now())
        };
        Ok(blocking(status).await?)
    }

    /// The same client with another limit for a call, msat, fee included: for callers whose limit depends on the call.
    #[must_use]
    pub fn with_max_payment_msat(&self, limit_msat: u64) -> Self {
        let mut client = self.clone();
        client.driver = client.driver.with_max_payment_msat(limit_msat);
        client
    }

    /// The same client, whose calls tell `observer` how far they are.
    #[must_use]
    pub fn with_observer(&self, observer: Observer) -> Self {
        let mut client = self.clone();
        client.driver = client.driver.with_observer(observer);
        client
    }

    /// The journal.
    pub fn journal(&self) -> &Arc<Journal> {
        &self.journal
    }

    fn exchange(&self, outgoing: Outgoing) -> Result<HttpExchange<'_>, TransportError> {
        Ok(HttpExchange {
            http: self.http.for_url(&outgoing.url)?,
            outgoing,
            response_timeout: self.response_timeout,
            received: None,
        })
    }

    /// The caller's own credential decides; what comes back is handed back.
    async fn pass_through(&self, mut outgoing: Outgoing) -> Result<Response, ClientError> {
        let received = self.send_once(&mut outgoing).await?;
        Ok(response(received, nothing_paid()))
    }

    async fn send_once(&self, outgoing: &mut Outgoing) -> Result<Received, TransportError> {
        let http = self.http.for_url(&outgoing.url)?;
        let request = outgoing.build(None)?;
        send_once(http, request, self.response_timeout).await
    }

    fn redirects(&self) -> usize {
        if self.follow_redirects { MAX_REDIRECTS } else { 0 }
    }

    async fn finish(
        &self,
        exchange: HttpExchange<'_>,
        driven: Driven,
    ) -> Result<Response, ClientError> {
        let HttpExchange { outgoing, received, .. } = exchange;
        let received = received.expect("a flow is done only after a response");
        match self.follow(outgoing, received).await {
            Ok(received) => Ok(response(received, driven)),
            Err(error) => Err(match (error, bought(driven.outcome)) {
                (ClientError::Refused { refusal, wallet, .. }, receipt) => {
                    ClientError::Refused { refusal, wallet, receipt }
                }
                (ClientError::Transport(source), Some(receipt)) => {
                    ClientError::RedirectFailed { receipt, source }
                }
                (error, _) => error,
            }),
        }
    }

    /// Follows redirects without any credential of ours; a server that asks for payment there is refused.
    async fn follow(
        &self,
        mut outgoing: Outgoing,
        mut received: Received,
    ) -> Result<Received, ClientError> {
        for _ in 0..self.redirects() {
            let head = &received.response;
            let Some(next) = redirect::next(&outgoing, head.status(), head.headers()) else {
                return Ok(received);
            };
            outgoing = next;
            received = self.send_once(&mut outgoing).await?;
            if received.response.status().as_u16() == 402 {
                let lines = received.facts().www_authenticate;
                let body = received.read_body(MAX_CHALLENGE_BODY).await;
                let challenge = read_challenge(lines.iter().map(Vec::as_slice), body.as_deref());
                if !matches!(challenge, Ok(None)) {
                    return Err(ClientError::Refused {
                        refusal: Refusal::Redirected,
                        wallet: None,
                        receipt: None,
                    });
                }
            }
        }
        Ok(received)
    }
}

/// How a call ends that had nothing to do with money.
fn nothing_paid() -> Driven {
    Driven { outcome: Outcome::default(), payment_took: None }
}

/// What this call paid, if it did.
fn bought(outcome: Outcome) -> Option<Box<Receipt>> {
    let Outcome { credential, receipt, .. } = outcome;
    receipt.filter(|_| credential == CredentialUse::Bought).map(Box::new)
}

fn response(received: Received, driven: Driven) -> Response {
    let Driven { outcome, payment_took } = driven;
    let head = &received.response;
    let payment = match (&outcome.receipt, payment_took) {
        (Some(receipt), Some(took)) if outcome.credential == CredentialUse::Bought => {
            Some(PaymentReport { receipt: receipt.clone(), took })
        }
        _ => None,
    };
    Response {
        status: head.status(),
        version: head.version(),
        headers: head.headers().clone(),
        url: head.url().clone(),
        payment,
        credential: outcome.credential,
        receipt: outcome.receipt,
        journal_failed: outcome.journal_failed,
        body: received.body(),
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("policy", &self.options.policy).finish_non_exhaustive()
    }
}
