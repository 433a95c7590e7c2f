"""What the peers' generators are given: macaroons to make, and encodings to judge."""

import json
import sys

import macaroon_cases
from macaroon import judged_name

if __name__ == "__main__":
    create = [
        {
            "name": name,
            "root_key": key.hex(),
            "identifier": id.hex(),
            "location": location,
            "caveats": [caveat.hex() for caveat in caveats],
        }
        for name, (key, id, caveats), location in macaroon_cases.CREATED
    ]
    judge = [
        {"name": judged_name(encoding, key), "root_key": key.hex(), **encoding}
        for _, _, cases in macaroon_cases.cases()
        for _, _, encoding, key in cases
    ]
    lines = [",\n".join("    " + json.dumps(case) for case in list) for list in (create, judge)]
    sys.stdout.write('{\n  "create": [\n%s\n  ],\n  "judge": [\n%s\n  ]\n}\n' % tuple(lines))
