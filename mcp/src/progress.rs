//! Tells the client how far a call is, where it asked to be told.

use std::sync::Arc;

use plannt_client::{Client, Progress};
use rmcp::RoleServer;
use rmcp::model::{ProgressNotificationParam, ProgressToken};
use rmcp::service::{Peer, RequestContext};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::text;

/// Runs `call` with a client that is watched, and sends what it does as notifications, in order, before its result.
pub(crate) async fn watched<T, F: Future<Output = T>>(
    client: Client,
    context: &RequestContext<RoleServer>,
    call: impl FnOnce(Client) -> F,
) -> T {
    let Some(token) = context.meta.get_progress_token() else { return call(client).await };
    let (sender, receiver) = unbounded_channel();
    let observed = client.with_observer(Arc::new(move |step| {
        // Nobody listening is no reason to stop a payment.
        let _ = sender.send(step);
    }));
    // The client holds the sender: when the call ends, so does the stream of steps.
    let (result, ()) = tokio::join!(call(observed), tell(&context.peer, token, receiver));
    result
}

async fn tell(
    peer: &Peer<RoleServer>,
    token: ProgressToken,
    mut steps: UnboundedReceiver<Progress>,
) {
    let mut count = 0.0;
    while let Some(step) = steps.recv().await {
        count += 1.0;
        let Some(message) = message(step) else { continue };
        let told = ProgressNotificationParam::new(token.clone(), count).with_message(message);
        if let Err(error) = peer.notify_progress(told).await {
            tracing::debug!(%error, "no progress was told");
        }
    }
}

fn message(step: Progress) -> Option<String> {
    Some(match step {
        Progress::LookingUp { .. } => "asking the wallet about an earlier payment".into(),
        Progress::Paid { amount_msat } => format!("paid {}", text::sats_text(amount_msat)),
        Progress::Paying { amount_msat, max_fee_msat } => format!(
            "paying {}, fee at most {}",
            text::sats_text(amount_msat),
            text::sats_text(max_fee_msat)
        ),
        Progress::Requesting { with_credential: false } => "asking the server".into(),
        Progress::Requesting { with_credential: true } => "presenting the credential".into(),
        _ => return None,
    })
}
