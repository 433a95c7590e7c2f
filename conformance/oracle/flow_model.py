"""A model of one call of the paying client, written from docs/PROTOCOL.md §5.

`Call.run` is the call told as a story: it yields a step, is sent what came of it, and returns its last step. What the
page leaves open (which step does what) follows the descriptions of the steps in conformance/README.md.
"""

import bolt11
import flow_origin
from challenge_reader import ChallengeFault, from_body, from_headers, read_token
from flow_checks import Refused, check, max_fee, require_amount


class UnexpectedEvent(Exception):
    """What was reported does not answer the step."""


def sha256_of(preimage):
    return bolt11.hashlib.sha256(bytes.fromhex(preimage)).hexdigest()


class Call:
    """One call. A credential that it carries is `(how, credential)`, how being bought, kept or recovered."""

    def __init__(self, policy, request, wallet, dry_run=False):
        self.policy, self.wallet, self.dry_run = policy, wallet, dry_run
        self.request = {**request, "origin": flow_origin.write(flow_origin.read(request["origin"]))}
        self.now = None
        self.budget_left = None
        self.exclusive = False
        self.paid = False
        # The payment hashes of the credentials that this call sent: none is sent twice.
        self.presented = set()

    # --- what a driver is asked

    def ask(self, step, *answers):
        """Yields a step until one of the events that answer it comes."""
        event, self.now = yield step
        if event["event"] not in answers:
            raise UnexpectedEvent(event["event"])
        return event

    def journal(self, step, *answers):
        """A step of the journal's, which can fail: a call that can't write down what it does stops."""
        event = yield from self.ask(step, "journal_failed", *answers)
        if event["event"] == "journal_failed":
            raise Refused("journal")
        return event

    def load(self, exclusive):
        step = {"step": "load_credential", "keyed": self.key() is not None, "exclusive": exclusive}
        # Only who waits for the key can find it busy.
        answers = ("loaded", "busy") if exclusive else ("loaded",)
        event = yield from self.journal(step, *answers)
        if event["event"] == "busy":
            raise Refused("busy")
        self.exclusive = exclusive
        self.budget_left = event["budget_left_msat"]
        return event["found"]

    def key(self):
        if self.request["body_sha256"] is None:
            return None
        return {**self.request, "wallet": self.wallet}

    def send(self, carried):
        authorization = None
        if carried:
            credential = carried[1]
            authorization = "%s %s:%s" % (credential["scheme"], credential["token"], credential["preimage"])
        step = {"step": "send_request", "authorization": authorization}
        return (yield from self.ask(step, "responded", "send_failed"))

    def store(self, carried, state, may_pay=False):
        """Journals a credential's new state, and gives whether it could; the receipt shows the state either way.

        Where the call may yet pay, a journal that fails ends it."""
        receipt = carried[1]["receipt"]
        step = {"step": "store_credential", "payment_hash": receipt["payment_hash"], "state": state}
        event = yield from self.ask(step, "stored", "journal_failed")
        receipt["credential"] = state
        if may_pay and event["event"] == "journal_failed":
            raise Refused("journal")
        return event["event"] == "stored"

    # --- the story

    def run(self):
        try:
            return (yield from self.quote() if self.dry_run else self.call())
        except Refused as refused:
            return refused.step
        except ChallengeFault as fault:
            return Refused(fault.code).step
        except bolt11.InvoiceFault as fault:
            return Refused(fault.code).step

    def quote(self):
        """A dry run: it asks once, without a credential, and pays nothing."""
        found = yield from self.load(False)
        response = yield from self.send(None)
        if response["event"] == "send_failed":
            return self.end("unanswered", None)
        offer = yield from self.read_challenge(response)
        if offer is None:
            return self.end("done", None)
        facts = bolt11.read(offer["invoice"])
        require_amount(facts)
        token = read_token(offer["token"])
        pending = None
        if found["found"] == "unresolved":
            pending = {"found": "unresolved", "payment_hash": found["intent"]["payment_hash"]}
        elif found["found"] != "nothing":
            pending = {"found": found["found"], "receipt": found["credential"]["receipt"]}
        quote = {
            name: facts[name] for name in ("payment_hash", "network", "payee", "description", "amount_msat")
        }
        quote.update(
            max_fee_msat=max_fee(self.policy, facts["amount_msat"]),
            origin=self.request["origin"],
            invoice_expires_at=facts["expires_at"],
            valid_until=token[1] if token else None,
            budget_left_msat=self.budget_left,
            pending=pending,
            refusal=None,
        )
        try:
            self.check(offer, facts, response)
        except Refused as refused:
            quote["refusal"] = refused.step["code"]
        return {"step": "quoted", "quote": quote}

    def call(self):
        """What earlier calls left comes first; then the request is sent, and paid for where that is asked."""
        offer = None
        found = yield from self.load(False)
        while True:
            kind = found["found"]
            if kind in ("unresolved", "undelivered") and not self.exclusive:
                # One call at a time: it is looked at again with the request's key held.
                found = yield from self.load(True)
                continue
            if kind == "unresolved":
                carried = yield from self.resolve(found["intent"])
                if carried is None:
                    # It made room for a new payment, but a challenge that was taken before does not count.
                    offer, found = None, (yield from self.load(True))
                    continue
            elif kind != "nothing" and self.is_new(found["credential"]):
                carried = ("recovered" if kind == "undelivered" else "kept", found["credential"])
            elif offer:
                carried = yield from self.pay(offer)
            else:
                carried = None
            end, offer = yield from self.exchange(carried)
            if end:
                return end
            found = yield from self.load(True)

    def is_new(self, credential):
        return credential["receipt"]["payment_hash"] not in self.presented

    def exchange(self, carried):
        """Sends the request, again without a credential where a useless one was answered with no challenge.

        Gives the call's end, or a challenge that may be paid."""
        while True:
            if carried:
                self.presented.add(carried[1]["receipt"]["payment_hash"])
            response = yield from self.send(carried)
            if response["event"] == "send_failed":
                return self.end("unanswered", carried), None
            if carried and response["redirected"]:
                return (yield from self.redirected(carried, response)), None
            if response["status"] != 402 or self.request["method"] == "CONNECT":
                return (yield from self.judge(carried, response)), None
            stored = True
            if carried:
                offer, stored = yield from self.useless(carried, response)
            else:
                offer = yield from self.read_challenge(response)
            if offer:
                facts = self.consider(offer, response)
                return None, (offer, facts, response)
            if carried is None or self.request["body_sha256"] is None:
                return self.end("done", carried, not stored), None
            carried = None

    def redirected(self, carried, response):
        """The credential never follows a redirect: a 3xx answered it, and this answer is another request's."""
        fault = offer = None
        stored = True
        try:
            offer = yield from self.read_challenge(response)
        except ChallengeFault as found:
            fault = found
        if carried[0] != "kept":
            stored = yield from self.store(carried, "delivered")
        if fault:
            raise fault
        if offer:
            raise Refused("challenge_after_redirect")
        return self.end("done", carried, not stored)

    def useless(self, carried, response):
        """§5.6: a 402 to a credential. A kept one is dropped and the call goes on; a paid one is lost."""
        how, credential = carried
        if how == "bought" or how == "recovered" and not self.policy["pay_after_loss"]:
            yield from self.store(carried, "lost")
            raise Refused("payment_lost", receipt=credential["receipt"])
        fault = offer = None
        try:
            offer = yield from self.read_challenge(response)
        except ChallengeFault as found:
            fault = found
        goes_on = fault is None and (offer or self.request["body_sha256"] is not None)
        stored = yield from self.store(carried, "dropped" if how == "kept" else "lost", may_pay=goes_on)
        if fault:
            raise fault
        return offer, stored

    def judge(self, carried, response):
        """§5.6: what an answer other than a 402 makes of the credential."""
        if carried and says_spent(response):
            state = "spent"
        elif carried and carried[0] != "kept" and 200 <= response["status"] < 400:
            state = "delivered"
        else:
            return self.end("done", carried)
        stored = yield from self.store(carried, state)
        return self.end("done", carried, not stored)

    def read_challenge(self, response):
        if response["status"] != 402 or self.request["method"] == "CONNECT":
            return None
        offer = from_headers(response["headers"])
        if offer is None:
            event = yield from self.ask({"step": "read_body"}, "body")
            offer = from_body(event["body"]) if event["body"] is not None else None
        return offer

    def consider(self, offer, response):
        facts = bolt11.read(offer["invoice"])
        require_amount(facts)
        self.check(offer, facts, response)
        return facts

    def pay(self, considered):
        """The key is held, and nothing is left of earlier calls: waiting took time, so it is checked once more."""
        offer, facts, response = considered
        self.check(offer, facts, response)
        intent = {
            "payment_hash": facts["payment_hash"],
            "request": self.key(),
            "scheme": offer["scheme"],
            "token": offer["token"],
            "invoice": offer["invoice"],
            "network": facts["network"],
            "payee": facts["payee"],
            "amount_msat": facts["amount_msat"],
            "max_fee_msat": max_fee(self.policy, facts["amount_msat"]),
            "invoice_expires_at": facts["expires_at"],
            "created_at": self.now,
        }
        event = yield from self.journal({"step": "journal_intent", "intent": intent}, "reserved")
        if event["reservation"] == "hash_known":
            raise Refused("payment_hash_known", payment_hash=intent["payment_hash"])
        if event["reservation"] == "key_busy":
            raise Refused("busy")
        if event["reservation"] == "over_budget":
            raise Refused("budget_exceeded")
        assert not self.paid, "one call pays at most once"
        self.paid = True
        wanted = ("payment_hash", "invoice", "amount_msat", "max_fee_msat")
        event = yield from self.ask({"step": "pay", **{name: intent[name] for name in wanted}}, "payment")
        if event["result"] == "unknown":
            # It is unresolved now, and is resolved as any other: by asking the wallet.
            yield from self.hold(intent, "unknown")
            carried = yield from self.resolve(intent, "bought")
        else:
            carried = yield from self.settle(intent, event, "bought")
        if carried is None:
            raise Refused("payment_failed")
        return carried

    def resolve(self, intent, how="recovered"):
        """§5.4: the wallet is asked what became of an earlier payment. None where it certainly failed."""
        step = {"step": "look_up_payment", "payment_hash": intent["payment_hash"]}
        event = yield from self.ask(step, "looked_up")
        if event["result"] == "not_found":
            expired = self.now >= intent["invoice_expires_at"]
            event = {"result": "failed", "failure": "not_sent"} if expired else {"result": "unknown"}
        return (yield from self.settle(intent, event, how))

    def settle(self, intent, event, how):
        """Journals how a payment ended: a credential where it is proven, None where it failed."""
        payment_hash = intent["payment_hash"]
        if event["result"] == "failed":
            step = {"step": "release", "payment_hash": payment_hash, "failure": event["failure"]}
            yield from self.journal(step, "stored")
            return None
        proven = event["result"] == "paid" and sha256_of(event["preimage"]) == payment_hash
        if not proven:
            state = "in_flight" if event["result"] == "in_flight" else "unknown"
            yield from self.hold(intent, state)
            code = "preimage_mismatch" if event["result"] == "paid" else "payment_unresolved"
            raise Refused(code, payment_hash=payment_hash)
        step = {
            "step": "commit",
            "payment_hash": payment_hash,
            "preimage": event["preimage"],
            "fee_msat": event["fee_msat"],
        }
        committed = yield from self.ask(step, "stored", "journal_failed")
        if committed["event"] == "journal_failed":
            # Told apart from a journal that fails before: money moved, and the wallet knows.
            raise Refused("journal_after_payment", payment_hash=payment_hash)
        receipt = {
            "payment_hash": payment_hash,
            "network": intent["network"],
            "payee": intent["payee"],
            "amount_msat": intent["amount_msat"],
            "fee_msat": event["fee_msat"],
            "charged_msat": intent["amount_msat"] + event["fee_msat"],
            **{name: intent["request"][name] for name in ("method", "origin", "target", "wallet")},
            "created_at": intent["created_at"],
            # As the journal has it: when it was written down.
            "settled_at": self.now,
            "state": "paid",
            "credential": "undelivered",
            "failure": None,
        }
        credential = {
            "scheme": intent["scheme"],
            "token": intent["token"],
            "preimage": event["preimage"],
            "receipt": receipt,
        }
        return how, credential

    def hold(self, intent, state):
        """It is unresolved in the journal already, and keeps its reservation, so a journal that fails changes nothing."""
        step = {"step": "hold", "payment_hash": intent["payment_hash"], "state": state}
        yield from self.ask(step, "stored", "journal_failed")

    def check(self, offer, facts, response):
        check(self.policy, self.request, offer, facts, response["redirected"], self.now, self.budget_left)

    def end(self, step, carried, journal_failed=False):
        how, credential = carried or ("none", None)
        receipt = credential["receipt"] if credential else None
        return {
            "step": step,
            "outcome": {"credential": how, "receipt": receipt, "journal_failed": journal_failed},
        }


def says_spent(response):
    values = [value for name, value in response["headers"] if name.lower() == "x-l402"]
    return any(value.split(";")[0].strip().lower() == "spent" for value in values)
