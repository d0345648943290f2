"""The outbox: emails that must go out, and how far they got."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import ClassVar, Final

from adapters.sql.dialect import ANY_OF, LOCKED, texts
from adapters.sql.record import Record, Row, Table, insert, maybe_micros, maybe_moment, micros, moment
from domain.mail import Delivery, Letter, Mail, MailKind, MailState, Urgency
from domain.values import EmailAddress

COLUMNS: Final = (
    "key, kind, mailbox, subject, text, html, link_id, key_name, queued_at, due_at, state, attempts, "
    "unknown_since, sent_at, problem, delivery, urgency"
)
_QUEUE: Final = f"{insert('outbox', COLUMNS)} ON CONFLICT (key) DO NOTHING"
_BY_KEY: Final = f"SELECT {COLUMNS} FROM outbox WHERE key = ?"
_TO_ADDRESS: Final = f"SELECT {COLUMNS} FROM outbox WHERE mailbox = ? ORDER BY queued_at, key"
_PAGE: Final = f"SELECT {COLUMNS} FROM outbox WHERE key > ? ORDER BY key LIMIT ?"
_WAITING: Final = f"""SELECT {COLUMNS} FROM outbox WHERE state = 'stuck'
  UNION ALL SELECT {COLUMNS} FROM outbox WHERE state = 'queued' AND queued_at <= ? AND problem <> ''
  ORDER BY queued_at, key"""
_DUE: Final = f"""SELECT {COLUMNS} FROM outbox WHERE state = 'queued' AND urgency = ? AND due_at <= ?
  ORDER BY due_at, key LIMIT ? {LOCKED}"""
_LEASE: Final = f"""UPDATE outbox SET due_at = ?, attempts = attempts + 1, unknown_since = coalesce(unknown_since, ?)
  WHERE key {ANY_OF}"""
_RENEW: Final = "UPDATE outbox SET due_at = ? WHERE key = ? AND state = 'queued' AND due_at = ?"
_FREE: Final = "UPDATE outbox SET due_at = :now WHERE state = 'queued' AND due_at > :now AND due_at <= :until"
_SETTLE: Final = """UPDATE outbox SET state = ?, due_at = coalesce(?, due_at), problem = ?, unknown_since = ?,
  sent_at = ? WHERE key = ? AND state <> 'sent' RETURNING link_id"""
_KINDS: Final = {kind.value: kind for kind in MailKind}
_STATES: Final = {state.value: state for state in MailState}
_DELIVERIES: Final = {delivery.value: delivery for delivery in Delivery}
_URGENCIES: Final = tuple(Urgency)


class Outbox(Record):
    tables: ClassVar = [Table("outbox", COLUMNS, key="key")]

    def get(self, key: str) -> Mail | None:
        return self._one(_from_row, _BY_KEY, (key,))

    def to_address(self, mailbox: EmailAddress) -> Sequence[Mail]:
        return self._all(_from_row, _TO_ADDRESS, (mailbox.canonical,))

    def page_after(self, key: str, *, limit: int) -> Sequence[Mail]:
        return self._all(_from_row, _PAGE, (key, limit))

    def waiting(self, now: datetime, *, late: timedelta) -> Sequence[Mail]:
        return self._all(_from_row, _WAITING, (micros(now - late),))

    def queue(self, mail: Mail) -> bool:
        return self._changed(_QUEUE, _to_row(mail))

    def lease(self, *, now: datetime, until: datetime, limit: int) -> Sequence[Mail]:
        due: list[Mail] = []
        # One seek into the index for each urgency, however many mails wait for their next try.
        for urgency in Urgency:
            if len(due) < limit:
                due += self._all(_from_row, _DUE, (urgency.value, micros(now), limit - len(due)))
        if due:
            self._sql(_LEASE, (micros(until), micros(now), texts(mail.key for mail in due)))
        return due

    def renew_lease(self, key: str, *, held_until: datetime, until: datetime) -> bool:
        return self._changed(_RENEW, (micros(until), key, micros(held_until)))

    def free_leases(self, *, now: datetime, until: datetime) -> int:
        return self._sql(_FREE, {"now": micros(now), "until": micros(until)}).rowcount

    def settle(
        self,
        key: str,
        *,
        state: MailState,
        at: datetime,
        due_at: datetime | None = None,
        problem: str = "",
        unknown_since: datetime | None = None,
    ) -> bool:
        sent = micros(at) if state is MailState.SENT else None
        values = (state.value, maybe_micros(due_at), problem, maybe_micros(unknown_since), sent, key)
        settled = self._sql(_SETTLE, values).fetchall()
        if not settled:
            return False
        [(link,)] = settled
        if sent is not None and link is not None:
            self._sql("UPDATE magic_links SET sent_at = ? WHERE id = ? AND sent_at IS NULL", (sent, link))
        return True

    def record_delivery(self, key: str, delivery: Delivery) -> Mail | None:
        held = self.get(key)
        if held is None or not delivery.outweighs(held.delivery):
            return None
        self._sql("UPDATE outbox SET delivery = ? WHERE key = ?", (delivery.value, key))
        return held


def _from_row(row: Row) -> Mail:
    return Mail(
        key=row[0], kind=_KINDS[row[1]], to=EmailAddress(row[2]),
        letter=Letter(subject=row[3], text=row[4], html=row[5]), link=row[6], key_name=row[7],
        queued_at=moment(row[8]), due_at=moment(row[9]), state=_STATES[row[10]], attempts=row[11],
        unknown_since=maybe_moment(row[12]), sent_at=maybe_moment(row[13]), problem=row[14],
        delivery=None if row[15] is None else _DELIVERIES[row[15]], urgency=_URGENCIES[row[16]],
    )  # fmt: skip


def _to_row(mail: Mail) -> Row:
    return (
        mail.key, mail.kind.value, mail.to.canonical, mail.letter.subject, mail.letter.text, mail.letter.html,
        mail.link, mail.key_name, micros(mail.queued_at), micros(mail.due_at), mail.state.value, mail.attempts,
        maybe_micros(mail.unknown_since), maybe_micros(mail.sent_at), mail.problem,
        None if mail.delivery is None else mail.delivery.value, mail.urgency.value,
    )  # fmt: skip
