"""Years of sales in a moment: what the store of a busy, pruned shop hold."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import accumulate

import msgspec

from adapters.sql.record import micros
from adapters.sql.transaction import TABLES
from bench.speed.engines import Engine, Lot, Row
from bench.speed.sales import buyers_address, stripe_id
from domain.emails import AccessLink
from domain.keys import Keyring
from domain.values import CheckoutId, EmailAddress, Money, sortable_id
from testkit.servers import BOOK, SESSION_SECRET

_SPAN = timedelta(days=365)
_EVENTS_KEPT = timedelta(days=85)
_LINKS_KEPT = timedelta(days=5)
_SESSIONS_KEPT = timedelta(days=12)
_RETURNING = 0.2
"""How many of the sales are to somebody who bought before."""
_NAME = "The Last Cloakroom"


def fill_with_past(engine: Engine, number: int) -> None:
    """Lay so many purchases of the last year into empty books, with everything that is kept beside them.

    What the shop prunes by itself (links, sessions, events) is there for as long as it is kept, so nothing is
    pruned while we measure.
    """
    engine.fill(_Past(number).lots())


class _Past:
    def __init__(self, number: int) -> None:
        self._number = number
        self._chance = random.Random(number)
        now = datetime.now(UTC)
        first = now - _SPAN
        step = _SPAN / (number + 1)
        self._at = [first + step * position for position in range(1, number + 1)]
        self._now = now
        self._checkouts = [sortable_id(now=at, entropy=self._bytes(10)) for at in self._at]
        self._refs = [f"cs_test_{self._bytes(29).hex()}" for _ in range(number)]
        self._payments = [stripe_id("pi_3", at=at, entropy=self._bytes(4)) for at in self._at]
        self._sessions = [sortable_id(now=at, entropy=self._bytes(10)) for at in self._at]
        new = [self._chance.random() >= _RETURNING for _ in range(number)]
        new[:1] = [True]
        ranks = list(accumulate(new))
        self._new = new
        self._buyer = [
            rank - 1 if fresh else self._chance.randrange(rank)
            for rank, fresh in zip(ranks, new, strict=True)
        ]
        self._users = [
            sortable_id(now=at, entropy=self._bytes(10))
            for at, fresh in zip(self._at, new, strict=True)
            if fresh
        ]
        self._addresses = [buyers_address("past", number) for number in range(len(self._users))]
        self._key = Keyring.of((SESSION_SECRET,)).signing

    def _bytes(self, number: int) -> bytes:
        return self._chance.randbytes(number)

    def _address(self, position: int) -> str:
        return self._addresses[self._buyer[position]]

    def _since(self, kept: timedelta) -> range:
        """The positions of what is younger than that."""
        return range(
            next((n for n, at in enumerate(self._at) if at > self._now - kept), self._number), self._number
        )

    def lots(self) -> Iterator[Lot]:
        """Every table, each in the order of its primary key."""
        yield _lot("users", 5, self._user_rows())
        yield _lot("checkouts", 14, self._checkout_rows())
        yield _lot("purchases", 15, self._purchase_rows())
        yield _lot("facts", 6, sorted(self._fact_rows()))
        yield _lot("outbox", 21, self._mail_rows())
        yield _lot("magic_links", 14, sorted(self._link_rows(), key=lambda row: row[0]))
        yield _lot("sessions", 8, self._session_rows())
        yield _lot("events", 5, sorted(self._event_rows()))

    def _user_rows(self) -> Iterator[Row]:
        since = (at for at, fresh in zip(self._at, self._new, strict=True) if fresh)
        for number, (user, at) in enumerate(zip(self._users, since, strict=True)):
            yield user, self._addresses[number], micros(at), micros(at), 1

    def _checkout_rows(self) -> Iterator[Row]:
        hour = 3_600_000_000
        for n in range(self._number):
            at = micros(self._at[n])
            yield (
                self._checkouts[n], BOOK, _NAME, 900, "usd", self._sessions[n], None, 0, at,
                self._refs[n], at + hour, "", 0, None,
            )  # fmt: skip

    def _purchase_rows(self) -> Iterator[Row]:
        for n in range(self._number):
            mailbox = self._address(n)
            yield (
                self._checkouts[n], self._refs[n], self._payments[n], self._users[self._buyer[n]], mailbox, mailbox,
                BOOK, _NAME, 900, "usd", 0, self._sessions[n], micros(self._at[n]), "", "",
            )  # fmt: skip

    def _fact_rows(self) -> Iterator[Row]:
        for n in range(self._number):
            yield self._refs[n], "session", self._payments[n], int(self._at[n].timestamp()), "paid", 900

    def _mail_rows(self) -> Iterator[Row]:
        for n in range(self._number):
            checkout = self._checkouts[n]
            at = micros(self._at[n])
            email = AccessLink(product_name=_NAME, paid=Money(900, "usd"), order=checkout[:16])
            # Their bodies were deleted a day after they were sent.
            yield (
                f"access:{checkout}", "access", self._address(n), email.template, "en",
                msgspec.json.encode(email).decode(), f"Your purchase: {_NAME}", None, None, self._bytes(32),
                self._link(n), self._key.name, at, at, "sent", 1, None, at + 1_000_000, "", None, 0,
            )  # fmt: skip

    def _link(self, position: int) -> str:
        return self._key.access_link_of(
            CheckoutId(self._checkouts[position]), EmailAddress(self._address(position))
        )

    def _link_rows(self) -> Iterator[Row]:
        for n in self._since(_LINKS_KEPT):
            at = micros(self._at[n])
            yield (
                self._link(n), self._key.name, "access", self._address(n), None, BOOK, at, at + 1_000_000, None, 0, 0,
                None, None, None,
            )  # fmt: skip

    def _session_rows(self) -> Iterator[Row]:
        for n in self._since(_SESSIONS_KEPT):
            at = micros(self._at[n])
            yield self._sessions[n], self._bytes(32).hex(), None, at, at, "Firefox on Linux", None, None

    def _event_rows(self) -> Iterator[Row]:
        for n in self._since(_EVENTS_KEPT):
            event = f"evt_{self._bytes(12).hex()}"
            yield event, "checkout.session.completed", self._refs[n], "booked", micros(self._at[n])


def _lot(table: str, number: int, rows: Iterable[Row]) -> Lot:
    """Rows of the first so many columns: those behind them are empty in a usual sale."""
    return Lot(table, ", ".join(TABLES[table].columns[:number]), rows)
