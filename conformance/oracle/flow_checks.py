"""The reasons of docs/PROTOCOL.md §5 step 3 not to pay a challenge, each with its own code."""

import flow_origin
from challenge_reader import read_token

LEAST_SECONDS = 30
LONGEST_TOKEN = 16_000
LOOPBACK = ("localhost", "127.0.0.1", "[::1]")


class Refused(Exception):
    """The call ends here, with a code and what belongs to it."""

    def __init__(self, code, **details):
        super().__init__(code)
        self.step = {"step": "refused", "code": code, **details}


def fee_limit(limit, amount):
    """A base and millionths of the amount, rounded up."""
    return limit["base_msat"] - (-amount * limit["parts_per_million"] // 1_000_000)


def listed(patterns, origin):
    """Whether an origin's host is in a list; no list is every host."""
    _, host, port = flow_origin.read(origin)
    for pattern in [] if patterns is None else patterns:
        name, wanted = flow_origin.split_port(pattern.lower())
        fits = host.endswith(name[1:]) and host != name[1:] if name.startswith("*.") else host == name
        if fits and (wanted is None or int(wanted) == port):
            return True
    return patterns is None


def require_amount(facts):
    if facts["amount_msat"] is None:
        raise Refused("invoice_no_amount")


def max_fee(policy, amount):
    if not policy["wallet_limits_fee"]:
        return fee_limit(policy["worst_case_fee"], amount)
    fee = fee_limit(policy["max_fee"], amount)
    if policy["fit_fee"]:
        fee = min(fee, max(policy["max_payment_msat"] - amount, 0))
    return fee


def check(policy, request, offer, facts, redirected, now, budget_left):
    """Refuses before paying, each reason with its own code."""
    if redirected:
        raise Refused("challenge_after_redirect")
    if not listed(policy["allowed_hosts"], request["origin"]):
        raise Refused("host_not_allowed")
    scheme, host, _ = flow_origin.read(request["origin"])
    private = host in LOOPBACK or host.endswith(".onion")
    if scheme == "http" and not private and not listed(policy["plain_http_hosts"], request["origin"]):
        raise Refused("plain_http")
    if request["body_sha256"] is None:
        raise Refused("body_not_replayable")
    if len(offer["token"]) > LONGEST_TOKEN:
        raise Refused("token_unusable")
    if facts["network"] != policy["network"]:
        raise Refused("wrong_network")
    if facts["expires_at"] <= now:
        raise Refused("invoice_expired")
    if facts["expires_at"] - now < LEAST_SECONDS:
        raise Refused("invoice_expiring")
    token = read_token(offer["token"])
    if token:
        payment_hash, valid_until = token
        if payment_hash != facts["payment_hash"]:
            raise Refused("payment_hash_mismatch")
        if valid_until is not None and valid_until <= now:
            raise Refused("token_expired")
    cost = facts["amount_msat"] + max_fee(policy, facts["amount_msat"])
    if cost > policy["max_payment_msat"]:
        raise Refused("above_limit")
    if budget_left is not None and cost > budget_left:
        raise Refused("budget_exceeded")
