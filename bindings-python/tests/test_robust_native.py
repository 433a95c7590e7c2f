"""Whatever is passed to the native part gives a value or a clear error, and shows no secret."""

from __future__ import annotations

import copy
import datetime
import inspect
import pickle
import warnings
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Callable, Dict, List, Tuple

import pytest

import plannt

ROOT_KEY = bytes(range(32))
PREIMAGE = b"\xa5" * 32
#: In whatever form, none of these may be shown.
SECRETS = (PREIMAGE.hex(), ROOT_KEY.hex(), repr(PREIMAGE), repr(ROOT_KEY))


def ring() -> plannt.Keyring:
    return plannt.Keyring("regtest", plannt.RootKey(ROOT_KEY))


def minted() -> str:
    payment_hash = plannt.Preimage(PREIMAGE).payment_hash()
    return ring().mint(plannt.MintRequest(payment_hash, "demo", "GET", "/v1/demo", 1_900_000_000, 21_000))


def credential() -> plannt.Credential:
    found = plannt.Credential.from_authorization([plannt.authorization_value(minted(), PREIMAGE)])
    assert found is not None
    return found


def context(**changed: Any) -> plannt.RequestContext:
    given: Dict[str, Any] = {"now": 1_800_000_000, "service": "demo", "method": "GET", "path": "/v1/demo", "lowest_price_msat": 21_000}
    return plannt.RequestContext(**{**given, **changed})


class Odd:
    """Nothing that anyone wants; each of its special methods raises."""

    def __bytes__(self) -> bytes:
        raise RuntimeError("no bytes")

    def __str__(self) -> str:
        raise RuntimeError("no text")

    def __iter__(self) -> Any:
        raise RuntimeError("no items")

    def __index__(self) -> int:
        raise RuntimeError("no number")

    def __fspath__(self) -> str:
        raise RuntimeError("no path")


class Endless:
    """Says yes to every question."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return Endless()

    def __call__(self, *_arguments: Any, **_named: Any) -> Any:
        return Endless()


ODD: List[Any] = [
    None,
    True,
    -1,
    0,
    2**64,
    10**30,
    1.5,
    float("nan"),
    float("inf"),
    "",
    "x",
    "\x00",
    "\ud800",
    "é" * 9,
    "a" * 200_000,
    b"",
    b"\xff" * 40,
    bytearray(3),
    memoryview(b"abcdef")[::2],
    [],
    [None],
    ["x", 1],
    (),
    {},
    {"a": 1},
    set(),
    object(),
    Odd(),
    Endless(),
    datetime.datetime(2026, 1, 1),
    datetime.datetime.max.replace(tzinfo=datetime.timezone.utc),
    lambda *_arguments: None,
    int,
]

#: What says clearly that an argument is of no use. `RuntimeError` is Odd's own.
CLEAR = (TypeError, ValueError, OverflowError, AttributeError, RuntimeError, plannt.PlanntError)


def callables() -> List[Tuple[str, Callable[..., Any]]]:
    """Every function, class and method of the public API that does no I/O."""
    skipped = {"Driver", "Gate", "Journal", "Wallet", "wallet", "Network", "Call"}
    found: List[Tuple[str, Callable[..., Any]]] = []
    for name in plannt.__all__:
        member = getattr(plannt, name)
        if name in skipped or not callable(member) or (isinstance(member, type) and issubclass(member, Exception)):
            continue
        found.append((name, member))
    own: List[Any] = [ring(), credential(), context(), plannt.Macaroon.create(b"key", b"id"), plannt.Preimage(PREIMAGE)]
    own += [plannt.PaymentHash(bytes(32)), plannt.Routes({}), plannt.Budget(), plannt.Hosts(), plannt.FeeLimit()]
    own += [plannt.Policy("regtest", 1), plannt.BudgetRule(1), plannt.Origin.parse("https://a.example")]
    own += [plannt.Flow(plannt.Policy("regtest", 1), plannt.RequestFacts.of("GET", plannt.Origin.parse("https://a"), "/"), "w")]
    for instance in own:
        methods = [name for name in dir(type(instance)) if not name.startswith("_") and callable(getattr(instance, name))]
        found += [(f"{type(instance).__name__}.{name}", getattr(instance, name)) for name in methods]
    for module in (plannt.base64, plannt.caveat):
        found += [(name, member) for name, member in vars(module).items() if inspect.isroutine(member) or inspect.isbuiltin(member)]
    return found


@pytest.mark.parametrize(("name", "function"), callables())
def test_odd_arguments_give_a_value_or_a_clear_error(name: str, function: Callable[..., Any]) -> None:
    calls = 0
    for first in ODD:
        for arguments in ((first,), (first,) * 2, (first, "x"), ("x", first), (b"", first), (first,) * 3, ("x", "x", first), (first,) * 6):
            calls += 1
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    repr(function(*arguments))
            except CLEAR as error:
                assert not any(secret in str(error) for secret in SECRETS)
    assert calls


@pytest.mark.parametrize(
    ("make", "wanted"),
    [
        (plannt.Preimage, 32),
        (plannt.RootKey, 32),
        (plannt.PaymentHash, 32),
        (plannt.content_digest_text, 32),
        (plannt.Identifier.parse, 66),
    ],
)
def test_lengths(make: Callable[[bytes], Any], wanted: int) -> None:
    make(bytes(wanted))
    for length in (0, wanted - 1, wanted + 1, 2 * wanted):
        with pytest.raises(plannt.PlanntError) as refused:
            make(bytes(length))
        assert isinstance(refused.value, ValueError)


MEGABYTES = 16_000_000


@pytest.mark.parametrize(
    "read",
    [
        lambda: plannt.Macaroon.parse(b"\x02" * MEGABYTES),
        lambda: plannt.Macaroon.from_json("[" * MEGABYTES),
        lambda: plannt.parse_token("A" * MEGABYTES),
        lambda: plannt.Credential.from_authorization(["L402 " + "A" * MEGABYTES]),
        lambda: plannt.Credential.from_grpc_metadata("0" * MEGABYTES),
        lambda: plannt.read_invoice("lnbcrt" + "1" * MEGABYTES),
        lambda: plannt.decode_any("{" * MEGABYTES),
        lambda: plannt.normalize_path("/" + "%" * MEGABYTES),
        lambda: plannt.parse_challenges("L402 " + "a=" * MEGABYTES),
        lambda: plannt.base64.decode("*" * MEGABYTES),
        lambda: plannt.Origin.parse("https://" + "a" * MEGABYTES + " "),
        lambda: plannt.attenuate_token(minted(), ["a=" + "b" * MEGABYTES]),
        lambda: plannt.Macaroon.create(b"key", b"id").attenuate(b"x" * MEGABYTES),
        lambda: ring().mint_chain(bytes(32), [b"x" * MEGABYTES]),
    ],
)
def test_huge_inputs(read: Callable[[], Any]) -> None:
    with pytest.raises(plannt.PlanntError) as refused:
        read()
    assert len(str(refused.value)) < 1_000


def test_secrets_are_not_shown() -> None:
    shown = [
        plannt.Preimage(PREIMAGE),
        plannt.RootKey(ROOT_KEY),
        ring(),
        credential(),
        credential().tokens(),
        plannt.Challenge("L402", PREIMAGE.hex(), "lnbcrt1", "header"),
        plannt.CallStep.SendRequest(plannt.authorization_value("token", PREIMAGE)),
        plannt.Step.SendRequest(plannt.authorization_value("token", PREIMAGE)),
        plannt.PaymentResult.Paid(plannt.Preimage(PREIMAGE), plannt.Msat(1)),
        plannt.LookUp.Paid(plannt.Preimage(PREIMAGE), plannt.Msat(1)),
    ]
    for value in shown:
        assert not any(secret in f"{value!r} {value}" for secret in SECRETS), type(value)
    bad = PREIMAGE.hex() + "00"
    for read in (plannt.Preimage.from_hex, plannt.RootKey.from_hex, plannt.Preimage, lambda text: plannt.authorization_value("x", text)):
        with pytest.raises(plannt.PlanntError) as refused:
            read(bad)
        assert PREIMAGE.hex() not in f"{refused.value!r} {refused.value}"
    with pytest.raises(plannt.CredentialError) as unread:
        plannt.Credential.from_authorization([f"L402 !{minted()}:{PREIMAGE.hex()}"])
    assert PREIMAGE.hex() not in f"{unread.value!r} {unread.value}"


def test_copies() -> None:
    payment_hash = plannt.PaymentHash(bytes(32))
    macaroon = plannt.Macaroon.create(b"key", b"id")
    for one in (payment_hash, plannt.Policy("regtest", 1), plannt.Msat(5), plannt.Terms("a", 1), plannt.Origin.parse("https://a.example")):
        assert pickle.loads(pickle.dumps(one)) == one
        assert copy.deepcopy(one) == one
    copied = copy.copy(macaroon)
    copied.attenuate(b"a=b")
    assert (len(copied.caveats), len(macaroon.caveats)) == (1, 0)
    # What is a secret, or belongs to a process, is handed on by nobody without its knowledge.
    for secret in (plannt.Preimage(PREIMAGE), plannt.RootKey(ROOT_KEY), ring()):
        with pytest.raises(TypeError, match="pickle"):
            pickle.dumps(secret)


def test_errors_are_pickled_whole() -> None:
    with pytest.raises(plannt.VerifyError) as refused:
        ring().verify(credential(), context(path="/v1/other"))
    error = pickle.loads(pickle.dumps(refused.value))
    assert (type(error), error.code, error.condition) == (plannt.VerifyError, "out_of_scope", refused.value.condition)
    assert str(error) == str(refused.value)
    above = plannt.AboveLimitError("too much", "above_limit", amount_msat=plannt.Msat(2), limit_msat=plannt.Msat(1))
    assert pickle.loads(pickle.dumps(above)).amount_msat.sats == 1
    failed = plannt.PaymentFailedError("no route", "no_route")
    assert pickle.loads(pickle.dumps(failed)).code == "no_route"


def test_an_exception_inside_a_callback_comes_out() -> None:
    macaroon = plannt.Macaroon.create(b"key", b"id")
    macaroon.attenuate(b"a=b")

    def raises(_caveat: bytes) -> bool:
        raise ZeroDivisionError("of the callback")

    with pytest.raises(ZeroDivisionError):
        macaroon.verify_discharged(b"key", [], raises)
    with pytest.raises(KeyboardInterrupt):
        macaroon.verify_discharged(b"key", [], lambda _caveat: (_ for _ in ()).throw(KeyboardInterrupt))
    # One that comes back to what it is asked about.
    seen: List[int] = []

    def asks_back(_caveat: bytes) -> bool:
        seen.append(len(macaroon.caveats))
        return True

    macaroon.verify_discharged(b"key", [], asks_back)
    assert seen == [1]


def test_64_threads_at_once() -> None:
    keys, macaroon = ring(), plannt.Macaroon.create(b"key", b"id")

    def work(number: int) -> bool:
        preimage = plannt.Preimage(number.to_bytes(32, "big"))
        for turn in range(50):
            token = keys.mint(plannt.MintRequest(preimage.payment_hash(), "demo", "GET", f"/v1/{turn}", 1_900_000_000, 21_000))
            shown = plannt.Credential.from_authorization([plannt.authorization_value(token, preimage)])
            assert shown is not None
            assert keys.verify(shown, context(path=f"/v1/{turn}")).payment_hash == preimage.payment_hash()
            if turn % 25 == 0:
                keys.rotate(plannt.RootKey(bytes([number]) * 32))
                macaroon.attenuate(b"a=b")
        return True

    with ThreadPoolExecutor(64) as pool:
        assert all(pool.map(work, range(64)))
    assert (len(keys), len(macaroon.caveats)) == (129, 128)
    assert macaroon.verify_signature(b"key")
