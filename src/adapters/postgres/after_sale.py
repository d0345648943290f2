"""The books as written through a connection to PostgreSQL, for what happens after a sale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from adapters.postgres.view import STANDS, PostgresView, Values
from adapters.sql import rows
from adapters.sql.rows import maybe_micros, micros
from domain.mail import Delivery, Mail
from domain.moves import Before, Move, MoveKind
from domain.purchase import LicenceKey, Purchase
from domain.values import CheckoutId, EmailAddress, MoveId, ProductId, SessionId, UserId

_ADD_MOVE: Final = f"INSERT INTO moves ({rows.MOVE}) VALUES (%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s)"  # noqa: S608 - constants
_TAKE_LICENCE: Final = (
    "UPDATE licences SET checkout_id = %(checkout)s WHERE pid = %(pid)s AND key = (SELECT key FROM licences "
    "WHERE pid = %(pid)s AND checkout_id IS NULL ORDER BY position LIMIT 1) RETURNING key"
)
_LEAVE_THE_SALE: Final = (
    (
        "UPDATE purchases SET user_id = NULL, mailbox = NULL, paid_email = NULL, session_id = NULL "
        "WHERE checkout_id = ANY (%s::text[])"
    ),
    "DELETE FROM downloads WHERE checkout_id = ANY (%s::text[])",
    "DELETE FROM licence_line WHERE checkout_id = ANY (%s::text[])",
)
_FORGET_FORMER: Final = (
    "DELETE FROM sessions WHERE mailbox = %s",
    "DELETE FROM magic_links WHERE mailbox = %s",
    "DELETE FROM outbox WHERE mailbox = %s",
)
_FORGET: Final = (
    *_FORGET_FORMER,
    # What was sent to an address that theirs was to be changed to.
    "DELETE FROM outbox WHERE kind = 'address' AND mailbox IN (SELECT new FROM moves WHERE old = %s)",
    "DELETE FROM magic_links WHERE move_id IN (SELECT id FROM moves WHERE old = %s)",
    "DELETE FROM moves WHERE %s IN (old, new)",
    "UPDATE purchases SET paid_email = NULL WHERE paid_email = %s AND paid_email <> mailbox",
    "DELETE FROM users WHERE email = %s",
)


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
        address = mailbox.canonical
        theirs = [
            CheckoutId(row[0])
            for row in self._sql(
                "SELECT checkout_id FROM purchases WHERE user_id = (SELECT id FROM users WHERE email = %s)",
                (address,),
            )
        ]
        begun = [row[0] for row in self._sql("SELECT id FROM checkouts WHERE mailbox = %s", (address,))]
        for checkout in sorted({*theirs, *begun}):
            self.note_erasure(CheckoutId(checkout), at=at)
            self._sql("UPDATE checkouts SET session_id = NULL, mailbox = NULL WHERE id = %s", (checkout,))
        for statement in _LEAVE_THE_SALE:
            self._sql(statement, (theirs,))
        former = self._sql(f"SELECT old FROM moves WHERE new = %s AND {STANDS}", (address,)).fetchall()  # noqa: S608 - constants
        for statement in _FORGET:
            self._sql(statement, (address,))
        for (old,) in former:
            self._forget_former(old)
        return theirs

    def _forget_former(self, address: str) -> None:
        """Take out what names an address that somebody moved away from, unless it is a user's (again)."""
        if self._row("SELECT 1 FROM users WHERE email = %s", (address,)) is None:
            for statement in _FORGET_FORMER:
                self._sql(statement, (address,))

    def note_erasure(self, checkout: CheckoutId, *, at: datetime) -> bool:
        """See Books."""
        return self._changed(
            "INSERT INTO erasures (checkout_id, at) VALUES (%s,%s) ON CONFLICT DO NOTHING",
            (checkout, micros(at)),
        )
