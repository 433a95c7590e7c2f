"""The examples of every docstring run, and every public item has one."""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil
from typing import Any, Dict, List

import pytest

import plannt

MODULES = ["plannt", *(f"plannt.{module.name}" for module in pkgutil.iter_modules(plannt.__path__))]


def examples(module: Any) -> List[doctest.DocTest]:
    """Of Python's own and of the native part, which doctest alone would pass over."""
    finder, names = doctest.DocTestFinder(exclude_empty=True), dict(vars(plannt))
    found: Dict[str, doctest.DocTest] = {test.name: test for test in finder.find(module, globs={**vars(module)})}
    if module.__name__ == "plannt._plannt":
        for name, member in vars(module).items():
            nested = vars(member).items() if isinstance(member, type) else ()
            for path, one in [(name, member), *((f"{name}.{inner}", value) for inner, value in nested)]:
                text = getattr(one, "__doc__", None) or ""
                test = doctest.DocTestParser().get_doctest(text, dict(names), path, None, None)
                if test.examples:
                    found[path] = test
    return [test for test in found.values() if test.examples]


def all_examples() -> List[Any]:
    tests = []
    for name in MODULES:
        tests += [pytest.param(test, id=f"{name}:{test.name}") for test in examples(importlib.import_module(name))]
    return tests


@pytest.mark.parametrize("test", all_examples())
def test_an_example_runs(test: doctest.DocTest) -> None:
    said: List[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    runner.run(test, out=said.append)
    assert runner.summarize(verbose=False).failed == 0, "".join(said)


def test_there_are_examples_of_the_native_part() -> None:
    names = {test.name for test in examples(importlib.import_module("plannt._plannt"))}
    assert {"Credential", "Flow", "Keyring", "Macaroon", "MintRequest", "PaymentHash", "Preimage", "RootKey"} <= names


def public() -> List[Any]:
    found: List[Any] = []
    for name in plannt.__all__:
        member = getattr(plannt, name)
        if not (inspect.isclass(member) or inspect.isroutine(member)):
            continue
        found.append((name, member))
        if inspect.isclass(member) and not issubclass(member, BaseException):
            own = [(inner, value) for inner, value in vars(member).items() if not inner.startswith("_")]
            found += [(f"{name}.{inner}", value) for inner, value in own if callable(value) or isinstance(value, (property, classmethod))]
    for module in ("httpx", "requests", "aiohttp", "asgi", "wsgi"):
        adapter = importlib.import_module(f"plannt.{module}")
        found += [(f"{module}.{name}", getattr(adapter, name)) for name in adapter.__all__]
    return found


@pytest.mark.parametrize(("name", "member"), public())
def test_what_is_public_is_told(name: str, member: Any) -> None:
    text = inspect.getdoc(member)
    # A dataclass without a docstring of its own has its signature for one.
    assert text, f"{name} has no docstring"
    assert not text.startswith(f"{name}("), f"{name} has no docstring"
