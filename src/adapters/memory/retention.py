"""Pruning: how long each record is kept that is of no more use."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

from adapters.memory.forgetting import forget_former, without_addresses
from adapters.memory.tables import Record
from domain import audit, uploads, withdrawal
from domain.address_change import ChangeKind
from domain.fact import CheckoutStatus
from domain.magic_link import UNDO_LIFETIME
from domain.mail import BODY_KEPT, Mail, MailKind, MailState
from domain.purchase import Checkout
from domain.session import IDLE_LIFETIME

_WEEK: Final = timedelta(days=7)
_Key = TypeVar("_Key")


class Retention(Record):
    def prune(self, *, now: datetime) -> int:
        week_ago = now - _WEEK
        for move in list(self._t.moves.values()):
            if move.stands and move.asked_at < week_ago - UNDO_LIFETIME:
                forget_former(self._t, move)
                if move.kind is ChangeKind.CORRECTION:
                    self._t.moves[move.id] = without_addresses(move)
        old_checkouts = [
            c.id
            for c in self._t.checkouts.values()
            if c.started_at < week_ago - timedelta(days=1)
            and (c.expires_at or c.started_at) < week_ago
            and c.id not in self._t.purchases
            and not self._awaits_bank(c)
        ]
        old_sessions = [s.id for s in self._t.sessions.values() if s.seen_at < week_ago - IDLE_LIFETIME]
        old_links = [
            link.id
            for link in self._t.links.values()
            if link.made_at < week_ago
            and ((link.used_at is not None and link.used_at < week_ago) or link.expires_at() < week_ago)
        ]
        old_mails = [
            m.key
            for m in self._t.outbox.values()
            if (m.kind in (MailKind.LOGIN, MailKind.ORDER) and m.queued_at < week_ago)
            or (m.kind is MailKind.ADDRESS and m.queued_at < week_ago - UNDO_LIFETIME)
            if m.state in (MailState.SENT, MailState.DROPPED)
        ]
        old_mails += [
            m.key
            for m in self._t.outbox.values()
            if m.kind is MailKind.WITHDRAWAL and m.queued_at < now - withdrawal.KEPT_FOR
        ]
        old_mails += [m.key for m in self._t.outbox.values() if _is_over(m, now)]
        dropped = {*old_checkouts}
        followed = {
            c.id for c in self._t.checkouts.values() if c.change is not None and c.id not in dropped
        } - self._t.purchases.keys()
        old_moves = [
            m.id
            for m in self._t.moves.values()
            if m.asked_at < week_ago - UNDO_LIFETIME
            and not (m.stands and m.kind is ChangeKind.CORRECTION)
            and followed.isdisjoint(m.checkouts)
        ]
        old_limits = [place for place in self._t.limits if place[1] < now - timedelta(days=1)]
        foreign = [
            q.ref
            for q in self._t.quarantined.values()
            if q.reason.is_foreign and q.closed_at is not None and q.closed_at < now - timedelta(days=90)
        ]
        problems = [key for key, p in self._t.problems.items() if p.last_at < now - timedelta(days=30)]
        old_staff_sessions = [s.id for s in self._t.staff_sessions.values() if s.started_at < week_ago]
        old_staff_links = [k for k, link in self._t.staff_links.items() if link.expires_at < week_ago]
        old_refunds = [
            key
            for key, one in self._t.refund_requests.items()
            if one.settled_at is not None and one.settled_at < now - audit.KEPT_FOR
        ]
        old_withdrawals = [
            one.id
            for one in self._t.withdrawals.values()
            if one.checkout is None and one.received_at < now - withdrawal.KEPT_FOR
        ]
        expired = {one.id for one in self._t.uploads.values() if one.is_expired(now=now)}
        old_pieces = [key for key in self._t.upload_pieces if key[0] in expired]
        old_uploads = [one.id for one in self._t.uploads.values() if one.at < now - uploads.NOTED_FOR]
        old_events = [k for k, (_, _, at) in self._t.events.items() if at < now - timedelta(days=90)]
        return (
            self._drop_bodies(now - BODY_KEPT)
            + _drop(self._t.checkouts, old_checkouts)
            + _drop(self._t.sessions, old_sessions)
            + _drop(self._t.links, old_links)
            + _drop(self._t.outbox, old_mails)
            + _drop(self._t.moves, old_moves)
            + _drop(self._t.limits, old_limits)
            + _drop(self._t.events, old_events)
            + _drop(self._t.quarantined, foreign)
            + _drop(self._t.problems, problems)
            + _drop(self._t.staff_sessions, old_staff_sessions)
            + _drop(self._t.staff_links, old_staff_links)
            + _drop(self._t.refund_requests, old_refunds)
            + _drop(self._t.withdrawals, old_withdrawals)
            + _drop(self._t.upload_pieces, old_pieces)
            + _drop(self._t.uploads, old_uploads)
        )

    def drop_test_checkouts(self, *, limit: int) -> int:
        begun = self._t.checkouts.values()
        left = (c for c in begun if c.livemode is False and c.id not in self._t.purchases)
        found = sorted(left, key=lambda c: (c.started_at, c.id))[:limit]
        for checkout in found:
            del self._t.checkouts[checkout.id]
            self._t.asked.pop(checkout.id, None)
        return len(found)

    def _drop_bodies(self, before: datetime) -> int:
        old = [
            mail
            for mail in self._t.outbox.values()
            if mail.settled_at is not None
            and mail.settled_at < before
            and mail.letter is not None
            and (mail.letter.text or mail.letter.html)
            and not mail.repeats_waiver
        ]
        for mail in old:
            if mail.letter is not None:
                self._t.outbox[mail.key] = replace(mail, letter=replace(mail.letter, text="", html=""))
        return len(old)

    def _awaits_bank(self, checkout: Checkout) -> bool:
        fact = self._t.facts.get(checkout.provider_ref or "")
        return fact is not None and fact.status == CheckoutStatus.UNPAID


def _is_over(mail: Mail, now: datetime) -> bool:
    """Whether a last email was sent, or is a week old."""
    if mail.kind is not MailKind.FAREWELL:
        return False
    sent = mail.state in (MailState.SENT, MailState.DROPPED) and mail.settled_at is not None
    return mail.queued_at < now - _WEEK or (
        sent and mail.settled_at is not None and mail.settled_at < now - BODY_KEPT
    )


def _drop(table: dict[_Key, Any], keys: Iterable[_Key]) -> int:
    gone = list(keys)
    for key in gone:
        del table[key]
    return len(gone)
