"""The books as written through a connection to PostgreSQL: each promise is one statement that says who was first."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from adapters.postgres.after_sale import AfterSaleBooks
from adapters.postgres.session import Connection, Engine
from adapters.sql import rows
from adapters.sql.forgetting import KEPT_MARK, STANDS, WITHOUT_ADDRESSES
from adapters.sql.rows import maybe_micros, micros
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
    f"INSERT INTO checkouts ({rows.CHECKOUT}) VALUES (%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s) "  # noqa: S608 - constants
    "ON CONFLICT DO NOTHING"
)
_BOOK: Final = (
    f"INSERT INTO purchases ({rows.PURCHASE}) VALUES (%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s) "  # noqa: S608 - constants
    "ON CONFLICT (checkout_id) DO NOTHING"
)
_ADD_LINK: Final = f"INSERT INTO magic_links ({rows.LINK}) VALUES (%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s)"  # noqa: S608 - constants
_QUEUE: Final = (
    f"INSERT INTO outbox ({rows.MAIL}) VALUES (%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s) "  # noqa: S608 - constants
    "ON CONFLICT (key) DO NOTHING"
)
_NEW_FACT: Final = (
    f"INSERT INTO facts ({rows.FACT}) VALUES (%s,%s,%s,%s,%s,%s) ON CONFLICT (object_id) DO NOTHING"  # noqa: S608 - constants
)
_SET_FACT: Final = "UPDATE facts SET kind=%s, payment=%s, as_of=%s, status=%s, amount=%s WHERE object_id=%s"
_ADD_SESSION: Final = f"INSERT INTO sessions ({rows.SESSION}) VALUES (%s,%s,%s,%s,%s,%s,%s,%s)"  # noqa: S608 - constants
_DUE_MAILS: Final = (
    f"SELECT {rows.MAIL} FROM outbox WHERE state = 'queued' AND urgency = %s AND due_at <= %s "  # noqa: S608 - constants
    "ORDER BY due_at, key LIMIT %s "
)
_LEASE: Final = (
    "UPDATE outbox SET due_at = %s, attempts = attempts + 1, unknown_since = coalesce(unknown_since, %s) "
    "WHERE key = ANY (%s::text[])"
)
_RELEASE: Final = (
    "UPDATE purchases SET session_id = NULL WHERE session_id IS NOT NULL "
    "AND user_id = (SELECT id FROM users WHERE email = %s)"
)
_LOG_EVENT: Final = (
    "INSERT INTO events (id, type, object_id, created, outcome, at) VALUES (%s,%s,%s,%s,%s,%s) "
    "ON CONFLICT (id) DO NOTHING"
)
_BOOKED: Final = (
    "SELECT 1 FROM purchases p JOIN checkouts c ON c.id = p.checkout_id WHERE c.provider_ref = %s"
)
_PRUNE_LOT: Final = 500
_WEEK: Final = timedelta(days=7)
_EVENTS_KEPT: Final = timedelta(days=90)
_PAGE_LIFETIME: Final = timedelta(days=1)


class PostgresBooks(AfterSaleBooks):
    """Books on a connection, inside its transaction."""

    __slots__ = ("_engine",)

    def __init__(self, connection: Connection, engine: Engine) -> None:
        super().__init__(connection)
        self._engine = engine

    def open_shop(self, proposed: str) -> str:
        """See Books."""
        self._sql("INSERT INTO shop (single, id) VALUES (1, %s) ON CONFLICT DO NOTHING", (proposed,))
        return str(self._value("SELECT id FROM shop"))

    def add_session(self, session: Session) -> None:
        """See Books."""
        self._sql(_ADD_SESSION, rows.session_row(session))

    def see_session(self, session: SessionId, *, at: datetime) -> None:
        """See Books."""
        self._sql("UPDATE sessions SET seen_at = greatest(seen_at, %s) WHERE id = %s", (micros(at), session))

    def prove(self, session: SessionId, *, mailbox: EmailAddress, token_hash: Digest, at: datetime) -> bool:
        """See Books."""
        return self._changed(
            "UPDATE sessions SET mailbox = %(mailbox)s, token_hash = %(token)s, started_at = %(at)s, seen_at = %(at)s "
            "WHERE id = %(id)s AND (mailbox IS NULL OR mailbox = %(mailbox)s)",
            {"mailbox": mailbox.canonical, "token": token_hash, "at": micros(at), "id": session},
        )

    def end_session(self, session: SessionId) -> bool:
        """See Books."""
        return self._changed("DELETE FROM sessions WHERE id = %s", (session,))

    def end_sessions_of(self, mailbox: EmailAddress) -> int:
        """See Books."""
        return self._sql("DELETE FROM sessions WHERE mailbox = %s", (mailbox.canonical,)).rowcount

    def end_sessions_by(self, move: MoveId) -> int:
        """See Books."""
        return self._sql("DELETE FROM sessions WHERE move_id = %s", (move,)).rowcount

    def release(self, mailbox: EmailAddress, *, session: SessionId | None = None) -> int:
        """See Books."""
        if session is None:
            return self._sql(_RELEASE, (mailbox.canonical,)).rowcount
        return self._sql(f"{_RELEASE} AND session_id = %s", (mailbox.canonical, session)).rowcount

    def take(self, bucket: str, limit: Limit, *, now: datetime, ref: str) -> datetime | None:
        """See Books."""
        after = micros(now - limit.window)
        taken = self._sql(
            "SELECT at, ref FROM limits WHERE bucket = %s AND at > %s ORDER BY at DESC LIMIT %s",
            (bucket, after, limit.most),
        ).fetchall()
        if any(row[1] == ref for row in taken):
            return None
        if len(taken) >= limit.most:
            return rows.moment(taken[-1][0]) + limit.window
        self._sql("INSERT INTO limits (bucket, at, ref) VALUES (%s,%s,%s)", (bucket, micros(now), ref))
        return None

    def give_back(self, ref: str) -> None:
        """See Books."""
        self._sql("DELETE FROM limits WHERE ref = %s", (ref,))

    def add_checkout(self, checkout: Checkout) -> bool:
        """See Books."""
        return self._changed(_ADD_CHECKOUT, rows.checkout_row(checkout))

    def bind_checkout(self, checkout: CheckoutId, *, ref: ProviderRef, expires_at: datetime | None) -> bool:
        """See Books."""
        return self._changed(
            "UPDATE checkouts SET provider_ref = %(ref)s, expires_at = coalesce(%(expires)s::bigint, expires_at) "
            "WHERE id = %(id)s AND (provider_ref IS NULL OR provider_ref = %(ref)s) "
            "AND NOT EXISTS (SELECT 1 FROM checkouts WHERE provider_ref = %(ref)s AND id <> %(id)s)",
            {"ref": ref, "expires": maybe_micros(expires_at), "id": checkout},
        )

    def take_turn(self, checkout: CheckoutId, *, now: datetime, gap: timedelta) -> bool:
        """See Books."""
        return self._changed(
            "UPDATE checkouts SET asked_at = %s WHERE id = %s AND (asked_at IS NULL OR asked_at <= %s)",
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
            "INSERT INTO users (id, email, since) VALUES (%s,%s,%s) ON CONFLICT (email) DO NOTHING",
            (new_id, mailbox.canonical, micros(now)),
        )
        if new:
            return new_id
        return UserId(self._value("SELECT id FROM users WHERE email = %s", (mailbox.canonical,)))

    def book(self, purchase: Purchase) -> bool:
        """See Books."""
        return self._changed(_BOOK, rows.purchase_row(purchase))

    def add_link(self, link: MagicLink) -> None:
        """See Books."""
        self._sql(_ADD_LINK, rows.link_row(link))

    def spend_link(self, link: LinkId, *, at: datetime, used_with: Digest | None = None) -> bool:
        """See Books."""
        return self._changed(
            "UPDATE magic_links SET used_at = %s, used_with = %s WHERE id = %s AND used_at IS NULL",
            (micros(at), used_with, link),
        )

    def supersede_links(self, mailbox: EmailAddress, *, asked_by: SessionId) -> None:
        """See Books."""
        self._sql(
            "UPDATE magic_links SET superseded = 1 "
            "WHERE asked_by = %s AND mailbox = %s AND used_at IS NULL AND purpose = 'login'",
            (asked_by, mailbox.canonical),
        )

    def count_code_try(self, link: LinkId, *, most: int) -> bool:
        """See Books."""
        return self._changed(
            "UPDATE magic_links SET code_tries = code_tries + 1 WHERE id = %s AND code_tries < %s",
            (link, most),
        )

    def queue(self, mail: Mail) -> bool:
        """See Books."""
        return self._changed(_QUEUE, rows.mail_row(mail))

    def lease_mails(self, *, now: datetime, until: datetime, limit: int) -> Sequence[Mail]:
        """See Books."""
        due: list[rows.Row] = []
        # One seek into the index for each urgency, however many mails wait for their next try.
        for urgency in Urgency:
            if len(due) < limit:
                values = (urgency.value, micros(now), limit - len(due))
                due += self._sql(_DUE_MAILS + self._engine.lock_for_lease, values).fetchall()
        if due:
            self._sql(_LEASE, (micros(until), micros(now), [row[0] for row in due]))
        return [rows.mail_of(row) for row in due]

    def renew_lease(self, key: str, *, held_until: datetime, until: datetime) -> bool:
        """See Books."""
        return self._changed(
            "UPDATE outbox SET due_at = %s WHERE key = %s AND state = 'queued' AND due_at = %s",
            (micros(until), key, micros(held_until)),
        )

    def free_leases(self, *, now: datetime, until: datetime) -> int:
        """See Books."""
        return self._sql(
            "UPDATE outbox SET due_at = %(now)s WHERE state = 'queued' AND due_at > %(now)s AND due_at <= %(until)s",
            {"now": micros(now), "until": micros(until)},
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
            "UPDATE outbox SET state = %s, due_at = coalesce(%s::bigint, due_at), problem = %s, unknown_since = %s, "
            "sent_at = %s "
            "WHERE key = %s AND state <> 'sent' RETURNING link_id",
            (state.value, maybe_micros(due_at), problem, maybe_micros(unknown_since), sent, key),
        ).fetchall()
        if not settled:
            return False
        if sent is not None and settled[0][0] is not None:
            self._sql(
                "UPDATE magic_links SET sent_at = %s WHERE id = %s AND sent_at IS NULL", (sent, settled[0][0])
            )
        return True

    def quarantine(self, ref: str, objection: Objection, *, at: datetime, retry_at: datetime | None) -> bool:
        """See Books."""
        if self._row(_BOOKED, (ref,)) is not None:
            return False
        others = self._row(
            "SELECT 1 FROM quarantine WHERE objection = %s AND closed_at IS NULL LIMIT 1", (objection.name,)
        )
        new = self._changed(
            "INSERT INTO quarantine (ref, objection, first_at, last_at, tries, retry_at) VALUES (%s,%s,%s,%s,1,%s) "
            "ON CONFLICT (ref) DO NOTHING",
            (ref, objection.name, micros(at), micros(at), maybe_micros(retry_at)),
        )
        if new:
            return others is None
        self._sql(
            "UPDATE quarantine SET objection = %s, last_at = greatest(last_at, %s), tries = tries + 1, retry_at = %s "
            "WHERE ref = %s AND closed_at IS NULL",
            (objection.name, micros(at), maybe_micros(retry_at), ref),
        )
        return False

    def close_quarantine(self, ref: str, *, at: datetime) -> bool:
        """See Books."""
        return self._changed(
            "UPDATE quarantine SET closed_at = %s, retry_at = NULL WHERE ref = %s AND closed_at IS NULL",
            (micros(at), ref),
        )

    def log_event(self, event: EventRecord, *, outcome: str, at: datetime) -> bool:
        """See Books."""
        values = (event.id, event.type, event.object_id, event.created, outcome, micros(at))
        if self._changed(_LOG_EVENT, values):
            return True
        self._sql("UPDATE events SET outcome = %s WHERE id = %s", (outcome, event.id))
        return False

    def set_cursor(self, name: str, *, to: datetime) -> None:
        """See Books."""
        self._sql(
            "INSERT INTO cursors (name, at) VALUES (%s,%s) ON CONFLICT (name) "
            "DO UPDATE SET at = greatest(cursors.at, excluded.at)",
            (name, micros(to)),
        )

    def prune(self, *, now: datetime) -> int:
        """See Books."""
        week_ago = now - _WEEK
        self._forget_those_who_moved(micros(week_ago - UNDO_LIFETIME))
        moments = {
            "week": week_ago,
            "page": week_ago - _PAGE_LIFETIME,
            "idle": week_ago - IDLE_LIFETIME,
            "absolute": week_ago - ABSOLUTE_LIFETIME,
            "ticket": week_ago - TICKET_LIFETIME,
            "login": week_ago - LOGIN_LIFETIME,
            "unsent": week_ago - UNSENT_LIFETIME,
            "undo": week_ago - UNDO_LIFETIME,
            "day": now - timedelta(days=1),
            "events": now - _EVENTS_KEPT,
        }
        values = {name: micros(at) for name, at in moments.items()}
        return sum(self._sql(statement, values).rowcount for statement in _PRUNE)

    def _forget_those_who_moved(self, before: int) -> None:
        """Addresses that somebody moved away from so long ago that nothing can be taken back."""
        moved = self._sql(
            f"SELECT id, kind, old, done_at FROM moves WHERE asked_at < %s AND {STANDS} AND new <> '' "  # noqa: S608 - constants
            f"LIMIT {_PRUNE_LOT}",
            (before,),
        ).fetchall()
        for move in moved:
            self._forget_former(move)
            self._sql(f"{WITHOUT_ADDRESSES} WHERE id = %s AND kind = 'correction'", (move[0],))


def _lot(table: str, key: str, condition: str) -> str:
    columns = key.strip("()")
    lot = f"SELECT {columns} FROM {table} WHERE {condition} LIMIT {_PRUNE_LOT}"  # noqa: S608 - constants
    return f"DELETE FROM {table} WHERE {key} IN ({lot})"  # noqa: S608 - constants


_OLD_CHECKOUTS: Final = (
    "started_at < %(page)s AND coalesce(expires_at, started_at) < %(week)s "
    "AND NOT EXISTS (SELECT 1 FROM purchases WHERE checkout_id = checkouts.id) "
    "AND NOT EXISTS (SELECT 1 FROM facts WHERE object_id = checkouts.provider_ref AND status = 'unpaid')"
)
_OLD_LINKS: Final = (
    "made_at < %(week)s AND (used_at < %(week)s OR (purpose = 'ticket' AND sent_at < %(ticket)s) "
    "OR (purpose IN ('login', 'order', 'move') AND sent_at < %(login)s) "
    "OR (sent_at IS NULL AND made_at < %(unsent)s) OR (purpose = 'undo' AND sent_at < %(undo)s))"
)
_OLD_MAILS: Final = "kind = '{}' AND queued_at < %(week)s AND state IN ('sent', 'dropped')"
_PRUNE: Final = (
    _lot("checkouts", "id", _OLD_CHECKOUTS),
    _lot("sessions", "id", "seen_at < %(idle)s OR (started_at < %(absolute)s AND seen_at < %(absolute)s)"),
    _lot("magic_links", "id", _OLD_LINKS),
    _lot("outbox", "key", _OLD_MAILS.format("login")),
    _lot("outbox", "key", _OLD_MAILS.format("order")),
    _lot("moves", "id", f"asked_at < %(undo)s AND NOT ({KEPT_MARK})"),
    _lot("limits", "(bucket, at, ref)", "at < %(day)s"),
    _lot("events", "id", "at < %(events)s"),
)
