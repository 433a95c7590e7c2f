"""Cases of `client_flow`: challenges that are paid, how payments end, and what the answer makes of the credential."""

import common
from flow_script import *  # noqa: F403


def add(cases):
    forms(cases)
    limits(cases)
    answers(cases)
    outcomes(cases)


def forms(cases):
    def paid(comment, first, flags=("ChallengeForm",), n=1, **changes):
        events = [nothing(), *first, nothing(), GRANTED, payment("paid", n), STORED, OK, STORED]
        cases.ends(comment, "done", events, list(flags), **changes)

    cases.begin("challenges paid", "Every form that servers send, and tokens of any kind.", 301)
    t, i = token(1), invoice(1)
    paid("the usual form", [challenge(1)])
    for value, comment in [
        ('LSAT macaroon="%s", invoice="%s"' % (t, i), "the older scheme"),
        ('l402 macaroon="%s", invoice="%s"' % (t, i), "the scheme in lower case"),
        ("L402 macaroon=%s, invoice=%s" % (t.rstrip("="), i), "no quotes, and no padding"),
        ('L402 invoice="%s", token="%s"' % (i, t), "the invoice first, and `token` alone"),
        ('L402 x="1", macaroon="%s", y=z, invoice="%s"' % (t, i), "unknown parameters"),
        (
            'Payment id="1", method="x", L402 macaroon="%s", invoice="%s"' % (t, i),
            "after another in one line",
        ),
        ('L402 macaroon="%s", invoice="%s", Payment id="1"' % (t, i), "before another in one line"),
        (
            challenge_value(t, i) + ", " + challenge_value(token(2), invoice(2)),
            "the first of two in one line",
        ),
        (challenge_value(t, i.upper()), "an invoice in upper case"),
    ]:
        paid(comment, [asks(value)])
    two = response(
        402,
        ("WWW-Authenticate", 'LSAT macaroon="%s", invoice="%s"' % (t, i)),
        ("WWW-Authenticate", 'L402 macaroon="%s", invoice="%s"' % (t, i)),
    )
    paid("two lines, one for each scheme", [two])
    two = response(402, ("WWW-Authenticate", "Basic x"), ("www-authenticate", challenge_value(t, i)))
    paid("the second line", [two])
    bare = response(402, ("content-type", "application/json"))
    for text, comment in [
        ('{"invoice":"%s","macaroon":"%s"}' % (i, t), "JSON with `macaroon`"),
        ('{"invoice":"%s","format":"L402 %s:<preimage>"}' % (i, t), "JSON with `format`"),
        (
            '{"authorization_format":"LSAT %s:<preimage>","invoice":"%s"}' % (t, i),
            "JSON with `authorization_format`",
        ),
        ('{"priceSats":21,"macaroon":"%s","invoice":"%s","x":null}' % (t, i), "JSON with other members"),
    ]:
        paid(comment, [bare, body(text)])
    half = asks('L402 macaroon="%s"' % token(2))
    paid(
        "half a challenge in the header, all of it in JSON",
        [half, body('{"invoice":"%s","macaroon":"%s"}' % (i, t))],
    )
    for text, comment in [
        (common.b64url(token_bytes(1)), "a token in the URL-safe alphabet"),
        ("eyJ0b2tlbiI6ICJ4In0=", "a token that is no macaroon"),
        (common.b64(common.v2_encode(b"id", [], bytes(32))), "a macaroon with another identifier"),
        ("x" * 16_000, "the longest token that fits a header"),
    ]:
        paid(comment, [challenge(1, a_token=text)])
    third = token(1, extra=["other_valid_until=1"])
    paid("an expiry of a service that the token does not name", [challenge(1, a_token=third)])
    post = {"method": "POST", "body_sha256": sha256(b"{}").hex()}
    paid("a request with a body", [challenge(1)], request=post)


def limits(cases):
    cases.begin("limits that fit", "Exactly at a limit is within it.", 351)

    def paid(
        comment, flags, msat=PRICE, left=None, now=NOW, fee=FEE, request=None, an_invoice=None, **policy
    ):
        first = challenge(1, an_invoice=an_invoice or invoice(1, msat))
        events = [
            nothing(left),
            first,
            nothing(left),
            GRANTED,
            payment("paid", 1, fee=fee),
            STORED,
            OK,
            STORED,
        ]
        cases.ends(comment, "done", events, flags, now=now, policy=policy, request=request)

    half_percent = {"base_msat": 0, "parts_per_million": 5_000}
    paid("amount plus fee is the limit", ["FeeLimit"], max_payment_msat=PRICE + 1_000)
    paid("amount plus fee is what the budget has left", ["Budget"], left=PRICE + 1_000)
    paid(
        "a share of the amount, rounded up",
        ["FeeLimit"],
        msat=20_001,
        max_fee=half_percent,
        max_payment_msat=20_102,
    )
    no_fee = {"base_msat": 0, "parts_per_million": 0}
    paid("no fee at all", ["FeeLimit"], fee=0, max_fee=no_fee, max_payment_msat=PRICE)
    paid("the fee gives way to the limit", ["FeeLimit"], fit_fee=True, max_payment_msat=PRICE + 400)
    paid("no fee is left, and the fee gives way", ["FeeLimit"], fit_fee=True, max_payment_msat=PRICE, fee=0)
    worst = {"wallet_limits_fee": False, "max_payment_msat": PRICE + 10_630}
    paid("a wallet without a fee limit: the worst case fits", ["FeeLimit"], **worst)
    paid("a wallet without a fee limit: any excess is charged", ["FeeLimit"], fee=99_000, **worst)
    paid("30 seconds left", ["Refused"], now=NOW + EXPIRY - 30)
    for origin, comment in [
        ("http://127.0.0.1:8402", "plain http to this machine"),
        ("http://[::1]:8402", "plain http to this machine over IPv6"),
        ("http://abc.onion", "plain http to an onion service"),
    ]:
        paid(comment, ["Refused"], request={"origin": origin})
    plain = {"origin": "http://api.example"}
    paid("plain http where it is allowed", ["Refused"], request=plain, plain_http_hosts=["api.example"])
    for hosts, comment in [
        (["other.example", "*.example"], "a host below a name that is allowed"),
        (["api.example:443"], "a host with the port that is allowed"),
    ]:
        paid(comment, ["Refused"], allowed_hosts=hosts)
    named = bolt11.field("n", bolt11.to_words(bolt11.secp256k1.public_key(bolt11.NODE_KEY)))
    signed = bolt11.write("lnbcrt210n", bolt11.usual_fields(payment_hash(1)) + [named], NOW)
    paid("an invoice that names its payee", ["Refused"], an_invoice=signed)


def answers(cases):
    ends = cases.ends
    cases.begin("answers", "What the answer makes of the credential that was just bought.", 401)
    for status in (201, 302):
        ends("a %d delivers it" % status, "done", presenting(1) + [response(status), STORED], ["Delivered"])
    for status in (404, 500):
        ends(
            "a %d leaves it undelivered" % status, "done", presenting(1) + [response(status)], ["Undelivered"]
        )
    ends("no response leaves it undelivered", "unanswered", presenting(1) + [SEND_FAILED], ["Undelivered"])
    ends("spent with its delivery", "done", presenting(1) + [x_l402(200, "spent"), STORED], ["Spent"])
    ends("spent by an error", "done", presenting(1) + [x_l402(500, "spent"), STORED], ["Spent"])
    more = presenting(1) + [x_l402(200, "valid; remaining=4"), STORED]
    ends("good for more", "done", more, ["Delivered"])
    other = presenting(1) + [x_l402(200, "spent-not"), STORED]
    ends("a word that only begins like spent", "done", other, ["Spent"])
    ends("the upstream was not reached", "done", presenting(1) + [x_l402(502, "unspent")], ["Undelivered"])
    failing = presenting(1) + [OK, JOURNAL_FAILED]
    ends("the journal misses the delivery", "done", failing, ["JournalFails"])
    failing = presenting(1) + [x_l402(200, "spent"), JOURNAL_FAILED]
    ends("the journal misses that it is spent", "done", failing, ["JournalFails"])

    cases.begin("answers refused", "Asked to pay again.", 431)
    refused = cases.refused
    flags = ["PaymentLost", "OncePaid"]
    refused("a 402 with a challenge", "payment_lost", presenting(1) + [challenge(2), STORED], flags)
    refused("a 402 with the same challenge", "payment_lost", presenting(1) + [challenge(1), STORED], flags)
    refused("a 402 without a challenge", "payment_lost", presenting(1) + [response(402), STORED], flags)
    again = {"pay_after_loss": True}
    told = presenting(1) + [challenge(2), STORED]
    refused("a 402, and told to pay again: one call pays once", "payment_lost", told, flags, policy=again)
    failing = presenting(1) + [challenge(2), JOURNAL_FAILED]
    refused("a 402, and the journal fails", "payment_lost", failing, flags + ["JournalFails"])

    cases.begin("redirects", "The credential never follows a redirect.", 451)
    flags = ["Redirect"]
    ends(
        "an answer after a redirect", "done", presenting(1) + [response(200, redirected=True), STORED], flags
    )
    ends("an error after a redirect", "done", presenting(1) + [response(500, redirected=True), STORED], flags)
    spent = presenting(1) + [x_l402(200, "spent", redirected=True), STORED]
    ends("`spent` after a redirect is about another request", "done", spent, flags)
    bare = presenting(1) + [response(402, redirected=True), body(None), STORED]
    ends("a 402 without a challenge after a redirect", "done", bare, flags)
    ends("a kept credential, redirected", "done", [delivered(1), response(200, redirected=True)], flags)
    ends("free after a redirect", "done", [nothing(), response(200, redirected=True)], flags)
    code = "challenge_after_redirect"
    refused("a challenge after a redirect", code, [nothing(), challenge(1, redirected=True)], flags)
    after = presenting(1) + [challenge(2, redirected=True), STORED]
    refused("a paid credential, and a challenge after a redirect", code, after, flags)
    after = [undelivered(1), undelivered(1), challenge(2, redirected=True), STORED]
    refused("a recovered credential, and a challenge after a redirect", code, after, flags)
    refused(
        "a kept credential, and a challenge after a redirect",
        code,
        [delivered(1), challenge(2, redirected=True)],
        flags,
    )
    text = '{"invoice":"%s","macaroon":"%s"}' % (invoice(1), token(1))
    in_body = [nothing(), response(402, redirected=True), body(text)]
    refused("a challenge in JSON after a redirect", code, in_body, flags)
    in_body = presenting(1) + [response(402, redirected=True), body(text), STORED]
    refused("a paid credential, and a challenge in JSON after a redirect", code, in_body, flags)
    after = presenting(1) + [challenge(2, redirected=True), JOURNAL_FAILED]
    refused("a paid credential, a challenge after a redirect, and the journal fails", code, after, flags)
    double = asks('L402 token="a", macaroon="b", invoice="c"', redirected=True)
    after = presenting(1) + [double, STORED]
    refused(
        "an ambiguous challenge after a redirect", "challenge_token_mismatch", after, flags + ["Ambiguous"]
    )


def outcomes(cases):
    ends, refused = cases.ends, cases.refused
    cases.begin("payments", "An answer that was lost is asked for, once.", 501)
    unknown = paying(1) + [payment("unknown"), STORED]
    found = unknown + [looked_up("paid", 1), STORED, OK, STORED]
    ends("unknown, and the wallet knows it is paid", "done", found, ["Resolve"])
    failing = paying(1) + [payment("unknown"), JOURNAL_FAILED, looked_up("paid", 1), STORED, OK, STORED]
    ends(
        "unknown, the journal fails, and the wallet knows it is paid",
        "done",
        failing,
        ["Resolve", "JournalFails"],
    )
    free = paying(1) + [payment("paid", 1, fee=0), STORED, OK, STORED]
    ends("paid without a fee", "done", free, ["Proof"])
    later = [(nothing(), NOW), (challenge(1), NOW + 1), (nothing(), NOW + 5), (GRANTED, NOW + 6)]
    later += [(payment("paid", 1), NOW + 20), (STORED, NOW + 21), (OK, NOW + 30), (STORED, NOW + 31)]
    ends("time passes: when it was decided, and when it was settled", "done", later, ["Proof"])

    cases.begin("payments refused", "Not paid, not proven, or not written down.", 521)
    for failure in ("no_route", "insufficient_balance", "timeout"):
        failed = paying(1) + [payment("failed", failure=failure), STORED]
        refused("failed: " + failure, "payment_failed", failed, ["Resolve"])
    failed = paying(1) + [payment("failed", failure="no_route"), JOURNAL_FAILED]
    refused("failed, and the journal fails", "journal", failed, ["JournalFails"])
    liar = paying(1) + [payment("paid", 2), STORED]
    refused("the preimage is another's", "preimage_mismatch", liar, ["Proof"])
    liar = paying(1) + [payment("paid", 2), JOURNAL_FAILED]
    refused(
        "the preimage is another's, and the journal fails",
        "preimage_mismatch",
        liar,
        ["Proof", "JournalFails"],
    )
    failing = paying(1) + [payment("paid", 1), JOURNAL_FAILED]
    refused(
        "paid, and the journal fails: nothing is sent", "journal_after_payment", failing, ["JournalFails"]
    )
    for result in ("unknown", "in_flight", "not_found"):
        asked = unknown + [looked_up(result), STORED]
        refused("unknown, and looked up: " + result, "payment_unresolved", asked, ["Resolve"])
    asked = unknown + [looked_up("failed", failure="timeout"), STORED]
    refused("unknown, and looked up: failed", "payment_failed", asked, ["Resolve"])
    asked = unknown + [looked_up("paid", 2), STORED]
    refused("unknown, and looked up: another's preimage", "preimage_mismatch", asked, ["Resolve", "Proof"])
    late = unknown + [(looked_up("not_found"), NOW + EXPIRY), (STORED, NOW + EXPIRY)]
    refused("unknown, and not found after the expiry", "payment_failed", late, ["Resolve"])
    for reservation, code, flag, comment in [
        (reserved("hash_known"), "payment_hash_known", "OncePaid", "the hash was paid before"),
        (reserved("key_busy"), "busy", "Busy", "the key has an unfinished payment"),
        (reserved("over_budget", left_msat=500), "budget_exceeded", "Budget", "the budget went meanwhile"),
        (JOURNAL_FAILED, "journal", "JournalFails", "the intent can't be written"),
    ]:
        refused(comment, code, [nothing(), challenge(1), nothing(), reservation], [flag])
    refused("another call holds the key", "busy", [nothing(), challenge(1), BUSY], ["Busy"])
    refused("the journal can't be read", "journal", [JOURNAL_FAILED], ["JournalFails"])
    failing = [nothing(), challenge(1), JOURNAL_FAILED]
    refused("the journal can't be read with the key held", "journal", failing, ["JournalFails"])
    waited = [nothing(), challenge(1), (nothing(), NOW + EXPIRY - 29)]
    refused("the invoice expires while the key is waited for", "invoice_expiring", waited, ["Refused"])
    waited = [nothing(), challenge(1), nothing(PRICE + 999)]
    refused("the budget goes while the key is waited for", "budget_exceeded", waited, ["Budget"])
