"""The books as written through a connection to PostgreSQL, for what happens after a sale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from adapters.postgres.view import PostgresView, Values
from adapters.sql import forgetting, rows
from adapters.sql.forgetting import in_percents
from adapters.sql.rows import maybe_micros, micros
from domain.mail import Delivery, Mail
from domain.moves import Before, Move, MoveKind
from domain.purchase import LicenceKey, Purchase
from domain.records import ErasedAddress
from domain.values import CheckoutId, EmailAddress, MoveId, ProductId, SessionId, UserId

_ADD_MOVE: Final = f"INSERT INTO moves ({rows.MOVE}) VALUES (%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s)"  # noqa: S608 - constants
_TAKE_LICENCE: Final = (
    "UPDATE licences SET checkout_id = %(checkout)s WHERE pid = %(pid)s AND key = (SELECT key FROM licences "
    "WHERE pid = %(pid)s AND checkout_id IS NULL ORDER BY position LIMIT 1) RETURNING key"
)
_THEIRS: Final = "SELECT checkout_id FROM purchases WHERE user_id = (SELECT id FROM users WHERE email = %s)"
_BEGUN: Final = (
    "SELECT id FROM checkouts WHERE mailbox = %s "
    "AND NOT EXISTS (SELECT 1 FROM purchases WHERE checkout_id = checkouts.id)"
)
_IS_NAMED: Final = "SELECT 1 FROM purchases WHERE checkout_id = %s AND mailbox IS NOT NULL"
_FORMER: Final = in_percents(forgetting.FORMER)
_ERASE_ORDER: Final = tuple(map(in_percents, forgetting.ERASE_ORDER))
_FORGET: Final = tuple(map(in_percents, forgetting.FORGET))
_FORGET_MOVE: Final = tuple(map(in_percents, forgetting.FORGET_MOVE))
_FORGET_FORMER_SALES: Final = tuple(map(in_percents, forgetting.FORGET_FORMER_SALES))
_FORGET_FORMER_PERSON: Final = tuple(map(in_percents, forgetting.FORGET_FORMER_PERSON))


class AfterSaleBooks(PostgresView):
    """The part of Books that is about purchases that were booked."""

    __slots__ = ()

    def _changed(self, statement: str, values: Values) -> bool:
        return self._sql(statement, values).rowcount > 0

    # ------------------------------------------------------------------ payments to ask about

    def mark_payment(self, payment: str, *, at: datetime, due_at: datetime) -> None:
        """See Books."""
        self._sql(
            "INSERT INTO payments_due (payment, since, due_at, tries) VALUES (%s,%s,%s,0) "
            "ON CONFLICT (payment) DO UPDATE SET due_at = least(payments_due.due_at, excluded.due_at)",
            (payment, micros(at), micros(due_at)),
        )

    def postpone_payment(self, payment: str, *, due_at: datetime) -> None:
        """See Books."""
        self._sql(
            "UPDATE payments_due SET due_at = %s, tries = tries + 1 WHERE payment = %s",
            (micros(due_at), payment),
        )

    def unmark_payment(self, payment: str) -> None:
        """See Books."""
        self._sql("DELETE FROM payments_due WHERE payment = %s", (payment,))

    # ------------------------------------------------------------------ licence keys and downloads

    def stock_licences(self, product: ProductId, keys: Sequence[str]) -> None:
        """See Books."""
        listed = dict.fromkeys(keys)
        self._sql(
            "DELETE FROM licences WHERE pid = %s AND checkout_id IS NULL AND key <> ALL (%s::text[])",
            (product, list(listed)),
        )
        found = self._sql("SELECT key, position FROM licences WHERE pid = %s", (product,))
        held: dict[str, int] = dict(found.fetchall())
        changed = [(key, place) for place, key in enumerate(listed) if held.get(key) != place]
        self._sql(
            "INSERT INTO licences (pid, key, position) SELECT %s::text, * FROM unnest(%s::text[], %s::bigint[]) "
            "ON CONFLICT (pid, key) DO UPDATE SET position = excluded.position",
            (product, [key for key, _ in changed], [place for _, place in changed]),
        )

    def take_licence(self, product: ProductId, *, checkout: CheckoutId) -> str | None:
        """See Books."""
        taken = self._sql(_TAKE_LICENCE, {"checkout": checkout, "pid": product}).fetchall()
        if taken:
            return str(taken[0][0])
        self._sql(
            "INSERT INTO licence_line (pid, checkout_id) VALUES (%s,%s) ON CONFLICT DO NOTHING",
            (product, checkout),
        )
        return None

    def serve_next_in_line(self, product: ProductId) -> tuple[Purchase, LicenceKey] | None:
        """See Books."""
        waiting = self._row("SELECT min(checkout_id) FROM licence_line WHERE pid = %s", (product,))
        first = None if waiting is None else waiting[0]
        purchase = None if first is None else self.purchase(first)
        if purchase is None:
            return None
        taken = self._sql(_TAKE_LICENCE, {"checkout": first, "pid": product}).fetchall()
        if not taken:
            return None
        licence = LicenceKey(product=product, key=taken[0][0])
        text = rows.licences_text((*purchase.licences, licence))
        self._sql("DELETE FROM licence_line WHERE pid = %s AND checkout_id = %s", (product, first))
        self._sql("UPDATE purchases SET licences = %s WHERE checkout_id = %s", (text, first))
        return replace(purchase, licences=(*purchase.licences, licence)), licence

    def count_download(
        self, checkout: CheckoutId, product: ProductId, name: str, *, now: datetime, window: timedelta
    ) -> bool:
        """See Books."""
        return self._changed(
            "INSERT INTO downloads (checkout_id, pid, name, last_at, times) VALUES (%s,%s,%s,%s,1) "
            "ON CONFLICT (checkout_id, pid, name) DO UPDATE SET last_at = excluded.last_at, "
            "times = downloads.times + 1 WHERE downloads.last_at <= %s",
            (checkout, product, name, micros(now), micros(now - window)),
        )

    # ------------------------------------------------------------------ what the carrier reports

    def report_delivery(self, key: str, delivery: Delivery) -> Mail | None:
        """See Books."""
        held = self.mail(key)
        if held is None or not delivery.outweighs(held.delivery):
            return None
        self._sql("UPDATE outbox SET delivery = %s WHERE key = %s", (delivery.value, key))
        return held

    # ------------------------------------------------------------------ whose it is

    def note_proof(self, mailbox: EmailAddress, *, at: datetime) -> None:
        """See Books."""
        self._sql(
            "UPDATE users SET proved_at = %s WHERE email = %s AND proved_at IS NULL",
            (micros(at), mailbox.canonical),
        )

    def set_news(self, user: UserId, *, wanted: bool) -> bool:
        """See Books."""
        return self._changed("UPDATE users SET wants_news = %s WHERE id = %s", (int(wanted), user))

    def begin_move(self, move: Move) -> None:
        """See Books."""
        self._sql(_ADD_MOVE, rows.move_row(move))

    def settle_move(
        self,
        move: MoveId,
        *,
        done_at: datetime | None = None,
        undone_at: datetime | None = None,
        checkouts: Sequence[CheckoutId] | None = None,
        before: Before | None = None,
    ) -> bool:
        """See Books."""
        since, no_news = rows.before_row(before)
        return self._changed(
            "UPDATE moves SET done_at = coalesce(%(done)s::bigint, done_at), undone_at = %(undone)s::bigint, "
            "checkouts = coalesce(%(checkouts)s::text, checkouts), "
            "old_since = coalesce(%(since)s::bigint, old_since), no_news = coalesce(%(no_news)s::bigint, no_news) "
            "WHERE id = %(id)s AND undone_at IS NULL AND (%(done)s::bigint IS NULL OR done_at IS NULL)",
            {
                "done": maybe_micros(done_at),
                "undone": maybe_micros(undone_at),
                "checkouts": None if checkouts is None else " ".join(checkouts),
                "since": since,
                "no_news": no_news,
                "id": move,
            },
        )

    def cancel_moves(self, old: EmailAddress, *, at: datetime, kind: MoveKind | None = None) -> int:
        """See Books."""
        return self._sql(
            "UPDATE moves SET undone_at = %s WHERE old = %s AND done_at IS NULL AND undone_at IS NULL "
            "AND kind = coalesce(%s::text, kind)",
            (micros(at), old.canonical, None if kind is None else kind.value),
        ).rowcount

    def hand_over(
        self, checkouts: Sequence[CheckoutId], *, old: EmailAddress, mailbox: EmailAddress, user: UserId
    ) -> None:
        """See Books."""
        self._sql(
            "UPDATE purchases SET mailbox = %s, user_id = %s "
            "WHERE checkout_id = ANY (%s::text[]) AND mailbox = %s",
            (mailbox.canonical, user, list(checkouts), old.canonical),
        )
        self._sql(
            "UPDATE checkouts SET mailbox = %s WHERE id = ANY (%s::text[]) AND mailbox = %s",
            (mailbox.canonical, list(checkouts), old.canonical),
        )

    def drop_user_without_purchases(self, mailbox: EmailAddress) -> bool:
        """See Books."""
        return self._changed(
            "DELETE FROM users WHERE email = %s AND NOT EXISTS (SELECT 1 FROM purchases WHERE user_id = users.id)",
            (mailbox.canonical,),
        )

    def turn_sessions(self, old: EmailAddress, *, to: EmailAddress, keep: SessionId, change: MoveId) -> None:
        """See Books."""
        self._sql("DELETE FROM sessions WHERE mailbox = %s AND id <> %s", (old.canonical, keep))
        self._sql(
            "UPDATE sessions SET mailbox = %s, move_id = %s WHERE id = %s AND mailbox = %s",
            (to.canonical, change, keep, old.canonical),
        )

    def erase(self, mailbox: EmailAddress, *, at: datetime) -> Sequence[CheckoutId]:
        """See Books."""
        address = (mailbox.canonical,)
        theirs = [CheckoutId(row[0]) for row in self._sql(_THEIRS, address).fetchall()]
        begun = [CheckoutId(row[0]) for row in self._sql(_BEGUN, address).fetchall()]
        for checkout in sorted((*theirs, *begun)):
            self.erase_order(checkout, at=at)
        self._sql("UPDATE checkouts SET mailbox = NULL WHERE mailbox = %s", address)
        self.forget(mailbox)
        return theirs

    def erase_order(self, checkout: CheckoutId, *, at: datetime) -> bool:
        """See Books."""
        noted = self._changed(
            "INSERT INTO erasures (checkout_id, at) VALUES (%s,%s) ON CONFLICT DO NOTHING",
            (checkout, micros(at)),
        )
        named = self._row(_IS_NAMED, (checkout,)) is not None
        for statement in _ERASE_ORDER:
            self._sql(statement, forgetting.order_values(checkout))
        return noted or named

    def note_erased_address(self, erased: ErasedAddress) -> bool:
        """See Books."""
        return self._changed(
            "INSERT INTO erased_addresses (tag, at) VALUES (%s,%s) "
            "ON CONFLICT (tag) DO UPDATE SET at = excluded.at WHERE erased_addresses.at < excluded.at",
            (erased.tag, micros(erased.at)),
        )

    def forget(self, mailbox: EmailAddress) -> None:
        """See Books."""
        values = {"address": mailbox.canonical}
        former = self._sql(_FORMER, values).fetchall()
        for statement in _FORGET:
            self._sql(statement, values)
        for move in former:
            self._forget_former(move)

    def _forget_former(self, move: rows.Row) -> None:
        """Take out what was of the person who left an address; `move`: id, kind, old, done_at."""
        values = {"move": move[0], "address": move[2], "until": move[3]}
        statements = _FORGET_MOVE
        if self._row("SELECT 1 FROM users WHERE email = %s", (move[2],)) is None:
            statements += _FORGET_FORMER_SALES
            statements += _FORGET_FORMER_PERSON if move[1] == MoveKind.CHANGE.value else ()
        for statement in statements:
            self._sql(statement, values)
