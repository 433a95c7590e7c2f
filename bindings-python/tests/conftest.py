from __future__ import annotations

import pathlib
from typing import Any, Dict, Iterator

import pytest
from support import Service

import plannt


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    running = Service(tmp_path_factory.mktemp("demo"))
    yield running
    running.close()


@pytest.fixture
def options(tmp_path: pathlib.Path) -> Dict[str, Any]:
    """A driver's options with a journal of the test's own."""
    return {"journal": tmp_path / "journal.db", "max_payment_msat": 100_000}


@pytest.fixture
def wallet(service: Service) -> plannt.Wallet:
    return plannt.wallet(service.payer_url, network="regtest")
