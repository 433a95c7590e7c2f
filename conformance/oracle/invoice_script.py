"""What the cases of `invoice` are made of: a good invoice, and what is changed about it."""

import bolt11
import secp256k1
from bolt11 import field, to_words, usual_fields, write
from common import seeded, sha256

NOW = 1_764_000_000
HASH = sha256(seeded("invoice/preimage"))
OTHER_KEY = bytes([0x43]) * 32
PAYEE = secp256k1.public_key(bolt11.NODE_KEY)

MALFORMED = "invoice_malformed"
FEATURES = "invoice_unknown_features"
NETWORK = "invoice_unknown_network"
RANGE = "invoice_amount_out_of_range"
SIGNATURE = "invoice_wrong_signature"
SUB_MSAT = "invoice_sub_msat"


def facts(**changes):
    """The facts of `text()` but for what a case changes."""
    usual = {
        "payment_hash": HASH.hex(),
        "amount_msat": 21_000,
        "network": "regtest",
        "issued_at": NOW,
        "expires_at": NOW + 3_600,
        "payee": PAYEE.hex(),
        "description": "one call",
    }
    return {**usual, **changes}


def text(hrp="lnbcrt210n", fields=None, timestamp=NOW, **rest):
    return write(hrp, usual_fields(HASH) if fields is None else fields, timestamp, **rest)


def without(tag):
    return [f for f in usual_fields(HASH) if f[0] != bolt11.TAGS[tag]]


def payee_field(key=PAYEE):
    return field("n", to_words(key))


def changed(good, hrp=None, words=None):
    """A good text with another prefix or other words before the signature, which stays; the checksum is right."""
    old_hrp, old = bolt11.unbech32(good)
    kept = old[-bolt11.SIGNATURE_WORDS :]
    return bolt11.bech32(hrp or old_hrp, (words or old[: -bolt11.SIGNATURE_WORDS]) + kept)


class Cases:
    """Groups whose every expectation the reader of `bolt11` confirms."""

    def __init__(self, suite):
        self.suite = suite
        self.group = None

    def begin(self, *arguments):
        self.group = self.suite.group(*arguments)

    def valid(self, comment, bolt11_text, output, flags=()):
        found = bolt11.read(bolt11_text)
        assert found == output, (comment, found, output)
        self.group.valid(comment, {"bolt11": bolt11_text}, output, flags)

    def invalid(self, comment, bolt11_text, error, flags=()):
        try:
            found = bolt11.read(bolt11_text)
        except bolt11.InvoiceFault as fault:
            assert fault.code == error, (comment, fault.code, error)
        else:
            raise AssertionError((comment, found))
        self.group.invalid(comment, {"bolt11": bolt11_text}, error, flags)

    def either(self, comment, bolt11_text, flags, output=None, error=None):
        self.group.acceptable(comment, {"bolt11": bolt11_text}, output, error, flags)
