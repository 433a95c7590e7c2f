"""Cases of `client_flow`: the refusals before paying, dry runs, and events that answer nothing."""

import common
from flow_script import *  # noqa: F403

OTHER_KEY = bytes([0x43]) * 32


def add(cases):
    offers = before_paying(cases)
    dry_runs(cases, offers)
    unexpected(cases)


def before_paying(cases):
    """Gives the ones that a dry run shows a price for, by their code."""
    cases.begin("refused before paying", "Each reason of step 3 alone.", 601)
    priced = []

    def refuses(comment, code, first, flags=("Refused",), left=None, now=NOW, show=True, **changes):
        cases.refused(comment, code, [nothing(left), *first], list(flags), now=now, **changes)
        if show:
            priced.append((comment, code, first, left, now, changes))

    def bad_invoice(comment, code, text):
        refuses(comment, code, [challenge(1, an_invoice=text)], show=False)

    usual = bolt11.usual_fields(payment_hash(1))
    named = usual + [bolt11.field("n", bolt11.to_words(bolt11.secp256k1.public_key(OTHER_KEY)))]
    good = invoice(1)
    bad_invoice("an invoice that is none", "invoice_malformed", "lnbcrt1xyz")
    bad_invoice(
        "an invoice with a wrong checksum", "invoice_malformed", good[:-1] + ("q" if good[-1] != "q" else "p")
    )
    bad_invoice(
        "an invoice without a payment secret",
        "invoice_malformed",
        bolt11.write("lnbcrt210n", usual[:2] + usual[3:], NOW),
    )
    bad_invoice(
        "an invoice that its payee did not sign",
        "invoice_wrong_signature",
        bolt11.write("lnbcrt210n", named, NOW),
    )
    bad_invoice("a part of a msat", "invoice_sub_msat", bolt11.write("lnbcrt210001p", usual, NOW))
    bad_invoice("a tenth of a msat: not 0", "invoice_sub_msat", bolt11.write("lnbcrt1p", usual, NOW))
    bad_invoice("no amount", "invoice_no_amount", invoice(1, None))
    bad_invoice("an amount of 0", "invoice_no_amount", bolt11.write("lnbcrt0n", usual, NOW))
    bad_invoice(
        "an amount that does not fit",
        "invoice_amount_out_of_range",
        bolt11.write("lnbcrt" + "9" * 30, usual, NOW),
    )
    bad_invoice("an unknown network", "invoice_unknown_network", bolt11.write("lnltc210n", usual, NOW))
    bitcoin = [challenge(1, an_invoice=bolt11.write("lnbcrt1", usual, NOW))]
    refuses("a whole bitcoin", "above_limit", bitcoin, ["FeeLimit"])

    refuses("expired", "invoice_expired", [challenge(1)], now=NOW + EXPIRY + 1)
    refuses("expired this second", "invoice_expired", [challenge(1)], now=NOW + EXPIRY)
    refuses("29 seconds left", "invoice_expiring", [challenge(1)], now=NOW + EXPIRY - 29)
    refuses("a second left", "invoice_expiring", [challenge(1)], now=NOW + EXPIRY - 1)
    for currency in ("bc", "tb", "tbs", "sb"):
        other = [challenge(1, an_invoice=invoice(1, currency=currency))]
        refuses("an invoice for %s" % bolt11.NETWORKS[currency], "wrong_network", other)
    mainnet = {"network": "bitcoin"}
    refuses("a regtest invoice to a wallet with money", "wrong_network", [challenge(1)], policy=mainnet)

    refuses(
        "a msat above the limit, with the fee",
        "above_limit",
        [challenge(1)],
        ["FeeLimit"],
        policy={"max_payment_msat": PRICE + 999},
    )
    refuses(
        "the amount alone is above the limit",
        "above_limit",
        [challenge(1)],
        ["FeeLimit"],
        policy={"max_payment_msat": PRICE - 1, "fit_fee": True},
    )
    share = {"max_fee": {"base_msat": 0, "parts_per_million": 5_000}, "max_payment_msat": 20_101}
    refuses(
        "a share of the amount rounds up",
        "above_limit",
        [challenge(1, an_invoice=invoice(1, 20_001))],
        ["FeeLimit"],
        policy=share,
    )
    worst = {"wallet_limits_fee": False, "max_payment_msat": PRICE + 10_629}
    refuses(
        "the worst case of a wallet without limits", "above_limit", [challenge(1)], ["FeeLimit"], policy=worst
    )
    worst = {"wallet_limits_fee": False, "fit_fee": True, "max_payment_msat": PRICE + 1_000}
    refuses("a worst case does not give way", "above_limit", [challenge(1)], ["FeeLimit"], policy=worst)
    refuses("a limit of 0", "above_limit", [challenge(1)], ["FeeLimit"], policy={"max_payment_msat": 0})
    refuses(
        "a msat above the budget, with the fee",
        "budget_exceeded",
        [challenge(1)],
        ["Budget"],
        left=PRICE + 999,
    )
    refuses("nothing left of the budget", "budget_exceeded", [challenge(1)], ["Budget"], left=0)

    for hosts, comment in [
        ([], "no host is allowed"),
        (["other.example"], "another host is allowed"),
        (["example"], "only the parent is allowed"),
        (["*.api.example"], "only what is below it is allowed"),
        (["api.example:8443"], "only another port is allowed"),
        (["api.example.evil"], "a longer name is allowed"),
    ]:
        refuses(comment, "host_not_allowed", [challenge(1)], policy={"allowed_hosts": hosts})
    ends_alike = {"origin": "https://evilapi.example"}
    refuses(
        "a host that only ends alike",
        "host_not_allowed",
        [challenge(1)],
        request=ends_alike,
        policy={"allowed_hosts": ["api.example", "*.api.example"]},
    )
    for origin, comment in [
        ("http://api.example", "plain http"),
        ("http://10.0.0.1", "plain http to a private network"),
        ("http://localhost.example", "plain http to a name that begins like this machine's"),
        ("http://127.0.0.1.example", "plain http to a name that begins like its address"),
        ("http://onion", "plain http to a name that only looks like Tor's"),
    ]:
        refuses(comment, "plain_http", [challenge(1)], request={"origin": origin})
    elsewhere = {"plain_http_hosts": ["other.example"]}
    refuses(
        "plain http is allowed elsewhere",
        "plain_http",
        [challenge(1)],
        request={"origin": "http://api.example"},
        policy=elsewhere,
    )
    refuses(
        "a body that can't be sent again",
        "body_not_replayable",
        [challenge(1)],
        request={"body_sha256": None},
    )

    other = [challenge(1, a_token=token(2))]
    refuses("the invoice pays for another token", "payment_hash_mismatch", other)
    for past, comment in [(NOW - 1, "a token that has expired"), (NOW, "a token that expires this second")]:
        refuses(comment, "token_expired", [challenge(1, a_token=token(1, valid_until=past))])
    narrowed = token(1, extra=["demo_valid_until=%d" % (NOW - 5)])
    refuses("a token that was narrowed to the past", "token_expired", [challenge(1, a_token=narrowed)])
    refuses("a token too long for a header", "token_unusable", [challenge(1, a_token="x" * 16_001)])

    t, i = token(1), invoice(1)
    for value, code, comment in [
        (
            'L402 macaroon="%s", token="x", invoice="%s"' % (t, i),
            "challenge_token_mismatch",
            "`token` differs from `macaroon`",
        ),
        (
            'L402 macaroon="%s", invoice="%s", invoice="%s"' % (t, i, invoice(2)),
            "challenge_repeated_parameter",
            "two invoices",
        ),
        (
            'L402 macaroon="%s", invoice="%s", invoice="%s"' % (t, i, i),
            "challenge_repeated_parameter",
            "the same invoice twice",
        ),
        (
            'L402 token="%s", Token="%s", invoice="%s"' % (t, t, i),
            "challenge_repeated_parameter",
            "the same token twice, in other letters",
        ),
    ]:
        refuses(comment, code, [asks(value)], ["Ambiguous"], show=False)
    text = '{"invoice":"%s","macaroon":"%s","format":"L402 %s:<preimage>"}' % (i, t, token(2))
    refuses(
        "JSON with two tokens",
        "challenge_token_mismatch",
        [response(402), body(text)],
        ["Ambiguous"],
        show=False,
    )
    text = '{"invoice":"%s","invoice":"%s","macaroon":"%s"}' % (i, invoice(2), t)
    refuses(
        "JSON with two invoices",
        "challenge_repeated_parameter",
        [response(402), body(text)],
        ["Ambiguous"],
        show=False,
    )
    for text, comment in [
        (common.b64url(token_bytes(2)), "another token, in the URL-safe alphabet"),
        (token(2, extra=["x=12"]).rstrip("="), "another token, without padding"),
    ]:
        refuses(comment, "payment_hash_mismatch", [challenge(1, a_token=text)], show=False)
    return priced


def dry_runs(cases, priced):
    cases.begin("dry runs", "The price and terms, and why a real call would not pay.", 701)

    def quoted(comment, events, refusal=None, flags=(), **changes):
        step = cases.ends(comment, "quoted", events, ["DryRun", *flags], dry_run=True, **changes)
        assert step["quote"]["refusal"] == refusal, (comment, step["quote"]["refusal"])

    quoted("a price", [nothing(), challenge(1)])
    quoted("a price, and a budget", [nothing(50_000), challenge(1)], flags=["Budget"])
    text = '{"invoice":"%s","macaroon":"%s"}' % (invoice(1), token(1))
    quoted("a price in JSON", [nothing(), response(402), body(text)])
    quoted("a token that does not tell its expiry", [nothing(), challenge(1, a_token="opaque")])
    quoted("what was delivered is told, and not presented", [delivered(2), challenge(1)])
    quoted("what is undelivered is told, and not presented", [undelivered(2), challenge(1)])
    quoted("what is unresolved is told, and not looked up", [unresolved(2), challenge(1)])
    seen = set()
    for comment, code, first, left, now, changes in priced:
        if code not in seen:
            seen.add(code)
            quoted("not paid: " + comment, [nothing(left), *first], code, ["Refused"], now=now, **changes)
    after = [nothing(), challenge(1, redirected=True)]
    quoted("not paid: a challenge after a redirect", after, "challenge_after_redirect", ["Redirect"])

    cases.begin("dry runs refused", "Where there is no price to show.", 731)
    refused = cases.refused
    for comment, code, events in [
        ("no amount", "invoice_no_amount", [nothing(), challenge(1, an_invoice=invoice(1, None))]),
        ("an invoice that is none", "invoice_malformed", [nothing(), challenge(1, an_invoice="lnbcrt1xyz")]),
        (
            "an ambiguous challenge",
            "challenge_token_mismatch",
            [nothing(), asks('L402 token="a", macaroon="b", invoice="c"')],
        ),
        (
            "a part of a msat",
            "invoice_sub_msat",
            [
                nothing(),
                challenge(1, an_invoice=bolt11.write("lnbcrt1p", bolt11.usual_fields(payment_hash(1)), NOW)),
            ],
        ),
        (
            "two invoices",
            "challenge_repeated_parameter",
            [nothing(), asks('L402 token="a", invoice="b", invoice="c"')],
        ),
        ("the journal can't be read", "journal", [JOURNAL_FAILED]),
    ]:
        refused(comment, code, events, ["DryRun"], dry_run=True)


def unexpected(cases):
    cases.begin("events that answer nothing", "The flow refuses them and stays as it was.", 801)
    paid_twice = paying(1) + [payment("paid", 1), payment("paid", 1)]
    for comment, events in [
        ("a response before anything was sent", [OK]),
        ("a payment before anything was asked", [payment("paid", 1)]),
        ("busy, where no key is held", [BUSY]),
        ("a challenge for the challenge", [nothing(), challenge(1), challenge(1)]),
        (
            "a payment where the intent is to be written",
            [nothing(), challenge(1), nothing(), payment("paid", 1)],
        ),
        ("a look-up where a payment is to be made", paying(1) + [looked_up("paid", 1)]),
        ("the payment's outcome twice", paid_twice),
        ("a journal's answer to a payment", paying(1) + [STORED]),
        ("a failing journal where a payment is to be made", paying(1) + [JOURNAL_FAILED]),
        ("a failing journal where the request is to be sent", [nothing(), JOURNAL_FAILED]),
        ("a body where the request is to be sent", [nothing(), body("{}")]),
        ("a body that is not asked for", presenting(1) + [challenge(2), body("{}")]),
        ("an answer after the end", [nothing(), OK, OK]),
        ("a payment after a refusal", [nothing(), challenge(1), BUSY, payment("paid", 1)]),
        ("a response for a journal's answer", presenting(1) + [OK, OK]),
        ("what was found, where an intent is to be written", [nothing(), challenge(1), nothing(), nothing()]),
        ("no response where a wallet is asked", paying(1) + [SEND_FAILED]),
        ("a reservation for a look-up", [unresolved(1), unresolved(1), GRANTED]),
    ]:
        cases.unexpected(comment, events)
