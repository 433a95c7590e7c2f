//! The seeds: where the fuzzer begins. Made of real tokens, headers and bodies, of the texts of other
//! implementations, and, for the targets that read choices, of a fixed stream of bytes.

use plannt_core::macaroon::{Format, Macaroon};
use plannt_core::{
    ChallengeBody, Code, MintRequest, PaymentHash, Preimage, attenuate_token, authorization_value,
    base64, challenge_header, content_digest_text, grpc_metadata_value, query_digest,
};
use serde_json::Value;

use crate::support::{VALID_UNTIL, hex, keyring, mint_request, payment_hash, preimage};

/// What five other libraries made, and what they refuse.
const PEERS: &str = include_str!("../../core/tests/data/macaroon-peers.json");
/// Of BOLT 11's examples.
const INVOICES: [&str; 4] = [
    "lnbc1pvjluezsp5zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zygspp5qqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqypqdpl2pkx2ctnv5sxxmmwwd5kgetjypeh2ursdae8g6twvus8g6rfwvs8qun0dfjkxaq9qrsgq357wnc5r2ueh7ck6q93dj32dlqnls087fxdwk8qakdyafkq3yap9us6v52vjjsrvywa6rt52cm9r9zqt8r2t7mlcwspyetp5h2tztugp9lfyql",
    "lnbc2500u1pvjluezpp5qqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqypqdq5xysxxatsyp3k7enxv4jsxqzpusp5zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zygs9qrsgqwgt7mcn5yqw3yx0w94pswkpq6j9uh6xfqqqtsk4tnarugeektd4hg5975x9am52rz4qskukxdmjemg92vvqz8nvmsye63r5ykel43pgz7zq0g2",
    "lnbc2500000001p1pvjluezpp5qqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqypqdq5xysxxatsyp3k7enxv4jsxqzpusp5zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zygs9qrsgq0lzc236j96a95uv0m3umg28gclm5lqxtqqwk32uuk4k6673k6n5kfvx3d2h8s295fad45fdhmusm8sjudfhlf6dcsxmfvkeywmjdkxcp99202x",
    "lnbc25m1pvjluezpp5qqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqypqdq5vdhkven9v5sxyetpdeessp5zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zygs9q4psqqqqqqqqqqqqqqqqsgqtqyx5vggfcsll4wu246hz02kp85x4katwsk9639we5n5yngc3yhqkm35jnjw4len8vrnqnf5ejh0mzj9n3vz2px97evektfm2l6wqccp3y7372",
];
/// Encodings of other libraries that are kept, of each format and verdict.
const PEER_SEEDS: usize = 8;

/// One file: its target, its name, its bytes.
pub struct Seed {
    /// The target.
    pub target: &'static str,
    /// The file's name.
    pub name: String,
    /// The file's bytes.
    pub bytes: Vec<u8>,
}

/// All of them; the same at every run.
pub fn all() -> Vec<Seed> {
    let mut seeds = Seeds::default();
    macaroons(&mut seeds);
    texts(&mut seeds);
    headers(&mut seeds);
    framing(&mut seeds);
    choices(&mut seeds);
    seeds.0
}

#[derive(Default)]
struct Seeds(Vec<Seed>);

impl Seeds {
    fn add(&mut self, target: &'static str, bytes: impl AsRef<[u8]>) {
        let count = self.0.iter().filter(|seed| seed.target == target).count();
        let name = format!("{:03}", count + 1);
        self.0.push(Seed { target, name, bytes: bytes.as_ref().to_vec() });
    }
}

fn token() -> String {
    keyring().mint(&mint_request()).expect("a plain sale").into_string()
}

/// A sale with all that a route can bind.
fn full_token() -> String {
    let digest = [7; 32];
    let capabilities = ["read", "write"];
    let request = MintRequest {
        uses: 5.try_into().expect("not zero"),
        query: Some(query_digest(b"a=b")),
        digest: Some(digest),
        capabilities: &capabilities,
        ..mint_request()
    };
    keyring().mint(&request).expect("a sale").into_string()
}

fn macaroons(seeds: &mut Seeds) {
    let sold = [token(), full_token()];
    for token in &sold {
        let macaroon = Macaroon::parse(&base64::decode(token).expect("minted")).expect("minted");
        for format in [Format::V1, Format::V2, Format::V2Json] {
            let bytes = macaroon.to_format(format).expect("small");
            seeds.add("macaroon", &bytes);
            seeds.add("grpc", &bytes);
            seeds.add("peer", [&[0], &bytes[..]].concat());
        }
        seeds.add("base64", token);
        seeds.add("base64", token.trim_end_matches('=').replace('+', "-").replace('/', "_"));
        seeds.add("decode_any", token);
        seeds.add("decode_any", hex(&macaroon.to_v2()));
        seeds.add("decode_any", macaroon.to_json().expect("small"));
        let value = grpc_metadata_value(token, &preimage()).expect("small");
        seeds.add("grpc", value.as_bytes());
        seeds.add("identifier", macaroon.identifier());
    }
    let peers: Value = serde_json::from_str(PEERS).expect("JSON");
    for verdict in ["accept", "reject"] {
        for format in ["v1", "v2", "v2json"] {
            let cases = peers[verdict].as_array().expect("a list").iter();
            let cases = cases.filter(|case| case["format"] == format);
            // Spread over the file, since neighbours are alike.
            let fitting: Vec<_> = cases.map(encoded).filter(|bytes| bytes.len() <= 700).collect();
            for bytes in fitting.iter().step_by(fitting.len().div_ceil(PEER_SEEDS).max(1)) {
                seeds.add("macaroon", bytes);
                seeds.add("peer", [&[0], &bytes[..]].concat());
            }
        }
    }
}

fn encoded(case: &Value) -> Vec<u8> {
    let Some(hex) = case["hex"].as_str() else {
        return case["text"].as_str().unwrap_or_default().into();
    };
    let digit = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).expect("hex");
    (0..hex.len() / 2).map(|i| digit(2 * i)).collect()
}

fn texts(seeds: &mut Seeds) {
    let hash = payment_hash().to_string();
    let texts = [
        &hash,
        &hash.to_uppercase(),
        &content_digest_text(&[7; 32]),
        "bitcoin",
        "bcrt",
        "https://api.example:8443",
        "http://[::1]:80",
        "http://a.onion",
        // Was taken, and could not be read as it was written again.
        "http://[::1$:80",
    ];
    texts.iter().for_each(|text| seeds.add("identifier", text));

    let paths = [
        "/",
        "/v1/demo",
        "/%76%31/d%65mo/",
        "/a*b%2a",
        "/%c3%A9%20%25",
        "/.well-known/..x/...",
        "/a/%2e%2E/b",
        "//a//",
        "/a;b/..;/c",
        "/a%2F..%5c%00\\",
        "/%252e%252e/%",
    ];
    for path in paths {
        seeds.add("path", [&[0], path.as_bytes()].concat());
        seeds.add("path", [&[31], path.as_bytes()].concat());
    }

    for invoice in INVOICES {
        seeds.add("invoice", [&[0], invoice.as_bytes()].concat());
        let (text, _) = invoice.split_at(invoice.len() - 6);
        seeds.add("invoice", [&[1], text.as_bytes()].concat());
        seeds.add("decode_any", invoice);
    }
    seeds.add("decode_any", format!("lightning:{}", INVOICES[0].to_uppercase()));

    let until = (VALID_UNTIL - 5).to_string();
    let digest = content_digest_text(&[0; 32]);
    let query = hex(&query_digest(b""));
    let caveats = [
        "demo_uses=5\ndemo_uses=2".to_owned(),
        format!(
            "demo_uses=1\ndemo_valid_until={until}\ndemo_path=/v1/demo\ndemo_max_price_msat=21000"
        ),
        format!(
            "demo_uses=7\ndemo_query={query}\ndemo_digest={digest}\ndemo_capabilities=read,write"
        ),
        format!("demo_capabilities=read\nservices=demo:0,demo:0\n preimage = {}", "22".repeat(32)),
        "demo_uses=1\nother=thing\nnothing\n\u{e9}=1\ndemo_method=GET".to_owned(),
        "demo_uses=1\nother=thing\ndemo_capabilities=read\ndemo_query=0".to_owned(),
        "demo_valid_until=01\ndemo_uses=+1\ndemo_path=/v1/../x\nservices=demo:1".to_owned(),
    ];
    for caveats in &caveats {
        for bits in [0, 2, 4 | 8, 16 | 32, 64, 128] {
            seeds.add("caveats", [&[bits], caveats.as_bytes()].concat());
        }
    }
    let all = "services=demo:0\ndemo_valid_until=1800003600\ndemo_method=GET\ndemo_path=/v1/demo\ndemo_max_price_msat=21000\ndemo_uses=1";
    seeds.add("caveats", [&[1], all.as_bytes()].concat());
    seeds.add("caveats", [&[1], all.replace("demo", "services").as_bytes()].concat());
}

fn headers(seeds: &mut Seeds) {
    let (token, invoice) = (token(), INVOICES[0]);
    let ours = challenge_header(&token, invoice);
    let lines = [
        ours.clone(),
        // As other servers write it.
        format!(
            "LSAT macaroon=\"{token}\", invoice=\"{invoice}\"\nL402 macaroon=\"{token}\", invoice=\"{invoice}\""
        ),
        format!("L402 macaroon={token}, invoice={invoice}"),
        format!(
            "L402 version=\"0\", token=\"{token}\", macaroon=\"{token}\", invoice=\"{invoice}\""
        ),
        format!("Payment id=\"1\", method=\"lightning\", {ours}, Basic realm=\"a \\\"b\\\", c\""),
        "L402 price-only".into(),
        "L402 macaroon=\"AgEE\", invoice=\"\"".into(),
        "Negotiate abc==, , Bearer\t, L402 ,a = b , c=\"\\\\\"".into(),
        "L402 token=\"AA\", macaroon=\"AB\", invoice=\"lnbc1\", INVOICE=\"lnbc2\"".into(),
    ];
    for line in &lines {
        seeds.add("challenge_header", line);
        seeds.add("decode_any", format!("< WWW-Authenticate: {line}"));
    }

    let body = ChallengeBody {
        token: &token,
        invoice,
        payment_hash: PaymentHash::from_bytes([1; 32]),
        price_msat: 21_000,
        expires_at: "2026-01-01T00:00:00Z",
        service: "demo",
        code: Code::PaymentRequired,
        detail: None,
    };
    let bodies = [
        body.to_json(),
        format!(r#"{{"invoice":"{invoice}","macaroon":"{token}","priceSats":1}}"#),
        format!(r#"{{"invoice":"{invoice}","authorization_format":"LSAT {token}:<preimage>"}}"#),
        r#"{"format":"L402 {macaroon}:{preimage}","macaroon":"AgEE","invoice":"lnbc1","x":[{"invoice":1}]}"#.into(),
        r#"{"macaroon":"A","macaroon":"B","invoice":null,"invoice":"ln\u0062c1"}"#.into(),
        r#"{"macaroon":"AgEE","invoice":"lnbc1","x":"\ud800"}"#.into(),
        "token\ninvoice\nservice\ndetail".into(),
        "to:ken\nin\"voice\n\\\n\u{0}".into(),
    ];
    for body in &bodies {
        seeds.add("challenge_body", body);
        seeds.add("decode_any", body);
    }

    let value = authorization_value(&token, &preimage());
    let narrower = attenuate_token(&token, &["demo_valid_until=1800000001"]).expect("small");
    let two =
        authorization_value(&format!("{token},{narrower}"), &Preimage::from_bytes([0xab; 32]));
    let values = [
        value.to_string(),
        two.to_string(),
        value.replace("L402 ", "lsat   ").replace('=', ""),
        format!("Bearer abc\nBasic YTpi\n\t{}\nL402 x", *value),
        format!("L402 AgEE,,AQ:{}", "00".repeat(32)),
        "L402 AgEE".into(),
        "L402\tAgEE:00".into(),
    ];
    for value in &values {
        seeds.add("authorization", value);
        seeds.add("decode_any", format!("Authorization: {value}"));
    }
}

fn framing(seeds: &mut Seeds) {
    let streams = [
        "GET /v1/demo?a=b HTTP/1.1\r\nHost: a.example\r\nAuthorization: L402 AgEE:00\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhelloGET /b HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5;x=\"y\"\r\nhello\r\n0A\r\n0123456789\r\n0\r\nx-t: 1\r\n\r\nGET / HTTP/1.0\n\n",
        "POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\nhello\r\n",
        "\r\n\r\nPUT /a#b HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nA: b\r\n c: d\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\u{4}",
        "PRI * HTTP/2",
        "\u{16}\u{3}\u{1}",
    ];
    for stream in streams {
        seeds.add("http1", [&[6], stream.as_bytes()].concat());
    }
    seeds.add(
        "http1",
        [&[200], format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(300)).as_bytes()].concat(),
    );
    seeds.add(
        "http1",
        [&[0], format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(101)).as_bytes()].concat(),
    );
    seeds.add(
        "http1",
        [&[99], format!("GET / HTTP/1.1\r\na: {}\r\n\r\n", "b".repeat(2_100)).as_bytes()].concat(),
    );
}

/// Choices are read from any bytes.
fn choices(seeds: &mut Seeds) {
    let mut stream = Stream(0x9e37_79b9_7f4a_7c15);
    for (target, kind, sizes) in [
        ("lifecycle", None, [250, 400, 600, 900]),
        ("client_flow", None, [60, 200, 500, 1_000]),
        ("invoice", Some(2), [120, 160, 200, 300]),
        ("peer", Some(1), [60, 120, 200, 400]),
    ] {
        for size in sizes.iter().chain(&sizes) {
            let mut bytes: Vec<u8> = kind.into_iter().collect();
            bytes.extend(stream.by_ref().take(*size));
            seeds.add(target, bytes);
        }
    }
}

/// xorshift64.
struct Stream(u64);

impl Iterator for Stream {
    type Item = u8;

    fn next(&mut self) -> Option<u8> {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        Some((self.0 >> 32) as u8)
    }
}

#[cfg(test)]
mod tests;
