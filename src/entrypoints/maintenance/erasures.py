"""Erasures as lines of text, the format stored beside backups and dumps.

0191b3…                                             an order: the id of its checkout
address 1a2b3c4d.<64 digits> 2026-03-01T12:00:00Z   an address, as a keyed hash, and the time of the erasure
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from domain.records import ErasedAddress
from domain.values import CheckoutId

_ORDER: Final = re.compile(r"[0-9A-Za-z_-]{1,64}")
_ADDRESS: Final = re.compile(
    r"address ([0-9a-f]{8}\.[0-9a-f]{64}) (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{6})?Z)"
)


class BadErasures(Exception):
    """A line is not an erasure; the message names it."""


@dataclass(frozen=True, slots=True)
class Erasures:
    """Erasures, by order and by address."""

    orders: tuple[CheckoutId, ...] = ()
    addresses: tuple[ErasedAddress, ...] = ()

    def beyond(self, known: Erasures) -> Erasures:
        """The erasures that `known` lacks or has with an earlier time."""
        orders, since = set(known.orders), {one.tag: one.at for one in known.addresses}
        return Erasures(
            orders=tuple(sorted({one for one in self.orders if one not in orders})),
            addresses=tuple(one for one in self.addresses if one.tag not in since or since[one.tag] < one.at),
        )

    def lines(self) -> Iterator[str]:
        """The erasures as lines of text."""
        yield from self.orders
        for one in self.addresses:
            yield f"address {one.tag} {one.at.astimezone(UTC).isoformat().removesuffix('+00:00')}Z"


def read_erasures(lines: Iterable[str], *, name: str) -> Erasures:
    """Parse the output of `lines`; for an address listed more than once, the latest wins. Raises BadErasures."""
    orders: dict[CheckoutId, None] = {}
    addresses: dict[str, ErasedAddress] = {}
    for number, line in enumerate(lines, 1):
        text = line.rstrip("\r\n")
        if not text:
            continue
        found = _ADDRESS.fullmatch(text)
        if found is not None:
            try:
                one = ErasedAddress(tag=found[1], at=datetime.fromisoformat(found[2]))
            except ValueError:
                raise BadErasures(f"{name}, line {number}: {found[2]} is no time") from None
            held = addresses.get(one.tag)
            addresses[one.tag] = one if held is None or held.at < one.at else held
        elif _ORDER.fullmatch(text):
            orders[CheckoutId(text)] = None
        else:
            raise BadErasures(
                f"{name}, line {number}: {text[:80]!r} is neither an order nor an erased address"
            )
    return Erasures(orders=tuple(orders), addresses=tuple(addresses.values()))
