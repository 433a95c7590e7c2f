"""Cases of `invoice`: fields, signatures, and how the text is spelled."""

import bolt11
import secp256k1
from bolt11 import features, field, number_words, signing_digest, to_words, usual_fields
from common import sha256
from invoice_script import (
    FEATURES,
    HASH,
    MALFORMED,
    OTHER_KEY,
    PAYEE,
    SIGNATURE,
    changed,
    facts,
    payee_field,
    text,
    without,
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

    cases.begin(
        "fields refused", "Required fields that are missing or doubled, and fields that break off.", 351
    )
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
        "hashes of a wrong length beside the right one",
        text(fields=beside),
        [length],
        facts(),
        MALFORMED,
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
        "a secret that is not announced",
        text(fields=alone),
        [flags["announced"]],
        facts(),
        FEATURES,
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
        "upper case, with the separator's digit in the amount",
        thousands.upper(),
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
        "another amount under the same checksum",
        good.replace("210n", "211n", 1),
        MALFORMED,
        [checksum],
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
        "a word after the signature, under a right checksum",
        bolt11.bech32(hrp, words + [0]),
        MALFORMED,
        [exact],
    )
