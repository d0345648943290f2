"""A million sales of every kind, as fast as they can be written: of many products, states, sources and addresses."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import Final

from adapters.sql.record import micros
from bench.speed.engines import Lot, Row
from domain.values import sortable_id

NOW: Final = datetime(2026, 11, 30, 12, tzinfo=UTC)
SPAN: Final = timedelta(days=5 * 365)
PRODUCTS: Final = 20
_EVENTS_KEPT: Final = timedelta(days=85)
_AUDIT_KEPT: Final = timedelta(days=700)
_ONE_LINE_FOR: Final = 20
"""A line of the audit log for so many sales."""
_LISTED, _MADE = 2, 3
"""Products with licence keys: from a list, and made for each sale."""
COMMON, RARE = "promo_common", "promo_rare"
_CURRENCIES: Final = ("usd",) * 17 + ("eur",) * 2 + ("jpy",)
_DOMAINS: Final = (
    ("gmail.com",) * 12
    + ("proton.me", "posteo.de", "example.org")
    + tuple(f"firm{n}.example" for n in range(25))
)
_CHECKOUTS: Final = (
    "id, pid, product_name, amount, currency, session_id, mailbox, livemode, started_at, provider_ref, "
    "expires_at, promotion"
)
_PURCHASES: Final = (
    "checkout_id, provider_ref, payment, user_id, mailbox, paid_email, pid, product_name, amount, currency, livemode, "
    "session_id, booked_at, contents, licences, breakdown, source, booked_by, opened_at, told"
)


class Past:
    """Draws each sale once, so that its rows in all tables fit together."""

    def __init__(self, number: int, *, seed: int = 7, now: datetime = NOW) -> None:
        self.number = number
        chance = random.Random(seed)  # noqa: S311 - no secret
        step = SPAN / (number + 1)
        self.at = [now - SPAN + step * (n + 1) for n in range(number)]
        self._now = now
        self.checkouts = [sortable_id(now=at, entropy=chance.randbytes(10)) for at in self.at]
        self.refs = [f"cs_live_{chance.randbytes(29).hex()}" for _ in range(number)]
        self.payments = [f"pi_3{chance.randbytes(12).hex()}" for _ in range(number)]
        new = [n == 0 or chance.random() < 0.8 for n in range(number)]
        ranks = list(accumulate(new))
        self.buyers = [
            rank - 1 if fresh else chance.randrange(rank) for rank, fresh in zip(ranks, new, strict=True)
        ]
        people = ranks[-1]
        first = [n for n, fresh in enumerate(new) if fresh]
        self.users = [sortable_id(now=self.at[n], entropy=chance.randbytes(10)) for n in first]
        self.since = [micros(self.at[n]) for n in first]
        self.addresses = [f"{chance.randbytes(5).hex()}{n}@{chance.choice(_DOMAINS)}" for n in range(people)]
        self.draws = [chance.random() for _ in range(number)]
        self.products = [min(int(chance.expovariate(0.35)), PRODUCTS - 1) for _ in range(number)]
        self._chance = chance

    def kind(self, n: int) -> str | None:
        """`refund` (3 %), `part` (1 %), `dispute` (0.1 %), `lost` (0.2 %), or None."""
        draw = self.draws[n]
        bounds = ((0.03, "refund"), (0.04, "part"), (0.041, "dispute"), (0.043, "lost"))
        return next((kind for bound, kind in bounds if draw < bound), None)

    def user_of(self, n: int) -> str | None:
        """Whose a sale is."""
        return None if n % 1000 == 6 else self.users[self.buyers[n]]

    def sold_with_key(self, n: int) -> int:
        """The next sale that came with a licence key."""
        return next(m for m in range(n, self.number) if self.products[m] in (_LISTED, _MADE))

    def key(self, n: int) -> str:
        """The licence key of such a sale."""
        return f"{self.checkouts[n][:8]}-{self.checkouts[n][-12:]}".upper()

    def event(self, n: int) -> str:
        """The event that brought a sale, if it is kept (`events_since`)."""
        return f"evt_1{self.payments[n][4:]}"

    def events_since(self) -> int:
        """The first sale whose event is kept."""
        return self._first_since(self._now - _EVENTS_KEPT)

    def lines(self) -> range:
        """The sales of which the audit log has a line."""
        return range(self._first_since(self._now - _AUDIT_KEPT), self.number, _ONE_LINE_FOR)

    def line(self, n: int) -> str:
        """The id of such a line."""
        return sortable_id(now=self.at[n], entropy=bytes.fromhex(self.payments[n][4:24]))

    def _first_since(self, moment: datetime) -> int:
        return next((n for n, at in enumerate(self.at) if at > moment), self.number)

    def lots(self) -> Iterator[Lot]:
        """Every table, each in the order of its primary key."""
        yield Lot("users", "id, email, since, proved_at, wants_release_emails", self._user_rows())
        yield Lot("checkouts", _CHECKOUTS, self._checkout_rows())
        yield Lot("purchases", _PURCHASES, self._purchase_rows())
        yield Lot("facts", "object_id, kind, payment, as_of, status, amount", sorted(self._fact_rows()))
        yield Lot(
            "outbox",
            "key, kind, mailbox, template, language, parameters, queued_at, due_at, state, attempts, problem, delivery",
            self._mail_rows(),
        )
        yield Lot("licences", "pid, key, position, checkout_id", sorted(self._licence_rows()))
        yield Lot("events", "id, type, object_id, outcome, at", sorted(self._event_rows()))
        yield Lot("audit", "id, form, at, actor, action, object_id, result", self._audit_rows())

    def _user_rows(self) -> Iterator[Row]:
        for n, (user, address, since) in enumerate(zip(self.users, self.addresses, self.since, strict=True)):
            yield user, address, since, since if n % 5 < 3 else None, 1

    def _checkout_rows(self) -> Iterator[Row]:
        for n in range(self.number):
            at, pid = micros(self.at[n]), self.products[n]
            promotion = COMMON if n % 50 == 7 else RARE if n % 5000 == 8 else None
            yield (
                self.checkouts[n], f"product-{pid}", f"Product {pid}", 500 + 100 * pid, _CURRENCIES[n % 20], None, None,
                1, at, self.refs[n], at, promotion,
            )  # fmt: skip

    def _purchase_rows(self) -> Iterator[Row]:
        for n in range(self.number):
            at, pid, buyer = micros(self.at[n]), self.products[n], self.buyers[n]
            source = (
                "free" if n % 16 == 3 else "grant" if n % 100 == 4 else "import" if n % 1000 == 5 else None
            )
            user = self.user_of(n)
            licences = f"product-{pid} {self.key(n)}" if pid in (_LISTED, _MADE) else ""
            mailbox = None if user is None else self.addresses[buyer]
            kind = self.kind(n)
            yield (
                self.checkouts[n], self.refs[n], self.payments[n], user, mailbox, mailbox, f"product-{pid}",
                f"Product {pid}", 500 + 100 * pid, _CURRENCIES[n % 20], 1, None, at, "", licences, None, source,
                None if source else "webhook", at + 60_000_000 if n % 20 else None,
                None if kind is None else 1 if kind in ("refund", "part") else 2,
            )  # fmt: skip

    def _fact_rows(self) -> Iterator[Row]:
        for n in range(self.number):
            at, amount = int(self.at[n].timestamp()), 500 + 100 * self.products[n]
            yield self.refs[n], "session", None, at, "paid", amount
            match self.kind(n):
                case "refund" | "part" as kind:
                    gone = amount if kind == "refund" else amount // 2
                    yield (
                        f"re_3{self.payments[n][4:]}",
                        "refund",
                        self.payments[n],
                        at + 86_400,
                        "succeeded",
                        gone,
                    )
                case "dispute" | "lost" as kind:
                    status = "lost" if kind == "lost" else "needs_response"
                    yield (
                        f"du_1{self.payments[n][4:]}",
                        "dispute",
                        self.payments[n],
                        at + 86_400,
                        status,
                        amount,
                    )
                case _:
                    pass

    def _mail_rows(self) -> Iterator[Row]:
        for n in range(self.number):
            if n % 1000 == 6 or n % 4:
                continue  # a quarter of them, which is enough for the index
            at = micros(self.at[n])
            delivery = "bounced" if n % 200 == 8 else "delivered"
            yield (
                f"access:{self.checkouts[n]}", "access", self.addresses[self.buyers[n]], "access_link", "en", "{}", at,
                at, "sent", 1, "", delivery,
            )  # fmt: skip

    def _licence_rows(self) -> Iterator[Row]:
        for n in range(self.number):
            if self.products[n] == _LISTED:
                yield f"product-{_LISTED}", self.key(n), n, self.checkouts[n]

    def _event_rows(self) -> Iterator[Row]:
        for n in range(self.events_since(), self.number):
            yield self.event(n), "checkout.session.completed", self.refs[n], "booked", micros(self.at[n])

    def _audit_rows(self) -> Iterator[Row]:
        for n in self.lines():
            line = self.line(n)
            yield line, f"form {line}", micros(self.at[n]), "cli:anna", "resend", self.checkouts[n], "done"
