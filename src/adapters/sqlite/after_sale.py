"""The books as written through an SQLite connection, for what happens after a sale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from adapters.sql import forgetting, rows
from adapters.sql.rows import maybe_micros, micros
from adapters.sqlite.view import SqliteView
from domain.mail import Delivery, Mail
from domain.moves import Before, Move, MoveKind
from domain.purchase import LicenceKey, Purchase
from domain.records import ErasedAddress
from domain.values import CheckoutId, EmailAddress, MoveId, ProductId, SessionId, UserId

_ADD_MOVE: Final = f"INSERT INTO moves ({rows.MOVE}) VALUES (?,?,?,?,?,?,?,?,?,?,?)"  # noqa: S608 - constants
_TAKE_LICENCE: Final = (
    "UPDATE licences SET checkout_id = ?1 WHERE pid = ?2 AND key = (SELECT key FROM licences "
    "WHERE pid = ?2 AND checkout_id IS NULL ORDER BY position LIMIT 1) RETURNING key"
)
_THEIRS: Final = "SELECT checkout_id FROM purchases WHERE user_id = (SELECT id FROM users WHERE email = ?)"
_BEGUN: Final = (
    "SELECT id FROM checkouts WHERE mailbox = ? "
    "AND NOT EXISTS (SELECT 1 FROM purchases WHERE checkout_id = checkouts.id)"
)
_IS_NAMED: Final = "SELECT 1 FROM purchases WHERE checkout_id = ? AND mailbox IS NOT NULL"


class AfterSaleBooks(SqliteView):
    """The part of Books that is about purchases that were booked."""

    __slots__ = ()

    def _changed(self, statement: str, values: rows.Row) -> bool:
        return self._sql(statement, values).rowcount > 0

    # ------------------------------------------------------------------ payments to ask about

    def mark_payment(self, payment: str, *, at: datetime, due_at: datetime) -> None:
        """See Books."""
        self._sql(
            "INSERT INTO payments_due (payment, since, due_at, tries) VALUES (?,?,?,0) "
            "ON CONFLICT (payment) DO UPDATE SET due_at = min(due_at, excluded.due_at)",
            (payment, micros(at), micros(due_at)),
        )

    def postpone_payment(self, payment: str, *, due_at: datetime) -> None:
        """See Books."""
        self._sql(
            "UPDATE payments_due SET due_at = ?, tries = tries + 1 WHERE payment = ?",
            (micros(due_at), payment),
        )

    def unmark_payment(self, payment: str) -> None:
        """See Books."""
        self._sql("DELETE FROM payments_due WHERE payment = ?", (payment,))

    # ------------------------------------------------------------------ licence keys and downloads

    def stock_licences(self, product: ProductId, keys: Sequence[str]) -> None:
        """See Books."""
        listed = dict.fromkeys(keys)
        found = self._sql("SELECT key, position FROM licences WHERE pid = ?", (product,))
        held: dict[str, int] = dict(found.fetchall())
        for key in held.keys() - listed.keys():
            self._sql(
                "DELETE FROM licences WHERE pid = ? AND key = ? AND checkout_id IS NULL", (product, key)
            )
        for position, key in enumerate(listed):
            if held.get(key) != position:
                self._sql(
                    "INSERT INTO licences (pid, key, position) VALUES (?,?,?) "
                    "ON CONFLICT (pid, key) DO UPDATE SET position = excluded.position",
                    (product, key, position),
                )

    def take_licence(self, product: ProductId, *, checkout: CheckoutId) -> str | None:
        """See Books."""
        taken = self._sql(_TAKE_LICENCE, (checkout, product)).fetchall()
        if taken:
            return str(taken[0][0])
        self._sql(
            "INSERT INTO licence_line (pid, checkout_id) VALUES (?,?) ON CONFLICT DO NOTHING",
            (product, checkout),
        )
        return None

    def serve_next_in_line(self, product: ProductId) -> tuple[Purchase, LicenceKey] | None:
        """See Books."""
        first = self._sql("SELECT min(checkout_id) FROM licence_line WHERE pid = ?", (product,)).fetchone()[0]
        purchase = None if first is None else self.purchase(first)
        if purchase is None:
            return None
        taken = self._sql(_TAKE_LICENCE, (first, product)).fetchall()
        if not taken:
            return None
        licence = LicenceKey(product=product, key=taken[0][0])
        text = rows.licences_text((*purchase.licences, licence))
        self._sql("DELETE FROM licence_line WHERE pid = ? AND checkout_id = ?", (product, first))
        self._sql("UPDATE purchases SET licences = ? WHERE checkout_id = ?", (text, first))
        return replace(purchase, licences=(*purchase.licences, licence)), licence

    def count_download(
        self, checkout: CheckoutId, product: ProductId, name: str, *, now: datetime, window: timedelta
    ) -> bool:
        """See Books."""
        return self._changed(
            "INSERT INTO downloads (checkout_id, pid, name, last_at, times) VALUES (?1,?2,?3,?4,1) "
            "ON CONFLICT (checkout_id, pid, name) DO UPDATE SET last_at = ?4, times = times + 1 WHERE last_at <= ?5",
            (checkout, product, name, micros(now), micros(now - window)),
        )

    # ------------------------------------------------------------------ what the carrier reports

    def report_delivery(self, key: str, delivery: Delivery) -> Mail | None:
        """See Books."""
        held = self.mail(key)
        if held is None or not delivery.outweighs(held.delivery):
            return None
        self._sql("UPDATE outbox SET delivery = ? WHERE key = ?", (delivery.value, key))
        return held

    # ------------------------------------------------------------------ whose it is

    def note_proof(self, mailbox: EmailAddress, *, at: datetime) -> None:
        """See Books."""
        self._sql(
            "UPDATE users SET proved_at = ? WHERE email = ? AND proved_at IS NULL",
            (micros(at), mailbox.canonical),
        )

    def set_news(self, user: UserId, *, wanted: bool) -> bool:
        """See Books."""
        return self._changed("UPDATE users SET wants_news = ? WHERE id = ?", (int(wanted), user))

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
        return self._changed(
            "UPDATE moves SET done_at = coalesce(?1, done_at), undone_at = ?2, checkouts = coalesce(?3, checkouts), "
            "old_since = coalesce(?5, old_since), no_news = coalesce(?6, no_news) "
            "WHERE id = ?4 AND undone_at IS NULL AND (?1 IS NULL OR done_at IS NULL)",
            (
                maybe_micros(done_at),
                maybe_micros(undone_at),
                None if checkouts is None else " ".join(checkouts),
                move,
                *rows.before_row(before),
            ),
        )

    def cancel_moves(self, old: EmailAddress, *, at: datetime, kind: MoveKind | None = None) -> int:
        """See Books."""
        return self._sql(
            "UPDATE moves SET undone_at = ? WHERE old = ? AND done_at IS NULL AND undone_at IS NULL "
            "AND kind = coalesce(?, kind)",
            (micros(at), old.canonical, None if kind is None else kind.value),
        ).rowcount

    def hand_over(
        self, checkouts: Sequence[CheckoutId], *, old: EmailAddress, mailbox: EmailAddress, user: UserId
    ) -> None:
        """See Books."""
        for checkout in checkouts:
            self._sql(
                "UPDATE purchases SET mailbox = ?, user_id = ? WHERE checkout_id = ? AND mailbox = ?",
                (mailbox.canonical, user, checkout, old.canonical),
            )
            self._sql(
                "UPDATE checkouts SET mailbox = ? WHERE id = ? AND mailbox = ?",
                (mailbox.canonical, checkout, old.canonical),
            )

    def drop_user_without_purchases(self, mailbox: EmailAddress) -> bool:
        """See Books."""
        return self._changed(
            "DELETE FROM users WHERE email = ? AND NOT EXISTS (SELECT 1 FROM purchases WHERE user_id = users.id)",
            (mailbox.canonical,),
        )

    def turn_sessions(self, old: EmailAddress, *, to: EmailAddress, keep: SessionId, change: MoveId) -> None:
        """See Books."""
        self._sql("DELETE FROM sessions WHERE mailbox = ? AND id <> ?", (old.canonical, keep))
        self._sql(
            "UPDATE sessions SET mailbox = ?, move_id = ? WHERE id = ? AND mailbox = ?",
            (to.canonical, change, keep, old.canonical),
        )

    def erase(self, mailbox: EmailAddress, *, at: datetime) -> Sequence[CheckoutId]:
        """See Books."""
        address = (mailbox.canonical,)
        theirs = [CheckoutId(row[0]) for row in self._sql(_THEIRS, address).fetchall()]
        begun = [CheckoutId(row[0]) for row in self._sql(_BEGUN, address).fetchall()]
        for checkout in (*theirs, *begun):
            self.erase_order(checkout, at=at)
        self._sql("UPDATE checkouts SET mailbox = NULL WHERE mailbox = ?", address)
        self.forget(mailbox)
        return theirs

    def erase_order(self, checkout: CheckoutId, *, at: datetime) -> bool:
        """See Books."""
        noted = self._changed(
            "INSERT INTO erasures (checkout_id, at) VALUES (?,?) ON CONFLICT DO NOTHING",
            (checkout, micros(at)),
        )
        named = self._sql(_IS_NAMED, (checkout,)).fetchone() is not None
        for statement in forgetting.ERASE_ORDER:
            self._sql(statement, forgetting.order_values(checkout))
        return noted or named

    def note_erased_address(self, erased: ErasedAddress) -> bool:
        """See Books."""
        return self._changed(
            "INSERT INTO erased_addresses (tag, at) VALUES (?,?) "
            "ON CONFLICT (tag) DO UPDATE SET at = excluded.at WHERE at < excluded.at",
            (erased.tag, micros(erased.at)),
        )

    def forget(self, mailbox: EmailAddress) -> None:
        """See Books."""
        values = {"address": mailbox.canonical}
        former = self._sql(forgetting.FORMER, values).fetchall()
        for statement in forgetting.FORGET:
            self._sql(statement, values)
        for move in former:
            self._forget_former(move)

    def _forget_former(self, move: rows.Row) -> None:
        """Take out what was of the person who left an address; `move`: id, kind, old, done_at."""
        values = {"move": move[0], "address": move[2], "until": move[3]}
        statements: tuple[str, ...] = forgetting.FORGET_MOVE
        if self._sql("SELECT 1 FROM users WHERE email = ?", (move[2],)).fetchone() is None:
            statements += forgetting.FORGET_FORMER_SALES
            statements += forgetting.FORGET_FORMER_PERSON if move[1] == MoveKind.CHANGE.value else ()
        for statement in statements:
            self._sql(statement, values)
