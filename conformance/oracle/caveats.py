"""`caveats`: what a chain of caveats allows (docs/PROTOCOL.md §2), its MAC taken for right."""

import caveats_chain
import caveats_rows
import common
from caveats_cases import FLAGS, RULE, Cases
from common import Suite


def build():
    suite = Suite("caveats")
    for name, description in FLAGS.items():
        suite.flag(name, description, RULE)
    for first, (name, comment, fill) in enumerate(caveats_rows.GROUPS + caveats_chain.GROUPS):
        fill(Cases(suite.group(name, comment, 1 + 100 * first)))
    return suite


if __name__ == "__main__":
    common.main(build)
