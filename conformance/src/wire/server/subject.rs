//! The server under test: asking it, buying from it, presenting what was bought.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use plannt_core::macaroon::Macaroon;
use plannt_core::{
    InvoiceFacts, Network, PaymentHash, Preimage, attenuate_token, base64, read_challenge,
    read_invoice,
};
use plannt_lightning::payer_from_url;
use tokio::net::TcpStream;
use url::Url;

use super::ServerOptions;
use super::purse::Purse;
use super::request::{Target, authorization};
use crate::wire::WireError;
use crate::wire::check::{Stop, Verdict, fail, skip};
use crate::wire::http::{Answer, Connection};
use crate::wire::tls::Tls;

/// How often an answer of 429 is waited out, and for how long each time.
const RETRIES: u32 = 5;
const LONGEST_WAIT: Duration = Duration::from_secs(30);

pub(crate) struct Subject {
    url: Url,
    tls: Option<Tls>,
    purse: Purse,
    network: Option<Network>,
    targets: Vec<Target>,
    pub(super) post: Option<Target>,
    pub(super) free: Option<Target>,
    pub(super) missing: Option<Target>,
    pub(super) probe_limit: Option<u32>,
    /// A credential that nothing has been delivered for.
    unspent: Mutex<Option<Arc<Bought>>>,
}

/// A challenge, and what it says.
#[derive(Clone, Debug)]
pub(super) struct Offer {
    pub(super) answer: Answer,
    pub(super) token: String,
    pub(super) invoice: String,
    pub(super) facts: InvoiceFacts,
}

/// A challenge that was paid.
pub(super) struct Bought {
    pub(super) offer: Offer,
    pub(super) preimage: Preimage,
}

impl Subject {
    pub(super) fn new(options: &ServerOptions) -> Result<Self, WireError> {
        let url = options.url.clone();
        let tls = match url.scheme() {
            "http" => None,
            "https" => Some(Tls::new()?),
            _ => return Err(WireError::url("only http and https URLs can be tested")),
        };
        if url.host_str().is_none() {
            return Err(WireError::url("the URL has no host"));
        }
        let own = match url.query() {
            Some(query) => format!("{}?{query}", url.path()),
            None => url.path().to_owned(),
        };
        let mut targets: Vec<_> = options.paid.iter().map(|target| Target::get(target)).collect();
        if own != "/" || targets.is_empty() {
            targets.insert(0, Target::get(&own));
        }
        let payer = payer_from_url(&options.wallet).map_err(WireError::Wallet)?;
        let network = options.network.or(payer.network());
        let post = |(target, body): &(String, String)| {
            Target::get(target).method("POST").body(body.clone())
        };
        Ok(Self {
            url,
            tls,
            purse: Purse::new(payer, options.max_invoice_msat, options.max_total_msat),
            network,
            targets,
            post: options.post.as_ref().map(post),
            free: options.free.as_deref().map(Target::get),
            missing: options.missing.as_deref().map(Target::get),
            probe_limit: options.probe_limit,
            unspent: Mutex::default(),
        })
    }

    /// One look before all checks, so that a wrong URL is said once.
    pub(super) async fn look(&self) -> Result<(), WireError> {
        let answer = self.ask(self.paid(), &[]).await;
        let why = match answer {
            Ok(answer) if answer.status == 402 => return Ok(()),
            Ok(answer) => format!("it answers {} and not 402", answer.status),
            Err(Stop::Failed(why) | Stop::Skipped(why)) => why,
        };
        Err(WireError::url(format!("GET {} is not what a server sells: {why}", self.paid().target)))
    }

    pub(super) fn purse(&self) -> &Purse {
        &self.purse
    }

    /// The network of the wallet, where it is known.
    pub(super) fn network(&self) -> Option<Network> {
        self.network
    }

    /// What is bought unless something else is said.
    pub(super) fn paid(&self) -> &Target {
        &self.targets[0]
    }

    /// Another paid target.
    pub(super) fn second(&self) -> Verdict<&Target> {
        let first = self.paid().path();
        match self.targets.iter().find(|target| target.path() != first) {
            Some(target) => Ok(target),
            None => skip("it needs a second paid path (--paid-path)"),
        }
    }

    /// The authority as `Host` says it.
    pub(super) fn host(&self) -> String {
        let host = self.url.host_str().unwrap_or_default();
        match self.url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        }
    }

    pub(super) fn scheme(&self) -> &str {
        self.url.scheme()
    }

    pub(super) async fn connect(&self) -> Verdict<Connection> {
        self.connect_with(&[b"http/1.1"]).await
    }

    /// A connection with HTTP/2: by prior knowledge, or with TLS by agreement.
    pub(super) async fn connect_h2(&self) -> Verdict<Connection> {
        self.connect_with(&[b"h2"]).await
    }

    async fn connect_with(&self, protocols: &[&[u8]]) -> Verdict<Connection> {
        let host = self.url.host_str().unwrap_or_default();
        let port = self.url.port_or_known_default().unwrap_or(80);
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let connected = async {
            let stream = TcpStream::connect((bare, port)).await?;
            stream.set_nodelay(true)?;
            Ok::<_, std::io::Error>(match &self.tls {
                Some(tls) => tls.connect(bare, stream, protocols).await?,
                None => Connection::new(Box::new(stream)),
            })
        };
        connected.await.map_err(|error| Stop::Failed(format!("no connection: {error}")))
    }

    /// Sends bytes on a connection of their own; `None` where it is closed without an answer.
    pub(super) async fn raw(&self, bytes: &[u8], method: &str) -> Verdict<Option<Answer>> {
        let mut connection = self.connect().await?;
        let answered = async {
            connection.write(bytes).await?;
            connection.answer(method).await
        };
        answered.await.map_err(|error| Stop::Failed(format!("no answer: {error}")))
    }

    /// The answer to one request, whatever it is.
    pub(super) async fn ask_once(&self, target: &Target, lines: &[String]) -> Verdict<Answer> {
        let bytes = target.bytes(&self.host(), lines);
        match self.raw(&bytes, &target.method).await? {
            Some(answer) => Ok(answer),
            None => fail(format!("{} {}: closed without an answer", target.method, target.target)),
        }
    }

    /// The same; where too many challenges were asked for, it waits as it is told.
    pub(super) async fn ask(&self, target: &Target, lines: &[String]) -> Verdict<Answer> {
        for _ in 0..RETRIES {
            let answer = self.ask_once(target, lines).await?;
            let seconds = answer.header("retry-after").and_then(|text| text.parse().ok());
            match (answer.status, seconds) {
                (429, Some(seconds)) => {
                    tokio::time::sleep(Duration::from_secs(seconds).min(LONGEST_WAIT)).await;
                }
                _ => return Ok(answer),
            }
        }
        skip("the server's limit of challenges is too low for this check")
    }

    /// A fresh challenge.
    pub(super) async fn challenge(&self, target: &Target) -> Verdict<Offer> {
        let answer = self.ask(target, &[]).await?;
        if answer.status != 402 {
            return fail(format!("{} is answered {}", target.target, answer.brief()));
        }
        Offer::read(answer)
    }

    /// Buys a credential.
    pub(super) async fn buy(&self, target: &Target) -> Verdict<Bought> {
        let offer = self.challenge(target).await?;
        let preimage = self.purse.pay(&offer.invoice, &offer.facts).await?;
        Ok(Bought { offer, preimage })
    }

    /// A paid credential for [`paid`](Self::paid) that nothing was delivered for yet: one for all the
    /// checks in which nothing should be.
    pub(super) async fn unspent(&self) -> Verdict<Arc<Bought>> {
        let kept = || self.unspent.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bought) = kept().clone() {
            return Ok(bought);
        }
        let bought = Arc::new(self.buy(self.paid()).await?);
        *kept() = Some(Arc::clone(&bought));
        Ok(bought)
    }

    /// Presents a credential, by the value of its `Authorization` line.
    pub(super) async fn present(&self, target: &Target, value: &str) -> Verdict<Answer> {
        self.present_lines(target, &[authorization(value)]).await
    }

    /// The same with any lines. Whatever comes back as a success may have spent the credential.
    pub(super) async fn present_lines(&self, target: &Target, lines: &[String]) -> Verdict<Answer> {
        let answer = self.ask(target, lines).await?;
        let may_have_spent = answer.is_success() || answer.status >= 500 || answer.status < 400;
        if may_have_spent {
            self.forget_unspent();
        }
        Ok(answer)
    }

    /// Pays the challenge of an answer, and presents it.
    pub(super) async fn present_challenge(&self, answer: Answer) -> Verdict<Answer> {
        let offer = Offer::read(answer)?;
        let preimage = self.purse.pay(&offer.invoice, &offer.facts).await?;
        let bought = Bought { offer, preimage };
        self.present(self.paid(), &bought.value()).await
    }

    pub(super) fn forget_unspent(&self) {
        *self.unspent.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

impl Offer {
    fn read(answer: Answer) -> Verdict<Self> {
        let lines: Vec<&[u8]> = answer.all("www-authenticate").map(str::as_bytes).collect();
        let challenge = match read_challenge(lines, Some(&answer.body)) {
            Ok(Some(challenge)) => challenge,
            Ok(None) => return fail("the 402 has no complete challenge"),
            Err(error) => return fail(format!("the challenge can't be read: {error}")),
        };
        let facts = match read_invoice(&challenge.invoice) {
            Ok(facts) => facts,
            Err(error) => return fail(format!("the invoice can't be read: {error}")),
        };
        Ok(Self { token: challenge.token, invoice: challenge.invoice, facts, answer })
    }

    /// The token as a macaroon, in whatever format.
    pub(super) fn macaroon(&self) -> Verdict<Macaroon> {
        let bytes = self.token_bytes()?;
        match Macaroon::parse(&bytes) {
            Ok(macaroon) => Ok(macaroon),
            Err(error) => skip(format!("the token is no macaroon: {error}")),
        }
    }

    pub(super) fn token_bytes(&self) -> Verdict<Vec<u8>> {
        match base64::decode(&self.token) {
            Ok(bytes) => Ok(bytes),
            Err(error) => skip(format!("the token is not base64: {error}")),
        }
    }

    /// Conditions and values of its caveats, as far as they have that form.
    pub(super) fn caveats(&self) -> Verdict<Vec<(String, String)>> {
        let macaroon = self.macaroon()?;
        Ok(macaroon
            .caveats()
            .filter_map(|caveat| {
                let (condition, value) = plannt_core::caveat::split(caveat.id)?;
                Some((condition.to_owned(), value.to_owned()))
            })
            .collect())
    }

    /// The service that its `services` caveat names.
    pub(super) fn service(&self) -> Verdict<String> {
        let caveats = self.caveats()?;
        let service = caveats.iter().find(|(condition, _)| condition == "services");
        match service.and_then(|(_, value)| value.split_once(':')) {
            Some((name, _)) => Ok(name.to_owned()),
            None => skip("the token has no services caveat"),
        }
    }

    /// The value of its `<service>_<name>` caveat.
    pub(super) fn of_service(&self, name: &str) -> Verdict<String> {
        let condition = format!("{}_{name}", self.service()?);
        let caveats = self.caveats()?;
        match caveats.into_iter().find(|(found, _)| *found == condition) {
            Some((_, value)) => Ok(value),
            None => skip(format!("the token has no {condition} caveat")),
        }
    }

    pub(super) fn hash(&self) -> PaymentHash {
        self.facts.payment_hash
    }
}

impl Bought {
    /// The `Authorization` value.
    pub(super) fn value(&self) -> String {
        self.value_of(&self.offer.token)
    }

    /// The same with another text in the token's place.
    pub(super) fn value_of(&self, token: &str) -> String {
        format!("L402 {token}:{}", self.hex())
    }

    pub(super) fn hex(&self) -> String {
        self.preimage.expose_hex().to_string()
    }

    /// The token with caveats more, as its holder adds them.
    pub(super) fn attenuated(&self, caveats: &[&str]) -> Verdict<String> {
        match attenuate_token(&self.offer.token, caveats) {
            Ok(token) => Ok(token.into_string()),
            Err(error) => skip(format!("the token can't be attenuated: {error}")),
        }
    }

    /// The value with `<service>_<name>=<value>` appended.
    pub(super) fn with(&self, name: &str, value: &str) -> Verdict<String> {
        let caveat = format!("{}_{name}={value}", self.offer.service()?);
        Ok(self.value_of(&self.attenuated(&[&caveat])?))
    }
}

/// Unix seconds.
pub(super) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}
