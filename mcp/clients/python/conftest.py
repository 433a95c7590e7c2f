"""One world for the tests that leave nothing behind, and a fresh one for the others."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator

import pytest

from support import World


@pytest.fixture
def world(tmp_path: pathlib.Path) -> Iterator[World]:
    world = World(tmp_path / "home")
    yield world
    world.close()
