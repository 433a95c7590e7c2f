"""Cases of `client_flow`: answers that ask for nothing, and what earlier calls left behind."""

from flow_script import *  # noqa: F403  (the words that the scripts are written in)


def add(cases):
    untouched(cases)
    kept(cases)
    left_undelivered(cases)
    left_unresolved(cases)


def untouched(cases):
    ends = cases.ends
    cases.begin("nothing to pay", "Answers that are handed back as they are.", 1)
    for status in (200, 302, 404):
        ends("status %d" % status, "done", [nothing(), response(status)], ["Untouched"])
    value = challenge_value(token(1), invoice(1))
    for status in (200, 401):
        offered = response(status, ("WWW-Authenticate", value))
        ends("a challenge on a %d" % status, "done", [nothing(), offered], ["Untouched"])
    ends("no response", "unanswered", [nothing(), SEND_FAILED], ["Untouched"])
    ends("no response to a dry run", "unanswered", [nothing(), SEND_FAILED], ["DryRun"], dry_run=True)
    ends("a dry run of what is free", "done", [nothing(), OK], ["DryRun"], dry_run=True)
    for text, comment in [
        (None, "a 402 whose body is too long or broke off"),
        ("", "a 402 with nothing in it"),
        ("<html>pay here</html>", "a 402 with a page"),
        ('{"invoice":"%s"}' % invoice(1), "a 402 whose JSON has no token"),
        ('{"macaroon":"%s"}' % token(1), "a 402 whose JSON has no invoice"),
    ]:
        ends(comment, "done", [nothing(), response(402), body(text)], ["Untouched"])
    for line, comment in [
        ('Basic realm="x"', "a 402 with another scheme"),
        ('L402 macaroon="%s"' % token(1), "a challenge without an invoice"),
        ('L402 invoice="%s"' % invoice(1), "a challenge without a token"),
        ('L402 macaroon="%s", invoice=""' % token(1), "a challenge with an empty invoice"),
        ("L402 price-only", "a challenge of a price alone"),
    ]:
        ends(comment, "done", [nothing(), asks(line), body(None)], ["Untouched", "ChallengeForm"])
    halves = response(
        402,
        ("WWW-Authenticate", 'L402 macaroon="%s"' % token(1)),
        ("WWW-Authenticate", 'L402 invoice="%s"' % invoice(1)),
    )
    ends("two halves of a challenge", "done", [nothing(), halves, body(None)], ["Untouched", "ChallengeForm"])
    connect = {"method": "CONNECT"}
    ends("a 402 to CONNECT", "done", [nothing(), challenge(1)], ["Connect"], request=connect)
    once = {"body_sha256": None}
    ends("a body that can't be sent again", "done", [nothing(), OK], ["Untouched"], request=once)


def kept(cases):
    ends, refused = cases.ends, cases.refused
    cases.begin("kept", "A credential that was delivered before.", 101)
    ends("it is good for more", "done", [delivered(1), x_l402(200, "valid; remaining=2")], ["Delivered"])
    ends("it is presented with its own scheme", "done", [delivered(1, scheme="LSAT"), OK], ["Delivered"])
    ends("the server fails: it is kept", "done", [delivered(1), response(500)], ["Delivered"])
    ends("no response: it is kept", "unanswered", [delivered(1), SEND_FAILED], ["Delivered"])
    used = [delivered(1), x_l402(200, "spent"), STORED]
    ends("its last use", "done", used, ["Delivered", "Spent"])
    used = [delivered(1), x_l402(503, "Spent ; x"), STORED]
    ends("spent by an error", "done", used, ["Delivered", "Spent"])
    used = [delivered(1), x_l402(200, "spent"), JOURNAL_FAILED]
    ends("its last use, and the journal fails", "done", used, ["Delivered", "JournalFails"])
    used = [delivered(1), x_l402(502, "unspent")]
    ends("unspent, in the gateway's words", "done", used, ["Delivered", "Spent"])
    renewed = [delivered(1), challenge(2), STORED, nothing(), GRANTED, payment("paid", 2), STORED, OK, STORED]
    ends("a 402 drops it, and the call pays the challenge", "done", renewed, ["Delivered"])
    renewed = [delivered(1), response(402), body(None), STORED, OK]
    ends("a 402 without a challenge drops it, and the call begins anew", "done", renewed, ["Delivered"])
    renewed = [delivered(1), response(402), body(None), STORED, challenge(2), nothing(), GRANTED]
    renewed += [payment("paid", 2), STORED, OK, STORED]
    ends("a 402 without a challenge drops it, and the new answer has one", "done", renewed, ["Delivered"])
    again = [delivered(1), challenge(2), STORED, delivered(3), OK]
    ends("another call paid meanwhile: its credential is tried", "done", again, ["Delivered", "OncePaid"])
    again = [
        delivered(1),
        challenge(2),
        STORED,
        delivered(1),
        GRANTED,
        payment("paid", 2),
        STORED,
        OK,
        STORED,
    ]
    ends("a dropped credential that is found again is not sent again", "done", again, ["Delivered"])
    once = {"body_sha256": None}
    gone = [delivered(1), response(402), body(None), STORED]
    ends("a 402 drops it, and the body is gone", "done", gone, ["Delivered"], request=once)
    connect = {"method": "CONNECT"}
    ends(
        "a 402 to CONNECT is not its end", "done", [delivered(1), challenge(2)], ["Connect"], request=connect
    )

    used = [delivered(1), x_l402(200, "spent;left=0"), STORED]
    ends("its last use, with a parameter", "done", used, ["Delivered", "Spent"])

    cases.begin("kept, refused", "A delivered credential that a 402 dropped, and no way on.", 131)
    gone = [delivered(1), challenge(2), STORED]
    refused("the body is gone", "body_not_replayable", gone, ["Delivered", "Refused"], request=once)
    failed = [delivered(1), challenge(2), JOURNAL_FAILED]
    refused("the journal can't drop it", "journal", failed, ["Delivered", "JournalFails"])
    dear = [delivered(1), challenge(2, an_invoice=invoice(2, 10**6)), STORED]
    refused("the new price is above the limit", "above_limit", dear, ["Delivered", "FeeLimit"])
    double = asks('L402 macaroon="%s", macaroon="x", invoice="%s"' % (token(2), invoice(2)))
    twice = [delivered(1), double, STORED]
    refused(
        "the new challenge is ambiguous", "challenge_repeated_parameter", twice, ["Delivered", "Ambiguous"]
    )
    lost = [
        delivered(1),
        challenge(2),
        STORED,
        nothing(),
        GRANTED,
        payment("paid", 2),
        STORED,
        challenge(3),
        STORED,
    ]
    refused("the new credential is lost at once", "payment_lost", lost, ["Delivered", "PaymentLost"])


def left_undelivered(cases):
    ends, refused = cases.ends, cases.refused
    flags = ["Undelivered"]
    held = [undelivered(1), undelivered(1)]
    cases.begin("undelivered", "A paid credential that brought no answer yet.", 151)
    ends("it is delivered", "done", held + [OK, STORED], flags)
    ends("a redirect is an answer", "done", held + [response(303), STORED], flags)
    for status in (404, 500):
        ends("a %d: it stays undelivered" % status, "done", held + [response(status)], flags)
    ends("no response: it stays undelivered", "unanswered", held + [SEND_FAILED], flags)
    ends("it is spent with its delivery", "done", held + [x_l402(200, "spent"), STORED], flags + ["Spent"])
    ends("it is spent by an error", "done", held + [x_l402(500, "spent"), STORED], flags + ["Spent"])
    ends("the journal misses the delivery", "done", held + [OK, JOURNAL_FAILED], flags + ["JournalFails"])
    taken = [undelivered(1), nothing(), OK]
    ends("another call delivered it meanwhile", "done", taken, flags + ["Busy"])
    taken = [undelivered(1), delivered(1), OK]
    ends("another call delivered it meanwhile, and it is good for more", "done", taken, flags + ["Busy"])
    again = {"pay_after_loss": True}
    told = held + [challenge(2), STORED, nothing(), GRANTED, payment("paid", 2), STORED, OK, STORED]
    ends("lost, and the call was told to pay again", "done", told, flags + ["PaymentLost"], policy=again)
    told = held + [response(402), body(None), STORED, OK]
    ends("lost, told to go on, and free now", "done", told, flags + ["PaymentLost"], policy=again)

    cases.begin("undelivered, refused", "A 402 to it is a loss.", 181)
    flags = ["Undelivered", "PaymentLost"]
    refused("a 402 with a challenge", "payment_lost", held + [challenge(2), STORED], flags)
    refused("a 402 without a challenge", "payment_lost", held + [response(402), STORED], flags)
    refused("a 402 that says spent", "payment_lost", held + [x_l402(402, "spent"), STORED], flags)
    failing = held + [challenge(2), JOURNAL_FAILED]
    refused("the journal misses the loss", "payment_lost", failing, flags + ["JournalFails"])
    failing = held + [challenge(2), JOURNAL_FAILED]
    refused(
        "told to pay again, but the journal fails", "journal", failing, flags + ["JournalFails"], policy=again
    )
    dear = held + [challenge(2), STORED, nothing(20_000)]
    refused(
        "told to pay again, but above the budget", "budget_exceeded", dear, flags + ["Budget"], policy=again
    )
    twice = held + [
        challenge(2),
        STORED,
        nothing(),
        GRANTED,
        payment("paid", 2),
        STORED,
        challenge(3),
        STORED,
    ]
    refused("told to pay again, and lost again", "payment_lost", twice, flags + ["OncePaid"], policy=again)
    refused("another call holds the key", "busy", [undelivered(1), BUSY], ["Undelivered", "Busy"])
    failing = [undelivered(1), JOURNAL_FAILED]
    refused("the journal fails as the key is held", "journal", failing, ["Undelivered", "JournalFails"])


def left_unresolved(cases):
    ends, refused = cases.ends, cases.refused
    flags = ["Resolve"]
    held = [unresolved(1), unresolved(1)]
    cases.begin("unresolved", "A payment that an earlier call left unfinished.", 201)
    proven = held + [looked_up("paid", 1), STORED]
    ends("it proves paid: its token is the credential", "done", proven + [OK, STORED], flags)
    ends("it proves paid, and the server fails", "done", proven + [response(500)], flags)
    ends("it proves paid, and no response comes", "unanswered", proven + [SEND_FAILED], flags)
    free = held + [looked_up("failed", failure="no_route"), STORED, nothing()]
    ends("it failed: the call begins anew", "done", free + [OK], flags)
    anew = free + [challenge(2), nothing(), GRANTED, payment("paid", 2), STORED, OK, STORED]
    ends("it failed: the call begins anew, and pays", "done", anew, flags)
    late = [unresolved(1, expires_at=NOW), unresolved(1, expires_at=NOW)]
    late += [looked_up("not_found"), STORED, nothing(), OK]
    ends("not found, and the invoice has expired: it failed", "done", late, flags)
    ends("another call resolved it meanwhile", "done", [unresolved(1), nothing(), OK], flags + ["Busy"])
    meanwhile = [unresolved(1), undelivered(1), OK, STORED]
    ends("another call found it paid meanwhile", "done", meanwhile, flags + ["Busy", "Undelivered"])
    meanwhile = [nothing(), challenge(2), unresolved(1), looked_up("paid", 1), STORED, OK, STORED]
    ends("found with the key held: the challenge is let go", "done", meanwhile, flags + ["OncePaid"])
    meanwhile = [nothing(), challenge(2), unresolved(1), looked_up("failed", failure="no_route"), STORED]
    meanwhile += [nothing(), challenge(3), nothing(), GRANTED, payment("paid", 3), STORED, OK, STORED]
    ends(
        "found with the key held, and failed: a challenge taken before does not count",
        "done",
        meanwhile,
        flags,
    )
    meanwhile = [nothing(), challenge(2), undelivered(1), OK, STORED]
    ends("an undelivered one found with the key held", "done", meanwhile, ["Undelivered", "OncePaid"])
    meanwhile = [nothing(), challenge(2), delivered(1), OK]
    ends("a delivered one found with the key held", "done", meanwhile, ["Delivered", "OncePaid"])
    lsat = [unresolved(1, scheme="LSAT")] * 2 + [looked_up("paid", 1, fee=0), STORED, OK, STORED]
    ends("it proves paid: presented with the challenge's scheme", "done", lsat, flags)

    cases.begin("unresolved, refused", "No new challenge is taken while the wallet does not tell.", 231)
    for result, comment in [
        ("in_flight", "it is in flight"),
        ("unknown", "the wallet can't tell"),
        ("not_found", "not found, and the invoice has not expired: the request may be on its way"),
    ]:
        refused(comment, "payment_unresolved", held + [looked_up(result), STORED], flags)
        failing = held + [looked_up(result), JOURNAL_FAILED]
        refused(comment + "; the journal fails", "payment_unresolved", failing, flags + ["JournalFails"])
    past = [unresolved(1, expires_at=NOW - 9)] * 2
    refused(
        "in flight after the expiry", "payment_unresolved", past + [looked_up("in_flight"), STORED], flags
    )
    refused("unknown after the expiry", "payment_unresolved", past + [looked_up("unknown"), STORED], flags)
    late = [unresolved(1, expires_at=NOW + 1)] * 2 + [looked_up("not_found"), STORED]
    refused("not found, a second before the expiry", "payment_unresolved", late, flags)
    liar = held + [looked_up("paid", 2), STORED]
    refused("the wallet's preimage is another's", "preimage_mismatch", liar, flags + ["Proof"])
    liar = held + [looked_up("paid", 2), JOURNAL_FAILED]
    refused(
        "the wallet's preimage is another's; the journal fails", "preimage_mismatch", liar, flags + ["Proof"]
    )
    failing = held + [looked_up("paid", 1), JOURNAL_FAILED]
    refused("paid, and the journal fails", "journal_after_payment", failing, flags + ["JournalFails"])
    failing = held + [looked_up("failed", failure="no_route"), JOURNAL_FAILED]
    refused("failed, and the journal fails", "journal", failing, flags + ["JournalFails"])
    lost = held + [looked_up("paid", 1), STORED, challenge(2), STORED]
    refused("it proves paid, and the server asks again", "payment_lost", lost, flags + ["PaymentLost"])
    refused("another call holds the key", "busy", [unresolved(1), BUSY], flags + ["Busy"])
    meanwhile = [nothing(), challenge(2), unresolved(1), looked_up("unknown"), STORED]
    refused("found with the key held, and unknown", "payment_unresolved", meanwhile, flags + ["OncePaid"])
