"""What the scripts of `client_flow` are made of: a server's answers, a journal's and a wallet's."""

import copy

import bolt11
import common
import flow_origin
from common import seeded, sha256
from flow_model import Call, UnexpectedEvent

NOW = 1_764_000_000
EXPIRY = 3_600
PRICE = 21_000
FEE = 7
ROOT_KEY = seeded("client_flow/root key")
WALLET = "wallet-1"
POLICY = {
    "network": "regtest",
    "max_payment_msat": 100_000,
    "max_fee": {"base_msat": 1_000, "parts_per_million": 0},
    "worst_case_fee": {"base_msat": 10_000, "parts_per_million": 30_000},
    "wallet_limits_fee": True,
    "fit_fee": False,
    "pay_after_loss": False,
    "allowed_hosts": None,
    "plain_http_hosts": [],
}
REQUEST = {
    "method": "GET",
    "origin": "https://api.example",
    "target": "/v1/demo?x=1",
    "body_sha256": sha256(b"").hex(),
}


def preimage(n):
    return seeded("client_flow/preimage/%d" % n)


def payment_hash(n):
    return sha256(preimage(n))


def token_bytes(n, valid_until=NOW + 10_000, service="demo", extra=()):
    caveats = [
        service + ":0",
        "%s_valid_until=%d" % (service, valid_until),
        service + "_method=GET",
        service + "_path=/v1/demo",
        service + "_max_price_msat=%d" % PRICE,
        service + "_uses=1",
        *extra,
    ]
    caveats[0] = "services=" + caveats[0]
    return common.mint(ROOT_KEY, "regtest", payment_hash(n), [c.encode() for c in caveats])


def token(n, **changes):
    return common.b64(token_bytes(n, **changes))


def invoice(n, msat=PRICE, **changes):
    return bolt11.invoice(payment_hash(n), msat, NOW, **changes)


def challenge_value(a_token, an_invoice):
    form = 'L402 macaroon="%s", invoice="%s", version="0", token="%s"'
    return form % (a_token, an_invoice, a_token)


# --- what a driver reports


def loaded(found, left=None):
    return {"event": "loaded", "found": found, "budget_left_msat": left}


def nothing(left=None):
    return loaded({"found": "nothing"}, left)


def unresolved(n, left=None, **changes):
    return loaded({"found": "unresolved", "intent": intent(n, **changes)}, left)


def undelivered(n):
    return loaded({"found": "undelivered", "credential": credential(n, "undelivered")})


def delivered(n, **changes):
    return loaded({"found": "delivered", "credential": credential(n, "delivered", **changes)})


def response(status, *headers, redirected=False):
    return {
        "event": "responded",
        "status": status,
        "headers": [list(h) for h in headers],
        "redirected": redirected,
    }


def asks(value, redirected=False):
    return response(402, ("WWW-Authenticate", value), redirected=redirected)


def challenge(n, redirected=False, a_token=None, an_invoice=None):
    return asks(challenge_value(a_token or token(n), an_invoice or invoice(n)), redirected)


def x_l402(status, value, redirected=False):
    return response(status, ("x-l402", value), redirected=redirected)


def body(text):
    return {"event": "body", "body": text}


def reserved(reservation, **more):
    return {"event": "reserved", "reservation": reservation, **more}


def outcome(event, result, n=None, fee=FEE, failure=None):
    proof = {"preimage": preimage(n).hex(), "fee_msat": fee} if result == "paid" else {}
    return {"event": event, "result": result, **proof, **({"failure": failure} if failure else {})}


def payment(result, n=None, **more):
    return outcome("payment", result, n, **more)


def looked_up(result, n=None, **more):
    return outcome("looked_up", result, n, **more)


BUSY = {"event": "busy"}
GRANTED = reserved("granted")
JOURNAL_FAILED = {"event": "journal_failed"}
OK = response(200)
SEND_FAILED = {"event": "send_failed"}
STORED = {"event": "stored"}


def paying(n, **changes):
    """A new call as far as the payment."""
    return [nothing(), challenge(n, **changes), nothing(), GRANTED]


def presenting(n, **changes):
    """A new call that has paid and sent its credential."""
    return paying(n, **changes) + [payment("paid", n), STORED]


# --- what a journal holds


def intent(n, expires_at=NOW + EXPIRY, **changes):
    made = NOW - 60
    return {
        "payment_hash": payment_hash(n).hex(),
        "request": {**REQUEST, "wallet": WALLET},
        "scheme": "L402",
        "token": token(n),
        "invoice": invoice(n),
        "network": "regtest",
        "payee": bolt11.secp256k1.public_key(bolt11.NODE_KEY).hex(),
        "amount_msat": PRICE,
        "max_fee_msat": 1_000,
        "invoice_expires_at": expires_at,
        "created_at": made,
        **changes,
    }


def credential(n, state, scheme="L402"):
    return {
        "scheme": scheme,
        "token": token(n),
        "preimage": preimage(n).hex(),
        "receipt": {
            "payment_hash": payment_hash(n).hex(),
            "network": "regtest",
            "payee": None,
            "amount_msat": PRICE,
            "fee_msat": FEE,
            "charged_msat": PRICE + FEE,
            "method": "GET",
            "origin": REQUEST["origin"],
            "target": REQUEST["target"],
            "wallet": WALLET,
            "created_at": NOW - 90,
            "settled_at": NOW - 80,
            "state": "paid",
            "credential": state,
            "failure": None,
        },
    }


# --- playing


def play(events, policy=None, request=None, dry_run=False, now=NOW):
    """The case's input, its last step, and whether the last event did not answer its step.

    An event is reported at `now`, or is a pair with a time of its own.
    """
    given = {
        "policy": {**POLICY, **(policy or {})},
        "request": {**REQUEST, **(request or {})},
        "wallet": WALLET,
        "dry_run": dry_run,
    }
    try:
        call = Call(**copy.deepcopy(given)).run()
    except flow_origin.OriginFault as fault:
        # Without a request there is no flow, and nothing is played.
        assert not events
        return {**given, "script": []}, {"step": "refused", "code": fault.code}, False
    step, script, ended = copy.deepcopy(next(call)), [], False
    for number, event in enumerate(events):
        event, at = event if isinstance(event, tuple) else (event, now)
        script.append({"step": step, "now": at, "event": event})
        try:
            if ended:
                raise UnexpectedEvent
            step = copy.deepcopy(call.send((copy.deepcopy(event), at)))
        except UnexpectedEvent:
            assert number == len(events) - 1, "an event in the middle answers nothing: %s" % step
            return {**given, "script": script}, step, True
        except StopIteration as end:
            step, ended = copy.deepcopy(end.value), True
    assert ended, "the script stops at %s" % step
    hold_invariants(script)
    if step["step"] == "refused":
        script.append({"step": step})
    return {**given, "script": script}, step, False


def hold_invariants(script):
    """What the model owes to every call, whatever it is told."""
    steps = [entry["step"] for entry in script]
    assert len([step for step in steps if step["step"] == "pay"]) <= 1, "one call pays at most once"
    for step in steps:
        if step["step"] == "commit":
            assert sha256(bytes.fromhex(step["preimage"])).hex() == step["payment_hash"], "a proof"
    sent = [
        step["authorization"] for step in steps if step["step"] == "send_request" and step["authorization"]
    ]
    assert len(sent) == len(set(sent)), "no credential is sent twice"
