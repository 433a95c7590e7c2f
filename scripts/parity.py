#!/usr/bin/env python3
"""Holds each language's API against the core's: every public item of plannt-core has its counterpart in each, or a reason in
docs/parity.toml why it has none. Writes docs/PARITY.md; with --check it only compares.

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
CONSTANTS = [kind for kind, word in KINDS.items() if word == "constant"]


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
    head, *rest = snake(name).split("_")
    return head + "".join(part.capitalize() for part in rest)


def screaming(name):
    return snake(name).upper()


def same(name):
    return name


class Style:
    """How a language writes names where nothing else is said of them."""

    def __init__(self, member=camel, literal=snake, variant=snake, constants=None, namespace=same, error="Error", new=None):
        # Functions and fields; the variants of an enum without data, and of others.
        self.member, self.literal, self.variant = member, literal, variant
        # The type that has all constants, where they don't keep Rust's names and places.
        self.constants = constants
        # Of a module that stays one; what an error's name ends with; and what makes a value of a type, where that is a member.
        self.namespace, self.error, self.new = namespace, error, new


STYLES = {
    "Python": Style(member=same, variant=same),
    "Node": Style(),
    "Swift": Style(literal=camel, variant=camel, constants="Limits", namespace=str.capitalize, new="init"),
    "Kotlin": Style(literal=screaming, variant=same, constants="Constants", namespace=str.capitalize, error="Exception", new="constructor"),
}


class Language:
    """One language's naming, and what its package has."""

    def __init__(self, name, api, rules):
        self.name, self.api, self.style = name, api, STYLES[name]
        # Of this language alone, of several, of all.
        tables = [table for table in rules if self.name.lower() in table.split("+") or table == "all"]
        self.rules = [(table, rules[table]) for table in sorted(tables, key=lambda t: (t == "all", t.count("+")))]
        self.used = set()
        # What each of the core's types is called, for its members.
        self.types = {}

    def rule(self, path):
        """What docs/parity.toml says of an item, if it does: of this language, of several, or of all."""
        for table, rules in self.rules:
            for pattern, rule in rules.items():
                if fnmatch.fnmatchcase(path, pattern):
                    self.used.add((table, pattern))
                    return rule
        return None

    def convention(self, item):
        style = self.style
        *owner, last = item.path.split("::")
        if item.kind in CONSTANTS and style.constants:
            return f"{style.constants}.{camel(last)}"
        if item.owner is not None:
            owner = [self.types[item.owner]]
        elif owner[:1] and owner[0] in NAMESPACES:
            owner = [style.namespace(owner[0])]
        else:
            owner = []
        if item.kind == "variant":
            # An error's keep Rust's names, where they are there at all.
            errors = owner[0].endswith(style.error)
            last = last if errors else (style.literal if item.unit else style.variant)(last)
        elif item.kind in ("function", "field"):
            if item.name == "new" and item.owner:
                return ".".join(owner + [style.new] * bool(style.new))
            last = style.member(last)
        elif last.endswith("Error"):
            last = last.removesuffix("Error") + style.error
        return ".".join(owner + [last])

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
            rule = language.rule(item.path)
            if isinstance(rule, dict):
                cells.append((None, rule["absent"]))
                if item.owner is None:
                    gone[language.name, item.path] = rule["absent"]
                continue
            name = rule or language.convention(item)
            if item.owner is None:
                language.types[item.path] = name
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
