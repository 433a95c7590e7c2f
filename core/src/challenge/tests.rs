//! Challenges as deployed servers send them, and what must hold for any of them.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use proptest::prelude::*;

use super::*;
use crate::{Code, Preimage};

const TOKEN: &str = "AgEEbDQwMgJCAAA+/w==";
const URL_SAFE: &str = "AgEEbDQwMgJCAAA-_w";
const INVOICE: &str = "lnbcrt210n1p5abcde";

type Read<'a> = Result<Option<(Scheme, &'a str, &'a str, ChallengeSource)>, ChallengeError>;

/// Reads and compares, so that a failure shows the fields.
fn assert_reads(lines: &[&str], body: Option<&str>, expected: Read<'_>) {
    let read = read_challenge(lines.iter().map(|line| line.as_bytes()), body.map(str::as_bytes));
    let read = read
        .as_ref()
        .map_err(|error| *error)
        .map(|challenge| challenge.as_ref().map(|c| (c.scheme, &*c.token, &*c.invoice, c.source)));
    assert_eq!(read, expected, "{lines:?} {body:?}");
}

fn header(scheme: Scheme, token: &str) -> Read<'_> {
    Ok(Some((scheme, token, INVOICE, ChallengeSource::Header)))
}

fn body(scheme: Scheme, token: &str) -> Read<'_> {
    Ok(Some((scheme, token, INVOICE, ChallengeSource::Body)))
}

#[test]
fn reads_what_deployed_servers_send() {
    let aperture = [
        &*format!(r#"LSAT macaroon="{TOKEN}", invoice="{INVOICE}""#),
        &*format!(r#"L402 macaroon="{TOKEN}", invoice="{INVOICE}""#),
    ];
    assert_reads(&aperture, Some("payment required"), header(Scheme::Lsat, TOKEN));

    let ngx_l402 = format!(r#"L402 macaroon="{TOKEN}", invoice="{INVOICE}""#);
    assert_reads(&[&ngx_l402], Some("<html></html>"), header(Scheme::L402, TOKEN));

    let l402_middleware = format!("L402 macaroon={TOKEN}, invoice={INVOICE}");
    assert_reads(&[&l402_middleware], None, header(Scheme::L402, TOKEN));

    let paygate =
        format!(r#"L402 version="0", token="{TOKEN}", macaroon="{TOKEN}", invoice="{INVOICE}""#);
    assert_reads(&[&paygate], None, header(Scheme::L402, TOKEN));

    let specification = format!(r#"L402 version="0", token="{TOKEN}", invoice="{INVOICE}""#);
    assert_reads(&[&specification], None, header(Scheme::L402, TOKEN));

    let toll_booth = format!(
        r#"L402 macaroon="{TOKEN}", invoice="{INVOICE}", Payment id="x, y", method="lightning", intent="charge""#
    );
    assert_reads(&[&toll_booth], None, header(Scheme::L402, TOKEN));
    let other_way_round = format!(
        r#"Payment id="x", request="L402 macaroon=\"evil\", invoice=\"evil\"", L402 macaroon="{TOKEN}", invoice="{INVOICE}""#
    );
    assert_reads(&[&other_way_round], None, header(Scheme::L402, TOKEN));
    // Its answer to HEAD, and one whose node gave no invoice.
    assert_reads(&["L402 price-only"], None, Ok(None));
    assert_reads(&[&format!(r#"L402 macaroon="{TOKEN}", invoice="""#)], None, Ok(None));

    let boltwall = format!(r#"LSAT macaroon="{URL_SAFE}", invoice="{INVOICE}""#);
    assert_reads(&[&boltwall], None, header(Scheme::Lsat, URL_SAFE));

    let l402_kit = format!(
        r#"{{"error":"Payment Required","priceSats":10,"invoice":"{INVOICE}","macaroon":"eyJoYXNoIjoiYWIifQ=="}}"#
    );
    assert_reads(&[], Some(&l402_kit), body(Scheme::L402, "eyJoYXNoIjoiYWIifQ=="));

    let body_only =
        format!(r#"{{"invoice":"{INVOICE}","authorization_format":"L402 {TOKEN}:<preimage>"}}"#);
    assert_reads(&[], Some(&body_only), body(Scheme::L402, TOKEN));
}

#[test]
fn writes_what_it_reads() {
    let line = challenge_header(TOKEN, INVOICE);
    assert_eq!(
        line,
        format!(r#"L402 macaroon="{TOKEN}", invoice="{INVOICE}", version="0", token="{TOKEN}""#)
    );
    assert_reads(&[&line], None, header(Scheme::L402, TOKEN));

    let json = ChallengeBody {
        token: TOKEN,
        invoice: INVOICE,
        payment_hash: Preimage::from_bytes([7; 32]).payment_hash(),
        price_msat: 21_000,
        expires_at: "2026-11-23T06:36:54Z",
        service: "demo",
        code: Code::OutOfScope,
        detail: Some("demo_path \"/v1\""),
    }
    .to_json();
    assert_eq!(
        json,
        format!(
            r#"{{"error":"Payment Required","invoice":"{INVOICE}","format":"L402 {TOKEN}:<preimage>","macaroon":"{TOKEN}","authorization_format":"L402 {TOKEN}:<preimage>","payment_hash":"{}","price_msat":21000,"price_sats":21,"expires_at":"2026-11-23T06:36:54Z","service":"demo","code":"out_of_scope","detail":"demo_path \"/v1\""}}"#,
            Preimage::from_bytes([7; 32]).payment_hash()
        )
    );
    assert_reads(&[], Some(&json), body(Scheme::L402, TOKEN));
}

#[test]
fn the_first_complete_challenge_counts_and_parts_are_never_mixed() {
    let complete = format!(r#"L402 macaroon="{TOKEN}", invoice="{INVOICE}""#);
    let json = format!(r#"{{"invoice":"{INVOICE}","macaroon":"from-the-body"}}"#);
    let token_only = format!(r#"L402 macaroon="{TOKEN}""#);
    let invoice_only = format!(r#"L402 invoice="{INVOICE}""#);

    assert_reads(&[&token_only, &invoice_only], None, Ok(None));
    assert_reads(&[&format!("{token_only}, {invoice_only}")], None, Ok(None));
    assert_reads(&[&token_only], Some(&format!(r#"{{"invoice":"{INVOICE}"}}"#)), Ok(None));
    assert_reads(&[&token_only, &complete], None, header(Scheme::L402, TOKEN));
    assert_reads(&[&complete], Some(&json), header(Scheme::L402, TOKEN));
    assert_reads(&[&token_only], Some(&json), body(Scheme::L402, "from-the-body"));
    // A line that breaks the grammar is read up to there; the next one counts.
    for broken in ["Basic realm=\"", "Basic realm=a b", "L402 macaroon=\"a\", invoice=\"b"] {
        assert_reads(&[broken, &complete], None, header(Scheme::L402, TOKEN));
        assert_reads(&[&format!("{complete}, {broken}")], None, header(Scheme::L402, TOKEN));
    }
    // What could not be sent back in a header is not complete.
    for token in ["a b", "a\\\tb", "caf\u{e9}", ""] {
        let line = format!(r#"L402 macaroon="{token}", invoice="{INVOICE}""#);
        assert_reads(&[&line], None, Ok(None));
    }
}

#[test]
fn a_challenge_that_says_two_things_is_refused() {
    let both = format!(r#"macaroon="{TOKEN}", invoice="{INVOICE}""#);
    let repeated = Err(ChallengeError::RepeatedParameter);
    let mismatch = Err(ChallengeError::TokenMismatch);
    for extra in ["invoice=\"x\"", "INVOICE=\"x\"", "macaroon=AgEE", "a=1, A=1"] {
        assert_reads(&[&format!("L402 {both}, {extra}")], None, repeated);
    }
    for extra in ["token=AgEE", "token=\"\"", "Token=\"a b\""] {
        assert_reads(&[&format!("L402 {both}, {extra}")], None, mismatch);
        assert_reads(&[&format!("L402 {extra}, {both}")], None, mismatch);
    }
    // Of another scheme it is not ours to judge, nor of a challenge that comes later.
    assert_reads(&[&format!("X a=1, a=2, L402 {both}")], None, header(Scheme::L402, TOKEN));
    assert_reads(
        &[&format!("L402 {both}"), &format!("L402 {both}, token=AgEE")],
        None,
        header(Scheme::L402, TOKEN),
    );

    let json = |rest: &str| format!(r#"{{"invoice":"{INVOICE}","macaroon":"{TOKEN}",{rest}}}"#);
    for rest in ["\"invoice\":\"x\"", "\"invoice\":1", r#""m\u0061caroon":"x""#] {
        assert_reads(&[], Some(&json(rest)), repeated);
    }
    for rest in [r#""format":"L402 AgEE:<preimage>""#, r#""authorization_format":"LSAT AgEE:x""#] {
        assert_reads(&[], Some(&json(rest)), mismatch);
    }
}

#[test]
fn bodies_are_anyones_and_mostly_no_challenge() {
    let with = |rest: &str| format!(r#"{{"invoice":"{INVOICE}",{rest}}}"#);
    for rest in [
        r#""macaroon":null"#,
        r#""macaroon":["x"]"#,
        r#""macaroon":{"a":[1,2.5,-1,true]}"#,
        r#""macaroon":"a b""#,
        r#""format":"L402""#,
        r#""format":"L402 {macaroon}:{preimage}""#,
        r#""format":"L402 <token>:<preimage>""#,
        r#""format":"L402 AgEE""#,
        r#""format":"L402 AgEE:""#,
        r#""format":"Bearer AgEE:x""#,
        r#""token":"AgEE""#,
    ] {
        assert_reads(&[], Some(&with(rest)), Ok(None));
    }
    let good = with(r#""macaroon":"AgEE""#);
    assert_reads(&[], Some(&good), body(Scheme::L402, "AgEE"));
    for text in [
        "",
        "null",
        "[]",
        "\"L402\"",
        "{",
        &good[1..],
        &format!("[{good}]"),
        &format!("{good}x"),
        &format!("{{\"a\":{good}}}"),
        &format!("{}{}", "[".repeat(10_000), "]".repeat(10_000)),
        &format!("{}{good}", " ".repeat(65_536)),
    ] {
        assert_reads(&[], Some(text), Ok(None));
    }
    // What is skipped may nest as deep as it likes: it is skipped without recursion.
    let deep = format!(r#"{{"a":{}{},{}"#, "[".repeat(10_000), "]".repeat(10_000), &good[1..]);
    assert_reads(&[], Some(&deep), body(Scheme::L402, "AgEE"));
    // A template in words beside the token itself.
    let both = with(r#""macaroon":"AgEE","format":"L402 {macaroon}:{preimage}""#);
    assert_reads(&[], Some(&both), body(Scheme::L402, "AgEE"));
    let lsat = with(r#""format":" lsat  AgEE:PREIMAGE ","other":{"invoice":"x"}"#);
    assert_reads(&[], Some(&lsat), body(Scheme::Lsat, "AgEE"));
    assert_reads(&[], Some(&with(r#""macaroon":"\u0041gEE""#)), body(Scheme::L402, "AgEE"));
}

#[test]
fn a_challenge_is_shown_without_its_token() {
    let line = challenge_header(TOKEN, INVOICE);
    let challenge = read_challenge([line.as_bytes()], None).expect("one").expect("complete");
    assert!(!format!("{challenge:?}").contains(TOKEN));
}

#[test]
fn codes_have_their_answers() {
    for code in Code::ALL {
        assert_eq!(Code::from_name(&code.to_string()), Some(code));
        assert_eq!(code.is_challenge(), code.grpc_status() == 13, "{code}");
        let json = error_body(code, None);
        assert!(json.ends_with(&format!(r#","code":"{code}"}}"#)) && !json.contains("\"Error\""));
    }
    assert_eq!((Code::TooManyChallenges.status(), Code::TooManyChallenges.grpc_status()), (429, 8));
    assert_eq!((Code::Unavailable.status(), Code::Unavailable.grpc_status()), (503, 14));
}

/// A header that means the same however it is spelled.
fn any_spelling() -> impl Strategy<Value = String> {
    let spelled = |name: &'static str, value: &'static str| {
        let value = value.to_string();
        (proptest::collection::vec(any::<bool>(), name.len()), 0usize..4, "[ \t]{0,2}").prop_map(
            move |(upper, quoting, space)| {
                let name: String = name
                    .chars()
                    .zip(upper)
                    .map(|(c, up)| if up { c.to_ascii_uppercase() } else { c })
                    .collect();
                let value = match quoting {
                    0 => value.clone(),
                    1 => value.chars().flat_map(|c| ['\\', c]).collect(),
                    _ => value.clone(),
                };
                let quote = if quoting == 0 { "" } else { "\"" };
                format!("{name}{space}={space}{quote}{value}{quote}")
            },
        )
    };
    let params = [
        spelled("macaroon", TOKEN).boxed(),
        spelled("token", TOKEN).boxed(),
        spelled("invoice", INVOICE).boxed(),
        spelled("version", "0").boxed(),
        spelled("realm", "x").boxed(),
    ];
    let names = ["L402", "l402", "LSAT", "lsAt"];
    let others = ["", "Basic realm=\"a, L402 macaroon=x\", ", "Negotiate, ", "NTLM YWJj==,,"];
    (
        params,
        Just([0usize, 1, 2, 3, 4]).prop_shuffle(),
        proptest::sample::select(names.to_vec()),
        proptest::sample::select(others.to_vec()),
        proptest::sample::select([", ", ",", " ,, ,\t"].to_vec()),
    )
        .prop_map(|(params, order, name, before, comma)| {
            let params: Vec<_> = order.into_iter().map(|i| &*params[i]).collect();
            format!("{before}{name} {}, Payment id=\"1\"", params.join(comma))
        })
}

proptest! {
    #[test]
    fn a_written_header_is_read(
        token in "[A-Za-z0-9+/]{1,200}={0,2}",
        invoice in "ln[a-z0-9]{1,300}",
    ) {
        let line = challenge_header(&token, &invoice);
        let read = read_challenge([line.as_bytes()], None).expect("one").expect("complete");
        prop_assert_eq!((read.token, read.invoice), (token, invoice));
    }

    #[test]
    fn values_are_quoted_whatever_they_hold(token in "[ -~]{1,40}", invoice in "[ -~]{0,40}") {
        let line = challenge_header(&token, &invoice);
        let list = parse_challenges(line.as_bytes()).expect("well formed");
        let AuthData::Params(params) = &list[0].data else { panic!("parameters") };
        prop_assert_eq!(list.len(), 1);
        prop_assert_eq!(&*params[0].value, token.as_bytes());
        prop_assert_eq!(&*params[1].value, invoice.as_bytes());
    }

    #[test]
    fn order_case_quotes_and_neighbours_change_nothing(line in any_spelling()) {
        let read = read_challenge([line.as_bytes()], None).expect("one").expect("complete");
        prop_assert_eq!((&*read.token, &*read.invoice), (TOKEN, INVOICE));
    }

    #[test]
    fn any_response_gives_a_challenge_or_not(
        line in proptest::collection::vec(any::<u8>(), 0..200),
        tail in "[aL402tokenmacarooninvoice= ,\"\\\\]{0,80}",
        body in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        let ours = format!("L402 {tail}");
        if let Ok(Some(read)) = read_challenge([&*line, ours.as_bytes()], Some(&body)) {
            prop_assert!(!read.token.is_empty() && !read.invoice.is_empty());
            prop_assert!(read.token.bytes().all(|b| b.is_ascii_graphic()));
        }
    }
}
