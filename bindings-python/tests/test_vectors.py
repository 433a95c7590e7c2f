"""Every conformance vector, each a test of its own."""

from __future__ import annotations

import json
import pathlib
from typing import Any, Dict, List

import pytest
import vectors

import plannt

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "conformance" / "vectors"


def all_cases() -> List[Any]:
    found = []
    for path in sorted(FOLDER.glob("*.json")):
        document = json.loads(path.read_text())
        cases = list(vectors.cases(document))
        assert len(cases) == document["number_of_tests"]
        found += [pytest.param(document["suite"], case, id=case["id"]) for case in cases]
    return found


def test_every_suite_is_run() -> None:
    assert {path.stem for path in FOLDER.glob("*.json")} == set(vectors.SUITES)


@pytest.mark.parametrize(("suite", "case"), all_cases())
def test_vector(suite: str, case: Dict[str, Any]) -> None:
    try:
        output = vectors.SUITES[suite](case["input"])
    except (plannt.PlanntError, vectors.Refused) as error:
        assert case["result"] in ("invalid", "acceptable"), error.code
        assert case.get("error", error.code) == error.code
        return
    assert case["result"] in ("valid", "acceptable"), output
    if "output" in case:
        assert output == case["output"]
