//! Running the command before a played server, and what came of it.

use std::ffi::{OsStr, OsString};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use plannt_core::read_invoice;
use plannt_lightning::devnet::{Account, Devnet, DevnetConfig, DevnetHandle, PAYER};
use plannt_lightning::{Invoicer, invoicer_from_url};
use tempfile::TempDir;
use tokio::process::Command;

use super::ClientOptions;
use super::house::{House, Offer, Open, Script, Seen, script};
use super::reply::{DELIVERED, Reply};
use crate::wire::WireError;
use crate::wire::check::{Stop, Verdict, ensure, fail};

/// What is requested: with a query, so that it shows whether it is repeated as it was.
pub(super) const TARGET: &str = "/thing?q=a%20b&n=1";
/// What the wallet owns: enough for the largest invoice of these checks, so that nothing but the client's
/// own care stands in its way.
const BALANCE_MSAT: u64 = 1_000_000_000_000;

/// The command under test, and the node behind all plays.
pub(super) struct Stage {
    pub(super) devnet: DevnetHandle,
    merchant: Arc<dyn Invoicer>,
    folder: TempDir,
    command: Vec<OsString>,
    timeout: Duration,
    runs: AtomicUsize,
}

/// One check's servers, and the command's own folder.
pub(super) struct Play<'a> {
    stage: &'a Stage,
    open: Open,
    home: TempDir,
    /// How many requests to pay and payments there were before.
    before: (usize, usize),
}

/// How a run of the command ended.
#[derive(Clone, Debug)]
pub(super) struct Ran {
    pub(super) code: Option<i32>,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

impl Stage {
    pub(super) async fn new(options: &ClientOptions) -> Result<Self, WireError> {
        let has_url = |arg: &OsString| arg.to_string_lossy().contains("{url}");
        if !options.command.iter().skip(1).any(has_url) {
            return Err(WireError::command("none of its arguments contains {url}"));
        }
        let folder = tempfile::tempdir()?;
        let config = DevnetConfig::new(folder.path().join("devnet"))
            .account(Account::new(PAYER, BALANCE_MSAT));
        let devnet = Devnet::start(config).await?;
        let merchant = invoicer_from_url(&devnet.invoicer_url()).map_err(WireError::Wallet)?;
        let (command, timeout) = (options.command.clone(), options.timeout);
        Ok(Self { devnet, merchant, folder, command, timeout, runs: AtomicUsize::new(0) })
    }

    pub(super) fn command(&self) -> String {
        let words: Vec<_> = self.command.iter().map(|word| word.to_string_lossy()).collect();
        words.join(" ")
    }

    pub(super) fn runs(&self) -> usize {
        self.runs.load(Ordering::SeqCst)
    }

    pub(super) async fn end(self) {
        self.devnet.shutdown().await;
    }

    /// Opens servers that answer by a script.
    pub(super) async fn play(&self, script: Script) -> Verdict<Play<'_>> {
        // Faults of an earlier check are its own.
        self.devnet.faults().clear();
        let io = |error| Stop::Skipped(format!("no server can be played: {error}"));
        let open = House::open(Arc::clone(&self.merchant), script).await.map_err(io)?;
        let home = tempfile::tempdir_in(self.folder.path()).map_err(io)?;
        let before = (self.devnet.asked_to_pay().len(), self.payments().await?.len());
        Ok(Play { stage: self, open, home, before })
    }

    /// Servers that sell everything under one kind of challenge, and deliver what is paid for.
    pub(super) async fn sells(
        &self,
        challenge: impl Fn(&Offer) -> Reply + Clone + Send + Sync + 'static,
    ) -> Verdict<Play<'_>> {
        self.play(script(move |seen, house| {
            let challenge = challenge.clone();
            async move {
                match house.proven(&seen) {
                    Some(_) => Reply::delivered(),
                    None => challenge(&house.offer().await),
                }
            }
        }))
        .await
    }

    async fn payments(&self) -> Verdict<Vec<u64>> {
        let payments = self.devnet.payments().await;
        let payments = payments.map_err(|error| Stop::Skipped(format!("the devnet: {error}")))?;
        let succeeded = payments.into_iter().filter(|payment| payment.status == "SUCCEEDED");
        Ok(succeeded.map(|payment| payment.amount_msat).collect())
    }
}

impl Play<'_> {
    pub(super) fn house(&self) -> &House {
        &self.open.house
    }

    /// Runs the command once, for the usual URL.
    pub(super) async fn run(&self) -> Verdict<Ran> {
        self.run_for(&self.house().url(0, TARGET)).await
    }

    pub(super) async fn run_for(&self, url: &str) -> Verdict<Ran> {
        self.stage.runs.fetch_add(1, Ordering::SeqCst);
        let wallet = self.stage.devnet.payer_url();
        let home = self.home.path();
        let fill = |arg: &OsString| -> OsString {
            let Some(text) = arg.to_str() else { return arg.clone() };
            let text = text.replace("{url}", url).replace("{wallet}", &wallet);
            text.replace("{home}", &home.to_string_lossy()).into()
        };
        let words: Vec<_> = self.stage.command.iter().map(fill).collect();
        let devnet = self.stage.folder.path().join("devnet");
        let rest = format!("https://{}", self.stage.devnet.local_addr());
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).stdin(Stdio::null()).kill_on_drop(true);
        let (cert, macaroon) = (devnet.join("tls.cert"), devnet.join("payer.macaroon"));
        let environment: [(&str, &OsStr); 9] = [
            ("L402_URL", url.as_ref()),
            ("L402_WALLET", wallet.as_ref()),
            ("L402_HOME", home.as_os_str()),
            ("LND_REST", rest.as_ref()),
            ("LND_CERT", cert.as_os_str()),
            ("LND_MACAROON", macaroon.as_os_str()),
            ("PLANNT_HOME", home.as_os_str()),
            ("PLANNT_WALLET", wallet.as_ref()),
            ("PLANNT_NETWORK", "regtest".as_ref()),
        ];
        command.envs(environment);
        match tokio::time::timeout(self.stage.timeout, command.output()).await {
            Err(_) => fail(format!("it did not end in {} s", self.stage.timeout.as_secs())),
            Ok(Err(error)) => fail(format!("it could not be run: {error}")),
            Ok(Ok(output)) => Ok(Ran {
                code: output.status.code(),
                stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
                stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            }),
        }
    }

    /// What the servers saw.
    pub(super) fn seen(&self) -> Vec<Seen> {
        self.house().seen()
    }

    /// The requests with a credential of ours.
    pub(super) fn credentials(&self) -> Vec<Seen> {
        self.seen().into_iter().filter(Seen::has_credential).collect()
    }

    /// The invoices that the node was asked to pay.
    pub(super) fn asked(&self) -> Vec<String> {
        self.stage.devnet.asked_to_pay().split_off(self.before.0)
    }

    /// What was paid, msat.
    pub(super) async fn paid(&self) -> Verdict<Vec<u64>> {
        Ok(self.stage.payments().await?.split_off(self.before.1))
    }

    /// The node was asked for nothing, and no credential was sent.
    pub(super) fn never_pays(&self) -> Verdict {
        let asked = self.asked();
        ensure(asked.is_empty(), || format!("the node was asked to pay {}", brief(&asked[0])))?;
        ensure(!self.seen().is_empty(), || "it sent no request at all".into())?;
        ensure(self.credentials().is_empty(), || "a credential was sent".into())
    }

    /// At most so many different invoices were tried, and as many paid.
    pub(super) async fn pays_at_most(&self, most: usize) -> Verdict {
        let mut asked = self.asked();
        asked.sort();
        asked.dedup();
        let paid = self.paid().await?;
        ensure(asked.len() <= most && paid.len() <= most, || {
            format!("the node was asked to pay {} invoices and paid {paid:?} msat", asked.len())
        })
    }

    pub(super) async fn pays_exactly(&self, times: usize) -> Verdict {
        self.pays_at_most(times).await?;
        let paid = self.paid().await?;
        ensure(paid.len() == times, || format!("{} payments, not {times}", paid.len()))
    }

    /// Buys once, and hands over what was bought.
    pub(super) async fn buys(&self) -> Verdict {
        let ran = self.run().await?;
        ran.delivered()?;
        self.pays_exactly(1).await
    }
}

impl Ran {
    /// Ended well, with what was bought on standard output.
    pub(super) fn delivered(&self) -> Verdict {
        ensure(self.code == Some(0) && self.stdout.contains(DELIVERED), || {
            format!("it did not hand over what was bought: {}", self.brief())
        })
    }

    /// Ended with an exit code that says so.
    pub(super) fn refused(&self) -> Verdict {
        ensure(self.code.is_some_and(|code| code != 0), || {
            format!("it does not say that it refused: {}", self.brief())
        })?;
        ensure(!self.stdout.contains(DELIVERED), || "it handed over what was not bought".into())
    }

    /// The code and the last line of standard error.
    pub(super) fn brief(&self) -> String {
        let last = self.stderr.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default();
        match self.code {
            Some(code) => format!("exit code {code}, {last:?}"),
            None => format!("ended by a signal, {last:?}"),
        }
    }
}

fn brief(invoice: &str) -> String {
    let amount = read_invoice(invoice).ok().and_then(|facts| facts.amount_msat);
    match amount {
        Some(amount) => format!("{amount} msat"),
        None => format!("{}…", invoice.chars().take(24).collect::<String>()),
    }
}
