"""Amounts in thousandths of a satoshi."""

from __future__ import annotations


class Msat(int):
    """An amount in msat, thousandths of a satoshi: an ``int`` that knows its satoshis.

    >>> price = Msat(21_001)
    >>> price, price.sats
    (Msat(21001), 22)
    """

    __slots__ = ()

    @property
    def sats(self) -> int:
        """The amount in satoshis, rounded up, as prices are."""
        return -(-int(self) // 1000)

    def __repr__(self) -> str:
        return f"Msat({int(self)})"

    def __str__(self) -> str:
        return str(int(self))
