"""ECDSA over secp256k1: deterministic signing (RFC 6979), verification, public key recovery.

For test keys only: nothing here runs in constant time.
"""

import hashlib
import hmac

P = 2**256 - 2**32 - 977
N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
G = (
    0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798,
    0x483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8,
)
INFINITY = (0, 0, 0)


def _double(p):
    x, y, z = p
    if z == 0 or y == 0:
        return INFINITY
    s = 4 * x * y * y % P
    m = 3 * x * x % P
    nx = (m * m - 2 * s) % P
    return nx, (m * (s - nx) - 8 * pow(y, 4, P)) % P, 2 * y * z % P


def _add(p, q):
    """Adds two points in Jacobian coordinates."""
    if p[2] == 0:
        return q
    if q[2] == 0:
        return p
    z1, z2 = p[2] * p[2] % P, q[2] * q[2] % P
    u1, u2 = p[0] * z2 % P, q[0] * z1 % P
    s1, s2 = p[1] * q[2] * z2 % P, q[1] * p[2] * z1 % P
    if u1 == u2:
        return _double(p) if s1 == s2 else INFINITY
    h, r = (u2 - u1) % P, (s2 - s1) % P
    h2 = h * h % P
    h3, v = h * h2 % P, u1 * h2 % P
    x = (r * r - h3 - 2 * v) % P
    return x, (r * (v - x) - s1 * h3) % P, h * p[2] * q[2] % P


def _sum_of_products(*terms):
    """The sum of `scalar * affine point` over all terms, as an affine point or None."""
    total = INFINITY
    for bit in range(255, -1, -1):
        total = _double(total)
        for scalar, point in terms:
            if scalar >> bit & 1:
                total = _add(total, (point[0], point[1], 1))
    if total[2] == 0:
        return None
    inverse = pow(total[2], -1, P)
    return total[0] * inverse**2 % P, total[1] * inverse**3 % P


def _point_with_x(x, odd):
    """The curve's point with this x and this parity of y, or None."""
    square = (pow(x, 3, P) + 7) % P
    y = pow(square, (P + 1) // 4, P)
    if y * y % P != square:
        return None
    return x, y if y & 1 == odd else P - y


def public_key(secret):
    """The compressed public key of a secret key, 33 bytes."""
    return compress(_sum_of_products((int.from_bytes(secret, "big"), G)))


def compress(point):
    return bytes([2 + (point[1] & 1)]) + point[0].to_bytes(32, "big")


def decompress(key):
    """The point of a compressed key, or None."""
    x = int.from_bytes(key[1:], "big")
    if len(key) != 33 or key[0] not in (2, 3) or x >= P:
        return None
    return _point_with_x(x, key[0] & 1)


def _nonces(secret, digest):
    """RFC 6979 §3.2 with SHA-256. `digest` is as long as the order, so bits2int is the identity."""
    reduced = (int.from_bytes(digest, "big") % N).to_bytes(32, "big")
    v, k = b"\x01" * 32, bytes(32)
    for separator in (b"\x00", b"\x01"):
        k = hmac.new(k, v + separator + secret + reduced, hashlib.sha256).digest()
        v = hmac.new(k, v, hashlib.sha256).digest()
    while True:
        v = hmac.new(k, v, hashlib.sha256).digest()
        yield int.from_bytes(v, "big")
        k = hmac.new(k, v + b"\x00", hashlib.sha256).digest()
        v = hmac.new(k, v, hashlib.sha256).digest()


def sign_recoverable(secret, digest):
    """`(r, s, recovery id)` with the low one of both values of s."""
    d, z = int.from_bytes(secret, "big"), int.from_bytes(digest, "big")
    for nonce in _nonces(secret, digest):
        if not 0 < nonce < N:
            continue
        x, y = _sum_of_products((nonce, G))
        r = x % N
        s = pow(nonce, -1, N) * (z + r * d) % N
        if r == 0 or s == 0:
            continue
        recovery = (y & 1) | (2 if x >= N else 0)
        return (r, s, recovery) if s <= N // 2 else (r, N - s, recovery ^ 1)


def recover(digest, r, s, recovery):
    """The compressed key that signed, or None where no key could have."""
    x = r + (N if recovery & 2 else 0)
    if not (0 < r < N and 0 < s < N) or x >= P:
        return None
    point = _point_with_x(x, recovery & 1)
    if point is None:
        return None
    inverse, z = pow(r, -1, N), int.from_bytes(digest, "big")
    key = _sum_of_products((s * inverse % N, point), (-z * inverse % N, G))
    return compress(key) if key else None


def verify(key, digest, r, s):
    """Whether `(r, s)` is a signature of `digest` by the compressed `key`, whichever s it has."""
    point = decompress(key)
    if point is None or not (0 < r < N and 0 < s < N):
        return False
    inverse, z = pow(s, -1, N), int.from_bytes(digest, "big")
    found = _sum_of_products((z * inverse % N, G), (r * inverse % N, point))
    return found is not None and found[0] % N == r
