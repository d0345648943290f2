"""The books as written through an SQLite connection: each promise is one statement that says who was first."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from adapters.sql import rows
from adapters.sql.forgetting import KEPT_MARK, STANDS, WITHOUT_ADDRESSES
from adapters.sql.rows import maybe_micros, micros
from adapters.sqlite.after_sale import AfterSaleBooks
from domain.claim import Objection
from domain.limits import Limit
from domain.magic_link import LOGIN_LIFETIME, TICKET_LIFETIME, UNDO_LIFETIME, UNSENT_LIFETIME, MagicLink
from domain.mail import Mail, MailState, Urgency
from domain.purchase import Checkout, Fact, Purchase, newer
from domain.records import EventRecord
from domain.session import ABSOLUTE_LIFETIME, IDLE_LIFETIME, Session
from domain.values import (
    CheckoutId,
    Digest,
    EmailAddress,
    LinkId,
    MoveId,
    ProviderRef,
    SessionId,
    UserId,
)

_ADD_CHECKOUT: Final = (
    f"INSERT INTO checkouts ({rows.CHECKOUT}) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT DO NOTHING"  # noqa: S608 - constants
)
_BOOK: Final = (
    f"INSERT INTO purchases ({rows.PURCHASE}) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?) "  # noqa: S608 - constants
    "ON CONFLICT (checkout_id) DO NOTHING"
)
_ADD_LINK: Final = f"INSERT INTO magic_links ({rows.LINK}) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)"  # noqa: S608 - constants
_QUEUE: Final = (
    f"INSERT INTO outbox ({rows.MAIL}) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?) "  # noqa: S608 - constants
    "ON CONFLICT (key) DO NOTHING"
)
_NEW_FACT: Final = f"INSERT INTO facts ({rows.FACT}) VALUES (?,?,?,?,?,?) ON CONFLICT (object_id) DO NOTHING"  # noqa: S608 - constants
_SET_FACT: Final = "UPDATE facts SET kind=?, payment=?, as_of=?, status=?, amount=? WHERE object_id=?"
_ADD_SESSION: Final = f"INSERT INTO sessions ({rows.SESSION}) VALUES (?,?,?,?,?,?,?,?)"  # noqa: S608 - constants
_DUE_MAILS: Final = (
    f"SELECT {rows.MAIL} FROM outbox WHERE state = 'queued' AND urgency = ? AND due_at <= ? "  # noqa: S608 - constants
    "ORDER BY due_at, key LIMIT ?"
)
_LEASE: Final = (
    "UPDATE outbox SET due_at = ?, attempts = attempts + 1, unknown_since = coalesce(unknown_since, ?) "
    "WHERE key = ?"
)
_RELEASE: Final = (
    "UPDATE purchases SET session_id = NULL WHERE session_id IS NOT NULL "
    "AND user_id = (SELECT id FROM users WHERE email = ?)"
)
_LOG_EVENT: Final = (
    "INSERT INTO events (id, type, object_id, created, outcome, at) VALUES (?,?,?,?,?,?) "
    "ON CONFLICT (id) DO NOTHING"
)
_PRUNE_LOT: Final = 500
_WEEK: Final = timedelta(days=7)
_EVENTS_KEPT: Final = timedelta(days=90)
_PAGE_LIFETIME: Final = timedelta(days=1)


class SqliteBooks(AfterSaleBooks):
    """Books on the writer's connection, inside its transaction."""

    __slots__ = ()

    def open_shop(self, proposed: str) -> str:
        """See Books."""
        self._sql("INSERT INTO shop (only, id) VALUES (1, ?) ON CONFLICT DO NOTHING", (proposed,))
        return str(self._sql("SELECT id FROM shop").fetchone()[0])

    def add_session(self, session: Session) -> None:
        """See Books."""
        self._sql(_ADD_SESSION, rows.session_row(session))

    def see_session(self, session: SessionId, *, at: datetime) -> None:
        """See Books."""
        self._sql("UPDATE sessions SET seen_at = max(seen_at, ?) WHERE id = ?", (micros(at), session))

    def prove(self, session: SessionId, *, mailbox: EmailAddress, token_hash: Digest, at: datetime) -> bool:
        """See Books."""
        return self._changed(
            "UPDATE sessions SET mailbox = ?1, token_hash = ?2, started_at = ?3, seen_at = ?3 "
            "WHERE id = ?4 AND (mailbox IS NULL OR mailbox = ?1)",
            (mailbox.canonical, token_hash, micros(at), session),
        )

    def end_session(self, session: SessionId) -> bool:
        """See Books."""
        return self._changed("DELETE FROM sessions WHERE id = ?", (session,))

    def end_sessions_of(self, mailbox: EmailAddress) -> int:
        """See Books."""
        return self._sql("DELETE FROM sessions WHERE mailbox = ?", (mailbox.canonical,)).rowcount

    def end_sessions_by(self, move: MoveId) -> int:
        """See Books."""
        return self._sql("DELETE FROM sessions WHERE move_id = ?", (move,)).rowcount

    def release(self, mailbox: EmailAddress, *, session: SessionId | None = None) -> int:
        """See Books."""
        if session is None:
            return self._sql(_RELEASE, (mailbox.canonical,)).rowcount
        return self._sql(f"{_RELEASE} AND session_id = ?", (mailbox.canonical, session)).rowcount

    def take(self, bucket: str, limit: Limit, *, now: datetime, ref: str) -> datetime | None:
        """See Books."""
        after = micros(now - limit.window)
        taken = self._sql(
            "SELECT at, ref FROM limits WHERE bucket = ? AND at > ? ORDER BY at DESC LIMIT ?",
            (bucket, after, limit.most),
        ).fetchall()
        if any(row[1] == ref for row in taken):
            return None
        if len(taken) >= limit.most:
            return rows.moment(taken[-1][0]) + limit.window
        self._sql("INSERT INTO limits (bucket, at, ref) VALUES (?,?,?)", (bucket, micros(now), ref))
        return None

    def give_back(self, ref: str) -> None:
        """See Books."""
        self._sql("DELETE FROM limits WHERE ref = ?", (ref,))

    def add_checkout(self, checkout: Checkout) -> bool:
        """See Books."""
        return self._changed(_ADD_CHECKOUT, rows.checkout_row(checkout))

    def bind_checkout(self, checkout: CheckoutId, *, ref: ProviderRef, expires_at: datetime | None) -> bool:
        """See Books."""
        return self._changed(
            "UPDATE OR IGNORE checkouts SET provider_ref = ?1, expires_at = coalesce(?2, expires_at) "
            "WHERE id = ?3 AND (provider_ref IS NULL OR provider_ref = ?1)",
            (ref, maybe_micros(expires_at), checkout),
        )

    def take_turn(self, checkout: CheckoutId, *, now: datetime, gap: timedelta) -> bool:
        """See Books."""
        return self._changed(
            "UPDATE checkouts SET asked_at = ? WHERE id = ? AND (asked_at IS NULL OR asked_at <= ?)",
            (micros(now), checkout, micros(now - gap)),
        )

    def tell(self, fact: Fact) -> Fact:
        """See Books. One statement for what is new; the domain compares what is not."""
        if self._changed(_NEW_FACT, rows.fact_row(fact)):
            return fact
        kept = newer(self.fact(fact.object_id), fact)
        if kept is fact:
            self._sql(
                _SET_FACT,
                (fact.kind.value, fact.payment, fact.as_of, fact.status, fact.amount, fact.object_id),
            )
        return kept

    def user_for(self, mailbox: EmailAddress, *, new_id: UserId, now: datetime) -> UserId:
        """See Books."""
        new = self._changed(
            "INSERT INTO users (id, email, since) VALUES (?,?,?) ON CONFLICT (email) DO NOTHING",
            (new_id, mailbox.canonical, micros(now)),
        )
        if new:
            return new_id
        return UserId(self._sql("SELECT id FROM users WHERE email = ?", (mailbox.canonical,)).fetchone()[0])

    def book(self, purchase: Purchase) -> bool:
        """See Books."""
        return self._changed(_BOOK, rows.purchase_row(purchase))

    def add_link(self, link: MagicLink) -> None:
        """See Books."""
        self._sql(_ADD_LINK, rows.link_row(link))

    def spend_link(self, link: LinkId, *, at: datetime, used_with: Digest | None = None) -> bool:
        """See Books."""
        return self._changed(
            "UPDATE magic_links SET used_at = ?, used_with = ? WHERE id = ? AND used_at IS NULL",
            (micros(at), used_with, link),
        )

    def supersede_links(self, mailbox: EmailAddress, *, asked_by: SessionId) -> None:
        """See Books."""
        self._sql(
            "UPDATE magic_links SET superseded = 1 "
            "WHERE asked_by = ? AND mailbox = ? AND used_at IS NULL AND purpose = 'login'",
            (asked_by, mailbox.canonical),
        )

    def count_code_try(self, link: LinkId, *, most: int) -> bool:
        """See Books."""
        return self._changed(
            "UPDATE magic_links SET code_tries = code_tries + 1 WHERE id = ? AND code_tries < ?", (link, most)
        )

    def queue(self, mail: Mail) -> bool:
        """See Books."""
        return self._changed(_QUEUE, rows.mail_row(mail))

    def lease_mails(self, *, now: datetime, until: datetime, limit: int) -> Sequence[Mail]:
        """See Books."""
        due: list[rows.Row] = []
        # One seek into the index for each urgency, however many mails wait for their next try.
        for urgency in Urgency:
            due += self._sql(_DUE_MAILS, (urgency.value, micros(now), limit - len(due))).fetchall()
        for row in due:
            self._sql(_LEASE, (micros(until), micros(now), row[0]))
        return [rows.mail_of(row) for row in due]

    def renew_lease(self, key: str, *, held_until: datetime, until: datetime) -> bool:
        """See Books."""
        return self._changed(
            "UPDATE outbox SET due_at = ? WHERE key = ? AND state = 'queued' AND due_at = ?",
            (micros(until), key, micros(held_until)),
        )

    def free_leases(self, *, now: datetime, until: datetime) -> int:
        """See Books."""
        return self._sql(
            "UPDATE outbox SET due_at = ?1 WHERE state = 'queued' AND due_at > ?1 AND due_at <= ?2",
            (micros(now), micros(until)),
        ).rowcount

    def settle_mail(
        self,
        key: str,
        *,
        state: MailState,
        at: datetime,
        due_at: datetime | None = None,
        problem: str = "",
        unknown_since: datetime | None = None,
    ) -> bool:
        """See Books."""
        sent = micros(at) if state is MailState.SENT else None
        settled = self._sql(
            "UPDATE outbox SET state = ?, due_at = coalesce(?, due_at), problem = ?, unknown_since = ?, sent_at = ? "
            "WHERE key = ? AND state <> 'sent' RETURNING link_id",
            (state.value, maybe_micros(due_at), problem, maybe_micros(unknown_since), sent, key),
        ).fetchall()
        if not settled:
            return False
        if sent is not None and settled[0][0] is not None:
            self._sql(
                "UPDATE magic_links SET sent_at = ? WHERE id = ? AND sent_at IS NULL", (sent, settled[0][0])
            )
        return True

    def quarantine(self, ref: str, objection: Objection, *, at: datetime, retry_at: datetime | None) -> bool:
        """See Books."""
        if self._sql("SELECT 1 FROM purchases p JOIN checkouts c ON c.id = p.checkout_id "
                     "WHERE c.provider_ref = ?", (ref,)).fetchone():  # fmt: skip
            return False
        others = self._sql(
            "SELECT 1 FROM quarantine WHERE objection = ? AND closed_at IS NULL LIMIT 1", (objection.name,)
        ).fetchone()
        new = self._changed(
            "INSERT INTO quarantine (ref, objection, first_at, last_at, tries, retry_at) VALUES (?1,?2,?3,?3,1,?4) "
            "ON CONFLICT (ref) DO NOTHING",
            (ref, objection.name, micros(at), maybe_micros(retry_at)),
        )
        if new:
            return others is None
        self._sql(
            "UPDATE quarantine SET objection = ?, last_at = max(last_at, ?), tries = tries + 1, retry_at = ? "
            "WHERE ref = ? AND closed_at IS NULL",
            (objection.name, micros(at), maybe_micros(retry_at), ref),
        )
        return False

    def close_quarantine(self, ref: str, *, at: datetime) -> bool:
        """See Books."""
        return self._changed(
            "UPDATE quarantine SET closed_at = ?, retry_at = NULL WHERE ref = ? AND closed_at IS NULL",
            (micros(at), ref),
        )

    def log_event(self, event: EventRecord, *, outcome: str, at: datetime) -> bool:
        """See Books."""
        values = (event.id, event.type, event.object_id, event.created, outcome, micros(at))
        if self._changed(_LOG_EVENT, values):
            return True
        self._sql("UPDATE events SET outcome = ? WHERE id = ?", (outcome, event.id))
        return False

    def set_cursor(self, name: str, *, to: datetime) -> None:
        """See Books."""
        self._sql(
            "INSERT INTO cursors (name, at) VALUES (?,?) ON CONFLICT (name) DO UPDATE SET at = max(at, excluded.at)",
            (name, micros(to)),
        )

    def prune(self, *, now: datetime) -> int:
        """See Books."""
        week_ago = now - _WEEK
        self._forget_those_who_moved(micros(week_ago - UNDO_LIFETIME))
        lots: tuple[tuple[str, str, str, rows.Row], ...] = (
            ("checkouts", "id", _OLD_CHECKOUTS, (micros(week_ago - _PAGE_LIFETIME), micros(week_ago))),
            (
                "sessions",
                "id",
                "seen_at < ?1 OR (started_at < ?2 AND seen_at < ?2)",
                (micros(week_ago - IDLE_LIFETIME), micros(week_ago - ABSOLUTE_LIFETIME)),
            ),
            (
                "magic_links",
                "id",
                _OLD_LINKS,
                (
                    micros(week_ago),
                    micros(week_ago - TICKET_LIFETIME),
                    micros(week_ago - LOGIN_LIFETIME),
                    micros(week_ago - UNSENT_LIFETIME),
                    micros(week_ago - UNDO_LIFETIME),
                ),
            ),
            (
                "outbox",
                "key",
                "kind = 'login' AND queued_at < ?1 AND state IN ('sent', 'dropped')",
                (micros(week_ago),),
            ),
            (
                "outbox",
                "key",
                "kind = 'order' AND queued_at < ?1 AND state IN ('sent', 'dropped')",
                (micros(week_ago),),
            ),
            ("moves", "id", f"asked_at < ?1 AND NOT ({KEPT_MARK})", (micros(week_ago - UNDO_LIFETIME),)),
            ("limits", "(bucket, at, ref)", "at < ?1", (micros(now - timedelta(days=1)),)),
            ("events", "id", "at < ?1", (micros(now - _EVENTS_KEPT),)),
        )
        return sum(self._prune(table, key, condition, values) for table, key, condition, values in lots)

    def _forget_those_who_moved(self, before: int) -> None:
        """Addresses that somebody moved away from so long ago that nothing can be taken back."""
        moved = self._sql(
            f"SELECT id, kind, old, done_at FROM moves WHERE asked_at < ? AND {STANDS} AND new <> '' "  # noqa: S608 - constants
            f"LIMIT {_PRUNE_LOT}",
            (before,),
        ).fetchall()
        for move in moved:
            self._forget_former(move)
            self._sql(f"{WITHOUT_ADDRESSES} WHERE id = ? AND kind = 'correction'", (move[0],))

    def _prune(self, table: str, key: str, condition: str, values: rows.Row) -> int:
        columns = key.strip("()")
        lot = f"SELECT {columns} FROM {table} WHERE {condition} LIMIT {_PRUNE_LOT}"  # noqa: S608 - constants
        return self._sql(f"DELETE FROM {table} WHERE {key} IN ({lot})", values).rowcount  # noqa: S608 - constants


_OLD_CHECKOUTS: Final = (
    "started_at < ?1 AND coalesce(expires_at, started_at) < ?2 "
    "AND NOT EXISTS (SELECT 1 FROM purchases WHERE checkout_id = checkouts.id) "
    "AND NOT EXISTS (SELECT 1 FROM facts WHERE object_id = checkouts.provider_ref AND status = 'unpaid')"
)
_OLD_LINKS: Final = (
    "made_at < ?1 AND (used_at < ?1 OR (purpose = 'ticket' AND sent_at < ?2) "
    "OR (purpose IN ('login', 'order', 'move') AND sent_at < ?3) OR (sent_at IS NULL AND made_at < ?4) "
    "OR (purpose = 'undo' AND sent_at < ?5))"
)
