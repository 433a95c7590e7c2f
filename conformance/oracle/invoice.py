"""`invoice`: what a BOLT 11 text says, and which texts are refused (docs/PROTOCOL.md §5 step 3)."""

import common
import invoice_amounts
import invoice_fields
from common import Suite
from invoice_script import Cases

BOLT = "BOLT 11"
STEP3 = "docs/PROTOCOL.md §5 step 3"


def build():
    suite = Suite("invoice")
    declare = suite.flag
    flags = {
        "amount": declare(
            "AmountNotANumber",
            "An amount is digits and at most one of the multipliers m, u, n, p.",
            BOLT,
        ),
        "amountless": declare(
            "Amountless",
            "An invoice without an amount is read; what must not happen is that it is paid.",
            STEP3,
        ),
        "announced": declare(
            "SecretNotAnnounced",
            "A payment secret without its feature bit: editions of BOLT 11 differ.",
            BOLT,
        ),
        "canonical": declare(
            "NotCanonical",
            "Spelled as no writer should. A reader should refuse it, and never check the signature of another spelling.",
            BOLT,
        ),
        "case": declare("MixedCase", "bech32 is all lower or all upper case.", "BIP 173"),
        "checksum": declare(
            "WrongChecksum", "The checksum must be bech32's, over prefix and data.", "BIP 173"
        ),
        "cut": declare(
            "FieldCut",
            "A field must not reach beyond the data.",
            BOLT,
        ),
        "doubled": declare(
            "Doubled",
            "A writer writes one; which of two counts is not said, so refusing is safest.",
            BOLT,
        ),
        "exact": declare("NotExactlyOneInvoice", "Nothing before, in or after the text.", "BIP 173"),
        "expiry": declare(
            "Expiry",
            "The `x` field's seconds, or 3600, after the timestamp.",
            BOLT,
        ),
        "features": declare(
            "UnknownFeature",
            "An unknown feature bit that is even is required: the invoice can't be paid.",
            BOLT,
        ),
        "high_s": declare(
            "HighS",
            "Fine where the key is recovered; refused where the payee is named.",
            BOLT,
        ),
        "length": declare(
            "WrongFieldLength",
            "A `p`, `s`, `h` or `n` of another length: older editions of BOLT 11 skip it, newer ones refuse.",
            BOLT,
        ),
        "named": declare(
            "NamedPayee",
            "Where `n` names the payee, the signature must be that key's.",
            BOLT,
        ),
        "network": declare(
            "UnknownNetwork",
            "A prefix that is not understood is refused.",
            BOLT,
        ),
        "range": declare(
            "AmountOutOfRange",
            "An amount that does not fit is refused, and never wraps to a small one.",
            STEP3,
        ),
        "recover": declare(
            "NotRecoverable",
            "A signature from which no key can be recovered is wrong.",
            BOLT,
        ),
        "recovered": declare(
            "RecoveredKey",
            "Without `n`, whichever key the signature gives is the payee: only that payee can be paid.",
            BOLT,
        ),
        "required": declare(
            "RequiredField",
            "One payment hash, one payment secret, and one description or hash of one.",
            BOLT,
        ),
        "short": declare(
            "TooShort",
            "A timestamp and a signature at the least.",
            BOLT,
        ),
        "skipped": declare(
            "Skipped",
            "Unknown fields, unknown versions and odd feature bits are skipped.",
            BOLT,
        ),
        "sub_msat": declare(
            "SubMsat",
            "A part of a msat can't be paid.",
            STEP3,
        ),
        "whole": declare(
            "WholeBitcoin",
            "A number without a multiplier is bitcoin: never no amount, never satoshis.",
            BOLT,
        ),
        "wrap": declare(
            "ExpiryOverflow",
            "Seconds beyond 64 bits are refused or mean the latest time, and never wrap.",
            STEP3,
        ),
        "zero": declare(
            "ZeroAmount",
            "No writer writes 0; where it is read, it is no amount.",
            STEP3,
        ),
    }
    cases = Cases(suite)
    for part in (
        invoice_amounts.published,
        invoice_amounts.prefixes,
        invoice_amounts.amounts,
        invoice_amounts.expiries,
        invoice_fields.fields,
        invoice_fields.signatures,
        invoice_fields.spelling,
    ):
        part(cases, flags)
    return suite


if __name__ == "__main__":
    common.main(build)
