"""`client_flow`: the decisions of one call, for a script of what a server, a journal and a wallet answer (§5)."""

import common
import flow_cases_load
import flow_cases_origin
import flow_cases_pay
import flow_cases_refuse
from common import Suite
from flow_script import play

STEP = "docs/PROTOCOL.md §5 step %s"
FLAGS = {
    "Ambiguous": ("A challenge that says two things at once is refused.", STEP % 2),
    "Budget": (
        "Amount plus maximum fee has to fit what is left, when it is checked and when it is reserved.",
        STEP % 3,
    ),
    "Busy": ("One call at a time for a request's key.", STEP % 6),
    "ChallengeForm": ("The first complete challenge counts, header before body.", STEP % 2),
    "Connect": ("A 402 to CONNECT is a proxy's, not ours.", STEP % 1),
    "Delivered": ("Delivered once an answer was 2xx or 3xx; tried first, and dropped with a 402.", STEP % 6),
    "DryRun": ("A dry run pays, presents and writes nothing.", STEP % 3),
    "FeeLimit": (
        "Every limit counts amount plus the maximum fee, or the worst case of a wallet without limits.",
        STEP % 3,
    ),
    "JournalFails": (
        "What can't be written down is not paid, and money that moved is never paid again.",
        STEP % 4,
    ),
    "OncePaid": ("A payment hash is paid at most once, and a call pays at most once.", STEP % 4),
    "Origin": ("An origin is read in several spellings, and written in one.", STEP % 4),
    "PaymentLost": (
        "A 402 to a paid credential is a loss that is told, and never a reason to pay by itself.",
        STEP % 6,
    ),
    "Proof": ("Only a preimage that hashes to the payment hash is a proof.", STEP % 5),
    "Redirect": ("A challenge after a redirect is not paid, and the credential never follows one.", STEP % 5),
    "Refused": ("Refused before paying, with its own code.", STEP % 3),
    "Resolve": (
        "An unresolved payment is resolved by asking the wallet, before any new challenge.",
        STEP % 4,
    ),
    "Spent": ("A credential that the server calls spent is not kept.", STEP % 6),
    "Undelivered": (
        "A paid credential that brought no answer is tried first by the next call with the same key.",
        STEP % 6,
    ),
    "UnexpectedEvent": ("A driver's mistake changes nothing.", "conformance/README.md, client_flow"),
    "Untouched": ("Anything but a 402 with a complete challenge is handed back untouched.", STEP % 1),
}


class Cases:
    """Groups whose every answer the model gives; each case says how it expects to end."""

    def __init__(self, suite):
        self.suite = suite
        self.group = None

    def begin(self, *arguments):
        self.group = self.suite.group(*arguments)

    def ends(self, comment, last, events, flags, **changes):
        """A call that ends in the step `last`, and is not refused."""
        input, step, unexpected = play(events, **changes)
        assert not unexpected and step["step"] == last, (comment, step)
        self.group.valid(comment, input, step, flags)
        return step

    def refused(self, comment, code, events, flags, **changes):
        input, step, unexpected = play(events, **changes)
        assert not unexpected and step.get("code") == code, (comment, step)
        self.group.invalid(comment, input, code, flags)

    def unexpected(self, comment, events, **changes):
        """A call whose last event does not answer its step."""
        input, _, unexpected = play(events, **changes)
        assert unexpected, comment
        self.group.invalid(comment, input, "unexpected_event", ["UnexpectedEvent"])


def build():
    suite = Suite("client_flow", "1.1.0")
    for name, (description, rule) in FLAGS.items():
        suite.flag(name, description, rule)
    cases = Cases(suite)
    flow_cases_load.add(cases)
    flow_cases_pay.add(cases)
    flow_cases_refuse.add(cases)
    flow_cases_origin.add(cases)
    return suite


if __name__ == "__main__":
    common.main(build)
