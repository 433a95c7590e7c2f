"""Lists what the package exports, and the members of each name, as JSON, from the compiler's symbol graphs: `api.py FOLDER`. With `--documented` it says
instead what has no comment, and fails if anything hasn't."""

import json
import pathlib
import sys

# uniffi's own, which the generated source can't hide.
NOISE = ("uniffi", "FfiConverter", "UniFfi", "init(unsafeFromHandle:)", "init(noHandle:)", "NoHandle")


def symbols(folder):
    for path in sorted(pathlib.Path(folder).glob("Plannt*.symbols.json")):
        for symbol in json.loads(path.read_text())["symbols"]:
            if not any(part.startswith(NOISE) for part in symbol["pathComponents"]):
                yield symbol


def is_memberwise(symbol):
    """A record's initializer has a comment for each argument, which the graph doesn't carry."""
    return symbol["kind"]["identifier"] == "swift.init" and "/Generated/" in symbol["location"]["uri"]


def undocumented(folder):
    for symbol in symbols(folder):
        if "docComment" not in symbol and "location" in symbol and not is_memberwise(symbol):
            yield ".".join(symbol["pathComponents"])


def api(folder):
    found = {}
    for symbol in symbols(folder):
        owner, *members = (part.split("(")[0] for part in symbol["pathComponents"])
        names = found.setdefault(owner, set())
        names.update(members)
        # What an enum's case carries.
        if symbol["kind"]["identifier"] == "swift.enum.case":
            last = symbol["pathComponents"][-1]
            names.update(label for label in last.partition("(")[2].rstrip(")").split(":") if label not in ("", "_"))
    return {owner: sorted(names) for owner, names in sorted(found.items())}


if sys.argv[2:] == ["--documented"]:
    bare = sorted(undocumented(sys.argv[1]))
    print(f"{sum(1 for _ in symbols(sys.argv[1]))} public names, {len(bare)} without a comment", *bare, sep="\n")
    sys.exit(1 if bare else 0)
print(json.dumps(api(sys.argv[1]), indent=1))
