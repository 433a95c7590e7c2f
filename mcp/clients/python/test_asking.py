"""Questions to a person, progress, and calls that are given up: both generations of the protocol."""

from __future__ import annotations

import asyncio
import time
from typing import Any, Literal

import pytest
from mcp_types import ElicitRequestFormParams, ElicitResult

from support import MODES, TRANSPORTS, World, authority, error, told

everywhere = pytest.mark.parametrize(("transport", "mode"), [(transport, mode) for transport in TRANSPORTS for mode in MODES])
Action = Literal["accept", "decline", "cancel"]


class Person:
    """Answers what is asked, and remembers it."""

    def __init__(self, action: Action) -> None:
        self.action: Action = action
        self.asked: list[str] = []

    async def __call__(self, context: Any, params: Any) -> ElicitResult:
        assert isinstance(params, ElicitRequestFormParams)
        self.asked.append(params.message)
        return ElicitResult(action=self.action, content={} if self.action == "accept" else None)


@everywhere
def test_a_person_is_asked_above_the_threshold(world: World, transport: str, mode: str) -> None:
    async def run(action: Action) -> Person:
        person = Person(action)
        async with world.client(transport, "--confirm-above", "50", mode=mode, elicitation_callback=person) as client:
            told(await client.call_tool("fetch", {"url": world.url + "/v1/demo"}))
            assert person.asked == []
            result = await client.call_tool("fetch", {"url": world.url + "/v1/data"})
            if action == "accept":
                assert told(result)["receipt"]["sats"] == 100
            else:
                refused = error(result)
                assert (refused["code"], refused["paid"]) == ("declined", False)
        return person

    for action in ("accept", "decline", "cancel"):
        person = asyncio.run(run(action))
        [question] = person.asked
        assert question.startswith(f"Pay 100 sats to {authority(world.url)}?") and "'demo'" in question.replace('"', "'")
    assert sorted(world.paid()) == [21_000, 21_000, 21_000, 100_000]


@everywhere
def test_where_nobody_can_be_asked_it_is_refused(world: World, transport: str, mode: str) -> None:
    async def run() -> None:
        async with world.client(transport, "--confirm-above", "50", mode=mode) as client:
            refused = error(await client.call_tool("fetch", {"url": world.url + "/v1/data"}))
            assert (refused["code"], refused["paid"]) == ("confirmation_unavailable", False)

    asyncio.run(run())
    assert world.payments() == []


def test_nobody_is_asked_for_what_would_be_refused(world: World) -> None:
    person = Person("accept")

    async def run() -> None:
        options = ["--confirm-above", "50", "--max-sats-per-session", "60"]
        async with world.client("stdio", *options, elicitation_callback=person) as client:
            assert error(await client.call_tool("fetch", {"url": world.url + "/v1/data"}))["code"] == "budget_exceeded"
            assert error(await client.call_tool("fetch", {"url": world.url + "/v1/data", "max_sats": 70}))["code"] == "above_limit"

    asyncio.run(run())
    assert person.asked == [] and world.payments() == []


@everywhere
def test_progress_is_told_in_order_before_the_result(world: World, transport: str, mode: str) -> None:
    steps: list[tuple[float, str | None]] = []

    async def tell(progress: float, total: float | None, message: str | None) -> None:
        steps.append((progress, message))

    async def run() -> None:
        async with world.client(transport, mode=mode) as client:
            told(await client.call_tool("fetch", {"url": world.url + "/v1/demo"}, progress_callback=tell))
            assert [message for _, message in steps] == [
                "asking the server",
                "paying 21 sats, fee at most 10.21 sats",
                "paid 21 sats",
                "presenting the credential",
            ]
            assert [progress for progress, _ in steps] == [1, 2, 3, 4]

    asyncio.run(run())


@everywhere
def test_a_call_that_is_given_up_in_mid_payment_is_not_paid_twice(world: World, transport: str, mode: str) -> None:
    world.fault(operation="pay", kind="stuck", count=1)

    async def run() -> None:
        async with world.client(transport, mode=mode) as client:
            call = asyncio.create_task(client.call_tool("fetch", {"url": world.url + "/v1/demo"}))
            deadline = time.monotonic() + 20
            while not world.payments():
                assert time.monotonic() < deadline
                await asyncio.sleep(0.05)
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
            # The server lives, and says what it waits for.
            [payment] = world.payments()
            refused = error(await client.call_tool("fetch", {"url": world.url + "/v1/demo"}))
            assert refused["code"] == "payment_unresolved"
            assert told(await client.call_tool("wallet_status", {}))["unresolved_payments"] == 1
            world.plannt("devnet", "settle", payment["payment_hash"])
            result = told(await client.call_tool("fetch", {"url": world.url + "/v1/demo"}))
            assert (result["body"], result["paid"], result["verified"]) == ({"result": "verified"}, False, True)
            assert result["receipt"]["payment_hash"] == payment["payment_hash"]

    asyncio.run(run())
    assert world.paid() == [21_000]
