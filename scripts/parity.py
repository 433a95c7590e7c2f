#!/usr/bin/env python3
"""Holds each language's API against the core's: every public item of plannt-core has its counterpart in Python and Node, or a
reason in docs/parity.toml why it has none. Writes docs/PARITY.md; with --check it only compares.

  scripts/parity.py [--check] ITEMS.json LANGUAGE=API.json…

ITEMS.json is rustdoc's JSON of the core. An API.json maps each exported name of a language's package to the names of its members,
as the package's own tools list them; a namespace's or a set of literals is a name, too.
"""

import fnmatch
import json
import pathlib
import re
import sys
import tomllib

HERE = pathlib.Path(__file__).resolve().parent.parent
PAGE = HERE / "docs" / "PARITY.md"
# Modules of the core that stay namespaces; all others are flattened.
NAMESPACES = {"base64", "caveat"}
# What rustdoc calls them, and how the page does.
KINDS = {"struct": "type", "enum": "type", "function": "function", "constant": "constant", "assoc_const": "constant"}


class Item:
    """A public item of the core. `path` has no crate, `owner` is the type whose member it is."""

    def __init__(self, kind, path, owner=None, unit=False):
        self.kind, self.path, self.owner, self.unit = kind, path, owner, unit

    @property
    def name(self):
        return self.path.rsplit("::", 1)[-1]


def core_items(document):
    """Every public item, once, under its shortest path."""
    index = {int(key): value for key, value in document["index"].items()}
    found = {}

    def inner(item):
        return next(iter(item["inner"].items()))

    def walk(identifier, prefix):
        item = index.get(identifier)
        if item is None:
            return
        kind, data = inner(item)
        if kind == "module":
            for child in data["items"]:
                walk(child, prefix + [item["name"]])
        elif kind == "use":
            if data["id"] in index:
                named(data["id"], prefix, data["name"])
        else:
            named(identifier, prefix, item["name"])

    def named(identifier, prefix, name):
        kind, data = inner(index[identifier])
        if kind == "module":
            for child in data["items"]:
                walk(child, prefix + [name])
        elif kind in KINDS:
            path = "::".join(prefix[1:] + [name])
            known = found.get(identifier)
            # `challenge::Challenge` is also `Challenge`.
            if known is None or path.count("::") < known[1].count("::"):
                found[identifier] = (kind, path)

    walk(document["root"], [])
    items = []
    for identifier, (kind, path) in found.items():
        data = inner(index[identifier])[1]
        variants = [index[v] for v in data.get("variants", [])] if kind == "enum" else []
        plain = bool(variants) and all(inner(v)[1]["kind"] == "plain" for v in variants)
        items.append(Item(kind, path, unit=plain))
        for block in data.get("impls", []) if isinstance(data, dict) else []:
            implementation = index[block]["inner"]["impl"] if block in index else None
            if implementation is None or implementation["trait"] is not None:
                continue
            for member in (index[m] for m in implementation["items"]):
                if member["visibility"] == "public":
                    items.append(Item(inner(member)[0], f"{path}::{member['name']}", path))
        for variant in variants:
            items.append(Item("variant", f"{path}::{variant['name']}", path, plain))
        if kind == "struct" and isinstance(data["kind"], dict) and "plain" in data["kind"]:
            for field in data["kind"]["plain"]["fields"]:
                if field in index:
                    items.append(Item("field", f"{path}::{index[field]['name']}", path))
    return sorted(items, key=lambda item: item.path)


def snake(name):
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def camel(name):
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


class Language:
    """One language's naming, and what its package has."""

    def __init__(self, name, api, rules):
        self.name, self.api = name, api
        self.rules = rules.get(name.lower(), {})
        self.used = set()

    def rule(self, path, both):
        """What docs/parity.toml says of an item, if it does: of this language, or of all."""
        for rules, where in ((self.rules, self.name.lower()), (both, "all")):
            for pattern, rule in rules.items():
                if fnmatch.fnmatchcase(path, pattern):
                    self.used.add((where, pattern))
                    return rule
        return None

    def convention(self, item):
        parts = item.path.split("::")
        if parts[0] not in NAMESPACES and item.owner is None:
            parts = parts[-1:]
        elif parts[0] not in NAMESPACES:
            parts = parts[-2:]
        last = parts[-1]
        if item.kind == "variant":
            # Of an enum without data, a literal; else a class or an object's type.
            last = last if self.name == "Python" and not item.unit else snake(last)
        elif item.kind in ("function", "field"):
            if item.name == "new" and item.owner:
                return ".".join(parts[:-1])
            last = camel(last) if self.name == "Node" else last
        return ".".join(parts[:-1] + [last])

    def has(self, name):
        if name in self.api:
            return True
        owner, _, member = name.rpartition(".")
        return member in self.api.get(owner, ())


def main():
    arguments = [a for a in sys.argv[1:] if a != "--check"]
    check = "--check" in sys.argv[1:]
    items = core_items(json.loads(pathlib.Path(arguments[0]).read_text()))
    rules = tomllib.loads((HERE / "docs" / "parity.toml").read_text())
    both = rules.get("all", {})
    languages = []
    for argument in arguments[1:]:
        name, _, path = argument.partition("=")
        languages.append(Language(name, json.loads(pathlib.Path(path).read_text()), rules))

    faults, rows, covered = [], [], {}
    gone = {}
    for item in items:
        cells = []
        for language in languages:
            if item.owner is not None and (language.name, item.owner) in gone:
                # A type that is not there has no members there.
                cells.append((None, gone[language.name, item.owner]))
                continue
            rule = language.rule(item.path, both)
            if isinstance(rule, dict):
                cells.append((None, rule["absent"]))
                if item.owner is None:
                    gone[language.name, item.path] = rule["absent"]
                continue
            name = rule or language.convention(item)
            if not language.has(name):
                faults.append(f"{language.name} has no {name} for {item.path}")
            cells.append((name, None))
        if item.kind in ("field", "variant"):
            covered.setdefault(item.owner, []).append(item.kind)
        else:
            rows.append((item, cells))
    for where, table in rules.items():
        for path in table:
            if not any((where, path) in language.used for language in languages):
                faults.append(f"docs/parity.toml: nothing is called {path}, or its type is absent already")
    for fault in faults:
        print(fault, file=sys.stderr)
    if faults:
        sys.exit(1)

    page = render(rows, covered, languages)
    if not check:
        PAGE.write_text(page)
    elif not PAGE.exists() or PAGE.read_text() != page:
        sys.exit("docs/PARITY.md is not what scripts/parity writes: run it")
    print(f"parity: {len(items)} items of the core in {len(languages)} languages")


def render(rows, covered, languages):
    lines = [
        "# The core in each language",
        "",
        "Written by `scripts/parity`; `make parity` fails where an item of the core has no counterpart and no reason in [parity.toml](parity.toml).",
        "A type's fields and variants are checked with it, and counted beside its name.",
        "",
        "| plannt_core | " + " | ".join(language.name for language in languages) + " |",
        "|---|" + "---|" * len(languages),
    ]
    notes = []
    for item, cells in rows:
        more = covered.get(item.path, []) if item.owner is None else []
        count = ", ".join(
            f"{more.count(kind)} {kind}s" for kind in ("field", "variant") if more.count(kind)
        )
        texts = []
        for name, reason in cells:
            if name is not None:
                texts.append(f"`{name}`")
                continue
            if reason not in notes:
                notes.append(reason)
            texts.append(f"– ({notes.index(reason) + 1})")
        lines.append(f"| `{item.path}`{' · ' + count if count else ''} | " + " | ".join(texts) + " |")
    lines.append("")
    lines += [f"{number}. {note}" for number, note in enumerate(notes, 1)]
    return "\n".join(lines) + "\n"


main()
