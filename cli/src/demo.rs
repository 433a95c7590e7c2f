//! `plannt demo`: one paid request in five steps, with the lines that went over the wire.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use plannt_core::{Challenge, authorization_value, read_challenge, read_invoice};
use plannt_lightning::{PayOutcome, PayRequest, Payer, payer_from_url};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::args::DemoArgs;
use crate::error::CliError;
use crate::home::Home;
use crate::print::out;
use crate::serve;

const PATH: &str = "/v1/demo";

/// Everything runs in this process and in a folder that is removed afterwards, so that the demo
/// neither needs nor touches anything of the user's.
pub(crate) async fn run(args: &DemoArgs) -> Result<(), CliError> {
    let folder = tempfile::tempdir().map_err(CliError::io("make a temporary folder"))?;
    let service = serve::start_demo(&Home::at(folder.path()), args.listen).await?;
    let wallet = payer_from_url(service.payer_url())?;
    out(&format!("A devnet and the demo service run on {}.\n", service.local_addr()))?;
    let outcome = play(service.local_addr(), wallet.as_ref()).await;
    service.stop().await;
    outcome
}

async fn play(address: SocketAddr, wallet: &dyn Payer) -> Result<(), CliError> {
    let begun = Instant::now();

    out("1. Request")?;
    let refused = exchange(address, None).await?;
    out("\n2. 402 with an invoice and a macaroon")?;
    refused.print()?;
    refused.expect(402)?;
    let challenge = refused.challenge()?;

    out("\n3. The agent pays the invoice")?;
    let (payment, request) = pay(wallet, &challenge).await?;
    out(&format!("   paid {} msat, fee {} msat", request.amount_msat, payment.fee_msat))?;
    out(&format!("   payment hash {}", request.payment_hash))?;
    out(&format!("   preimage     {}", elide(&payment.preimage.expose_hex())))?;

    out("\n4. Retry with the credential")?;
    let credential = authorization_value(&challenge.token, &payment.preimage);
    let granted = exchange(address, Some(&credential)).await?;
    out("\n5. Access granted, token spent")?;
    granted.print()?;
    let cycle = begun.elapsed();
    granted.expect(200)?;

    out("\nThe same credential again")?;
    let replayed = exchange(address, Some(&credential)).await?;
    replayed.print()?;
    replayed.expect(402)?;
    let code = replayed.member("code")?;
    if code != "spent" {
        return Err(CliError::Demo(format!("the replay was refused with {code}, not spent")));
    }
    out(&format!("\nreplay refused: code: {code}"))?;
    out(&format!("paid cycle: {} ms", cycle.as_millis()))?;

    out("\nIn short:")?;
    out(&format!("   {}", granted.status_line()))?;
    out(&format!("   x-l402: {}", granted.header("x-l402").unwrap_or_default()))?;
    out(&format!("   {}", granted.body.trim_end()))?;
    Ok(())
}

async fn pay(
    wallet: &dyn Payer,
    challenge: &Challenge,
) -> Result<(plannt_lightning::Payment, PayRequest), CliError> {
    let facts = read_invoice(&challenge.invoice).map_err(|e| CliError::Demo(e.to_string()))?;
    let request = PayRequest {
        bolt11: challenge.invoice.clone(),
        payment_hash: facts.payment_hash,
        amount_msat: facts.amount_msat.unwrap_or_default(),
        max_fee_msat: 10_000,
        timeout: Duration::from_secs(30),
    };
    match wallet.pay(&request).await {
        PayOutcome::Paid(payment) => Ok((payment, request)),
        PayOutcome::Failed(failure) => Err(CliError::Demo(failure.to_string())),
        PayOutcome::Unknown(error) => Err(CliError::Demo(error.to_string())),
    }
}

/// A response as it came over the wire.
struct Answer {
    head: String,
    body: String,
}

impl Answer {
    fn print(&self) -> Result<(), CliError> {
        let mut lines = self.head.lines().chain([""]).chain(self.body.lines());
        lines.try_for_each(|line| out(&format!("   {line}")))
    }

    fn status_line(&self) -> &str {
        self.head.lines().next().unwrap_or_default()
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (n, value) = line.split_once(':')?;
            n.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    fn expect(&self, status: u16) -> Result<(), CliError> {
        if self.status_line().split(' ').nth(1) == Some(&status.to_string()) {
            return Ok(());
        }
        Err(CliError::Demo(format!("expected {status}, got {}", self.status_line())))
    }

    fn challenge(&self) -> Result<Challenge, CliError> {
        let lines = self.header("www-authenticate").map(str::as_bytes);
        read_challenge(lines, Some(self.body.as_bytes()))
            .map_err(|e| CliError::Demo(e.to_string()))?
            .ok_or_else(|| CliError::Demo("the 402 holds no challenge".into()))
    }

    fn member(&self, name: &str) -> Result<String, CliError> {
        let body: serde_json::Value =
            serde_json::from_str(&self.body).map_err(|e| CliError::Demo(e.to_string()))?;
        Ok(body[name].as_str().unwrap_or_default().to_owned())
    }
}

/// Sends the request line by line over a connection of its own, and prints it.
async fn exchange(address: SocketAddr, credential: Option<&str>) -> Result<Answer, CliError> {
    let mut lines = vec![format!("GET {PATH} HTTP/1.1"), format!("Host: {address}")];
    for line in &lines {
        out(&format!("   {line}"))?;
    }
    if let Some(value) = credential {
        let (token, preimage) = value.rsplit_once(':').unwrap_or_default();
        out(&format!("   Authorization: {token}:{}", elide(preimage)))?;
        lines.push(format!("Authorization: {value}"));
    }
    lines.push("Connection: close".into());
    out("   Connection: close")?;

    let io = CliError::io("talk to the demo service");
    let exchange = async {
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(format!("{}\r\n\r\n", lines.join("\r\n")).as_bytes()).await?;
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).await?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    let text = exchange.await.map_err(io)?;
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    Ok(Answer { head: head.to_owned(), body: body.to_owned() })
}

/// A preimage is a secret until it is spent, and here it is printed before.
fn elide(preimage: &str) -> String {
    format!("{}… (64 hex digits, not printed)", preimage.get(..8).unwrap_or_default())
}
