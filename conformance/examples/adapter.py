#!/usr/bin/env python3
"""A minimal adapter: answers the suite `identifier`, and says of all else that it has no such thing.

    plannt conformance run --codes -- python3 conformance/examples/adapter.py
"""

import json
import sys


def read_identifier(data):
    if len(data) != 66 or data[:2] != b"\0\0":
        return {"error": "invalid_identifier"}
    return {"output": {"payment_hash": data[2:34].hex(), "token_id": data[34:].hex()}}


for line in sys.stdin:
    request = json.loads(line)
    if request["suite"] == "identifier":
        answer = read_identifier(bytes.fromhex(request["input"]["identifier"]))
    else:
        answer = {"unsupported": True}
    print(json.dumps({"id": request["id"], **answer}), flush=True)
