//! Each row of docs/PROTOCOL.md §2's table: what a next caveat may be, and what the last one must.
#![allow(clippy::unwrap_used)]

mod common;

use common::*;
use plannt_core::{RequestContext, VerifyError, content_digest, content_digest_text, query_digest};

/// Which of `values` narrow the minted chain by one more caveat of `condition`, and which do not.
fn narrows(condition: &str, holds: &[&str], refused: &[&str]) {
    for value in holds {
        let caveat = format!("{condition}={value}");
        assert!(attenuated(&[&caveat]).is_ok(), "{caveat}: {:?}", attenuated(&[&caveat]));
    }
    for value in refused {
        let caveat = format!("{condition}={value}");
        assert_eq!(attenuated(&[&caveat]), out_of_scope(condition), "{caveat}");
    }
}

#[test]
fn services_stay_the_pair_that_was_bought() {
    let refused = [
        "demo:1",
        "other:0",
        "demo:0,other:0",
        "demo:0,demo:1",
        "",
        "demo",
        "demo:",
        ":0",
        "demo:00",
        "demo:+0",
        "demo:256",
        "demo:0,",
        ",demo:0",
        "demo:0, demo:0",
        "Demo:0",
        "demo:0:0",
        "*",
    ];
    narrows("services", &["demo:0", "demo:0,demo:0"], &refused);
    let other = RequestContext { service: "other", ..request() };
    assert_eq!(verify(&signed(&minted_and(&[])), &other), out_of_scope("services"));
    let tier = RequestContext { tier: 1, ..request() };
    assert_eq!(verify(&signed(&minted_and(&[])), &tier), out_of_scope("services"));
}

#[test]
fn valid_until_only_comes_earlier() {
    let refused = [
        "1800003601",
        "99999999999",
        "18446744073709551615",
        "18446744073709551616",
        "",
        "-1",
        "+1",
        "01800003600",
        "1800003600.0",
        "1e9",
        "0x10",
        "1 800",
        "١٨٠٠",
        "never",
    ];
    narrows("demo_valid_until", &["1800003600", "1800000001"], &refused);
    // As text `9` would come after `1800003600`.
    assert_eq!(attenuated(&["demo_valid_until=9"]), Err(VerifyError::Expired));
    let verified = attenuated(&["demo_valid_until=1800000001"]).unwrap();
    assert_eq!(verified.valid_until, NOW + 1);
    assert_eq!(verified.keep_until, VALID_UNTIL + 300, "a holder never shortens the keeping");
    assert_eq!(attenuated(&["demo_valid_until=1800000000"]), Err(VerifyError::Expired));
    // Narrowed twice, then back to where it was: a duplicate never widens.
    assert_eq!(
        attenuated(&["demo_valid_until=1800000001", "demo_valid_until=1800003600"]),
        out_of_scope("demo_valid_until")
    );
}

#[test]
fn method_stays() {
    narrows("demo_method", &["GET"], &["POST", "get", "GET,POST", "", "*", "HEAD"]);
    for method in ["POST", "HEAD", "get"] {
        let other = RequestContext { method, ..request() };
        assert_eq!(verify(&signed(&minted_and(&[])), &other), out_of_scope("demo_method"));
    }
}

#[test]
fn path_without_a_star_stays() {
    let refused = ["/v1/demo/", "/v1/demo*", "/v1/demo/x", "/v1", "*", "/*", "", "/V1/demo"];
    narrows("demo_path", &["/v1/demo"], &refused);
    for path in ["/v1/data", "/v1/demo/", "/v1/demo/x", "/V1/demo", "/v1/dem", "/"] {
        let other = RequestContext { path, ..request() };
        assert_eq!(verify(&signed(&minted_and(&[])), &other), out_of_scope("demo_path"), "{path}");
    }
}

#[test]
fn path_prefix_narrows_to_what_begins_with_it() {
    let mut caveats = minted_and(&[]);
    caveats[3] = "demo_path=/v1/*".into();
    let at = |more: &[&str], path| {
        let caveats: Vec<_> =
            caveats.iter().map(String::as_str).chain(more.iter().copied()).collect();
        verify(&signed(&caveats), &RequestContext { path, ..request() })
    };
    for path in ["/v1/", "/v1/demo", "/v1/a/b", "/v1/%2A"] {
        assert!(at(&[], path).is_ok(), "{path}");
    }
    for path in ["/v1", "/v2/", "/", "/V1/"] {
        assert_eq!(at(&[], path), out_of_scope("demo_path"), "{path}");
    }
    for pattern in ["/v1/*", "/v1/d*", "/v1/demo"] {
        assert!(at(&[&format!("demo_path={pattern}")], "/v1/demo").is_ok(), "{pattern}");
    }
    for pattern in ["/v1*", "/*", "*", "/v1", "/v2/*", "", "/v*"] {
        let caveat = format!("demo_path={pattern}");
        assert_eq!(at(&[&caveat], "/v1/demo"), out_of_scope("demo_path"), "{pattern}");
    }
    // A star that is not the last character is one like any other, and no path has it.
    assert_eq!(at(&["demo_path=/v1/*o"], "/v1/demo"), out_of_scope("demo_path"));
    assert_eq!(at(&["demo_path=/v1/d*", "demo_path=/v1/*"], "/v1/demo"), out_of_scope("demo_path"));
    assert_eq!(
        at(&["demo_path=/v1/demo", "demo_path=/v1/demo*"], "/v1/demo"),
        out_of_scope("demo_path")
    );
    assert!(at(&["demo_path=/v1/d*", "demo_path=/v1/demo"], "/v1/demo").is_ok());
}

#[test]
fn max_price_only_falls_and_covers_the_lowest_price() {
    narrows(
        "demo_max_price_msat",
        &["21000"],
        &["21001", "20999", "", "021000", "-1", "21000 msat"],
    );
    let paid = |lowest_price_msat| {
        verify(&signed(&minted_and(&[])), &RequestContext { lowest_price_msat, ..request() })
    };
    assert!(paid(0).is_ok() && paid(20_999).is_ok() && paid(21_000).is_ok());
    assert_eq!(paid(21_001), out_of_scope("demo_max_price_msat"));
    // As text `9000` would be more than `21000`.
    assert_eq!(paid(100_000), out_of_scope("demo_max_price_msat"));
}

#[test]
fn uses_only_fall_from_the_minted_number() {
    narrows("demo_uses", &["1"], &["2", "0", "4294967295", "4294967296", "", "01", "-1", "one"]);
    let with_uses = |uses: &str, more: &[&str]| {
        let mut caveats = minted_and(more);
        caveats[5] = format!("demo_uses={uses}");
        verify(&signed(&caveats), &request())
    };
    assert_eq!(with_uses("10", &[]).unwrap().uses, 10);
    assert_eq!(with_uses("10", &["demo_uses=3"]).unwrap().uses, 3);
    assert_eq!(with_uses("10", &["demo_uses=3", "demo_uses=4"]), out_of_scope("demo_uses"));
    assert_eq!(with_uses("10", &["demo_uses=11"]), out_of_scope("demo_uses"));
    assert_eq!(with_uses("0", &[]), out_of_scope("demo_uses"));
}

#[test]
fn absent_uses_mean_one() {
    let mut caveats = minted_and(&[]);
    caveats.truncate(5);
    assert_eq!(verify(&signed(&caveats), &request()).unwrap().uses, 1);
    caveats.push("demo_path=/v1/demo".into());
    caveats.push("demo_uses=2".into());
    assert_eq!(verify(&signed(&caveats), &request()), out_of_scope("demo_uses"));
    *caveats.last_mut().unwrap() = "demo_uses=1".into();
    assert_eq!(verify(&signed(&caveats), &request()).unwrap().uses, 1);
}

/// Since the mint always writes `uses`, a holder of one use cannot write a minted-looking more.
#[test]
fn a_holder_cannot_give_himself_uses() {
    let token = keyring().mint(&mint_request()).unwrap();
    assert_eq!(verify(token.as_str(), &request()).unwrap().uses, 1);
    let more = plannt_core::attenuate_token(token.as_str(), &["demo_uses=1000"]).unwrap();
    assert_eq!(verify(more.as_str(), &request()), out_of_scope("demo_uses"));
}

#[test]
fn query_stays_and_matches() {
    let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    let other = "00".repeat(32);
    narrows(
        "demo_query",
        &[empty, &empty.to_uppercase()],
        &[&other, "", "e3b0", &format!("{empty}00"), &"g".repeat(64)],
    );
    let caveat = format!("demo_query={empty}");
    assert_eq!(attenuated(&[&caveat, &format!("demo_query={other}")]), out_of_scope("demo_query"));
    let token = signed(&minted_and(&[&caveat]));
    let changed = RequestContext { query: query_digest(b"a=1"), ..request() };
    assert_eq!(verify(&token, &changed), out_of_scope("demo_query"));
}

#[test]
fn digest_stays_and_matches() {
    let (body, other) = (content_digest(b"body"), content_digest(b"other"));
    let caveat = format!("demo_digest={}", content_digest_text(&body));
    let at = |caveats: &[&str], digest| {
        verify(&signed(&minted_and(caveats)), &RequestContext { digest, ..request() })
    };
    assert!(at(&[&caveat], Some(body)).is_ok());
    assert!(at(&[&caveat, &caveat], Some(body)).is_ok());
    assert_eq!(at(&[&caveat], Some(other)), out_of_scope("demo_digest"));
    assert_eq!(at(&[&caveat], None), out_of_scope("demo_digest"), "a body that was not read");
    let widened = format!("demo_digest={}", content_digest_text(&other));
    assert_eq!(at(&[&caveat, &widened], Some(other)), out_of_scope("demo_digest"));
    let text = content_digest_text(&body);
    for value in [
        "",
        "sha-256=::",
        &text[..text.len() - 1],
        &text.replace("sha-256", "sha-512"),
        &text.replace("sha-256", "SHA-256"),
        &text.replace("=:", ":"),
        &format!("{text}, {text}"),
        &text[8..],
        &text.replace(":", ""),
    ] {
        let caveat = format!("demo_digest={value}");
        assert_eq!(at(&[&caveat], Some(body)), out_of_scope("demo_digest"), "{value}");
    }
}

#[test]
fn capabilities_are_a_falling_set() {
    let at = |caveats: &[&str], capability| {
        verify(&signed(&minted_and(caveats)), &RequestContext { capability, ..request() })
    };
    let refused = out_of_scope("demo_capabilities");
    assert!(at(&["demo_capabilities=read,write"], Some("read")).is_ok());
    assert!(at(&["demo_capabilities=read,write"], Some("write")).is_ok());
    assert!(at(&["demo_capabilities=read,write"], None).is_ok());
    assert!(
        at(&["demo_capabilities=read,write", "demo_capabilities=write"], Some("write")).is_ok()
    );
    assert_eq!(at(&["demo_capabilities=read,write"], Some("rea")), refused);
    assert_eq!(
        at(&["demo_capabilities=read,write", "demo_capabilities=write"], Some("read")),
        refused
    );
    assert_eq!(at(&["demo_capabilities=read", "demo_capabilities=read,write"], None), refused);
    assert_eq!(at(&[], Some("read")), refused, "none is not all");
    for value in ["", ",", "read,", "read, write", "re ad", &["x"; 65].join(",")] {
        assert_eq!(at(&[&format!("demo_capabilities={value}")], None), refused, "{value:?}");
    }
}

/// What the mint would have written stands before all that a holder writes.
#[test]
fn a_holder_does_not_add_what_the_mint_left_out() {
    let query = format!("demo_query={}", plannt_core::PaymentHash::from_bytes(query_digest(b"")));
    let digest = format!("demo_digest={}", content_digest_text(&content_digest(b"")));
    let bound = RequestContext {
        requires_query: true,
        digest: Some(content_digest(b"")),
        requires_digest: true,
        capability: Some("admin"),
        ..request()
    };
    let at = |more: &[&str]| verify(&signed(&minted_and(more)), &bound);
    let capabilities = "demo_capabilities=admin";
    assert!(at(&[&query, &digest, capabilities, "color=red"]).is_ok());
    let refused = out_of_scope("demo_capabilities");
    for between in ["color=red", "demo_path=/v1/demo", "demo_uses=1"] {
        assert_eq!(at(&[&query, &digest, between, capabilities]), refused, "{between}");
        assert_eq!(at(&[&query, between, &digest, capabilities]), refused, "{between}");
    }
    let without = RequestContext { capability: None, ..bound };
    let at = |more: &[&str]| verify(&signed(&minted_and(more)), &without);
    assert!(at(&[&query, &digest]).is_ok());
    for late in [[&*query, "color=red", &digest], ["color=red", &query, &digest]] {
        assert_eq!(at(&late), Err(VerifyError::Invalid), "{late:?}");
    }
    assert_eq!(at(&[&digest, &query]), Err(VerifyError::Invalid), "not in the mint's order");
}

#[test]
fn spaces_around_condition_and_value_do_not_count() {
    assert_eq!(attenuated(&["demo_valid_until = 1800000000"]), Err(VerifyError::Expired));
    assert_eq!(attenuated(&["  demo_valid_until=1800000000  "]), Err(VerifyError::Expired));
    let spaced: Vec<_> = minted_and(&[]).iter().map(|c| c.replacen('=', "  = ", 1)).collect();
    assert!(verify(&signed(&spaced), &request()).is_ok());
    // No other white space is a space.
    assert!(attenuated(&["\tdemo_valid_until=1800000000"]).is_ok());
    assert_eq!(attenuated(&["demo_valid_until=\t1800000000"]), out_of_scope("demo_valid_until"));
}

#[test]
fn unknown_conditions_are_skipped_unless_strict() {
    let others: &[&[u8]] = &[
        b"other_valid_until=1",
        b"demo_color=red",
        b"Demo_valid_until=1",
        b"time < 10",
        b"",
        b"\xff=1",
        b"=",
        b"demo=1",
        b"_path=/",
        b"demo__path=/",
    ];
    for other in others {
        let mut caveats: Vec<Vec<u8>> = minted_and(&[]).into_iter().map(Vec::from).collect();
        caveats.push(other.to_vec());
        assert!(verify(&signed(&caveats), &request()).is_ok(), "{other:?}");
        let strict = RequestContext { strict: true, ..request() };
        let refused = verify(&signed(&caveats), &strict).unwrap_err();
        assert_eq!(refused.code(), "out_of_scope", "{other:?}");
    }
    let strict = RequestContext { strict: true, ..request() };
    assert!(verify(&signed(&minted_and(&[])), &strict).is_ok());
    let token = signed(&minted_and(&["demo_color=red"]));
    assert_eq!(verify(&token, &strict), out_of_scope("demo_color"));
    let preimage = format!("preimage={}", preimage().expose_hex().as_str());
    assert!(verify(&signed(&minted_and(&[&preimage])), &strict).is_ok());
}

#[test]
fn a_refusal_repeats_no_preimage() {
    let hex = preimage().expose_hex();
    let strict = RequestContext { strict: true, ..request() };
    for caveat in [hex.to_string(), format!("{}=1", *hex), format!("preimage:{}", *hex)] {
        let refused = verify(&signed(&minted_and(&[&caveat])), &strict).unwrap_err();
        assert!(!format!("{refused} {refused:?}").contains(hex.as_str()), "{caveat}");
    }
}
