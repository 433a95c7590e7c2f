//! The lnd backend against a server that says whatever a broken node, proxy or thief could say.

mod common;
#[path = "common/scripted.rs"]
mod scripted;

use common::{client, failed, net, paid, unknown};
use plannt_lightning::{LightningError, PayFailure, PayOutcome, Payer, PaymentState};
use scripted::{Answer, Scripted, identity, page, preimage, request};
use serde_json::{Value, json};

fn update(status: &str) -> String {
    let result = json!({
        "status": status,
        "payment_preimage": if status == "SUCCEEDED" { "07".repeat(32) } else { "00".repeat(32) },
        "failure_reason": if status == "FAILED" { "FAILURE_REASON_NO_ROUTE" } else { "FAILURE_REASON_NONE" },
        "fee_msat": "5",
    });
    json!({ "result": result }).to_string() + "\n"
}

/// An answer in one chunk for each piece, without the end of the chunks.
fn chunks(pieces: &[&str]) -> Vec<Vec<u8>> {
    let head =
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
    let chunk = |p: &&str| format!("{:x}\r\n{p}\r\n", p.len()).into_bytes();
    std::iter::once(head.as_bytes().to_vec()).chain(pieces.iter().map(chunk)).collect()
}

/// The same, properly ended.
fn stream(pieces: &[&str]) -> Answer {
    let mut chunks = chunks(pieces);
    chunks.push(b"0\r\n\r\n".to_vec());
    Answer::Close(chunks)
}

fn refusal(status: u16, code: i32, message: &str) -> Answer {
    page(status, &json!({"error": {"code": code, "message": message}}).to_string())
}

/// Pays at a server with these answers; the outcome, and what the server saw.
async fn pay(answers: Vec<Answer>) -> (PayOutcome, Vec<String>) {
    let (folder, identity) = (tempfile::tempdir().expect("a folder"), identity());
    let server = Scripted::start(&identity, &identity, answers).await;
    let payer = client(&server.url(folder.path(), &identity));
    (payer.pay(&request(&preimage())).await, server.seen())
}

async fn look_up(answer: Answer) -> Result<PaymentState, LightningError> {
    let (folder, identity) = (tempfile::tempdir().expect("a folder"), identity());
    let server = Scripted::start(&identity, &identity, vec![answer]).await;
    let payer = client(&server.url(folder.path(), &identity));
    payer.look_up_payment(&preimage().payment_hash()).await
}

#[tokio::test]
async fn the_request_is_what_lnd_takes() {
    let (outcome, seen) = pay(vec![stream(&[&update("SUCCEEDED")])]).await;
    assert_eq!(paid(outcome).fee_msat, 5);
    let [request] = &seen[..] else { panic!("{seen:?}") };
    let (head, body) = request.split_once("\r\n\r\n").expect("a head");
    assert!(head.starts_with("POST /v2/router/send HTTP/1.1\r\n"), "{head}");
    let macaroon = format!("grpc-metadata-macaroon: {}", "ab".repeat(40));
    assert!(head.to_ascii_lowercase().contains(&macaroon), "{head}");
    let body: Value = serde_json::from_str(body).expect("JSON");
    assert!(body["payment_request"].as_str().is_some_and(|text| text.starts_with("lnbcrt")));
    assert_eq!(body["timeout_seconds"], 1);
    assert_eq!(body["fee_limit_msat"], "1000");
    assert_eq!(body["no_inflight_updates"], true);
    assert_eq!(body.as_object().map(|o| o.len()), Some(4));
}

#[tokio::test]
async fn the_last_update_counts_however_it_is_cut_up() {
    let (flying, done) = (update("IN_FLIGHT"), update("SUCCEEDED"));
    for cut in [1, 10, done.len() - 1] {
        let (outcome, _) = pay(vec![stream(&[&flying, &done[..cut], &done[cut..]])]).await;
        assert!(paid(outcome).preimage.proves(&preimage().payment_hash()));
    }
    let (outcome, _) = pay(vec![stream(&[&flying, &update("FAILED")])]).await;
    assert_eq!(failed(outcome), PayFailure::NoRoute);
    // Without a newline at the end.
    let (outcome, _) = pay(vec![stream(&[update("FAILED").trim_end()])]).await;
    assert_eq!(failed(outcome), PayFailure::NoRoute);
}

#[tokio::test]
async fn a_stream_that_breaks_is_unknown_unless_the_proof_came() {
    let broken = |pieces: &[&str]| vec![Answer::Close(chunks(pieces))];
    let (outcome, _) = pay(broken(&[&update("SUCCEEDED")])).await;
    paid(outcome);
    for pieces in [
        vec![],
        vec![update("IN_FLIGHT")],
        vec![update("FAILED")],
        vec![update("SUCCEEDED")[..40].to_owned()],
    ] {
        let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
        let (outcome, _) = pay(broken(&pieces)).await;
        assert_eq!(unknown(outcome).code(), "connection_lost", "{pieces:?}");
    }
}

#[tokio::test]
async fn what_proves_nothing_is_unknown() {
    let long = format!("{}\n", "x".repeat(5 << 20));
    for (answer, code) in [
        (stream(&[]), "invalid_response"),
        (stream(&["\n\n"]), "invalid_response"),
        (stream(&["<html>"]), "invalid_response"),
        (stream(&["{\"result\":{}}"]), "invalid_response"),
        (stream(&[&long]), "invalid_response"),
        (stream(&[&update("IN_FLIGHT")]), "payment_in_flight"),
        (stream(&[&update("FAILED"), "{}"]), "invalid_response"),
        (
            stream(&[
                &update("IN_FLIGHT"),
                "{\"error\":{\"code\":2,\"message\":\"invoice expired\"}}",
            ]),
            "node_error",
        ),
        (page(502, "Bad Gateway"), "invalid_response"),
        (page(302, ""), "invalid_response"),
        (page(401, "<html>"), "invalid_response"),
        (page(500, &"x".repeat(2 << 20)), "invalid_response"),
        (refusal(500, 2, "context canceled"), "node_error"),
        (refusal(409, 6, "payment is in transition"), "payment_in_flight"),
        (refusal(500, 2, "payment already exists"), "payment_in_flight"),
        (refusal(404, 5, "payment isn't initiated"), "node_error"),
        (Answer::Close(vec![b"SSH-2.0-OpenSSH\r\n".to_vec()]), "connection_lost"),
        (Answer::Close(vec![]), "connection_lost"),
        (Answer::Hang(vec![]), "timeout_unknown"),
        (Answer::Hang(chunks(&[&update("IN_FLIGHT")])), "timeout_unknown"),
    ] {
        let (outcome, seen) = pay(vec![answer]).await;
        assert_eq!(unknown(outcome).code(), code);
        assert_eq!(seen.len(), 1, "it was sent once and not again");
    }
}

#[tokio::test]
async fn already_paid_is_looked_up() {
    let refused = |message| refusal(409, 6, message);
    for (track, expected) in [
        (stream(&[&update("FAILED")]), Some("already_paid")),
        (refused("x"), None),
        (refusal(404, 5, "payment isn't initiated"), Some("already_paid")),
        (refusal(404, 5, "Not Found"), None),
        (stream(&[&update("IN_FLIGHT")]), None),
        (Answer::Close(vec![]), None),
    ] {
        let (outcome, seen) = pay(vec![refused("invoice is already paid"), track]).await;
        assert!(seen[1].starts_with("GET /v2/router/track/"), "{seen:?}");
        match expected {
            Some(code) => assert_eq!(failed(outcome).code(), code),
            None => drop(unknown(outcome)),
        }
    }
    let track = stream(&[&update("SUCCEEDED")]);
    let (outcome, _) = pay(vec![refused("invoice is already paid"), track]).await;
    paid(outcome);
    // lnd sees that an invoice has expired before it sees that it paid it.
    let track = stream(&[&update("SUCCEEDED")]);
    let (outcome, _) = pay(vec![refusal(500, 2, "invoice expired. Valid until x"), track]).await;
    paid(outcome);
}

#[tokio::test]
async fn looking_up_takes_the_first_update_and_no_guesses() {
    let answer = Answer::Hang(chunks(&[&update("IN_FLIGHT")]));
    assert!(matches!(look_up(answer).await, Ok(PaymentState::InFlight)));
    let answer = stream(&[&update("SUCCEEDED"), "nonsense"]);
    assert!(matches!(look_up(answer).await, Ok(PaymentState::Paid(_))));
    let answer = refusal(404, 5, "payment isn't initiated");
    assert!(matches!(look_up(answer).await, Ok(PaymentState::NotFound)));
    for (answer, code) in [
        // A node without this call is not a node without this payment.
        (refusal(404, 5, "Not Found"), "node_error"),
        (page(404, "Not Found"), "invalid_response"),
        (refusal(500, 2, "permission denied"), "node_auth"),
        (stream(&[]), "invalid_response"),
        (Answer::Close(vec![]), "connection_lost"),
    ] {
        assert_eq!(look_up(answer).await.expect_err("an error").code(), code);
    }
}

#[tokio::test]
async fn only_the_pinned_certificate_will_do() {
    let folder = tempfile::tempdir().expect("a folder");
    let (pinned, other) = (identity(), identity());
    let request = request(&preimage());
    let answer = || vec![stream(&[&update("SUCCEEDED")])];
    // Another certificate; then the pinned one, shown by somebody without its key.
    for (certificate, key) in [(&other, &other), (&pinned, &other)] {
        let server = Scripted::start(certificate, key, answer()).await;
        let payer = client(&server.url(folder.path(), &pinned));
        assert_eq!(failed(payer.pay(&request).await).code(), "node_unreachable");
        assert_eq!(server.seen(), Vec::<String>::new());
    }
    // Without a pin the platform's roots decide, and know nothing of it.
    let server = Scripted::start(&pinned, &pinned, answer()).await;
    let macaroon = "ab".repeat(40);
    let payer = client(&format!("lnd://127.0.0.1:{}?macaroon={macaroon}", server.port));
    let error = failed(payer.pay(&request).await);
    assert_eq!(error.code(), "node_unreachable");
    assert_eq!(server.seen(), Vec::<String>::new());
    assert!(!error.to_string().contains("abab") && !format!("{payer:?}").contains("abab"));
}

#[tokio::test]
async fn nobody_there_is_certainly_not_paid() {
    let net = net().await;
    let request = net.invoice(1_000).await;
    let url = net.devnet.payer_url();
    let address = net.devnet.local_addr();
    net.devnet.shutdown().await;
    assert_eq!(failed(client(&url).pay(&request).await).code(), "node_unreachable");
    let unresolved = url.replace(&address.to_string(), "no-such-host.invalid:1");
    assert_eq!(failed(client(&unresolved).pay(&request).await).code(), "node_unreachable");
}
