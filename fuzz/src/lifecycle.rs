//! Mint, attenuate, present, verify: what is sold is let in, a holder only narrows, and one changed
//! bit is refused.

use std::num::NonZeroU32;

use arbitrary::{Arbitrary, Result, Unstructured};
use plannt_core::{
    Credential, Keyring, MintRequest, Network, PathRules, Preimage, RequestContext, RootKey,
    Verified, VerifyError, attenuate_token, authorization_value, base64, grpc_metadata_value,
    normalize_path,
};

/// Input: a sale, what its holder adds, and what is asked for, in `arbitrary`'s form.
pub fn run(data: &[u8]) {
    if let Ok(case) = Case::arbitrary(&mut Unstructured::new(data)) {
        case.run();
    }
}

#[derive(Arbitrary, Debug)]
struct Case {
    sale: Sale,
    holder: Vec<Added>,
    other: Other,
    flip: u16,
    split: u8,
}

#[derive(Arbitrary, Debug)]
struct Sale {
    root_key: [u8; 32],
    older_key: [u8; 32],
    preimage: [u8; 32],
    network: u8,
    service: Service,
    tier: u8,
    valid_until: u64,
    method: Method,
    path: Path,
    price: u64,
    uses: NonZeroU32,
    query: Option<[u8; 32]>,
    digest: Option<[u8; 32]>,
    capabilities: Vec<Capability>,
}

/// A caveat that the holder adds: of a known condition with any or a likely value, or any text.
#[derive(Arbitrary, Debug)]
enum Added {
    Any(String),
    Known { condition: u8, value: String },
    Likely { condition: u8, value: u8, number: u64 },
}

/// A request besides the one that was sold.
#[derive(Arbitrary, Debug)]
struct Other {
    now: Option<u64>,
    method: Option<Method>,
    path: Option<Path>,
    tier: Option<u8>,
    query: Option<[u8; 32]>,
    digest: Option<[u8; 32]>,
    price: Option<u64>,
    capability: Option<Capability>,
    strict: bool,
    binds: bool,
}

macro_rules! texts {
    ($($name:ident: $choices:expr;)*) => {$(
        #[derive(Debug)]
        struct $name(String);

        impl<'a> Arbitrary<'a> for $name {
            fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
                let choices: &[&str] = &$choices;
                match u.choose_index(choices.len() + 1)? {
                    at if at < choices.len() => Ok(Self(choices[at].into())),
                    _ => Ok(Self(u.arbitrary::<&str>()?.chars().take(80).collect())),
                }
            }
        }
    )*};
}

texts! {
    Service: ["demo", "a", "api-2", "services", "demo-demo"];
    Method: ["GET", "POST", "HEAD", "M-SEARCH"];
    Path: ["/", "/v1/demo", "/v1/*", "/v1/%2A", "/*", "/a/b/c"];
    Capability: ["read", "write", "a=b", "*"];
}

const CONDITIONS: [&str; 11] = [
    "services",
    "_valid_until",
    "_method",
    "_path",
    "_max_price_msat",
    "_uses",
    "_query",
    "_digest",
    "_capabilities",
    "preimage",
    "else",
];

impl Case {
    fn run(&self) {
        let sale = &self.sale;
        let capabilities: Vec<_> = sale.capabilities.iter().map(|c| c.0.as_str()).collect();
        let mint = sale.mint_request(&capabilities);
        let Ok(token) = sale.keyring().mint(&mint) else { return };
        let bytes = base64::decode(token.as_str()).unwrap();
        assert_eq!(bytes.len(), mint.encoded_len());
        assert!(bytes.len() <= plannt_core::MAX_MINTED_TOKEN_BYTES);
        assert!(!token.as_str().contains("LSAT"));

        let sold = sale.sold();
        let minted = sale.verify(token.as_str(), &sold);
        match sale.valid_until {
            0 => assert_eq!(minted, Err(VerifyError::Expired)),
            _ => {
                let verified = minted.expect("what was sold is let in");
                assert_eq!(verified.uses, sale.uses.get());
                assert_eq!(verified.valid_until, sale.valid_until);
                assert_eq!(verified.payment_hash, sale.preimage().payment_hash());
            }
        }

        let mut narrower = vec![token.to_string()];
        for added in self.holder.iter().take(12) {
            let caveat = added.caveat(&sale.service.0);
            let last = narrower.last().unwrap();
            narrower.extend(attenuate_token(last, &[&caveat]).map(|token| token.to_string()));
        }
        for request in [sold, self.other.request(sold)] {
            self.never_widens(&narrower, &request);
        }
        self.changed(&bytes, &sold);
        self.presented(narrower.last().unwrap(), &sold);
    }

    /// Along the chain of attenuations each next one allows nothing that the one before did not.
    fn never_widens(&self, tokens: &[String], request: &RequestContext<'_>) {
        let answers: Vec<_> = tokens.iter().map(|t| self.sale.verify(t, request)).collect();
        for pair in answers.windows(2) {
            let [before, Ok(after)] = pair else { continue };
            let before = before.as_ref().expect("a caveat more lets in what was refused");
            assert!(after.uses <= before.uses);
            assert!(after.valid_until <= before.valid_until);
            assert_eq!(after.keep_until, before.keep_until);
            assert_eq!(after.payment_hash, before.payment_hash);
        }
        // Together they are one use, with the narrowest of their terms.
        let at = usize::from(self.split) % tokens.len();
        let both =
            self.sale.verify(&[&*tokens[at], &tokens[0]].map(String::from).join(","), request);
        match (&answers[at], &answers[0]) {
            (Ok(one), Ok(_)) => {
                let both = both.expect("each holds");
                assert_eq!((both.uses, both.valid_until), (one.uses, one.valid_until));
            }
            _ => assert!(both.is_err()),
        }
    }

    /// One bit of the token (but for its location, which no MAC covers), of the preimage, of a key.
    fn changed(&self, bytes: &[u8], request: &RequestContext<'_>) {
        // Version, then the location's field: type, length, `l402`.
        const LOCATION: std::ops::Range<usize> = 3..7;
        let (at, bit) = (usize::from(self.flip / 8) % bytes.len(), self.flip % 8);
        let mut changed = bytes.to_vec();
        changed[at] ^= 1 << bit;
        let refused = self.sale.verify(&base64::encode(&changed), request).is_err();
        assert!(refused || LOCATION.contains(&at), "bit {bit} of byte {at}");
        assert!(self.sale.verify(&base64::encode(&bytes[..at]), request).is_err());

        let token = base64::encode(bytes);
        let flip = |secret: [u8; 32]| {
            let mut secret = secret;
            secret[at % 32] ^= 1 << bit;
            secret
        };
        let ring = |key| Keyring::new(self.sale.network(), RootKey::from_bytes(key));
        let refused = |ring: &Keyring, preimage: [u8; 32]| {
            let answer = verify(ring, &token, &Preimage::from_bytes(preimage), request);
            assert_eq!(answer, Err(VerifyError::Invalid));
        };
        let sale = &self.sale;
        refused(&ring(sale.root_key), flip(sale.preimage));
        refused(&ring(flip(sale.root_key)), sale.preimage);
        let elsewhere = Network::ALL[(usize::from(sale.network) + 1) % Network::ALL.len()];
        refused(&Keyring::new(elsewhere, RootKey::from_bytes(sale.root_key)), sale.preimage);

        // A ring that has the key says the same wherever it has it.
        let mut ring = ring(sale.older_key).with_verifying(RootKey::from_bytes(sale.root_key));
        ring.rotate(RootKey::from_bytes(flip(sale.older_key)));
        let answer = verify(&ring, &token, &sale.preimage(), request);
        assert_eq!(answer, self.sale.verify(&token, request));
    }

    /// The same credential as gRPC metadata.
    fn presented(&self, token: &str, request: &RequestContext<'_>) {
        let lax = RequestContext { strict: false, ..*request };
        let preimage = self.sale.preimage();
        let Ok(value) = grpc_metadata_value(token, &preimage) else { return };
        let credential = Credential::from_grpc_metadata(value.as_bytes()).unwrap();
        let answer = self.sale.keyring().verify(&credential, &lax);
        assert_eq!(answer, self.sale.verify(token, &lax));
    }
}

impl Sale {
    fn network(&self) -> Network {
        Network::ALL[usize::from(self.network) % Network::ALL.len()]
    }

    fn keyring(&self) -> Keyring {
        Keyring::new(self.network(), RootKey::from_bytes(self.root_key))
    }

    fn preimage(&self) -> Preimage {
        Preimage::from_bytes(self.preimage)
    }

    fn mint_request<'a>(&'a self, capabilities: &'a [&'a str]) -> MintRequest<'a> {
        MintRequest {
            payment_hash: self.preimage().payment_hash(),
            service: &self.service.0,
            tier: self.tier,
            valid_until: self.valid_until,
            method: &self.method.0,
            path: &self.path.0,
            max_price_msat: self.price,
            uses: self.uses,
            query: self.query,
            digest: self.digest,
            capabilities,
        }
    }

    /// The request that it is sold for, asked as strictly as can be.
    fn sold(&self) -> RequestContext<'_> {
        RequestContext {
            now: self.valid_until.saturating_sub(1),
            service: &self.service.0,
            tier: self.tier,
            method: &self.method.0,
            path: self.path.0.strip_suffix('*').unwrap_or(&self.path.0),
            query: self.query.unwrap_or_default(),
            requires_query: self.query.is_some(),
            digest: self.digest,
            requires_digest: self.digest.is_some(),
            lowest_price_msat: self.price,
            capability: self.capabilities.first().map(|c| c.0.as_str()),
            strict: true,
        }
    }

    fn verify(&self, tokens: &str, request: &RequestContext<'_>) -> Result<Verified, VerifyError> {
        verify(&self.keyring(), tokens, &self.preimage(), request)
    }
}

fn verify(
    keyring: &Keyring,
    tokens: &str,
    preimage: &Preimage,
    request: &RequestContext<'_>,
) -> Result<Verified, VerifyError> {
    let header = authorization_value(tokens, preimage);
    match Credential::from_authorization([header.as_bytes()])? {
        Some(credential) => keyring.verify(&credential, request),
        None => unreachable!("it has the scheme"),
    }
}

impl Added {
    fn caveat(&self, service: &str) -> String {
        let condition = |at: u8| {
            let name = CONDITIONS[usize::from(at) % CONDITIONS.len()];
            if name.starts_with('_') { format!("{service}{name}") } else { name.into() }
        };
        match self {
            Self::Any(text) => text.clone(),
            Self::Known { condition: at, value } => format!("{}={value}", condition(*at)),
            Self::Likely { condition: at, value, number } => {
                let value = match value % 9 {
                    0 => number.to_string(),
                    1 => "1".into(),
                    2 => "/v1/demo".into(),
                    3 => "/v1/*".into(),
                    4 => "GET".into(),
                    5 => "00".repeat(32),
                    6 => "read".into(),
                    7 => format!("{service}:0"),
                    _ => "read,write".into(),
                };
                format!("{}={value}", condition(*at))
            }
        }
    }
}

impl Other {
    fn request<'a>(&'a self, sold: RequestContext<'a>) -> RequestContext<'a> {
        let path = self.path.as_ref().map(|path| path.0.as_str());
        // What a gate asks for is a normalized path.
        let path = path.filter(|path| {
            normalize_path(path, &PathRules::default()).is_ok_and(|normal| normal == *path)
        });
        RequestContext {
            now: self.now.unwrap_or(sold.now),
            method: self.method.as_ref().map_or(sold.method, |method| &method.0),
            path: path.unwrap_or(sold.path),
            tier: self.tier.unwrap_or(sold.tier),
            query: self.query.unwrap_or(sold.query),
            requires_query: self.binds && sold.requires_query,
            digest: self.digest.or(sold.digest),
            requires_digest: self.binds && sold.requires_digest,
            lowest_price_msat: self.price.unwrap_or(sold.lowest_price_msat),
            // Only what the sale limits: where it does not, a holder may limit it first.
            capability: sold.capability.and(self.capability.as_ref().map(|c| c.0.as_str())),
            strict: self.strict,
            ..sold
        }
    }
}
