"""What other libraries made and judged: the recorded peers and our own generators' outputs."""

import json
import pathlib

HERE = pathlib.Path(__file__).resolve().parent
RECORDED = HERE.parent.parent / "core" / "tests" / "data" / "macaroon-peers.json"
PEERS = HERE.parent / "peers"

NAMES = {"go": "go-macaroon", "js": "npm macaroon", "py": "pymacaroons", "rust": "macaroon-rs", "c": "libmacaroons"}
# Re-encodings of macaroons longer than this are given once for each format.
LONG = 8_192


def recorded():
    """The recorded cases, accepted and to be rejected; long re-encodings left out."""
    data = json.loads(RECORDED.read_text())
    seen, accept = set(), []
    for case in data["accept"]:
        key = (case["id"], case["format"])
        if len(case.get("hex", case.get("text", ""))) > LONG and key in seen:
            continue
        seen.add(key)
        accept.append(case)
    return accept, data["reject"]


def encoding(case):
    if "hex" in case:
        return {"format": case["format"], "hex": case["hex"]}
    return {"format": case["format"], "text": case["text"]}


def discharges(case):
    format = case.get("discharges_format", case["format"])
    made = [{"format": format, "hex": d} for d in case.get("discharges_hex", [])]
    return made + [{"format": format, "text": d} for d in case.get("discharges_text", [])]


def names(libraries):
    """A list for people."""
    libraries = [NAMES[l] for l in libraries]
    if len(libraries) < 2:
        return "".join(libraries) or "none"
    return ", ".join(libraries[:-1]) + " and " + libraries[-1]


def generated():
    """The outputs of our own generators, by library."""
    files = ["go-macaroon.json", "js-macaroon.json", "pymacaroons.json"]
    return [json.loads((PEERS / file).read_text()) for file in files]
