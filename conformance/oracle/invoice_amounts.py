"""Cases of `invoice`: the published examples, networks, amounts and expiries."""

import bolt11
import bolt11_examples
from bolt11 import field, number_words, usual_fields
from invoice_script import HASH, MALFORMED, NETWORK, NOW, RANGE, SIGNATURE, SUB_MSAT, facts, text


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
    for seconds, comment in [
        (60, "a minute"),
        (604_800, "a week"),
        (2**32, "beyond 32 bits"),
        (1, "a second"),
    ]:
        cases.valid(
            comment,
            expiring(number_words(seconds)),
            facts(expires_at=NOW + seconds),
            [flags["expiry"]],
        )
    cases.either(
        "0 seconds: expired at once",
        expiring([0]),
        [flags["expiry"]],
        facts(expires_at=NOW),
        SIGNATURE,
    )
    cases.either("no words at all", expiring([]), [flags["canonical"]])
    longest = expiring(number_words(bolt11.U64_MAX))
    cases.either(
        "2^64 - 1 seconds: it must not wrap",
        longest,
        [flags["wrap"]],
        facts(expires_at=bolt11.U64_MAX),
    )
    cases.either(
        "2^65 - 1 seconds: it must not wrap",
        expiring([31] * 13),
        [flags["wrap"]],
        facts(expires_at=bolt11.U64_MAX),
        MALFORMED,
    )
    cases.either(
        "leading zeros",
        expiring([0, 0] + number_words(3_600)),
        [flags["canonical"]],
        facts(),
        SIGNATURE,
    )
    cases.valid("made in 1970", text(timestamp=0), facts(issued_at=0, expires_at=3_600))
    latest = 2**35 - 1
    cases.valid(
        "made at the end of time",
        text(timestamp=latest),
        facts(issued_at=latest, expires_at=latest + 3_600),
    )
