"""The shop as a whole: its id, how far readers of the outside world got, and its figures."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar, Final

from adapters.sql import purchases
from adapters.sql.purchases import COUNTED
from adapters.sql.quarantine import FOREIGN
from adapters.sql.record import Record, Table, first, maybe, micros, moment
from domain.fact import GONE
from domain.mail import MailProblem, MailState
from domain.purchase import Purchase
from domain.records import Backlog, Tally
from domain.values import LARGEST_AMOUNT, Money

_ID: Final = "SELECT id FROM shop"
_BASE_URL: Final = "SELECT base_url FROM shop"
_SERVE: Final = "UPDATE shop SET base_url = ? WHERE base_url IS NULL"
_KEY_NAMES: Final = (
    """SELECT key FROM magic_links UNION SELECT key_name FROM outbox WHERE key_name IS NOT NULL"""
)
_LEAVE: Final = (
    "DELETE FROM sessions",
    "DELETE FROM checkouts WHERE NOT EXISTS (SELECT 1 FROM purchases WHERE checkout_id = checkouts.id)",
    "DELETE FROM payments_due",
    "DELETE FROM licence_line",
    "DELETE FROM problems",
    "DELETE FROM staff_sessions",
    "DELETE FROM staff_links",
    "DELETE FROM refund_requests WHERE state = 'requested'",
    "DELETE FROM upload_pieces",
    "DELETE FROM uploads",
)
_DROP: Final = "UPDATE outbox SET state = ?, settled_at = ?, problem = ? WHERE state IN ('queued', 'stuck')"
_CLOSE: Final = "UPDATE quarantine SET closed_at = ?, retry_at = NULL WHERE closed_at IS NULL"
_SET_CURSOR: Final = """INSERT INTO cursors (name, at) VALUES (?,?) ON CONFLICT (name)
  DO UPDATE SET at = excluded.at WHERE cursors.at < excluded.at"""
# Each figure comes from an index of the rows that it counts, and of no other.
_BACKLOG: Final = """SELECT (SELECT count(*) FROM outbox WHERE state = 'queued'),
  (SELECT min(queued_at) FROM outbox WHERE state = 'queued'),
  (SELECT count(*) FROM outbox WHERE state = 'stuck'),
  (SELECT count(*) FROM quarantine WHERE closed_at IS NULL)"""
_IS_GONE: Final = " OR ".join(
    f"(kind = '{kind.value}' AND status = '{status}')"
    for kind, statuses in GONE.items()
    for status in statuses
)
_TAKINGS: Final = f"""SELECT currency,
  sum(CASE WHEN gone IS NULL THEN amount WHEN gone < amount THEN amount - gone ELSE 0 END) FROM purchases
  LEFT JOIN (SELECT payment AS of_payment, sum(amount) AS gone FROM facts
    WHERE {_IS_GONE} GROUP BY payment) AS taken_off ON of_payment = payment
  WHERE {COUNTED} GROUP BY currency ORDER BY currency"""
_COUNT: Final = f"SELECT count(*) FROM purchases WHERE {COUNTED} AND coalesce(source, '') <> 'grant'"
_NOT_COUNTED: Final = f"SELECT count(*) FROM purchases WHERE NOT {COUNTED}"
TEST_PURCHASES: Final = f"""SELECT {purchases.COLUMNS} FROM purchases WHERE livemode = 0
  AND checkout_id IN (SELECT id FROM checkouts INDEXED BY checkouts_of_test_mode WHERE livemode = 0)
  AND (mailbox IS NOT NULL OR session_id IS NOT NULL OR licences <> '') ORDER BY booked_at, checkout_id LIMIT ?"""
"""By their checkouts, which have an index of those in test mode."""
_BOUNCED: Final = "SELECT count(*) FROM outbox WHERE delivery = 'bounced' AND kind = 'access'"


class ShopRecord(Record):
    tables: ClassVar = [Table("cursors", "name, at", key="name")]

    def id(self) -> str | None:
        return self._one(first, _ID)

    def open(self, proposed: str) -> str:
        self._sql("INSERT INTO shop (single, id) VALUES (1, ?) ON CONFLICT DO NOTHING", (proposed,))
        return str(self._value(_ID))

    def base_url(self) -> str | None:
        return self._one(first, _BASE_URL)

    def key_names(self) -> frozenset[str]:
        return frozenset(self._all(first, _KEY_NAMES))

    def serve(self, base_url: str) -> str:
        self._sql(_SERVE, (base_url,))
        return str(self._value(_BASE_URL))

    def confirm_address(self, base_url: str) -> str | None:
        former = self.base_url()
        self._sql("UPDATE shop SET base_url = ?", (base_url,))
        return former

    def become(self, shop_id: str, base_url: str, *, at: datetime) -> None:
        for statement in _LEAVE:
            self._sql(statement)
        self._sql(_DROP, (MailState.DROPPED.value, micros(at), MailProblem.ANOTHER_SHOP.value))
        self._sql(_CLOSE, (micros(at),))
        self._sql("UPDATE shop SET id = ?, base_url = ?", (shop_id, base_url))

    def cursor(self, name: str) -> datetime | None:
        return maybe(moment, self._one(first, "SELECT at FROM cursors WHERE name = ?", (name,)))

    def advance_cursor(self, name: str, *, to: datetime) -> None:
        self._sql(_SET_CURSOR, (name, micros(to)))

    def backlog(self) -> Backlog:
        queued, since, stuck, held = self._sql(_BACKLOG).fetchone()
        return Backlog(queued=queued, oldest_queued_at=maybe(moment, since), stuck=stuck, quarantined=held)

    def test_purchases(self, *, limit: int) -> Sequence[Purchase]:
        return self._all(purchases.from_row, TEST_PURCHASES, (limit,))

    def tally(self) -> Tally:
        takings: list[Money] = []
        for currency, total in self._sql(_TAKINGS):
            left = int(total)
            while left > LARGEST_AMOUNT:
                takings.append(Money(LARGEST_AMOUNT, currency))
                left -= LARGEST_AMOUNT
            takings.append(Money(left, currency))
        mails = dict(self._sql("SELECT state, count(*) FROM outbox GROUP BY state").fetchall())
        return Tally(
            users=self._value("SELECT count(*) FROM users"),
            purchases=self._value(_COUNT),
            test=self._value(_NOT_COUNTED),
            takings=tuple(takings),
            mails=tuple((state, mails.get(state.value, 0)) for state in MailState),
            bounced=self._value(_BOUNCED),
            foreign=self._value(FOREIGN),
        )
