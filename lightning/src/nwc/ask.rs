//! One request to the wallet, over all relays at once.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use nostr::nips::{nip04, nip44};
use nostr::{
    ClientMessage, Event, EventBuilder, EventId, Filter, Kind, RelayMessage, SubscriptionId, Tag,
    TagKind, Timestamp,
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::time::timeout;
use zeroize::Zeroizing;

use super::Nwc;
use super::answer::{Refusal, read};
use super::config::Relay;
use super::relay::{Socket, refused};
use crate::LightningError;
use crate::http::invalid;

/// How long a relay may look for the wallet's info event.
const INFO_LIMIT: Duration = Duration::from_secs(5);

/// Why a request got no result.
pub(super) enum AskError {
    /// It certainly reached no relay.
    NotSent(LightningError),
    /// The wallet's own answer.
    Refused(Refusal),
    /// The wallet may have it.
    Unknown(LightningError),
}

impl AskError {
    /// For a request that moves no money.
    pub(super) fn into_error(self) -> LightningError {
        match self {
            Self::NotSent(error) | Self::Unknown(error) => error,
            Self::Refused(refusal) => refusal.into_error(),
        }
    }
}

/// How messages are encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encryption {
    Nip04,
    Nip44,
}

/// One request, as all relays share it.
struct Request {
    body: String,
    expires_at: Option<Timestamp>,
    /// Made by the first relay that is ready: one event, so that a wallet that gets it
    /// from several relays sees that it is one.
    event: OnceLock<Event>,
    /// The relays that may have passed it on.
    sent: AtomicUsize,
}

impl Nwc {
    /// Asks the wallet. A relay that is given the request after `good_for` drops it, and so does the wallet.
    pub(super) async fn ask<T: DeserializeOwned>(
        &self,
        method: &str,
        parameters: Value,
        limit: Duration,
        good_for: Option<Duration>,
    ) -> Result<T, AskError> {
        let request = Request {
            body: json!({ "method": method, "params": parameters }).to_string(),
            // At least a second, since the tag counts whole ones.
            expires_at: good_for.map(|good_for| Timestamp::now() + good_for.as_secs().max(1)),
            event: OnceLock::new(),
            sent: AtomicUsize::new(0),
        };
        let answer = timeout(limit, self.race(&request)).await;
        let error = match answer {
            Ok(Ok(text)) => {
                return match read(&text, method) {
                    Ok(Ok(result)) => Ok(result),
                    Ok(Err(refusal)) => Err(AskError::Refused(refusal)),
                    Err(error) => Err(AskError::Unknown(error)),
                };
            }
            Ok(Err(error)) => error,
            Err(_) => LightningError::TimeoutUnknown,
        };
        if request.sent.load(Ordering::Relaxed) > 0 {
            return Err(AskError::Unknown(error));
        }
        Err(AskError::NotSent(match error {
            LightningError::ConnectionLost { message } => {
                LightningError::NodeUnreachable { message }
            }
            LightningError::TimeoutUnknown => LightningError::NodeUnreachable {
                message: "no relay took the request in time".into(),
            },
            error => error,
        }))
    }

    /// The first answer of any relay; the last error where there is none.
    async fn race(&self, request: &Request) -> Result<Zeroizing<String>, LightningError> {
        let relays = self.config.relays.iter();
        let mut tries: FuturesUnordered<_> =
            relays.map(|relay| self.ask_over(relay, request)).collect();
        let mut last = invalid("no relay");
        while let Some(tried) = tries.next().await {
            match tried {
                Ok(answer) => return Ok(answer),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    async fn ask_over(
        &self,
        relay: &Relay,
        request: &Request,
    ) -> Result<Zeroizing<String>, LightningError> {
        let (keys, limit) = (&self.config.keys, self.config.connect_timeout);
        let mut socket = Socket::connect(relay, keys, &self.tls, limit).await?;
        let encryption = self.encryption(&mut socket).await?;
        let event = match request.event.get() {
            Some(event) => event,
            None => {
                let made = self.event(request, encryption)?;
                request.event.get_or_init(|| made)
            }
        };
        let filter = Filter::new()
            .kind(Kind::WalletConnectResponse)
            .author(self.config.service)
            .event(event.id);
        let subscribe = ClientMessage::req(SubscriptionId::new("answer"), vec![filter]);
        let publish = ClientMessage::event(event.clone());
        // Answers are not kept by relays, so the subscription comes first.
        socket.send(&subscribe).await?;
        request.sent.fetch_add(1, Ordering::Relaxed);
        socket.send(&publish).await?;
        loop {
            match socket.next().await? {
                None => {
                    socket.send(&subscribe).await?;
                    socket.send(&publish).await?;
                }
                Some(RelayMessage::Event { event: answer, .. }) => {
                    if self.is_answer(&answer, event.id) {
                        return self.decrypt(&answer.content);
                    }
                }
                Some(RelayMessage::Ok { event_id, status: false, message })
                    if event_id == event.id =>
                {
                    let is_known = message.starts_with("duplicate");
                    if !is_known && !socket.will_authenticate(&message) {
                        request.sent.fetch_sub(1, Ordering::Relaxed);
                        return Err(refused(&message));
                    }
                }
                Some(RelayMessage::Closed { message, .. }) => {
                    if !socket.will_authenticate(&message) {
                        return Err(refused(&message));
                    }
                }
                Some(_) => {}
            }
        }
    }

    /// By the wallet, of the right kind, about this request, and signed.
    fn is_answer(&self, answer: &Event, request: EventId) -> bool {
        answer.pubkey == self.config.service
            && answer.kind == Kind::WalletConnectResponse
            && answer.tags.event_ids().any(|id| *id == request)
            && answer.verify().is_ok()
    }

    /// What the wallet reads, by its info event. One that says nothing of it reads NIP-04 alone
    /// (NIP-47); of a wallet without one, nothing is known, so it gets the better.
    async fn encryption(&self, socket: &mut Socket<'_>) -> Result<Encryption, LightningError> {
        if let Some(encryption) = self.encryption.get() {
            return Ok(*encryption);
        }
        let info = socket.latest(Kind::WalletConnectInfo, self.config.service);
        let info = timeout(INFO_LIMIT, info).await;
        let info = info.unwrap_or(Err(LightningError::TimeoutUnknown))?;
        let kind = TagKind::custom("encryption");
        let offered = info.as_ref().map(|info| {
            let tag = info.tags.find(kind);
            let words = tag.map(|tag| tag.as_slice()[1..].join(" ")).unwrap_or_default();
            words.split_ascii_whitespace().any(|word| word == "nip44_v2")
        });
        let encryption = match offered {
            Some(false) => Encryption::Nip04,
            Some(true) | None => Encryption::Nip44,
        };
        Ok(*self.encryption.get_or_init(|| encryption))
    }

    fn event(&self, request: &Request, encryption: Encryption) -> Result<Event, LightningError> {
        let (keys, service) = (&self.config.keys, self.config.service);
        let failed = || LightningError::NodeError { message: "cannot encrypt or sign".into() };
        let content = match encryption {
            Encryption::Nip04 => {
                nip04::encrypt(keys.secret_key(), &service, &request.body).map_err(|_| failed())?
            }
            Encryption::Nip44 => {
                let version = nip44::Version::V2;
                nip44::encrypt(keys.secret_key(), &service, &request.body, version)
                    .map_err(|_| failed())?
            }
        };
        let mut event =
            EventBuilder::new(Kind::WalletConnectRequest, content).tag(Tag::public_key(service));
        if encryption == Encryption::Nip44 {
            event = event.tag(Tag::custom(TagKind::custom("encryption"), ["nip44_v2"]));
        }
        if let Some(expires_at) = request.expires_at {
            event = event.tag(Tag::expiration(expires_at));
        }
        event.sign_with_keys(keys).map_err(|_| failed())
    }

    /// An answer is encrypted as its request was. NIP-04's text says so by itself.
    fn decrypt(&self, content: &str) -> Result<Zeroizing<String>, LightningError> {
        let (secret, service) = (self.config.keys.secret_key(), &self.config.service);
        let text = if content.contains("?iv=") {
            nip04::decrypt(secret, service, content).ok()
        } else {
            nip44::decrypt(secret, service, content).ok()
        };
        text.map(Zeroizing::new).ok_or_else(|| invalid("the answer cannot be decrypted"))
    }
}

#[cfg(test)]
mod tests {
    use nostr::Keys;

    use super::*;
    use crate::nwc::NwcConfig;

    /// A relay may send whatever it likes, also what its filter should have kept back.
    #[test]
    fn only_the_wallets_own_answer_to_this_request_counts() {
        let (wallet, ours) = (Keys::generate(), Keys::generate());
        let uri = format!(
            "nostr+walletconnect://{}?relay=wss://a&secret={}",
            wallet.public_key().to_hex(),
            ours.secret_key().to_secret_hex()
        );
        let nwc = Nwc::new(NwcConfig::from_url(&uri).expect("a configuration")).expect("a client");
        let (request, other) =
            (EventId::from_byte_array([1; 32]), EventId::from_byte_array([2; 32]));
        let answer = |keys: &Keys, kind: Kind, about: EventId| {
            let event = EventBuilder::new(kind, "content").tag(Tag::event(about));
            event.sign_with_keys(keys).expect("signed")
        };
        let right = answer(&wallet, Kind::WalletConnectResponse, request);
        assert!(nwc.is_answer(&right, request));
        let mut changed = right.clone();
        changed.content = "other content".into();
        let mut stolen = answer(&ours, Kind::WalletConnectResponse, request);
        stolen.pubkey = wallet.public_key();
        for wrong in [
            answer(&ours, Kind::WalletConnectResponse, request),
            answer(&wallet, Kind::WalletConnectNotification, request),
            answer(&wallet, Kind::WalletConnectResponse, other),
            changed,
            stolen,
        ] {
            assert!(!nwc.is_answer(&wrong, request), "{wrong:?}");
        }
    }
}
