"""`client_flow`: a call told as a dialogue between the flow and its driver (conformance/README.md)."""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Type

import plannt
from plannt import Event, Found, LookUp, PaymentResult, Pending, Reservation, Step

Json = Dict[str, Any]


def play(case: Json, refused: Type[Exception]) -> Any:
    make = plannt.Flow.dry_run if case["dry_run"] else plannt.Flow
    flow = make(policy(case["policy"]), request(case["request"]), case["wallet"])
    for at, entry in enumerate(case["script"]):
        step = write_step(flow.next())
        if step != entry["step"]:
            return {"unexpected": {"entry": at, "step": step}}
        if "event" not in entry:
            break
        flow.handle(read_event(entry["event"]), entry["now"])
    end = flow.next()
    if isinstance(end, Step.Refused):
        raise end.refusal
    return write_step(end)


# What a script tells the flow.


def hosts(patterns: Optional[List[str]]) -> plannt.Hosts:
    return plannt.Hosts.any() if patterns is None else plannt.Hosts.listed(patterns)


def policy(value: Json) -> plannt.Policy:
    return plannt.Policy(
        network=value["network"],
        max_payment_msat=value["max_payment_msat"],
        allowed_hosts=hosts(value["allowed_hosts"]),
        fit_fee=value["fit_fee"],
        max_fee=plannt.FeeLimit(**value["max_fee"]),
        pay_after_loss=value["pay_after_loss"],
        plain_http_hosts=hosts(value["plain_http_hosts"]),
        wallet_limits_fee=value["wallet_limits_fee"],
        worst_case_fee=plannt.FeeLimit(**value["worst_case_fee"]),
    )


def request(value: Json) -> plannt.RequestFacts:
    body = value["body_sha256"]
    origin = plannt.Origin.parse(value["origin"])
    return plannt.RequestFacts(value["method"], origin, value["target"], None if body is None else bytes.fromhex(body))


def read_event(value: Json) -> Any:
    kind = value["event"]
    simple = {
        "busy": Event.Busy,
        "journal_failed": Event.JournalFailed,
        "send_failed": Event.SendFailed,
        "stored": Event.Stored,
    }
    if kind in simple:
        return simple[kind]()
    if kind == "body":
        return Event.Body(None if value["body"] is None else value["body"].encode())
    if kind == "loaded":
        return Event.Loaded(plannt.Loaded(found(value["found"]), value["budget_left_msat"]))
    if kind == "looked_up":
        return Event.LookedUp(look_up(value))
    if kind == "payment":
        return Event.Payment(payment(value))
    if kind == "reserved":
        return Event.Reserved(reservation(value))
    assert kind == "responded"

    def named(name: str) -> List[bytes]:
        # As the runner has it: the text's own bytes.
        return [text.encode() for header, text in value["headers"] if header.lower() == name]

    spent = named("x-l402")
    facts = plannt.ResponseFacts(value["status"], tuple(named("www-authenticate")), spent[0] if spent else None, value["redirected"])
    return Event.Responded(facts)


def found(value: Json) -> Any:
    kind = value["found"]
    if kind == "nothing":
        return Found.Nothing()
    if kind == "unresolved":
        return Found.Unresolved(intent(value["intent"]))
    stored = credential(value["credential"])
    return Found.Delivered(stored) if kind == "delivered" else Found.Undelivered(stored)


def look_up(value: Json) -> Any:
    kind = value["result"]
    if kind == "failed":
        return LookUp.Failed(value["failure"])
    if kind == "paid":
        return LookUp.Paid(plannt.Preimage(value["preimage"]), value["fee_msat"])
    return {"in_flight": LookUp.InFlight, "not_found": LookUp.NotFound, "unknown": LookUp.Unknown}[kind]()


def payment(value: Json) -> Any:
    kind = value["result"]
    if kind == "failed":
        return PaymentResult.Failed(value["failure"])
    if kind == "paid":
        return PaymentResult.Paid(plannt.Preimage(value["preimage"]), value["fee_msat"])
    return PaymentResult.Unknown()


def reservation(value: Json) -> Any:
    kind = value["reservation"]
    if kind == "over_budget":
        return Reservation.OverBudget(value["left_msat"])
    return {"granted": Reservation.Granted, "hash_known": Reservation.HashKnown, "key_busy": Reservation.KeyBusy}[kind]()


def payee(value: Json) -> Optional[bytes]:
    return None if value["payee"] is None else bytes.fromhex(value["payee"])


def msat(value: Optional[int]) -> Optional[plannt.Msat]:
    return None if value is None else plannt.Msat(value)


def credential(value: Json) -> plannt.StoredCredential:
    return plannt.StoredCredential(value["scheme"], value["token"], plannt.Preimage(value["preimage"]), receipt(value["receipt"]))


def receipt(value: Json) -> plannt.Receipt:
    return plannt.Receipt(
        payment_hash=plannt.PaymentHash(value["payment_hash"]),
        network=value["network"],
        payee=payee(value),
        amount_msat=plannt.Msat(value["amount_msat"]),
        fee_msat=msat(value["fee_msat"]),
        charged_msat=plannt.Msat(value["charged_msat"]),
        method=value["method"],
        origin=plannt.Origin.parse(value["origin"]),
        target=value["target"],
        wallet=value["wallet"],
        created_at=value["created_at"],
        settled_at=value["settled_at"],
        state=value["state"],
        credential=value["credential"],
        failure=value["failure"],
    )


def intent(value: Json) -> plannt.Intent:
    key = value["request"]
    return plannt.Intent(
        payment_hash=plannt.PaymentHash(value["payment_hash"]),
        request=plannt.RequestKey(
            key["method"],
            plannt.Origin.parse(key["origin"]),
            key["target"],
            bytes.fromhex(key["body_sha256"]),
            key["wallet"],
        ),
        scheme=value["scheme"],
        token=value["token"],
        invoice=value["invoice"],
        network=value["network"],
        payee=payee(value),
        amount_msat=plannt.Msat(value["amount_msat"]),
        max_fee_msat=plannt.Msat(value["max_fee_msat"]),
        invoice_expires_at=value["invoice_expires_at"],
        created_at=value["created_at"],
    )


# A step of the flow as the scripts write it.


def write_step(step: Any) -> Json:
    if isinstance(step, Step.Commit):
        return {
            "step": "commit",
            "payment_hash": str(step.payment_hash),
            "preimage": step.preimage.expose_hex(),
            "fee_msat": step.fee_msat,
        }
    if isinstance(step, Step.Done):
        return {"step": "done", "outcome": write_outcome(step.outcome)}
    if isinstance(step, Step.Hold):
        return {"step": "hold", "payment_hash": str(step.payment_hash), "state": step.state}
    if isinstance(step, Step.JournalIntent):
        return {"step": "journal_intent", "intent": write_intent(step.intent)}
    if isinstance(step, Step.LoadCredential):
        return {"step": "load_credential", "keyed": step.key is not None, "exclusive": step.exclusive}
    if isinstance(step, Step.LookUpPayment):
        return {"step": "look_up_payment", "payment_hash": str(step.payment_hash)}
    if isinstance(step, Step.Pay):
        return {
            "step": "pay",
            "payment_hash": str(step.intent.payment_hash),
            "invoice": step.intent.invoice,
            "amount_msat": step.intent.amount_msat,
            "max_fee_msat": step.intent.max_fee_msat,
        }
    if isinstance(step, Step.Quoted):
        return {"step": "quoted", "quote": write_quote(step.quote)}
    if isinstance(step, Step.ReadBody):
        return {"step": "read_body"}
    if isinstance(step, Step.Refused):
        return write_refused(step.refusal)
    if isinstance(step, Step.Release):
        return {"step": "release", "payment_hash": str(step.payment_hash), "failure": step.failure}
    if isinstance(step, Step.SendRequest):
        return {"step": "send_request", "authorization": step.authorization}
    if isinstance(step, Step.StoreCredential):
        return {"step": "store_credential", "payment_hash": str(step.payment_hash), "state": step.state}
    assert isinstance(step, Step.Unanswered), step
    return {"step": "unanswered", "outcome": write_outcome(step.outcome)}


def write_refused(refusal: Any) -> Json:
    written = {"step": "refused", "code": refusal.code}
    if isinstance(refusal, plannt.PaymentLostError):
        assert refusal.receipt is not None
        written["receipt"] = write_receipt(refusal.receipt)
    elif hasattr(refusal, "payment_hash"):
        written["payment_hash"] = str(refusal.payment_hash)
    return written


def write_outcome(outcome: plannt.Outcome) -> Json:
    return {
        "credential": outcome.credential,
        "receipt": None if outcome.receipt is None else write_receipt(outcome.receipt),
        "journal_failed": outcome.journal_failed,
    }


def write_key(key: plannt.RequestKey) -> Json:
    return {
        "method": key.method,
        "origin": str(key.origin),
        "target": key.target,
        "body_sha256": key.body_sha256.hex(),
        "wallet": key.wallet,
    }


def write_intent(intent: plannt.Intent) -> Json:
    return {
        "payment_hash": str(intent.payment_hash),
        "request": write_key(intent.request),
        "scheme": intent.scheme,
        "token": intent.token,
        "invoice": intent.invoice,
        "network": intent.network,
        "payee": None if intent.payee is None else intent.payee.hex(),
        "amount_msat": intent.amount_msat,
        "max_fee_msat": intent.max_fee_msat,
        "invoice_expires_at": intent.invoice_expires_at,
        "created_at": intent.created_at,
    }


def write_receipt(receipt: plannt.Receipt) -> Json:
    return {
        "payment_hash": str(receipt.payment_hash),
        "network": receipt.network,
        "payee": receipt.payee_hex,
        "amount_msat": receipt.amount_msat,
        "fee_msat": receipt.fee_msat,
        "charged_msat": receipt.charged_msat,
        "method": receipt.method,
        "origin": str(receipt.origin),
        "target": receipt.target,
        "wallet": receipt.wallet,
        "created_at": receipt.created_at,
        "settled_at": receipt.settled_at,
        "state": receipt.state,
        "credential": receipt.credential,
        "failure": receipt.failure,
    }


def write_quote(quote: plannt.Quote) -> Json:
    return {
        "payment_hash": str(quote.payment_hash),
        "network": quote.network,
        "payee": quote.payee_hex,
        "description": quote.description,
        "amount_msat": quote.amount_msat,
        "max_fee_msat": quote.max_fee_msat,
        "origin": str(quote.origin),
        "invoice_expires_at": quote.invoice_expires_at,
        "valid_until": quote.valid_until,
        "budget_left_msat": quote.budget_left_msat,
        "pending": None if quote.pending is None else write_pending(quote.pending),
        "refusal": quote.refusal,
    }


def write_pending(pending: Any) -> Json:
    if isinstance(pending, Pending.Unresolved):
        return {"found": "unresolved", "payment_hash": str(pending.payment_hash)}
    kind = "delivered" if isinstance(pending, Pending.Delivered) else "undelivered"
    return {"found": kind, "receipt": write_receipt(pending.receipt)}
