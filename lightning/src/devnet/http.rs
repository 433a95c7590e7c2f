//! The REST routes: lnd's, which the faults apply to, and the devnet's own.
#![allow(clippy::result_large_err, reason = "a handler's error is the answer itself")]

use std::collections::HashSet;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Path, Query, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use futures_util::stream;
use plannt_core::{PaymentHash, Preimage};
use serde::Deserialize;
use serde_json::json;

use super::fault::{Fault, FaultKind, Operation};
use super::ledger::AccountKeys;
use super::network::{Network, public_key, unix_now};
use super::records::{InvoiceRecord, PaymentRecord};
use super::rpc::{self, NewInvoice, RpcError, SendPayment};

type Net = State<Arc<Network>>;

/// lnd's routes and the devnet's own.
pub(super) fn router(network: Arc<Network>) -> Router {
    let lnd = Router::new()
        .route("/v1/getinfo", get(get_info))
        .route("/v1/invoices", post(issue))
        .route("/v1/invoices/subscribe", get(news))
        .route("/v1/invoice/{hash}", get(look_up_invoice))
        .route("/v1/balance/channels", get(balance))
        .route("/v2/router/send", post(pay))
        .route("/v2/router/track/{hash}", get(track));
    guarded(lnd.merge(control()), network)
}

/// The devnet's own routes alone.
pub(super) fn control_router(network: Arc<Network>) -> Router {
    guarded(control(), network)
}

fn control() -> Router<Arc<Network>> {
    Router::new()
        .route("/devnet/v1/faults", get(faults).post(set_fault).delete(clear_faults))
        .route("/devnet/v1/invoices", get(invoices))
        .route("/devnet/v1/payments", get(payments))
        .route("/devnet/v1/payments/{hash}/settle", post(settle))
        .route("/devnet/v1/payments/{hash}/fail", post(fail))
}

fn guarded(router: Router<Arc<Network>>, network: Arc<Network>) -> Router {
    router
        .fallback(|| async { Response::from(RpcError::not_found("Not Found")) })
        .layer(middleware::from_fn_with_state(Arc::clone(&network), authenticate))
        .with_state(network)
}

/// Marks an answer that is not to be sent: the connection is cut instead.
#[derive(Clone, Debug)]
pub(super) struct Cut;

fn cut() -> Response {
    let mut response = StatusCode::INTERNAL_SERVER_ERROR.into_response();
    response.extensions_mut().insert(Cut);
    response
}

/// Who calls, by their macaroon.
#[derive(Clone)]
struct Caller(AccountKeys);

async fn authenticate(State(network): Net, mut request: Request, next: Next) -> Response {
    let account = match request.headers().get("grpc-metadata-macaroon") {
        None => Err("expected 1 macaroon, got 0"),
        Some(value) => unhex(value.as_bytes())
            .ok_or("cannot determine data format of binary-encoded macaroon")
            .and_then(|macaroon| {
                network
                    .account_of(&macaroon)
                    .ok_or("verification failed: signature mismatch after caveat verification")
            }),
    };
    match account {
        Ok(account) => {
            request.extensions_mut().insert(Caller(account.clone()));
            next.run(request).await
        }
        Err(message) => RpcError::unknown(message).into(),
    }
}

fn unhex(text: &[u8]) -> Option<Vec<u8>> {
    let digit = |c: u8| char::from(c).to_digit(16).map(|d| d as u8);
    let pair = |p: &[u8]| Some(digit(p[0])? << 4 | digit(*p.get(1)?)?);
    text.chunks(2).map(pair).collect()
}

/// Plays the faults of one call around its work. `Err` is an answer as it stands.
async fn call<T, F>(
    network: &Arc<Network>,
    operation: Operation,
    work: impl FnOnce(Option<FaultKind>) -> F + Send + 'static,
) -> Result<T, Response>
where
    T: Send + 'static,
    F: Future<Output = Result<T, Response>> + Send + 'static,
{
    let verdict = network.faults.take(operation);
    let done = network.detached(async move {
        tokio::time::sleep(verdict.delay).await;
        match verdict.fault {
            Some(FaultKind::Down) => Err(cut()),
            Some(FaultKind::Error { status, code, message }) => {
                Err(RpcError::new(status, code, message).into())
            }
            fault => {
                let answer = work(fault.clone()).await;
                match fault {
                    Some(FaultKind::ReplyLost) => Err(cut()),
                    Some(FaultKind::Nonsense) => Err("<html>a page</html>".into_response()),
                    _ => answer,
                }
            }
        }
    });
    done.await.unwrap_or_else(|| Err(cut()))
}

async fn get_info(Extension(Caller(account)): Extension<Caller>) -> Response {
    Json(json!({
        "identity_pubkey": public_key(&account).map(|k| k.to_string()).unwrap_or_default(),
        "alias": account.name,
        "chains": [{"chain": "bitcoin", "network": "regtest"}],
        "synced_to_chain": true,
        "synced_to_graph": true,
    }))
    .into_response()
}

async fn issue(
    State(network): Net,
    Extension(Caller(account)): Extension<Caller>,
    body: Bytes,
) -> Result<Response, Response> {
    let net = Arc::clone(&network);
    call(&network, Operation::Issue, async move |_| {
        let request: NewInvoice = read(&body)?;
        let invoice = net.run(move |n| n.issue(&account.name, &request)).await?;
        let hash = parse_hash(&invoice.payment_hash)?;
        Ok(Json(rpc::issued(&invoice, hash.as_bytes())).into_response())
    })
    .await
}

async fn look_up_invoice(
    State(network): Net,
    Extension(Caller(account)): Extension<Caller>,
    Path(hash): Path<String>,
) -> Result<Response, Response> {
    let net = Arc::clone(&network);
    call(&network, Operation::LookUpInvoice, async move |_| {
        let hash = parse_hash(&hash)?;
        let found = net.run(move |n| n.ledger.invoice(&account.name, &hash, unix_now())).await;
        let (invoice, preimage) = found
            .map_err(RpcError::from)?
            .ok_or_else(|| RpcError::not_found("unable to locate invoice"))?;
        Ok(Json(rpc::invoice(&invoice, &preimage)).into_response())
    })
    .await
}

/// How often the ledger is looked at for news.
const NEWS: Duration = Duration::from_millis(50);

/// Each invoice of the caller's that is settled from now on, a line each.
async fn news(
    State(network): Net,
    Extension(Caller(account)): Extension<Caller>,
) -> Result<Response, Response> {
    let net = Arc::clone(&network);
    call(&network, Operation::LookUpInvoice, async move |_| {
        let stopping = net.stopping();
        let old = settled(&net, &account.name).await?;
        let old: HashSet<_> = old.into_iter().map(|invoice| invoice.payment_hash).collect();
        let lines = stream::unfold((net, account, old, stopping), |state| async move {
            let (net, account, mut old, mut stopping) = state;
            loop {
                tokio::select! {
                    _ = stopping.changed() => return None,
                    () = tokio::time::sleep(NEWS) => {}
                }
                let now = settled(&net, &account.name).await.ok()?;
                let fresh: Vec<_> =
                    now.iter().filter(|invoice| old.insert(invoice.payment_hash.clone())).collect();
                if !fresh.is_empty() {
                    let lines: String = fresh.into_iter().filter_map(rpc::news_line).collect();
                    return Some((Ok::<_, Infallible>(lines), (net, account, old, stopping)));
                }
            }
        });
        let json = [(header::CONTENT_TYPE, "application/json")];
        Ok((json, Body::from_stream(lines)).into_response())
    })
    .await
}

async fn settled(network: &Arc<Network>, account: &str) -> Result<Vec<InvoiceRecord>, RpcError> {
    let all = network.run(|n| n.ledger.invoices(unix_now())).await.map_err(RpcError::from)?;
    let own = |invoice: &InvoiceRecord| invoice.account == account && invoice.state == "SETTLED";
    Ok(all.into_iter().filter(own).collect())
}

async fn balance(
    State(network): Net,
    Extension(Caller(account)): Extension<Caller>,
) -> Result<Response, Response> {
    let net = Arc::clone(&network);
    call(&network, Operation::Balance, async move |_| {
        let msat = net.run(move |n| n.ledger.balance_msat(&account.name)).await;
        Ok(Json(rpc::balance(msat.map_err(RpcError::from)?)).into_response())
    })
    .await
}

async fn pay(
    State(network): Net,
    Extension(Caller(account)): Extension<Caller>,
    body: Bytes,
) -> Result<Response, Response> {
    let (net, name) = (Arc::clone(&network), account.name.clone());
    let (hash, quiet, wrong) =
        call(&network, Operation::Pay, async move |fault: Option<FaultKind>| {
            let request: SendPayment = read(&body).map_err(stream_failure)?;
            let quiet = request.no_inflight_updates;
            let wrong = matches!(fault, Some(FaultKind::WrongPreimage));
            let hash = net.run(move |n| n.pay(&name, &request, fault.as_ref())).await;
            Ok((hash.map_err(stream_failure)?, quiet, wrong))
        })
        .await?;
    // Outside of the call: when the client has gone, nobody waits for what is stuck.
    updates(network, account.name, hash, quiet, wrong).await
}

#[derive(Deserialize)]
struct TrackQuery {
    #[serde(default)]
    no_inflight_updates: bool,
}

async fn track(
    State(network): Net,
    Extension(Caller(account)): Extension<Caller>,
    Path(hash): Path<String>,
    Query(query): Query<TrackQuery>,
) -> Result<Response, Response> {
    let (hash, wrong) = call(&network, Operation::LookUpPayment, async move |fault| {
        let hash = rpc::hash_from_base64(&hash).map(PaymentHash::from_bytes);
        let hash = hash.ok_or_else(|| RpcError::invalid("the payment hash is not base64"));
        Ok((hash.map_err(stream_failure)?, matches!(fault, Some(FaultKind::WrongPreimage))))
    })
    .await?;
    updates(network, account.name, hash, query.no_inflight_updates, wrong).await
}

/// The lines about one payment: how it is (unless `quiet` while in flight), then how it ends.
async fn updates(
    network: Arc<Network>,
    account: String,
    hash: PaymentHash,
    quiet: bool,
    wrong_preimage: bool,
) -> Result<Response, Response> {
    let line = move |(payment, preimage): (PaymentRecord, Option<Preimage>)| {
        let shown = match wrong_preimage {
            true => Some(Preimage::from_bytes([0xff; 32])),
            false => preimage,
        };
        rpc::payment_line(&payment, shown.as_ref())
    };
    let json = [(header::CONTENT_TYPE, "application/json")];
    let name = account.clone();
    let mut now = network.run(move |n| n.payment(&name, &hash)).await.map_err(stream_failure)?;
    if quiet && now.0.status == "IN_FLIGHT" {
        now = network.payment_end(&account, hash).await.map_err(stream_failure)?;
    }
    if now.0.status != "IN_FLIGHT" {
        return Ok((json, line(now)).into_response());
    }
    let end = async move { network.payment_end(&account, hash).await.map(line) };
    let lines = stream::unfold(Step::First(line(now), Box::pin(end)), |step| async {
        match step {
            Step::First(line, end) => Some((Ok(line), Step::Last(end))),
            Step::Last(end) => Some((end.await.map_err(|e| e.to_json().to_string()), Step::End)),
            Step::End => None,
        }
    });
    Ok((json, Body::from_stream(lines)).into_response())
}

enum Step<F> {
    First(String, F),
    Last(F),
    End,
}

async fn faults(State(network): Net) -> Response {
    Json(json!({"faults": network.faults.active()})).into_response()
}

async fn set_fault(State(network): Net, body: Bytes) -> Result<Response, Response> {
    network.faults.set(read::<Fault>(&body)?);
    Ok(faults(State(network)).await)
}

async fn clear_faults(State(network): Net) -> Response {
    network.faults.clear();
    faults(State(network)).await
}

async fn invoices(State(network): Net) -> Result<Response, Response> {
    let list = network.run(|n| n.ledger.invoices(unix_now())).await.map_err(RpcError::from)?;
    Ok(Json(json!({"invoices": list})).into_response())
}

async fn payments(State(network): Net) -> Result<Response, Response> {
    let list = network.run(|n| n.ledger.payments()).await.map_err(RpcError::from)?;
    Ok(Json(json!({"payments": list})).into_response())
}

async fn settle(state: Net, Path(hash): Path<String>) -> Result<Response, Response> {
    end_in_flight(state, &hash, true).await
}

async fn fail(state: Net, Path(hash): Path<String>) -> Result<Response, Response> {
    end_in_flight(state, &hash, false).await
}

async fn end_in_flight(
    State(network): Net,
    hash: &str,
    settle: bool,
) -> Result<Response, Response> {
    let hash = parse_hash(hash)?;
    network.run(move |n| n.end_in_flight(&hash, settle)).await.map_err(RpcError::from)?;
    Ok(Json(json!({})).into_response())
}

/// How a unary call fails.
impl From<RpcError> for Response {
    fn from(error: RpcError) -> Self {
        (status(&error), Json(error.to_json())).into_response()
    }
}

/// How a stream fails before its first message.
fn stream_failure(error: RpcError) -> Response {
    (status(&error), Json(json!({"error": error.to_json()}))).into_response()
}

fn status(error: &RpcError) -> StatusCode {
    StatusCode::from_u16(error.http).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// Reads JSON whatever content type was declared, as lnd does.
fn read<T: for<'de> Deserialize<'de>>(body: &[u8]) -> Result<T, RpcError> {
    serde_json::from_slice(body).map_err(|e| RpcError::invalid(format!("invalid JSON: {e}")))
}

fn parse_hash(text: &str) -> Result<PaymentHash, RpcError> {
    text.parse().map_err(|e| RpcError::invalid(format!("invalid payment hash: {e}")))
}
