"""`verify`: a credential at a request (docs/PROTOCOL.md §1 to §3), with keys, clock and context."""

import common
import verify_bytes
import verify_forged
import verify_order
import verify_scope
from common import Suite
from verify_cases import FLAGS, Cases

PARTS = [verify_scope, verify_forged, verify_bytes, verify_order]


def build():
    suite = Suite("verify")
    for name, (description, section) in FLAGS.items():
        suite.flag(name, description, "docs/PROTOCOL.md " + section)
    first = 1
    for part in PARTS:
        for name, comment, fill in part.GROUPS:
            fill(Cases(suite.group(name, comment, first)))
            first += 100
    return suite


if __name__ == "__main__":
    common.main(build)
