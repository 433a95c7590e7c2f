"""What the cases of `caveats`, `verify` and `mint` have in common."""

from common import seeded, sha256

NOW = 1_800_000_000
UNTIL = NOW + 3_600
PREIMAGE = seeded("fixtures/preimage")
PAYMENT_HASH = sha256(PREIMAGE)
ROOT_KEY = seeded("fixtures/root key")
NETWORK = "regtest"

SERVICES = "services=demo:0"
VALID_UNTIL = "demo_valid_until=%d" % UNTIL
METHOD = "demo_method=GET"
PATH = "demo_path=/v1/demo"
MAX_PRICE = "demo_max_price_msat=21000"
USES = "demo_uses=1"
# A chain as it is minted for the request below.
MINTED = [SERVICES, VALID_UNTIL, METHOD, PATH, MAX_PRICE, USES]


def request(**changes):
    """The request that the chain was bought for, or one that differs."""
    plain = {
        "now": NOW,
        "service": "demo",
        "tier": 0,
        "method": "GET",
        "target": "/v1/demo",
        "body": None,
        "binds_query": False,
        "binds_body": False,
        "lowest_price_msat": 21_000,
        "capability": None,
        "strict": False,
    }
    assert set(changes) <= set(plain), changes
    return {**plain, **changes}


def replaced(chain, **by_row):
    """The chain with other caveats in the place of some: `path="demo_path=/x"`, None to leave out."""
    rows = ["services", "valid_until", "method", "path", "max_price_msat", "uses"]
    caveats = [by_row.get(row, caveat) for row, caveat in zip(rows, chain)]
    return [caveat for caveat in caveats if caveat is not None] + list(chain[len(rows):])


def octets(caveat):
    return caveat if isinstance(caveat, bytes) else caveat.encode()


def decide(group, judge, comment, input, expected, flags=()):
    """Adds a case with the answer that `judge` finds. `expected` is what the case was written
    for, "valid" or a code: a case that tests something else than it says ends the run."""
    try:
        output, error = judge(input), None
    except Exception as refusal:  # Every refusal of the rules has a code, and nothing else does.
        if not hasattr(refusal, "code"):
            raise
        output, error = None, refusal.code
    found = error or "valid"
    assert found == expected, "%s: %s, not %s" % (comment, found, expected)
    if error:
        group.invalid(comment, input, error, flags)
    else:
        group.valid(comment, input, output, flags)
