"""NaCl's secretbox (XSalsa20-Poly1305), as third-party caveats are sealed with. Slow and plain."""

import struct

_SIGMA = b"expand 32-byte k"
_MASK = 0xFFFFFFFF


class Unsealed(Exception):
    """The tag is not that of the text under this key."""


def seal(key, nonce, text):
    """Tag and ciphertext."""
    stream = _xsalsa20(key, nonce, 32 + len(text))
    sealed = _xor(text, stream[32:])
    return _poly1305(stream[:32], sealed) + sealed


def open_sealed(key, nonce, sealed):
    """The text; raises Unsealed."""
    tag, sealed = sealed[:16], sealed[16:]
    stream = _xsalsa20(key, nonce, 32 + len(sealed))
    if _poly1305(stream[:32], sealed) != tag:
        raise Unsealed
    return _xor(sealed, stream[32:])


def _xor(a, b):
    return bytes(x ^ y for x, y in zip(a, b))


def _rotate(word, bits):
    return (word << bits | word >> 32 - bits) & _MASK


def _rounds(state):
    x = list(state)

    def quarter(a, b, c, d):
        x[b] ^= _rotate(x[a] + x[d] & _MASK, 7)
        x[c] ^= _rotate(x[b] + x[a] & _MASK, 9)
        x[d] ^= _rotate(x[c] + x[b] & _MASK, 13)
        x[a] ^= _rotate(x[d] + x[c] & _MASK, 18)

    for _ in range(10):
        for column in ((0, 4, 8, 12), (5, 9, 13, 1), (10, 14, 2, 6), (15, 3, 7, 11)):
            quarter(*column)
        for row in ((0, 1, 2, 3), (5, 6, 7, 4), (10, 11, 8, 9), (15, 12, 13, 14)):
            quarter(*row)
    return x


def _state(key, tail):
    k, s, t = (struct.unpack("<%dI" % (len(b) // 4), b) for b in (key, _SIGMA, tail))
    return [s[0], *k[:4], s[1], *t, s[2], *k[4:], s[3]]


def _xsalsa20(key, nonce, length):
    mixed = _rounds(_state(key, nonce[:16]))
    subkey = struct.pack("<8I", *(mixed[i] for i in (0, 5, 10, 15, 6, 7, 8, 9)))
    stream = b""
    for block in range((length + 63) // 64):
        state = _state(subkey, nonce[16:] + struct.pack("<Q", block))
        words = ((a + b) & _MASK for a, b in zip(_rounds(state), state))
        stream += struct.pack("<16I", *words)
    return stream[:length]


def _poly1305(key, text):
    r = int.from_bytes(key[:16], "little") & 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF
    total = 0
    for i in range(0, len(text), 16):
        block = int.from_bytes(text[i : i + 16] + b"\1", "little")
        total = (total + block) * r % ((1 << 130) - 5)
    return (total + int.from_bytes(key[16:], "little") & (1 << 128) - 1).to_bytes(16, "little")
