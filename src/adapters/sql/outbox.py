"""The outbox: emails that must go out, and how far they got."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields
from datetime import datetime, timedelta
from operator import attrgetter
from typing import ClassVar, Final

from msgspec import convert
from msgspec.json import decode, encode

from adapters.sql.dialect import ANY_OF, LOCKED, texts
from adapters.sql.record import Record, Row, Table, insert, maybe, micros, moment
from domain.emails import EMAILS, Email, UnreadableEmail
from domain.frozen import maker
from domain.mail import NOTED_FOR, Delivery, Letter, Mail, MailKind, MailProblem, MailState, Urgency
from domain.outbox_keys import sale_of
from domain.purchase import order_number
from domain.values import Digest, EmailAddress

COLUMNS: Final = """key, kind, mailbox, template, language, parameters, subject, text, html, body_sha256, link_id,
  key_name, queued_at, due_at, state, attempts, unknown_since, settled_at, problem, delivery, urgency, kept"""
_QUEUE: Final = f"{insert('outbox', COLUMNS)} ON CONFLICT (key) DO NOTHING"
_BY_KEY: Final = f"SELECT {COLUMNS} FROM outbox WHERE key = ?"
_TO_ADDRESS: Final = f"SELECT {COLUMNS} FROM outbox WHERE mailbox = ? ORDER BY queued_at, key"
_PAGE: Final = f"SELECT {COLUMNS} FROM outbox WHERE key > ? ORDER BY key LIMIT ?"
_WAITING: Final = f"""SELECT {COLUMNS} FROM outbox WHERE state = 'stuck'
  UNION ALL SELECT {COLUMNS} FROM outbox WHERE state = 'queued' AND queued_at <= ? AND problem <> ''
  UNION ALL SELECT {COLUMNS} FROM outbox WHERE state = 'sent' AND problem <> '' AND settled_at >= ? AND problem = ?
    AND (delivery IS NULL OR delivery <> 'bounced' OR kind <> 'access')
  UNION ALL SELECT {COLUMNS} FROM outbox WHERE delivery = 'bounced' AND kind = 'access'
    AND state IN ('sent', 'dropped') AND problem <> ? AND queued_at >= ?
  ORDER BY queued_at, key"""
_DISMISS: Final = """UPDATE outbox SET problem = ?
  WHERE key = ? AND delivery = 'bounced' AND kind = 'access' AND problem <> ?"""
_DUE: Final = f"""SELECT {COLUMNS} FROM outbox WHERE state = 'queued' AND urgency = ? AND due_at <= ?
  ORDER BY due_at, key LIMIT ? {LOCKED}"""
_LEASE: Final = f"""UPDATE outbox SET due_at = ?, attempts = attempts + 1, unknown_since = coalesce(unknown_since, ?)
  WHERE key {ANY_OF}"""
_RENEW: Final = "UPDATE outbox SET due_at = ? WHERE key = ? AND state = 'queued' AND due_at = ?"
_FREE: Final = "UPDATE outbox SET due_at = :now WHERE state = 'queued' AND due_at > :now AND due_at <= :until"
_SETTLE: Final = """UPDATE outbox SET state = ?, due_at = coalesce(?, due_at), problem = ?, unknown_since = ?,
  settled_at = ? WHERE key = ? AND state <> 'sent' RETURNING link_id"""
_NOTE_SENT: Final = "UPDATE magic_links SET sent_at = ? WHERE id = ? AND sent_at IS NULL"
_KEEP_LETTER: Final = """UPDATE outbox SET subject = ?, text = ?, html = ?, body_sha256 = ?
  WHERE key = ? AND subject IS NULL"""
_LETTER: Final = "SELECT subject, text, html FROM outbox WHERE key = ?"
_EMAILS: Final[Mapping[str, type[Email]]] = {email.template: email for email in EMAILS}
_DEFAULTS: Final[Mapping[type, Mapping[str, object]]] = {
    email: {one.name: one.default for one in fields(email)} for email in EMAILS
}
_VALUES_OF: Final = {email: attrgetter(*names, "template") for email, names in _DEFAULTS.items()}
"""All values of an email, in the order of its defaults. With the template there are two or more, so a tuple."""
_DISMISSED: Final = MailProblem.BOUNCE_DISMISSED.value
_KINDS: Final = {kind.value: kind for kind in MailKind}
_STATES: Final = {state.value: state for state in MailState}
_URGENCIES: Final = tuple(Urgency)
_make = maker(Mail)


class Outbox(Record):
    tables: ClassVar = [Table("outbox", COLUMNS, key="key")]

    def get(self, key: str) -> Mail | None:
        return self._one(from_row, _BY_KEY, (key,))

    def to_address(self, mailbox: EmailAddress) -> Sequence[Mail]:
        return self._all(from_row, _TO_ADDRESS, (mailbox.canonical,))

    def page_after(self, key: str, *, limit: int) -> Sequence[Mail]:
        return self._all(from_row, _PAGE, (key, limit))

    def waiting(
        self, now: datetime, *, late: timedelta, bounced_since: datetime | None = None
    ) -> Sequence[Mail]:
        since = maybe(micros, bounced_since) or 0
        values = (micros(now - late), micros(now - NOTED_FOR), MailProblem.KEY_USED.value, _DISMISSED, since)
        return self._all(from_row, _WAITING, values)

    def queue(self, mail: Mail) -> bool:
        return self._changed(_QUEUE, _to_row(mail))

    def lease(self, *, now: datetime, until: datetime, limit: int) -> Sequence[Mail]:
        due: list[Mail] = []
        # One seek into the index for each urgency, however many mails wait for their next try.
        for urgency in Urgency:
            if len(due) < limit:
                due += self._all(from_row, _DUE, (urgency.value, micros(now), limit - len(due)))
        if due:
            self._sql(_LEASE, (micros(until), micros(now), texts(mail.key for mail in due)))
        return due

    def renew_lease(self, key: str, *, held_until: datetime, until: datetime) -> bool:
        return self._changed(_RENEW, (micros(until), key, micros(held_until)))

    def free_leases(self, *, now: datetime, until: datetime) -> int:
        return self._sql(_FREE, {"now": micros(now), "until": micros(until)}).rowcount

    def keep_letter(self, key: str, letter: Letter) -> Letter | None:
        digest = bytes.fromhex(letter.body_sha256)
        if self._changed(_KEEP_LETTER, (letter.subject, letter.text, letter.html, digest, key)):
            return letter
        return self._one(_letter_from_row, _LETTER, (key,))

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
        settled_at = micros(at) if state in (MailState.SENT, MailState.DROPPED) else None
        values = (state.value, maybe(micros, due_at), problem, maybe(micros, unknown_since), settled_at, key)
        settled = self._sql(_SETTLE, values).fetchall()
        for (link,) in settled:
            if state is MailState.SENT and link is not None:
                self._sql(_NOTE_SENT, (settled_at, link))
        return bool(settled)

    def dismiss_bounce(self, key: str) -> bool:
        return self._changed(_DISMISS, (_DISMISSED, key, _DISMISSED))

    def record_delivery(self, key: str, delivery: Delivery) -> Mail | None:
        held = self.get(key)
        if held is None or not delivery.outweighs(held.delivery):
            return None
        self._sql("UPDATE outbox SET delivery = ? WHERE key = ?", (delivery.value, key))
        return held


def from_row(row: Row) -> Mail:
    return _make(
        key=row[0], kind=_KINDS[row[1]], to=EmailAddress(row[2]), email=_email(row[3], row[5], key=row[0]),
        language=row[4],
        letter=_letter_from_row(row[6:9]), body_sha256=row[9] and Digest(row[9].hex()), link=row[10], key_name=row[11],
        queued_at=moment(row[12]), due_at=moment(row[13]), state=_STATES[row[14]], attempts=row[15],
        unknown_since=maybe(moment, row[16]), settled_at=maybe(moment, row[17]), problem=row[18],
        delivery=maybe(Delivery, row[19]), urgency=_URGENCIES[row[20]],
    )  # fmt: skip


def _letter_from_row(row: Row) -> Letter | None:
    subject, text, html = row
    return None if subject is None else Letter(subject=subject, text=text or "", html=html or "")


def _email(template: str, parameters: str, *, key: str) -> Email:
    """One row that cannot be read must not stop the others from leaving."""
    try:
        email, told = _EMAILS[template], decode(parameters)
        if "order" in _DEFAULTS[email] and "order" not in told and (order := _order_of(key)):
            told["order"] = order
        return convert(told, email)
    except (KeyError, TypeError, ValueError):
        return UnreadableEmail(template=template, parameters=parameters)


def _parameters(email: Email, *, key: str) -> str:
    """As JSON; what is at its default is not stored, nor is the order number that the key says already."""
    of = type(email)
    told = {
        name: value
        for (name, default), value in zip(_DEFAULTS[of].items(), _VALUES_OF[of](email), strict=False)
        if value is not default and (default is MISSING or value != default)
    }
    order = told.get("order")
    # Nearly all emails are access emails, whose key has the 16 characters of the order number at this place.
    if order and (key[:23] == f"access:{order}" or order == _order_of(key)):
        del told["order"]
    return encode(told).decode()


def _order_of(key: str) -> str:
    """The order number of the sale that an email is about; "" if it is about none."""
    sale = sale_of(key)
    return "" if sale is None else order_number(sale)


def _to_row(mail: Mail) -> Row:
    # An enum's `value` is a property in Python, three calls deep; every sale writes an email.
    email, letter = mail.email, mail.letter
    parameters = email.parameters if isinstance(email, UnreadableEmail) else _parameters(email, key=mail.key)
    queued_at = micros(mail.queued_at)
    due_at = queued_at if mail.due_at is mail.queued_at else micros(mail.due_at)
    return (
        mail.key, mail.kind._value_, mail.to.canonical, email.template, mail.language, parameters,
        *((None, None, None) if letter is None else (letter.subject, letter.text, letter.html)),
        maybe(bytes.fromhex, mail.body_sha256), mail.link, mail.key_name, queued_at, due_at,
        mail.state._value_, mail.attempts, mail.unknown_since and micros(mail.unknown_since),
        mail.settled_at and micros(mail.settled_at),
        mail.problem, None if mail.delivery is None else mail.delivery.value, mail.urgency._value_,
        1 if mail.repeats_waiver else None,
    )  # fmt: skip
