"""What the groups of `verify` are made with: tokens, right and wrong, and the adding of cases."""

import fixtures
import verifier
from common import b64, hmac_sha256, identifier, macaroon_key, seeded, token_id, v2_encode
from fixtures import MINTED, NETWORK, PAYMENT_HASH, PREIMAGE, ROOT_KEY, octets, request

VALID, EXPIRED, INVALID, MALFORMED, SCOPE = (
    "valid", "expired", "invalid_credential", "malformed_credential", "out_of_scope",
)
BAD_PATH, TOO_LARGE = "bad_path", "header_too_large"
OTHER_KEY, THIRD_KEY = seeded("fixtures/other root key"), seeded("fixtures/third root key")
OTHER_PREIMAGE = seeded("fixtures/other preimage")

FLAGS = {
    "AbsentCaveat": ("A caveat that is not there never means anything goes.", "§2"),
    "AnyRoute": ("A credential opens the route and the price that it was bought for.", "§2"),
    "CaseOfHex": ("Hex in another case is the same preimage, and so the same spent entry.", "§3"),
    "ExpiryAsText": ("A verifier that compares numbers as text answers otherwise.", "§2"),
    "FirstFailure": ("Two things are wrong: the earlier in the order decides.", "§3"),
    "Integer64": ("Holds a number above 2^53 - 1, which a JSON reader with floats alone rounds.", "§2"),
    "KeyRotation": ("The token id selects the key in the ring.", "§1"),
    "MintedOrder": ("The chain begins with what the mint writes, in its order.", "§2"),
    "NoMac": ("What has no MAC of the server is no credential.", "§1"),
    "OtherNetwork": ("Each network has macaroon keys of its own.", "§1"),
    "OtherSystem": ("Holders attenuate for other systems: what is not known is skipped, unless strict.", "§2"),
    "PreimageCaveat": ("A preimage caveat must agree with the header's, and stands in for it.", "§2"),
    "SeveralTokens": ("All carry the same payment hash, each passes every check, together one use.", "§3"),
    "StrictEncoding": ("One value has one v2 encoding, and four spellings in base64.", "§1"),
    "ThirdPartyCaveat": ("The L402 verifier takes first-party caveats only.", "§1"),
    "Tampered": ("A token with another bit is no one's token.", "§1"),
    "TokenSize": ("The L402 layer takes tokens up to 8 KiB and 64 caveats.", "§1"),
    "UnsignedLocation": ("A location is not authenticated, and decides nothing.", "§1"),
}


class Cases:
    """Adds cases to one group."""

    def __init__(self, group):
        self.group = group

    def ask(self, comment, expected, credential, asked=None, flags=(), keys=(ROOT_KEY,), network=NETWORK):
        input = {
            "network": network,
            "root_keys": [key.hex() for key in keys],
            **credential,
            "request": asked or request(),
        }
        fixtures.decide(self.group, verifier.judge, comment, input, expected, flags)

    def token(self, comment, expected, data, asked=None, flags=(), preimage=PREIMAGE, **ring):
        """A macaroon's bytes, and the preimage."""
        self.ask(comment, expected, present(data, preimage=preimage), asked, flags, **ring)

    def chain(self, comment, expected=VALID, caveats=MINTED, asked=None, flags=(), **ring):
        """Caveats with the right MAC."""
        self.token(comment, expected, signed(caveats), asked, flags, **ring)


def present(*tokens, preimage=PREIMAGE, scheme="L402"):
    """The credential of one or more tokens, given as bytes or as text."""
    texts = [token if isinstance(token, str) else b64(token) for token in tokens]
    return {"authorization": ["%s %s:%s" % (scheme, ",".join(texts), preimage.hex())]}


def signed(caveats=MINTED, root_key=ROOT_KEY, network=NETWORK, payment_hash=PAYMENT_HASH, **changes):
    """A macaroon of this server over any caveats; third-party ones are (id, verification id).

    `changes` put another thing in the place of one that is right: `id`, `id_key`, `key`,
    `signature` (a function of the right one), `location`.
    """
    id_key = changes.pop("id_key", root_key)
    id = changes.pop("id", identifier(payment_hash, token_id(id_key, payment_hash)))
    key = changes.pop("key", macaroon_key(root_key, network, payment_hash))
    parts = [(c[0], c[1]) if isinstance(c, tuple) else (octets(c), None) for c in caveats]
    signature = changes.pop("signature", lambda right: right)(verifier.sign(key, id, parts))
    location = changes.pop("location", b"l402")
    assert not changes, changes
    encoded = [(c, vid, b"https://third.example" if vid else None) for c, vid in parts]
    return v2_encode(id, encoded, signature, location)


def raw_chain(key, id, caveats):
    """A signature without the step that every library does to a key."""
    signature = hmac_sha256(key, id)
    for caveat in caveats:
        signature = hmac_sha256(signature, octets(caveat))
    return signature


def third_party():
    return (b"third-party caveat", seeded("fixtures/verification id", 72))


def flipped(data, index, bit=1):
    changed = bytearray(data)
    changed[index] ^= bit
    return bytes(changed)


__all__ = [name for name in dir() if not name.startswith("_")]
