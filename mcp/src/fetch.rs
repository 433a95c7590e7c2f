//! `fetch`: one call that finds the price, checks the limits, pays, asks again and verifies.

use plannt_client::{ClientError, Quote, Quoted, Refusal, Response};
use rmcp::RoleServer;
use rmcp::model::{CallToolRequestParams, CallToolResponse};
use rmcp::service::RequestContext;

use crate::answer;
use crate::arguments::{RequestArguments, read};
use crate::ask::Consent;
use crate::failure::Failure;
use crate::handler::Inner;
use crate::progress::watched;

pub(crate) async fn call(
    server: &Inner,
    params: CallToolRequestParams,
    context: &RequestContext<RoleServer>,
) -> Result<CallToolResponse, Failure> {
    let CallToolRequestParams { arguments, input_responses, request_state, .. } = params;
    let arguments: RequestArguments = read(arguments)?;
    let call = arguments.digest();
    let agreed =
        server.questions.answered(&call, request_state.as_deref(), input_responses.as_ref())?;

    let config = &server.config;
    let most = arguments.max_msat().min(config.max_payment_msat);
    let unasked = config.confirm_above_msat.map_or(most, |above| most.min(above));
    let sent = send(server, &arguments, agreed.unwrap_or(unasked), context).await;
    let wants_more = agreed.is_none() && unasked < most && is_above_limit(&sent);
    if !wants_more {
        return finish(server, &arguments, sent?).await;
    }

    let quoted = server.client.with_max_payment_msat(most).quote(arguments.request()?).await?;
    let quote = match quoted {
        Quoted::Charged(quote) => quote,
        Quoted::Free(response) => return finish(server, &arguments, response).await,
        _ => {
            return Err(Failure::new(
                "internal",
                "this answer is of a kind that is not known here",
            ));
        }
    };
    let total_msat = payable(&quote)?;
    let asked = server.questions.ask(call, &quote, total_msat, config.confirm_timeout, context);
    match asked.await? {
        Consent::Given => {
            let response = send(server, &arguments, total_msat, context).await?;
            finish(server, &arguments, response).await
        }
        Consent::Later(question) => Ok((*question).into()),
    }
}

/// Pays at most `limit_msat`, fee included.
async fn send(
    server: &Inner,
    arguments: &RequestArguments,
    limit_msat: u64,
    context: &RequestContext<RoleServer>,
) -> Result<Response, SendError> {
    let request = arguments.request()?;
    if request.method == "HEAD" {
        // The headers of an answer are no goods.
        return Ok(server.client.send_unpaid(request).await?);
    }
    if server.config.payer.is_none() {
        return match server.client.quote(request).await? {
            Quoted::Free(response) => Ok(response),
            _ => Err(Failure::new(
                "no_wallet",
                "the server asks for payment, and no wallet is configured: nothing was paid",
            )
            .into()),
        };
    }
    let client = server.client.with_max_payment_msat(limit_msat);
    Ok(watched(client, context, |client| async move { client.send(request).await }).await?)
}

enum SendError {
    Client(Box<ClientError>),
    Failure(Failure),
}

impl From<ClientError> for SendError {
    fn from(error: ClientError) -> Self {
        Self::Client(Box::new(error))
    }
}

impl From<Failure> for SendError {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

impl From<SendError> for Failure {
    fn from(error: SendError) -> Self {
        match error {
            SendError::Client(error) => (*error).into(),
            SendError::Failure(failure) => failure,
        }
    }
}

fn is_above_limit(sent: &Result<Response, SendError>) -> bool {
    let Err(SendError::Client(error)) = sent else { return false };
    matches!(
        **error,
        ClientError::Refused { refusal: Refusal::AboveLimit { .. }, receipt: None, .. }
    )
}

/// What the call would cost at most, msat; an error where it would be refused whatever a person says.
fn payable(quote: &Quote) -> Result<u64, Failure> {
    if let Some(refusal) = &quote.refusal {
        return Err(Failure::new(refusal.code(), refusal.to_string()));
    }
    quote.total_msat().ok_or_else(|| Failure::new("above_limit", "the price is out of range"))
}

async fn finish(
    server: &Inner,
    arguments: &RequestArguments,
    response: Response,
) -> Result<CallToolResponse, Failure> {
    let (method, sizes) = (arguments.method(), server.config.sizes);
    Ok(answer::result(response, &method, sizes, &server.responses).await?.into())
}
