"""`invoice`: what a BOLT 11 text says, and which texts are refused (docs/PROTOCOL.md §5 step 3)."""

import bolt11
import bolt11_examples
import common
import secp256k1
from bolt11 import features, field, number_words, signing_digest, to_words, usual_fields, write
from common import Suite, seeded, sha256

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

BOLT = "BOLT 11"
STEP3 = "docs/PROTOCOL.md §5 step 3"


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


def published(cases, flags):
    examples = bolt11_examples
    cases.begin("bolt 11, valid", "The examples that BOLT 11 publishes.", 1, examples.SOURCE)
    for comment, amount, expiry, description, example in examples.VALID:
        output = facts(
            payment_hash=examples.PAYMENT_HASH,
            amount_msat=amount,
            network="testnet" if example.startswith("lntb") else "bitcoin",
            issued_at=examples.ISSUED_AT,
            expires_at=examples.ISSUED_AT + expiry,
            payee=examples.PAYEE,
            description=description,
        )
        if "pico" in comment:
            output.update(
                payment_hash="462264ede7e14047e9b249da94fefc47f41f7d02ee9b091815a5506bc8abf75f",
                issued_at=1572468703,
                expires_at=1572468703 + expiry,
            )
        if "wrong length" in comment:
            cases.either(comment, example, [flags["length"]], output)
        elif "high s" in comment:
            # Its recovery id is the one of the low s, so that another key comes out.
            output["payee"] = bolt11.read(example)["payee"]
            cases.valid(comment, example, output, [flags["high_s"], flags["recovered"]])
        else:
            cases.valid(comment, example, output)
            if comment == "with features 8, 14 and 99":
                cases.valid(comment + ", in upper case", example.upper(), output)
    cases.begin("bolt 11, invalid", "The examples that BOLT 11 publishes as invalid.", 51, examples.SOURCE)
    for comment, error, example in examples.INVALID:
        cases.invalid(comment, example, error)
    older = "Examples of older editions, which had no payment secret."
    cases.begin("bolt 11, older", older, 81, examples.OLDER_SOURCE)
    for number, example in enumerate(examples.WITHOUT_SECRET, 1):
        cases.invalid("without a payment secret, number %d" % number, example, MALFORMED, [flags["required"]])


def prefixes(cases, flags):
    cases.begin("networks", "The prefix names the network, and the signature covers it.", 101)
    for currency, network in sorted(bolt11.NETWORKS.items()):
        cases.valid(network, text("ln%s210n" % currency), facts(network=network))
    for currency, comment in [
        ("ltc", "another chain"),
        ("bcr", "regtest cut short"),
        ("bcrtt", "a letter too many"),
        ("tbx", "testnet and a letter"),
    ]:
        cases.invalid(comment, text("ln%s210n" % currency), NETWORK, [flags["network"]])
    cases.invalid("no currency", text("ln210n"), NETWORK, [flags["network"]])
    cases.invalid("not lightning", text("bcrt210n"), MALFORMED, [flags["network"]])
    cases.invalid("a bolt 12 offer's prefix", text("lno"), NETWORK, [flags["network"]])


def amounts(cases, flags):
    cases.begin("amounts", "A number and a multiplier, in all 64 bits of msat or none.", 151)
    for prefix, msat, comment in [
        ("10p", 1, "a msat, in pico-bitcoin"),
        ("210000p", 21_000, "pico-bitcoin that a larger unit would spell shorter"),
        ("1n", 100, "a nano-bitcoin"),
        ("9999999n", 999_999_900, "many nano-bitcoin"),
        ("1u", 100_000, "a micro-bitcoin"),
        ("1m", 100_000_000, "a milli-bitcoin"),
        ("1500m", 150_000_000_000, "more than a bitcoin in milli-bitcoin"),
        ("1", 100_000_000_000, "a whole bitcoin: no multiplier is no lack of an amount"),
        ("21000", 2_100_000_000_000_000, "whole bitcoins"),
        ("11", 1_100_000_000_000, "digits that hold bech32's separator"),
    ]:
        whole = [flags["whole"]] if prefix.isdigit() else []
        cases.valid(comment, text("lnbcrt" + prefix), facts(amount_msat=msat), whole)
    cases.valid("none", text("lnbcrt"), facts(amount_msat=None), [flags["amountless"]])
    cases.either("zero nano-bitcoin", text("lnbcrt0n"), [flags["zero"]], facts(amount_msat=None))
    cases.either("zero bitcoin", text("lnbcrt0"), [flags["zero"]], facts(amount_msat=None))
    cases.either("zero pico-bitcoin", text("lnbcrt0p"), [flags["zero"]], facts(amount_msat=None))
    leading = "a leading zero, which no writer writes"
    cases.either(leading, text("lnbcrt0210n"), [flags["canonical"]], facts(), SIGNATURE)
    supply = "more bitcoin than there can be"
    amount = 1_844_674_400_000_000_000
    cases.either(supply, text("lnbcrt18446744"), [flags["range"]], facts(amount_msat=amount), RANGE)

    cases.begin("amounts refused", "Parts of a msat, what overflows, and what is no amount.", 201)
    for prefix, comment in [
        ("1p", "a tenth of a msat"),
        ("9p", "nine tenths of a msat"),
        ("11p", "a msat and a tenth"),
        ("210001p", "a tenth above a round amount"),
        ("2500000000009p", "nine tenths beyond many msat"),
    ]:
        cases.invalid(comment, text("lnbcrt" + prefix), SUB_MSAT, [flags["sub_msat"]])
    for prefix, comment in [
        ("184467440738", "2^64 msat and more, in bitcoin"),
        ("18446744073709551615", "2^64 - 1 bitcoin"),
        ("18446744073709551615m", "2^64 - 1 milli-bitcoin"),
        ("18446744073709551616n", "2^64 nano-bitcoin"),
        ("184467440737095516160p", "2^64 msat, in pico-bitcoin"),
        ("9" * 40, "forty digits"),
        ("9" * 40 + "u", "forty digits of micro-bitcoin"),
    ]:
        cases.invalid(comment, text("lnbcrt" + prefix), RANGE, [flags["range"]])
    for prefix, comment in [
        ("210k", "an unknown multiplier"),
        ("210mu", "two multipliers"),
        ("2.1u", "a fraction"),
        ("2e3n", "an exponent"),
        ("0x10n", "hex"),
    ]:
        cases.invalid(comment, text("lnbcrt" + prefix), MALFORMED, [flags["amount"]])
    for prefix, comment in [("-210n", "a negative amount"), ("+210n", "a sign"), (" 210n", "a space")]:
        # What comes before the first digit names the network.
        error = MALFORMED if " " in prefix else NETWORK
        cases.invalid(comment, text("lnbcrt" + prefix), error, [flags["amount"]])


def expiries(cases, flags):
    cases.begin("expiry", "Seconds after the timestamp; an hour where the invoice says nothing.", 251)

    def expiring(words):
        return text(fields=usual_fields(HASH, expiry=None) + [field("x", words)])

    cases.valid("the default", text(fields=usual_fields(HASH, expiry=None)), facts(), [flags["expiry"]])
    for seconds, comment in [(60, "a minute"), (604_800, "a week"), (2**32, "beyond 32 bits"), (1, "a second")]:
        cases.valid(
            comment, expiring(number_words(seconds)), facts(expires_at=NOW + seconds), [flags["expiry"]],
        )
    cases.either(
        "0 seconds: expired at once", expiring([0]), [flags["expiry"]], facts(expires_at=NOW), SIGNATURE,
    )
    cases.either("no words at all", expiring([]), [flags["canonical"]])
    longest = expiring(number_words(bolt11.U64_MAX))
    cases.either(
        "2^64 - 1 seconds: it must not wrap", longest, [flags["wrap"]], facts(expires_at=bolt11.U64_MAX),
    )
    cases.either(
        "2^65 - 1 seconds: it must not wrap", expiring([31] * 13), [flags["wrap"]],
        facts(expires_at=bolt11.U64_MAX), MALFORMED,
    )
    cases.either(
        "leading zeros", expiring([0, 0] + number_words(3_600)), [flags["canonical"]], facts(), SIGNATURE,
    )
    cases.valid("made in 1970", text(timestamp=0), facts(issued_at=0, expires_at=3_600))
    latest = 2**35 - 1
    cases.valid(
        "made at the end of time", text(timestamp=latest), facts(issued_at=latest, expires_at=latest + 3_600),
    )


def fields(cases, flags):
    usual = usual_fields(HASH)
    cases.begin("fields", "What a reader takes, and what it skips.", 301)
    order = list(reversed(usual))
    cases.valid("in another order", text(fields=order), facts())
    hashed = without("d") + [field("h", to_words(sha256(b"a long text")))]
    cases.valid("a description's hash", text(fields=hashed), facts(description=None))
    cases.valid("an empty description", text(fields=usual_fields(HASH, "")), facts(description=""))
    long = "x" * 639
    cases.valid("the longest description", text(fields=usual_fields(HASH, long)), facts(description=long))
    hint = PAYEE + bytes(8) + bytes(8) + bytes(2)
    skipped = flags["skipped"]
    for extra, comment in [
        (field(2, [1, 2, 3]), "an unknown field"),
        (field(30, []), "an unknown field that is empty"),
        (field("f", [19] + [0] * 32), "a fallback address of an unknown version"),
    ]:
        cases.valid(comment, text(fields=usual + [extra]), facts(), [skipped])
    cases.valid("a routing hint", text(fields=usual + [field("r", to_words(hint))]), facts())
    cases.valid("a final CLTV delta", text(fields=usual + [field("c", number_words(144))]), facts())
    odd = without("9") + [features(8, 14, 101)]
    cases.valid("an unknown feature that is odd", text(fields=odd), facts(), [skipped])
    optional = without("9") + [features(9, 15, 17)]
    cases.valid("features that are optional", text(fields=optional), facts())
    metadata = without("9") + [features(8, 14, 48), field("m", to_words(b"\1\2"))]
    cases.valid("payment metadata", text(fields=metadata), facts())

    cases.begin("fields refused", "Required fields that are missing or doubled, and fields that break off.", 351)
    required, length = flags["required"], flags["length"]
    cases.invalid("no payment hash", text(fields=without("p")), MALFORMED, [required])
    cases.invalid("no payment secret", text(fields=without("s")), MALFORMED, [required])
    cases.invalid("neither description nor hash of one", text(fields=without("d")), MALFORMED, [required])
    cases.invalid("no fields", text(fields=[]), MALFORMED, [required])
    both = usual + [field("h", to_words(sha256(b"one call")))]
    cases.invalid("a description and a hash of one", text(fields=both), MALFORMED, [required])
    twice = usual + [field("d", to_words(b"another"))]
    cases.invalid("two descriptions", text(fields=twice), MALFORMED, [required])
    for tag, size in (("p", 52), ("s", 52)):
        for words in (size - 1, size + 1):
            alone = without(tag) + [field(tag, [1] * words)]
            comment = "%s of %d words and no other" % (tag, words)
            cases.invalid(comment, text(fields=alone), MALFORMED, [required, length])
    beside = usual + [field("p", [1] * 51), field("p", [1] * 53)]
    cases.either(
        "hashes of a wrong length beside the right one", text(fields=beside), [length], facts(), MALFORMED,
    )
    wrong = usual + [field("n", [1] * 52)]
    cases.either("a payee of a wrong length", text(fields=wrong), [length], facts(), MALFORMED)
    second = usual + [field("p", to_words(sha256(b"another")))]
    cases.either("two payment hashes", text(fields=second), [flags["doubled"]], facts(), MALFORMED)
    second = usual + [field("s", to_words(sha256(b"another")))]
    cases.either("two payment secrets", text(fields=second), [flags["doubled"]], facts(), MALFORMED)
    padded = to_words(HASH)
    padded[-1] |= 1
    stray = without("p") + [field("p", padded)]
    cases.either("padding bits that are set", text(fields=stray), [flags["canonical"]], facts(), SIGNATURE)
    latin = without("d") + [field("d", to_words(b"\xff\xfe"))]
    cases.invalid("a description that is not UTF-8", text(fields=latin), MALFORMED)
    for tail, comment in [
        ([1], "a type and no length"),
        ([1, 1], "a type and half a length"),
        ([13, 0, 3, 1, 2], "a field that is a word short"),
        ([1, 31, 31, 0], "a length far beyond the end"),
    ]:
        cases.invalid(comment, text(fields=usual + [tail]), MALFORMED, [flags["cut"]])
    for bits, comment in [((8, 14, 100), "an unknown feature that is even"), ((8, 14, 1000), "bit 1000")]:
        cases.invalid(comment, text(fields=without("9") + [features(*bits)]), FEATURES, [flags["features"]])
    cases.either("no features", text(fields=without("9")), [flags["announced"]], facts(), FEATURES)
    alone = without("9") + [features(8)]
    cases.either(
        "a secret that is not announced", text(fields=alone), [flags["announced"]], facts(), FEATURES,
    )


def signatures(cases, flags):
    named = usual_fields(HASH) + [payee_field()]
    cases.begin("signatures", "By the payee that is named, or by the key that is recovered.", 451)
    cases.valid("a payee that is named, and signed", text(fields=named), facts())
    other = secp256k1.public_key(OTHER_KEY)
    cases.valid("another node's", text(key=OTHER_KEY), facts(payee=other.hex()), [flags["recovered"]])

    def high(hrp, words):
        r, s, recovery = secp256k1.sign_recoverable(bolt11.NODE_KEY, signing_digest(hrp, words))
        return bolt11.signature_words(r, secp256k1.N - s, recovery ^ 1)

    cases.valid("the high s, with no payee named", text(signature=high), facts(), [flags["high_s"]])
    good = text()
    for hrp, output, comment in [
        ("lnbcrt420n", {"amount_msat": 42_000}, "an amount changed after signing: now it is another key's"),
        ("lnbc210n", {"network": "bitcoin"}, "a network changed after signing: now it is another key's"),
    ]:
        tampered = changed(good, hrp)
        key = bolt11.read(tampered)["payee"]
        assert key != PAYEE.hex()
        cases.valid(comment, tampered, facts(payee=key, **output), [flags["recovered"]])

    cases.begin("signatures refused", "The payee that is named did not sign, or nobody can have.", 501)
    good = text(fields=named)
    _, words = bolt11.unbech32(good)
    words = words[: -bolt11.SIGNATURE_WORDS]
    later = words[:6] + [words[6] ^ 1] + words[7:]
    hashed = words[:10] + [words[10] ^ 1] + words[11:]
    for tampered, comment in [
        (changed(good, "lnbcrt211n"), "a higher amount"),
        (changed(good, "lnbcrt"), "the amount taken away"),
        (changed(good, "lnbc210n"), "another network"),
        (changed(good, words=later), "another time"),
        (changed(good, words=hashed), "another payment hash"),
        (text(fields=named, key=OTHER_KEY), "another node's signature"),
        (text(fields=usual_fields(HASH) + [payee_field(other)]), "another payee"),
    ]:
        cases.invalid(comment + ", with the payee named", tampered, SIGNATURE, [flags["named"]])
    mirrored = text(fields=named, signature=high)
    cases.invalid("the high s, with the payee named", mirrored, SIGNATURE, [flags["high_s"], flags["named"]])
    off_curve = next(x for x in range(5, 99) if secp256k1.decompress(b"\2" + x.to_bytes(32, "big")) is None)
    r, s, _ = secp256k1.sign_recoverable(bolt11.NODE_KEY, sha256(b""))
    for (r, s, recovery), comment in [
        ((0, s, 0), "an r of 0"),
        ((r, 0, 0), "an s of 0"),
        ((secp256k1.N, s, 0), "an r that is the order"),
        ((r, secp256k1.N, 0), "an s that is the order"),
        ((off_curve, s, 0), "an r that is no point's"),
        ((r, s, 2), "an r that can not be above the order"),
    ]:
        made = bolt11.signature_words(r, s, recovery)
        cases.invalid(comment, text(signature=lambda h, w: made), SIGNATURE, [flags["recover"]])
    made = bolt11.signature_words(r, s, 4)
    cases.invalid("a recovery id of 4", text(signature=lambda h, w: made), SIGNATURE, [flags["recover"]])
    missing = usual_fields(HASH) + [payee_field(b"\2" + off_curve.to_bytes(32, "big"))]
    cases.invalid("a payee that is no point", text(fields=missing), SIGNATURE, [flags["named"]])
    prefixed = usual_fields(HASH) + [payee_field(b"\5" + PAYEE[1:])]
    cases.invalid("a payee that is no compressed key", text(fields=prefixed), SIGNATURE, [flags["named"]])


def spelling(cases, flags):
    good = text()
    hrp, words = bolt11.unbech32(good)
    cases.begin("spelling", "bech32 in one case, without the limit of 90 characters.", 551)
    cases.valid("upper case", good.upper(), facts())
    thousands = text("lnbc1", usual_fields(HASH, "bread"))
    cases.valid(
        "upper case, with the separator's digit in the amount", thousands.upper(),
        facts(amount_msat=10**11, network="bitcoin", description="bread"),
    )

    cases.begin("spelling refused", "What is not exactly one bech32 text.", 601)
    checksum, case, exact = flags["checksum"], flags["case"], flags["exact"]
    swapped = good[:-1] + ("q" if good[-1] != "q" else "p")
    cases.invalid("the last character changed", swapped, MALFORMED, [checksum])
    middle = good[:60] + ("q" if good[60] != "q" else "p") + good[61:]
    cases.invalid("a character changed", middle, MALFORMED, [checksum])
    at = next(i for i in range(30, 99) if good[i] != good[i + 1])
    turned = good[:at] + good[at + 1] + good[at] + good[at + 2 :]
    cases.invalid("two characters turned round", turned, MALFORMED, [checksum])
    cases.invalid(
        "another amount under the same checksum", good.replace("210n", "211n", 1), MALFORMED, [checksum],
    )
    cases.invalid("a bech32m checksum", bolt11.bech32(hrp, words, 0x2BC830A3), MALFORMED, [checksum])
    cases.invalid("mixed case in the data", good[:40] + good[40:].upper(), MALFORMED, [case])
    cases.invalid("an upper-case prefix", good.replace("lnbcrt", "LNBCRT", 1), MALFORMED, [case])
    at = next(i for i in range(60, 99) if good[i].isalpha())
    capital = good[:at] + good[at].upper() + good[at + 1 :]
    cases.invalid("one upper-case character", capital, MALFORMED, [case])
    for bad, comment in [
        ("", "nothing"),
        ("lnbcrt", "a prefix alone"),
        ("lnbcrt1", "no data"),
        (good[1:], "the first character missing"),
        (good[:-1], "the last character missing"),
        (" " + good, "a space before it"),
        (good + " ", "a space after it"),
        (good + "\n", "a line's end after it"),
        (good + "q", "a character after it"),
        (good + good, "twice"),
        (good + "," + good, "a list of two"),
        ("lightning:" + good, "with a URI's scheme"),
        (good[:50] + "b" + good[51:], "a character that bech32 does not have"),
        (good[:50] + "\u00e9" + good[51:], "a character beyond ASCII"),
        (good[:50] + "-" + good[50:], "a hyphen in it"),
    ]:
        cases.invalid(comment, bad, MALFORMED, [exact])
    for kept, comment in [
        (words[:6], "less than a timestamp"),
        (words[:7], "a timestamp alone"),
        (words[:7] + words[-103:], "a word less than time and signature"),
        ([], "no words under a right checksum"),
    ]:
        cases.invalid(comment, bolt11.bech32(hrp, kept), MALFORMED, [flags["short"]])
    cases.invalid(
        "a word after the signature, under a right checksum", bolt11.bech32(hrp, words + [0]), MALFORMED, [exact],
    )


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
        "checksum": declare("WrongChecksum", "The checksum must be bech32's, over prefix and data.", "BIP 173"),
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
    for part in (published, prefixes, amounts, expiries, fields, signatures, spelling):
        part(cases, flags)
    return suite


if __name__ == "__main__":
    common.main(build)
