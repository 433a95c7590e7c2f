"""What pymacaroons makes of ../inputs.json. Run in an environment with requirements.txt."""

import base64
import json
import pathlib
import sys
from importlib.metadata import version

from pymacaroons import MACAROON_V1, MACAROON_V2, Macaroon, Verifier
from pymacaroons.serializers import BinarySerializer, JsonSerializer

BINARY, JSON = BinarySerializer(), JsonSerializer()


def unpadded(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def create(case):
    made = {}
    for format in ("v1", "v2"):
        macaroon = Macaroon(
            location=case["location"],
            identifier=bytes.fromhex(case["identifier"]),
            key=bytes.fromhex(case["root_key"]),
            version=MACAROON_V1 if format == "v1" else MACAROON_V2,
        )
        for caveat in case["caveats"]:
            macaroon.add_first_party_caveat(bytes.fromhex(caveat))
        try:
            made[format] = {"hex": unpadded(macaroon.serialize(BINARY)).hex()}
        except UnicodeDecodeError:
            # Its v1 writer takes text alone.
            continue
        if format == "v2":
            made["v2json"] = {"text": macaroon.serialize(JSON)}
    return [{"name": case["name"], "format": f, **m} for f, m in sorted(made.items())]


def accepts(case):
    try:
        if case["format"] == "v2json":
            macaroon = Macaroon.deserialize(case["text"], JSON)
        elif case["format"] == "base64":
            macaroon = Macaroon.deserialize(case["text"])
        else:
            macaroon = BINARY.deserialize_raw(bytes.fromhex(case["hex"]))
        verifier = Verifier()
        verifier.satisfy_general(lambda caveat: True)
        return bool(verifier.verify(macaroon, bytes.fromhex(case["root_key"])))
    except Exception:
        return False


def main():
    inputs = json.loads((pathlib.Path(__file__).parent.parent / "inputs.json").read_text())
    output = {
        "library": "pymacaroons",
        "version": version("pymacaroons"),
        "created": [made for case in inputs["create"] for made in create(case)],
        "judged": {case["name"]: accepts(case) for case in inputs["judge"]},
    }
    json.dump(output, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
