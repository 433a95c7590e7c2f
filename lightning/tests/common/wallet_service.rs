//! A wallet of NIP-47, behind relays in this process.

use std::collections::HashSet;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use futures_util::{SinkExt, StreamExt};
use nostr::nips::{nip04, nip44};
use nostr::{
    ClientMessage, Event, EventBuilder, Filter, JsonUtil, Keys, Kind, RelayMessage, RelayUrl,
    SubscriptionId, Tag, TagKind,
};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, client_async};

/// The whole answer to a request, or silence.
type Answers = Pin<Box<dyn Future<Output = Option<Value>> + Send>>;
type Handler = Arc<dyn Fn(String, Value) -> Answers + Send + Sync>;

#[derive(Clone)]
pub(crate) struct WalletService {
    keys: Keys,
    client: Keys,
    handler: Handler,
    /// One request may come from several relays.
    seen: Arc<Mutex<HashSet<String>>>,
    /// The requests, as events.
    pub(crate) requests: Arc<Mutex<Vec<Event>>>,
}

impl WalletService {
    pub(crate) fn new(handler: impl Fn(String, Value) -> Answers + Send + Sync + 'static) -> Self {
        Self {
            keys: Keys::generate(),
            client: Keys::generate(),
            handler: Arc::new(handler),
            seen: Arc::default(),
            requests: Arc::default(),
        }
    }

    pub(crate) fn uri<'a>(&self, relays: impl IntoIterator<Item = &'a RelayUrl>) -> String {
        let relays: Vec<_> = relays.into_iter().map(|url| format!("relay={url}")).collect();
        let secret = self.client.secret_key().to_secret_hex();
        let service = self.keys.public_key().to_hex();
        format!("nostr+walletconnect://{service}?{}&secret={secret}", relays.join("&"))
    }

    /// Listens at a relay, until it goes away. `encryption` is what the info event says; `None` is
    /// no info event.
    pub(crate) async fn listen(&self, relay: &RelayUrl, encryption: Option<&str>) {
        let mut socket = open(relay).await;
        if let Some(encryption) = encryption {
            let mut info = EventBuilder::new(Kind::WalletConnectInfo, "pay_invoice");
            if !encryption.is_empty() {
                info = info.tag(Tag::custom(TagKind::custom("encryption"), [encryption]));
            }
            let info = info.sign_with_keys(&self.keys).expect("signed");
            send(&mut socket, &ClientMessage::event(info)).await;
        }
        let filter = Filter::new().kind(Kind::WalletConnectRequest).pubkey(self.keys.public_key());
        send(&mut socket, &ClientMessage::req(SubscriptionId::new("in"), vec![filter])).await;
        // Once the relay has said "end of what is stored", it knows of the subscription.
        loop {
            let message = next(&mut socket).await.expect("a relay");
            if matches!(message, RelayMessage::EndOfStoredEvents(_)) {
                break;
            }
        }
        let this = self.clone();
        tokio::spawn(async move {
            let (mut sink, mut source) = socket.split();
            let (answers, mut ready) = tokio::sync::mpsc::unbounded_channel::<Event>();
            tokio::spawn(async move {
                while let Some(event) = ready.recv().await {
                    let message = ClientMessage::event(event).as_json();
                    drop(sink.send(Message::text(message)).await);
                }
            });
            while let Some(Ok(Message::Text(text))) = source.next().await {
                let Ok(RelayMessage::Event { event, .. }) = RelayMessage::from_json(text.as_str())
                else {
                    continue;
                };
                let (this, answers) = (this.clone(), answers.clone());
                tokio::spawn(async move {
                    if let Some(answer) = this.answer(event.into_owned()).await {
                        drop(answers.send(answer));
                    }
                });
            }
        });
    }

    async fn answer(&self, request: Event) -> Option<Event> {
        assert_eq!(request.pubkey, self.client.public_key());
        if !self.seen.lock().expect("no panic").insert(request.id.to_hex()) {
            return None;
        }
        self.requests.lock().expect("no panic").push(request.clone());
        let (secret, client) = (self.keys.secret_key(), request.pubkey);
        let is_nip44 = request.tags.find(TagKind::custom("encryption")).is_some();
        let body = if is_nip44 {
            nip44::decrypt(secret, &client, &request.content).expect("NIP-44")
        } else {
            nip04::decrypt(secret, &client, &request.content).expect("NIP-04")
        };
        let body: Value = serde_json::from_str(&body).expect("JSON");
        let method = body["method"].as_str().expect("a method").to_owned();
        let answer = (self.handler)(method, body["params"].clone()).await?.to_string();
        let answer = if is_nip44 {
            nip44::encrypt(secret, &client, answer, nip44::Version::V2).expect("encrypted")
        } else {
            nip04::encrypt(secret, &client, answer).expect("encrypted")
        };
        let answer = EventBuilder::new(Kind::WalletConnectResponse, answer)
            .tags([Tag::public_key(client), Tag::event(request.id)]);
        Some(answer.sign_with_keys(&self.keys).expect("signed"))
    }

    /// How many requests came.
    pub(crate) fn count(&self) -> usize {
        self.requests.lock().expect("no panic").len()
    }
}

type Socket = WebSocketStream<TcpStream>;

async fn open(relay: &RelayUrl) -> Socket {
    let url = relay.to_string();
    let authority = url.trim_start_matches("ws://").trim_end_matches('/').to_owned();
    let stream = TcpStream::connect(authority).await.expect("a relay");
    client_async(url, stream).await.expect("a relay").0
}

async fn send(socket: &mut Socket, message: &ClientMessage<'_>) {
    socket.send(Message::text(message.as_json())).await.expect("sent");
}

async fn next(socket: &mut Socket) -> Option<RelayMessage<'static>> {
    loop {
        if let Message::Text(text) = socket.next().await?.ok()?
            && let Ok(message) = RelayMessage::from_json(text.as_str())
        {
            return Some(message);
        }
    }
}
