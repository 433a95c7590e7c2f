"""BOLT 11 invoices: a writer that can also write what no node would, and a reader after the text.

The reader is what the expectations of the suites are held against: `read(text)` gives an invoice's facts, or raises
`InvoiceFault` with the code that core gives the same fault.
"""

import hashlib
import re

import secp256k1

CHARSET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
NETWORKS = {"bc": "bitcoin", "bcrt": "regtest", "tbs": "signet", "sb": "simnet", "tb": "testnet"}
# How many pico-bitcoin each multiplier's unit has; a msat has 10.
PICO = {"": 10**12, "m": 10**9, "u": 10**6, "n": 10**3, "p": 1}
TAGS = {"p": 1, "s": 16, "d": 13, "n": 19, "h": 23, "x": 6, "c": 24, "f": 9, "r": 3, "m": 27, "9": 5}
DEFAULT_EXPIRY = 3_600
SIGNATURE_WORDS = 104
U64_MAX = 2**64 - 1
# Bits of BOLT 9 for invoices, by the even one of each pair.
KNOWN_FEATURES = {
    8: "var_onion_optin",
    14: "payment_secret",
    16: "basic_mpp",
    24: "route_blinding",
    48: "payment_metadata",
}
NODE_KEY = bytes([0x42]) * 32


class InvoiceFault(Exception):
    """Why an invoice is refused, by its code."""

    def __init__(self, code, why):
        super().__init__(why)
        self.code = code


# --- bech32 (BIP 173), without the limit of 90 characters


def polymod(values):
    state = 1
    for value in values:
        top = state >> 25
        state = (state & 0x1FFFFFF) << 5 ^ value
        for i, generator in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            if top >> i & 1:
                state ^= generator
    return state


def _expand(hrp):
    return [ord(c) >> 5 for c in hrp] + [0] + [ord(c) & 31 for c in hrp]


def bech32(hrp, words, constant=1):
    """The text with its checksum; another `constant` makes it wrong (0x2bc830a3 makes it bech32m)."""
    rest = polymod(_expand(hrp) + words + [0] * 6) ^ constant
    checksum = [rest >> 5 * (5 - i) & 31 for i in range(6)]
    return hrp + "1" + "".join(CHARSET[w] for w in words + checksum)


def unbech32(text):
    """`(hrp, words)` of a text."""
    if text.lower() != text and text.upper() != text:
        raise InvoiceFault("invoice_malformed", "mixed case")
    text = text.lower()
    hrp, separator, data = text.rpartition("1")
    if not separator or not hrp or any(not 33 <= ord(c) <= 126 for c in hrp):
        raise InvoiceFault("invoice_malformed", "no bech32 text")
    if len(data) < 6 or any(c not in CHARSET for c in data):
        raise InvoiceFault("invoice_malformed", "characters that bech32 does not have")
    words = [CHARSET.index(c) for c in data]
    if polymod(_expand(hrp) + words) != 1:
        raise InvoiceFault("invoice_malformed", "the checksum is wrong")
    return hrp, words[:-6]


def to_words(data):
    """Bytes as 5-bit words, padded with zero bits."""
    bits = "".join(f"{byte:08b}" for byte in data)
    bits += "0" * (-len(bits) % 5)
    return [int(bits[i : i + 5], 2) for i in range(0, len(bits), 5)]


def to_bytes(words, pad=False):
    """Words as bytes; the bits that are left over are dropped, or padded to one more byte."""
    bits = "".join(f"{word:05b}" for word in words)
    if pad:
        bits += "0" * (-len(bits) % 8)
    return bytes(int(bits[i : i + 8], 2) for i in range(0, len(bits) // 8 * 8, 8))


def number_words(value):
    """A number in as few words as it takes."""
    words = []
    while value or not words:
        words.insert(0, value & 31)
        value >>= 5
    return words


def number(words):
    value = 0
    for word in words:
        value = value << 5 | word
    return value


# --- writing


def field(tag, words):
    """A tagged field; `tag` is its letter or its number."""
    tag = TAGS.get(tag, tag)
    return [tag, len(words) >> 5, len(words) & 31] + list(words)


def features(*bits):
    return field("9", number_words(sum(1 << bit for bit in bits)))


def signing_digest(hrp, words):
    return hashlib.sha256(hrp.encode() + to_bytes(words, pad=True)).digest()


def sign(hrp, words, key=NODE_KEY):
    """The words of a signature by `key`."""
    r, s, recovery = secp256k1.sign_recoverable(key, signing_digest(hrp, words))
    return signature_words(r, s, recovery)


def signature_words(r, s, recovery):
    return to_words(r.to_bytes(32, "big") + s.to_bytes(32, "big") + bytes([recovery]))


def write(hrp, fields, timestamp, key=NODE_KEY, signature=None):
    """An invoice's text. `fields` is a list of word lists, `signature(hrp, words)` makes another signature."""
    stamp = number_words(timestamp)
    words = [0] * (7 - len(stamp)) + stamp
    for each in fields:
        words = words + each
    return bech32(hrp, words + (signature or (lambda h, w: sign(h, w, key)))(hrp, words))


def usual_fields(payment_hash, description="one call", expiry=3_600):
    """What a node writes: hash, description, secret, features, and an expiry where it is given."""
    fields = [
        field("p", to_words(payment_hash)),
        field("d", to_words(description.encode())),
        field("s", to_words(bytes([8]) * 32)),
        features(8, 14),
    ]
    return fields + ([field("x", number_words(expiry))] if expiry is not None else [])


def amount_text(msat):
    """The shortest spelling of an amount."""
    for unit in ("", "m", "u", "n", "p"):
        if msat * 10 % PICO[unit] == 0:
            return f"{msat * 10 // PICO[unit]}{unit}"
    raise ValueError(msat)


def invoice(
    payment_hash, msat, timestamp, currency="bcrt", expiry=3_600, description="one call", key=NODE_KEY
):
    """An ordinary invoice."""
    hrp = "ln" + currency + ("" if msat is None else amount_text(msat))
    return write(hrp, usual_fields(payment_hash, description, expiry), timestamp, key)


# --- reading


def read_prefix(hrp):
    """`(network, amount in pico-bitcoin or None)`."""
    found = re.fullmatch(r"ln([^0-9]*)(?:([0-9]+)(.*))?", hrp)
    if not found:
        raise InvoiceFault("invoice_malformed", "the prefix is not one of an invoice")
    currency, digits, unit = found.groups()
    if currency not in NETWORKS:
        raise InvoiceFault("invoice_unknown_network", currency)
    if digits is None:
        return NETWORKS[currency], None
    if unit not in PICO:
        raise InvoiceFault("invoice_malformed", "the multiplier is unknown")
    return NETWORKS[currency], int(digits) * PICO[unit]


def read_fields(words):
    """`[(tag, words)]`, in order."""
    fields = []
    while words:
        if len(words) < 3 or len(words) < 3 + (words[1] << 5 | words[2]):
            raise InvoiceFault("invoice_malformed", "a field is longer than what is left")
        length = words[1] << 5 | words[2]
        fields.append((words[0], words[3 : 3 + length]))
        words = words[3 + length :]
    return fields


def of_length(fields, tag, length):
    """The values of a tag that have the one length that counts; others are skipped."""
    return [words for t, words in fields if t == TAGS[tag] and len(words) == length]


def check_features(fields):
    """Unknown even bits fail; so do a secret that is not announced, and features without what they depend on."""
    vectors = [words for tag, words in fields if tag == TAGS["9"]]
    bits = {bit for words in vectors for bit in range(len(words) * 5) if number(words) >> bit & 1}
    for bit in bits:
        if bit % 2 == 0 and bit not in KNOWN_FEATURES:
            raise InvoiceFault("invoice_unknown_features", f"bit {bit}")
    has = {name for bit, name in KNOWN_FEATURES.items() if bits & {bit, bit + 1}}
    if "payment_secret" not in has or "var_onion_optin" not in has:
        raise InvoiceFault("invoice_unknown_features", "the payment secret is not announced")


def read_payee(hrp, words, fields, signature):
    """The payee: named and proven by the signature, or recovered from it."""
    raw = to_bytes(signature)
    r, s, recovery = int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:64], "big"), raw[64]
    digest = signing_digest(hrp, words)
    named = of_length(fields, "n", 53)
    if named:
        key = to_bytes(named[0])
        if s > secp256k1.N // 2 or not secp256k1.verify(key, digest, r, s):
            raise InvoiceFault("invoice_wrong_signature", "the named payee did not sign")
        return key
    key = secp256k1.recover(digest, r, s, recovery) if recovery <= 3 else None
    if key is None:
        raise InvoiceFault("invoice_wrong_signature", "no key can be recovered")
    return key


def read(text):
    """An invoice's facts, by the names of the suite `invoice`."""
    hrp, words = unbech32(text)
    network, pico = read_prefix(hrp)
    if len(words) < 7 + SIGNATURE_WORDS:
        raise InvoiceFault("invoice_malformed", "too short")
    signed, signature = words[:-SIGNATURE_WORDS], words[-SIGNATURE_WORDS:]
    issued_at, fields = number(signed[:7]), read_fields(signed[7:])
    payee = read_payee(hrp, signed, fields, signature)
    if pico is not None and pico > U64_MAX:
        raise InvoiceFault("invoice_amount_out_of_range", hrp)
    if pico is not None and pico % 10:
        raise InvoiceFault("invoice_sub_msat", hrp)
    hashes, secrets = of_length(fields, "p", 52), of_length(fields, "s", 52)
    texts = [w for t, w in fields if t == TAGS["d"]]
    if len(hashes) != 1 or len(secrets) != 1 or len(texts) + len(of_length(fields, "h", 52)) != 1:
        raise InvoiceFault("invoice_malformed", "a field is missing or doubled")
    check_features(fields)
    try:
        description = to_bytes(texts[0]).decode() if texts else None
    except UnicodeDecodeError:
        raise InvoiceFault("invoice_malformed", "the description is not UTF-8") from None
    expiries = [number(w) for t, w in fields if t == TAGS["x"]]
    return {
        "payment_hash": to_bytes(hashes[0]).hex(),
        # An amount of 0 is none: nothing limits what it would cost.
        "amount_msat": pico // 10 if pico else None,
        "network": network,
        "issued_at": issued_at,
        "expires_at": min(issued_at + (expiries[0] if expiries else DEFAULT_EXPIRY), U64_MAX),
        "payee": payee.hex(),
        "description": description,
    }
