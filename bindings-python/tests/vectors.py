"""The conformance vectors through this package's public API: each suite's answer to a case (conformance/README.md)."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any, Callable, Dict, Iterable, List, Optional

import client_flow

import plannt

Case = Dict[str, Any]


class Refused(Exception):
    """The answer is an error that this package has no exception for."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def unhex(text: str) -> bytes:
    return bytes.fromhex(text)


def lines(case: Case, name: str) -> List[str]:
    return [value for header, value in case["headers"] if header.lower() == name]


def authorization_header(case: Case) -> Any:
    if case["op"] == "write":
        return {"value": plannt.authorization_value(case["token"], case["preimage"])}
    if case["op"] == "read_grpc":
        credential: Optional[plannt.Credential] = plannt.Credential.from_grpc_metadata(case["value"])
    else:
        credential = plannt.Credential.from_authorization(lines(case, "authorization"))
    if credential is None:
        raise Refused("no_credential")
    # A token's macaroon is parsed when it is verified, under whatever key.
    try:
        plannt.Keyring("regtest", bytes([7]) * 32).verify(credential, plannt.RequestContext(0, "demo", "GET", "/", 0))
    except plannt.VerifyError as error:
        if error.code in ("malformed_credential", "header_too_large"):
            raise
    output = {"tokens": [token.decode().hex() for token in credential.tokens()]}
    if credential.preimage is not None:
        output["preimage"] = credential.preimage.expose_hex()  # type: ignore[assignment]
    return output


def granted(verified: plannt.Verified) -> Dict[str, int]:
    return {"uses": verified.uses, "valid_until": verified.valid_until, "keep_until": verified.keep_until}


def verify_for(ring: plannt.Keyring, credential: plannt.Credential, request: Case) -> plannt.Verified:
    target = request["target"]
    body = request.get("body")
    context = plannt.RequestContext(
        request["now"],
        request["service"],
        request["method"],
        plannt.normalize_path(target.partition("?")[0]),
        request["lowest_price_msat"],
        tier=request["tier"],
        query=plannt.query_digest(plannt.query_of(target)),
        requires_query=request["binds_query"],
        digest=None if body is None else plannt.content_digest(unhex(body)),
        requires_digest=request["binds_body"],
        capability=request.get("capability"),
        strict=request["strict"],
    )
    return ring.verify(credential, context)


def keyring(case: Case) -> plannt.Keyring:
    first, *older = case["root_keys"]
    ring = plannt.Keyring(case["network"], plannt.RootKey.from_hex(first))
    for key in older:
        ring = ring.with_verifying(key)
    return ring


def mac(key: bytes, *parts: bytes) -> bytes:
    return hmac.new(key, b"".join(parts), hashlib.sha256).digest()


def caveats(case: Case) -> Any:
    # The core evaluates no chain that it has not verified, so that the case's is signed here first.
    root_key, payment_hash = b"\x5c" * 32, unhex(case["payment_hash"])
    identifier = plannt.Identifier(plannt.PaymentHash(payment_hash), mac(root_key, payment_hash))
    macaroon = plannt.Macaroon.create(mac(root_key, b"l402/macaroon/0bcrt\0", payment_hash), bytes(identifier), "l402")
    for caveat in case["caveats"]:
        macaroon.attenuate(unhex(caveat))
    if case.get("preimage") is None:
        credential: Optional[plannt.Credential] = plannt.Credential.from_grpc_metadata(macaroon.to_v2().hex())
    else:
        value = plannt.authorization_value(plannt.base64.encode(macaroon.to_v2()), case["preimage"])
        credential = plannt.Credential.from_authorization([value])
    assert credential is not None
    return granted(verify_for(plannt.Keyring("regtest", root_key), credential, case["request"]))


def challenge_header(case: Case) -> Any:
    if case["op"] == "write":
        return {"value": plannt.challenge_header(case["token"], case["invoice"])}
    challenge = plannt.read_challenge(lines(case, "www-authenticate"), case.get("body"))
    if challenge is None:
        raise Refused("no_challenge")
    return {
        "scheme": challenge.scheme,
        "token": challenge.token,
        "invoice": challenge.invoice,
        "source": challenge.source,
    }


def flow(case: Case) -> Any:
    return client_flow.play(case, Refused)


def identifier(case: Case) -> Any:
    parsed = plannt.Identifier.parse(unhex(case["identifier"]))
    return {"payment_hash": str(parsed.payment_hash), "token_id": parsed.token_id.hex()}


def invoice(case: Case) -> Any:
    facts = plannt.read_invoice(case["bolt11"])
    return {
        "payment_hash": facts.payment_hash.hex(),
        "amount_msat": facts.amount_msat,
        "network": facts.network,
        "issued_at": facts.issued_at,
        "expires_at": facts.expires_at,
        "payee": None if facts.payee is None else facts.payee.hex(),
        "description": facts.description,
    }


def read_macaroon(encoding: Case) -> plannt.Macaroon:
    data = unhex(encoding["hex"]) if "hex" in encoding else encoding["text"].encode()
    readers: Dict[str, Callable[[bytes], plannt.Macaroon]] = {
        "base64": lambda text: plannt.Macaroon.parse(plannt.base64.decode(text.decode())),
        "v1": plannt.Macaroon.from_v1,
        "v2": plannt.Macaroon.from_v2,
        "v2json": plannt.Macaroon.from_json,
    }
    return readers[encoding["format"]](data)


def written(macaroon: plannt.Macaroon) -> Any:
    return {"v1": macaroon.to_v1().hex(), "v2": macaroon.to_v2().hex()}


def described(macaroon: plannt.Macaroon) -> Any:
    def caveat(one: plannt.Caveat) -> Dict[str, str]:
        if one.verification_id is None:
            return {"id": one.id.hex()}
        return {"id": one.id.hex(), "verification_id": one.verification_id.hex(), "location": one.location or ""}

    return {
        "location": macaroon.location or "",
        "identifier": macaroon.identifier.hex(),
        "caveats": [caveat(one) for one in macaroon.caveats],
        "signature": macaroon.signature.hex(),
    }


def macaroon(case: Case) -> Any:
    op = case["op"]
    if op == "attenuate":
        return {"token": plannt.attenuate_token(case["token"], case["caveats"])}
    if op == "bind":
        discharge = read_macaroon(case["discharge"])
        return written(read_macaroon(case["macaroon"]).bind(discharge))
    if op == "write":
        one = read_macaroon(case["macaroon"])
        assert plannt.Macaroon.from_json(one.to_json()) == one
        return written(one)
    if op == "create":
        one = plannt.Macaroon.create(unhex(case["root_key"]), unhex(case["identifier"]), case.get("location"))
        for caveat in case.get("caveats", []):
            if "key" in caveat:
                key, id, nonce = unhex(caveat["key"]), unhex(caveat["id"]), unhex(caveat["nonce"])
                one.attenuate_third_party(key, id, nonce, caveat.get("location"))
            else:
                one.attenuate(unhex(caveat["id"]))
        return written(one)
    assert op == "verify"
    one = read_macaroon(case["macaroon"])
    discharges = [read_macaroon(discharge) for discharge in case.get("discharges", [])]
    satisfied = case.get("satisfied")
    held = {unhex(caveat) for caveat in satisfied} if isinstance(satisfied, list) else None
    one.verify_discharged(unhex(case["root_key"]), discharges, lambda caveat: held is None or caveat in held)
    if case.get("preimage") is not None:
        parsed = plannt.Identifier.parse(one.identifier)
        if not plannt.Preimage.from_hex(case["preimage"]).proves(parsed.payment_hash):
            raise Refused("preimage_mismatch")
    return described(one)


def mint(case: Case) -> Any:
    def digest(name: str) -> Optional[bytes]:
        return None if case.get(name) is None else unhex(case[name])

    request = plannt.MintRequest(
        unhex(case["payment_hash"]),
        case["service"],
        case["method"],
        case["path"],
        case["valid_until"],
        case["max_price_msat"],
        tier=case["tier"],
        uses=case["uses"],
        query=digest("query"),
        digest=digest("digest"),
        capabilities=case.get("capabilities", []),
    )
    return {"token": keyring(case).mint(request)}


def verify(case: Case) -> Any:
    if case.get("grpc_macaroon") is not None:
        credential: Optional[plannt.Credential] = plannt.Credential.from_grpc_metadata(case["grpc_macaroon"])
    else:
        credential = plannt.Credential.from_authorization(case["authorization"])
    assert credential is not None
    verified = verify_for(keyring(case), credential, case["request"])
    return {**granted(verified), "payment_hash": str(verified.payment_hash)}


SUITES: Dict[str, Callable[[Case], Any]] = {
    "authorization_header": authorization_header,
    "caveats": caveats,
    "challenge_header": challenge_header,
    "client_flow": flow,
    "identifier": identifier,
    "invoice": invoice,
    "macaroon": macaroon,
    "mint": mint,
    "verify": verify,
}


def cases(document: Case) -> Iterable[Case]:
    for group in document["groups"]:
        yield from group["tests"]
