"""Pruning: how long each record is kept that is of no more use."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from adapters.sql.forgetting import KEPT_MARK, LONG_MOVED, WITHOUT_ADDRESSES, forget_former
from adapters.sql.quarantine import IS_FOREIGN
from adapters.sql.record import Record, micros
from domain import audit, uploads, withdrawal
from domain.magic_link import ACCESS_LIFETIME, LOGIN_LIFETIME, PROOF_LIFETIME, UNDO_LIFETIME, UNSENT_LIFETIME
from domain.mail import BODY_KEPT
from domain.session import IDLE_LIFETIME

_LOT: Final = 500
_DAY: Final = timedelta(days=1)
_WEEK: Final = timedelta(days=7)


def _lot(table: str, key: str, condition: str) -> str:
    lot = f"SELECT {key.strip('()')} FROM {table} WHERE {condition} LIMIT {_LOT}"
    return f"DELETE FROM {table} WHERE {key} IN ({lot})"


_OLD_CHECKOUTS: Final = """started_at < :page AND coalesce(expires_at, started_at) < :week
  AND NOT EXISTS (SELECT 1 FROM purchases WHERE checkout_id = checkouts.id)
  AND NOT EXISTS (SELECT 1 FROM facts WHERE object_id = checkouts.provider_ref AND status = 'unpaid')"""
_OLD_LINKS: Final = """made_at < :week AND (used_at < :week
  OR ((purpose = 'access' OR (purpose IN ('owner', 'move') AND asked_by IS NULL)) AND sent_at < :access)
  OR ((purpose IN ('login', 'order') OR (purpose IN ('owner', 'move') AND asked_by IS NOT NULL)) AND sent_at < :login)
  OR (purpose = 'withdrawal' AND sent_at < :proof)
  OR (sent_at IS NULL AND made_at < :unsent) OR (purpose = 'undo' AND sent_at < :undo))"""
_OLD_MAILS: Final = """(kind = 'login' OR kind = 'address' OR kind = 'order') AND kind = '{}' AND queued_at < :{}
  AND state IN ('sent', 'dropped')"""
_FOLLOWED: Final = """EXISTS (SELECT 1 FROM checkouts AS begun WHERE begun.move_id IS NOT NULL
  AND NOT EXISTS (SELECT 1 FROM purchases WHERE checkout_id = begun.id)
  AND ' ' || moves.checkouts || ' ' LIKE '% ' || begun.id || ' %')"""
_EXPIRED: Final = "SELECT id FROM uploads WHERE expires_at <= :now"
_DROP_BODIES: Final = f"""UPDATE outbox SET text = NULL, html = NULL WHERE key IN
  (SELECT key FROM outbox WHERE text IS NOT NULL AND kept IS NULL AND settled_at < :body LIMIT {_LOT})"""
PRUNE: Final = (
    _DROP_BODIES,
    _lot("checkouts", "id", _OLD_CHECKOUTS),
    _lot("sessions", "id", "seen_at < :idle"),
    _lot("magic_links", "id", _OLD_LINKS),
    _lot("outbox", "key", _OLD_MAILS.format("login", "week")),
    _lot("outbox", "key", _OLD_MAILS.format("order", "week")),
    _lot("outbox", "key", _OLD_MAILS.format("address", "undo")),
    _lot(
        "outbox",
        "key",
        "kind <> 'access' AND kind = 'farewell' "  # the first condition is that of an index
        "AND (queued_at < :week OR (state IN ('sent', 'dropped') AND settled_at < :body))",
    ),
    _lot("outbox", "key", "kind <> 'access' AND kind = 'withdrawal' AND queued_at < :withdrawal"),
    _lot("moves", "id", f"asked_at < :undo AND NOT ({KEPT_MARK}) AND NOT {_FOLLOWED}"),
    _lot("limits", "(bucket, at, ref)", "at < :day"),
    _lot("events", "id", "at < :events"),
    _lot("problems", "(kind, subject)", "last_at < :problems"),
    _lot("staff_sessions", "id", "started_at < :week"),
    _lot("staff_links", "token_hash", "expires_at < :week"),
    _lot("refund_requests", "id", "settled_at < :audit"),
    _lot("withdrawals", "id", "checkout_id IS NULL AND received_at < :withdrawal"),
    _lot("quarantine", "ref", f"closed_at < :events AND {IS_FOREIGN}"),
    _lot("upload_pieces", "(upload_id, number)", f"upload_id IN ({_EXPIRED})"),
    _lot("uploads", "id", "at < :uploads AND id NOT IN (SELECT upload_id FROM upload_pieces)"),
)
DROP_TEST_CHECKOUTS: Final = """DELETE FROM checkouts WHERE id IN (SELECT id FROM checkouts WHERE livemode = 0
  AND NOT EXISTS (SELECT 1 FROM purchases WHERE checkout_id = checkouts.id) ORDER BY started_at, id LIMIT ?)"""
_LONG_MOVED: Final = f"{LONG_MOVED} LIMIT {_LOT}"
_KEEP_MARK: Final = f"{WITHOUT_ADDRESSES} WHERE id = ? AND kind = 'correction'"
AGES: Final = {
    "body": BODY_KEPT, "day": _DAY, "week": _WEEK, "page": _WEEK + _DAY, "events": timedelta(days=90),
    "problems": timedelta(days=30), "audit": audit.KEPT_FOR, "idle": _WEEK + IDLE_LIFETIME,
    "access": _WEEK + ACCESS_LIFETIME, "login": _WEEK + LOGIN_LIFETIME, "unsent": _WEEK + UNSENT_LIFETIME,
    "undo": _WEEK + UNDO_LIFETIME,
    "proof": _WEEK + PROOF_LIFETIME, "withdrawal": withdrawal.KEPT_FOR, "now": timedelta(),
    "uploads": uploads.NOTED_FOR,
}  # fmt: skip
"""How long ago each of the moments is that the statements name."""


class Retention(Record):
    def prune(self, *, now: datetime) -> int:
        values = {name: micros(now - age) for name, age in AGES.items()}
        for move in self._sql(_LONG_MOVED, (values["undo"],)).fetchall():
            forget_former(self._sql, move)
            self._sql(_KEEP_MARK, (move[0],))
        return sum(self._sql(statement, values).rowcount for statement in PRUNE)

    def drop_test_checkouts(self, *, limit: int) -> int:
        return self._sql(DROP_TEST_CHECKOUTS, (limit,)).rowcount
