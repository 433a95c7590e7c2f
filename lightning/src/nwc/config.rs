//! A connection's URI: whose wallet, over which relays, with which key.

use std::fmt;
use std::time::Duration;

use nostr::{Keys, PublicKey, RelayUrl, SecretKey};
use plannt_core::Network;
use url::Url;
use zeroize::Zeroizing;

use crate::LightningError;
use crate::settings::{config, secret};

/// More relays than any wallet names.
const MAX_RELAYS: usize = 16;

/// Whose wallet, over which relays, and the key that it knows us by. Prints no secret.
#[derive(Clone)]
#[non_exhaustive]
pub struct NwcConfig {
    /// How much longer than a payment's own time limit to wait for its answer. 15 s unless set.
    pub answer_margin: Duration,
    /// How long connecting to a relay may take, TLS included. 10 s unless set.
    pub connect_timeout: Duration,
    /// The network that invoices have to be for, when known.
    pub network: Option<Network>,
    /// How long any other request than a payment may take. 30 s unless set.
    pub request_timeout: Duration,
    /// The name in [`Payer::wallet_id`](crate::Payer::wallet_id), instead of one derived from the
    /// public keys.
    pub wallet: Option<String>,
    pub(super) keys: Keys,
    pub(super) relays: Vec<Relay>,
    pub(super) service: PublicKey,
}

/// A relay's address.
#[derive(Clone, Debug)]
pub(super) struct Relay {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) tls: bool,
    pub(super) url: RelayUrl,
}

impl NwcConfig {
    /// Reads `nostr+walletconnect://<public key>?relay=<url>[&relay=<url>…]&secret=<secret>[&network=<name>][&wallet=<name>]`.
    ///
    /// That is the URI as the wallet shows it. `secret` may also be `file:PATH` or `env:NAME`. What
    /// else a wallet adds, such as `lud16`, is passed over.
    ///
    /// # Errors
    /// [`LightningError::Config`], never with a value of the URI in it.
    pub fn from_url(url: &str) -> Result<Self, LightningError> {
        let url = Url::parse(url).map_err(|e| config(&format!("not a URL: {e}")))?;
        if url.scheme() != "nostr+walletconnect" {
            return Err(config("the URL's scheme is not nostr+walletconnect"));
        }
        // Some wallets leave the slashes out.
        let service = url.host_str().unwrap_or_else(|| url.path());
        let service = PublicKey::from_hex(service)
            .map_err(|_| config("the URL names no public key of a wallet"))?;
        let (mut relays, mut key, mut network, mut wallet) = (Vec::new(), None, None, None);
        for (name, value) in url.query_pairs() {
            let slot = match name.as_ref() {
                "relay" if relays.len() < MAX_RELAYS => {
                    relays.push(Relay::parse(&value)?);
                    continue;
                }
                "relay" => return Err(config("the URL names too many relays")),
                "network" => &mut network,
                "secret" => &mut key,
                "wallet" => &mut wallet,
                _ => continue,
            };
            if value.is_empty() || slot.replace(Zeroizing::new(value.into_owned())).is_some() {
                return Err(config("a parameter is empty or repeated"));
            }
        }
        if relays.is_empty() {
            return Err(config("the URL has no relay= parameter"));
        }
        let key = key.ok_or_else(|| config("the URL has no secret= parameter"))?;
        let key = SecretKey::from_hex(&secret(&key, "secret")?)
            .map_err(|_| config("the secret is no secret key in hex"))?;
        Ok(Self {
            answer_margin: Duration::from_secs(15),
            connect_timeout: Duration::from_secs(10),
            network: match network {
                Some(name) => Some(name.parse().map_err(|e| config(&format!("{e}")))?),
                None => None,
            },
            request_timeout: Duration::from_secs(30),
            wallet: wallet.map(|name| name.to_string()),
            keys: Keys::new(key),
            relays,
            service,
        })
    }

    /// Both public keys.
    pub(super) fn connection(&self) -> String {
        format!("{} {}", self.service.to_hex(), self.keys.public_key().to_hex())
    }
}

impl Relay {
    fn parse(text: &str) -> Result<Self, LightningError> {
        let invalid = || config("a relay is no ws:// or wss:// URL");
        let url = Url::parse(text).map_err(|_| invalid())?;
        let tls = match url.scheme() {
            "ws" => false,
            "wss" => true,
            _ => return Err(invalid()),
        };
        let host = url.host_str().ok_or_else(invalid)?;
        Ok(Self {
            host: host.trim_start_matches('[').trim_end_matches(']').to_owned(),
            port: url.port_or_known_default().ok_or_else(invalid)?,
            tls,
            url: RelayUrl::parse(text).map_err(|_| invalid())?,
        })
    }
}

impl fmt::Debug for NwcConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let relays: Vec<_> = self.relays.iter().map(|relay| relay.url.to_string()).collect();
        f.debug_struct("NwcConfig")
            .field("service", &self.service.to_hex())
            .field("relays", &relays)
            .field("secret", &"[redacted]")
            .field("network", &self.network)
            .field("wallet", &self.wallet)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVICE: &str = "b889ff5b1513b641e2a139f661a661364979c5beee91842f8f0ef42ab558e9d4";
    const SECRET: &str = "71a8c14c1407c113601079c4302dab36460f0ccd0ad506f1f2dc73b5100e4f3c";

    #[test]
    fn reads_what_wallets_show() {
        // The example of NIP-47, and what else is seen.
        for url in [
            format!(
                "nostr+walletconnect://{SERVICE}?relay=wss%3A%2F%2Frelay.damus.io&secret={SECRET}"
            ),
            format!(
                "nostr+walletconnect:{SERVICE}?relay=wss://relay.damus.io/&secret={SECRET}&lud16=a@b.c"
            ),
        ] {
            let config = NwcConfig::from_url(&url).expect("a configuration");
            assert_eq!(config.service.to_hex(), SERVICE);
            let [relay] = &config.relays[..] else { panic!("{config:?}") };
            assert_eq!((relay.host.as_str(), relay.port, relay.tls), ("relay.damus.io", 443, true));
            assert!(!format!("{config:?}").contains(&SECRET[..8]));
        }
        let several = format!(
            "nostr+walletconnect://{SERVICE}?relay=wss://a&relay=ws://[::1]:7000/x&secret={SECRET}&network=regtest"
        );
        let config = NwcConfig::from_url(&several).expect("a configuration");
        assert_eq!(config.network, Some(Network::Regtest));
        let relay = &config.relays[1];
        assert_eq!((relay.host.as_str(), relay.port, relay.tls), ("::1", 7000, false));
    }

    #[test]
    fn refuses_without_repeating_the_uri() {
        for url in [
            format!("nostr+walletconnect://{SERVICE}?secret={SECRET}"),
            format!("nostr+walletconnect://{SERVICE}?relay=wss://a"),
            format!("nostr+walletconnect://{SERVICE}?relay=wss://a&secret={SECRET}00"),
            format!(
                "nostr+walletconnect://{SERVICE}?relay=wss://a&secret={SECRET}&secret={SECRET}"
            ),
            format!("nostr+walletconnect://{SERVICE}?relay=https://{SECRET}&secret={SECRET}"),
            format!("nostr+walletconnect://{SERVICE}00?relay=wss://a&secret={SECRET}"),
            format!("nostr+walletconnect://{SECRET}x?relay=wss://a&secret={SECRET}"),
            format!(
                "nostr+walletconnect://{SERVICE}?relay=wss://a&secret={SECRET}&network={SECRET}"
            ),
        ] {
            let message = NwcConfig::from_url(&url).expect_err("refused").to_string();
            assert!(!message.contains(&SECRET[..8]), "{message}");
        }
    }
}
