//! One connection to a relay (NIP-01), which proves who we are where it asks (NIP-42).

use std::borrow::Cow;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use nostr::{
    ClientMessage, Event, EventBuilder, EventId, Filter, JsonUtil, Keys, Kind, PublicKey,
    RelayMessage, SubscriptionId,
};
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use super::config::Relay;
use crate::LightningError;
use crate::http::cut;

/// The most that one message of a relay may have.
const MAX_MESSAGE_BYTES: usize = 1 << 20;

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

pub(super) struct Socket<'a> {
    stream: WebSocketStream<Box<dyn Stream>>,
    relay: &'a Relay,
    keys: &'a Keys,
    /// Our proof of who we are, until the relay has answered it.
    proof: Option<EventId>,
}

impl<'a> Socket<'a> {
    /// Connects; any error is [`LightningError::NodeUnreachable`].
    pub(super) async fn connect(
        relay: &'a Relay,
        keys: &'a Keys,
        tls: &TlsConnector,
        limit: Duration,
    ) -> Result<Self, LightningError> {
        let unreachable = |message: String| LightningError::NodeUnreachable { message };
        let connect = async {
            let stream = TcpStream::connect((relay.host.as_str(), relay.port)).await?;
            stream.set_nodelay(true)?;
            if !relay.tls {
                return Ok(Box::new(stream) as Box<dyn Stream>);
            }
            let name = ServerName::try_from(relay.host.clone()).map_err(std::io::Error::other)?;
            Ok(Box::new(tls.connect(name, stream).await?) as Box<dyn Stream>)
        };
        let open = async {
            let stream = connect.await.map_err(|e: std::io::Error| unreachable(e.to_string()))?;
            let config = WebSocketConfig::default()
                .max_message_size(Some(MAX_MESSAGE_BYTES))
                .max_frame_size(Some(MAX_MESSAGE_BYTES));
            let opened = client_async_with_config(relay.url.to_string(), stream, Some(config));
            let (stream, _) = opened.await.map_err(|e| unreachable(cut(&e.to_string())))?;
            Ok(Self { stream, relay, keys, proof: None })
        };
        let opened = timeout(limit, open).await;
        opened.unwrap_or_else(|_| Err(unreachable("the relay did not answer in time".into())))
    }

    pub(super) async fn send(&mut self, message: &ClientMessage<'_>) -> Result<(), LightningError> {
        self.stream.send(Message::text(message.as_json())).await.map_err(lost)
    }

    /// The next message that is of use, after answering those that are the relay's own affair.
    /// `None`: the relay now knows who we are, and what it refused before can be said again.
    pub(super) async fn next(&mut self) -> Result<Option<RelayMessage<'static>>, LightningError> {
        loop {
            let message = match self.stream.next().await {
                None => return Err(lost("the relay has closed the connection")),
                Some(message) => message.map_err(lost)?,
            };
            let Message::Text(text) = message else { continue };
            // What a relay says beyond the protocol is no concern of ours.
            let Ok(message) = RelayMessage::from_json(text.as_str()) else { continue };
            match message {
                RelayMessage::Auth { challenge } => self.authenticate(&challenge).await?,
                RelayMessage::Ok { event_id, status, message } if Some(event_id) == self.proof => {
                    self.proof = None;
                    if !status {
                        return Err(refused(&message));
                    }
                    return Ok(None);
                }
                message => return Ok(Some(message)),
            }
        }
    }

    async fn authenticate(&mut self, challenge: &str) -> Result<(), LightningError> {
        let proof = EventBuilder::auth(challenge, self.relay.url.clone())
            .sign_with_keys(self.keys)
            .map_err(|_| LightningError::NodeError { message: "cannot sign".into() })?;
        self.proof = Some(proof.id);
        self.send(&ClientMessage::Auth(Cow::Owned(proof))).await
    }

    /// Whether a refusal with this reason may yet be taken back.
    pub(super) fn will_authenticate(&self, reason: &str) -> bool {
        self.proof.is_some() && reason.starts_with("auth-required")
    }

    /// The latest event of `kind` by `author` that the relay keeps.
    pub(super) async fn latest(
        &mut self,
        kind: Kind,
        author: PublicKey,
    ) -> Result<Option<Event>, LightningError> {
        let id = SubscriptionId::new("info");
        let request =
            ClientMessage::req(id.clone(), vec![Filter::new().kind(kind).author(author).limit(1)]);
        self.send(&request).await?;
        let mut latest: Option<Event> = None;
        loop {
            match self.next().await? {
                None => self.send(&request).await?,
                Some(RelayMessage::Event { event, .. }) => {
                    let is_it = event.kind == kind && event.pubkey == author;
                    let is_newer = latest.as_ref().is_none_or(|l| l.created_at < event.created_at);
                    if is_it && is_newer && event.verify().is_ok() {
                        latest = Some(event.into_owned());
                    }
                }
                Some(RelayMessage::EndOfStoredEvents(_)) => {
                    self.send(&ClientMessage::Close(Cow::Owned(id))).await?;
                    return Ok(latest);
                }
                Some(RelayMessage::Closed { message, .. }) => {
                    if !self.will_authenticate(&message) {
                        return Err(refused(&message));
                    }
                }
                Some(_) => {}
            }
        }
    }
}

pub(super) fn refused(reason: &str) -> LightningError {
    LightningError::NodeError { message: format!("the relay refuses: {}", cut(reason)) }
}

fn lost(error: impl ToString) -> LightningError {
    LightningError::ConnectionLost { message: cut(&error.to_string()) }
}
