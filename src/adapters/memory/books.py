"""The books in dicts, for writing. Every promise of the port, none of the durability."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeVar

from adapters.memory.after_sale import AfterSaleBooks, without_addresses
from domain.claim import Objection
from domain.limits import Limit
from domain.magic_link import UNDO_LIFETIME, LinkPurpose, MagicLink
from domain.mail import Mail, MailKind, MailState
from domain.moves import MoveKind
from domain.purchase import Checkout, Fact, Purchase, newer
from domain.records import EventRecord, Quarantined, User
from domain.session import Session
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

Row = TypeVar("Row")
_WEEK = timedelta(days=7)


class MemoryBooks(AfterSaleBooks):
    """Books on dicts; the store takes back what a raising work wrote."""

    def open_shop(self, proposed: str) -> str:
        """See Books."""
        return self._t.shop.setdefault("id", proposed)

    def add_session(self, session: Session) -> None:
        """See Books."""
        self._t.sessions[session.id] = session

    def see_session(self, session: SessionId, *, at: datetime) -> None:
        """See Books."""
        held = self._t.sessions.get(session)
        if held is not None:
            self._t.sessions[session] = replace(held, seen_at=max(held.seen_at, at))

    def prove(self, session: SessionId, *, mailbox: EmailAddress, token_hash: Digest, at: datetime) -> bool:
        """See Books."""
        held = self._t.sessions.get(session)
        if held is None or held.mailbox not in (None, mailbox):
            return False
        self._t.sessions[session] = replace(
            held, mailbox=mailbox, token_hash=token_hash, started_at=at, seen_at=at
        )
        return True

    def end_session(self, session: SessionId) -> bool:
        """See Books."""
        return self._t.sessions.pop(session, None) is not None

    def end_sessions_of(self, mailbox: EmailAddress) -> int:
        """See Books."""
        gone = [s.id for s in self._t.sessions.values() if s.mailbox == mailbox]
        for session in gone:
            del self._t.sessions[session]
        return len(gone)

    def end_sessions_by(self, move: MoveId) -> int:
        """See Books."""
        gone = [s.id for s in self._t.sessions.values() if s.change == move]
        for session in gone:
            del self._t.sessions[session]
        return len(gone)

    def release(self, mailbox: EmailAddress, *, session: SessionId | None = None) -> int:
        """See Books."""
        held = [
            p
            for p in self._t.purchases.values()
            if p.mailbox == mailbox and p.session is not None and session in (None, p.session)
        ]
        for purchase in held:
            self._t.purchases[purchase.checkout] = replace(purchase, session=None)
        return len(held)

    def take(self, bucket: str, limit: Limit, *, now: datetime, ref: str) -> datetime | None:
        """See Books."""
        taken = sorted(at for b, at, _ in self._t.limits if b == bucket and at > now - limit.window)
        if any(b == bucket and r == ref and at > now - limit.window for b, at, r in self._t.limits):
            return None
        if len(taken) >= limit.most:
            return taken[-limit.most] + limit.window
        self._t.limits[bucket, now, ref] = None
        return None

    def give_back(self, ref: str) -> None:
        """See Books."""
        for place in [place for place in self._t.limits if place[2] == ref]:
            del self._t.limits[place]

    def add_checkout(self, checkout: Checkout) -> bool:
        """See Books."""
        ref = checkout.provider_ref
        if checkout.id in self._t.checkouts or (ref is not None and self.checkout_of(ref) is not None):
            return False
        self._t.checkouts[checkout.id] = checkout
        return True

    def bind_checkout(self, checkout: CheckoutId, *, ref: ProviderRef, expires_at: datetime | None) -> bool:
        """See Books."""
        held = self._t.checkouts.get(checkout)
        other = self.checkout_of(ref)
        if (
            held is None
            or held.provider_ref not in (None, ref)
            or (other is not None and other.id != checkout)
        ):
            return False
        self._t.checkouts[checkout] = replace(
            held, provider_ref=ref, expires_at=expires_at or held.expires_at
        )
        return True

    def take_turn(self, checkout: CheckoutId, *, now: datetime, gap: timedelta) -> bool:
        """See Books."""
        asked = self._t.asked.get(checkout)
        if checkout not in self._t.checkouts or (asked is not None and asked > now - gap):
            return False
        self._t.asked[checkout] = now
        return True

    def tell(self, fact: Fact) -> Fact:
        """See Books."""
        kept = newer(self._t.facts.get(fact.object_id), fact)
        self._t.facts[fact.object_id] = kept
        return kept

    def user_for(self, mailbox: EmailAddress, *, new_id: UserId, now: datetime) -> UserId:
        """See Books."""
        held = next((user.id for user in self._t.users.values() if user.mailbox == mailbox), None)
        if held is not None:
            return held
        self._t.users[new_id] = User(id=new_id, mailbox=mailbox, since=now)
        return new_id

    def book(self, purchase: Purchase) -> bool:
        """See Books."""
        return self._t.purchases.setdefault(purchase.checkout, purchase) is purchase

    def add_link(self, link: MagicLink) -> None:
        """See Books."""
        self._t.links[link.id] = link

    def spend_link(self, link: LinkId, *, at: datetime, used_with: Digest | None = None) -> bool:
        """See Books."""
        held = self._t.links.get(link)
        if held is None or held.used_at is not None:
            return False
        self._t.links[link] = replace(held, used_at=at, used_with=used_with)
        return True

    def supersede_links(self, mailbox: EmailAddress, *, asked_by: SessionId) -> None:
        """See Books."""
        for link in list(self._t.links.values()):
            asked = (
                link.purpose is LinkPurpose.LOGIN and link.asked_by == asked_by and link.mailbox == mailbox
            )
            if asked and link.used_at is None:
                self._t.links[link.id] = replace(link, superseded=True)

    def count_code_try(self, link: LinkId, *, most: int) -> bool:
        """See Books."""
        held = self._t.links.get(link)
        if held is None or held.code_tries >= most:
            return False
        self._t.links[link] = replace(held, code_tries=held.code_tries + 1)
        return True

    def queue(self, mail: Mail) -> bool:
        """See Books."""
        return self._t.outbox.setdefault(mail.key, mail) is mail

    def lease_mails(self, *, now: datetime, until: datetime, limit: int) -> Sequence[Mail]:
        """See Books."""
        due = [m for m in self._t.outbox.values() if m.state is MailState.QUEUED and m.due_at <= now]
        leased = sorted(due, key=lambda mail: (mail.urgency, mail.due_at, mail.key))[:limit]
        for mail in leased:
            self._t.outbox[mail.key] = replace(
                mail, due_at=until, attempts=mail.attempts + 1, unknown_since=mail.unknown_since or now
            )
        return leased

    def renew_lease(self, key: str, *, held_until: datetime, until: datetime) -> bool:
        """See Books."""
        held = self._t.outbox.get(key)
        if held is None or held.state is not MailState.QUEUED or held.due_at != held_until:
            return False
        self._t.outbox[key] = replace(held, due_at=until)
        return True

    def free_leases(self, *, now: datetime, until: datetime) -> int:
        """See Books."""
        held = [m for m in self._t.outbox.values() if m.state is MailState.QUEUED and now < m.due_at <= until]
        for mail in held:
            self._t.outbox[mail.key] = replace(mail, due_at=now)
        return len(held)

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
        held = self._t.outbox.get(key)
        if held is None or held.state is MailState.SENT:
            return False
        sent_at = at if state is MailState.SENT else None
        self._t.outbox[key] = replace(
            held,
            state=state,
            due_at=due_at or held.due_at,
            problem=problem,
            unknown_since=unknown_since,
            sent_at=sent_at,
        )
        link = self._t.links.get(held.link) if held.link is not None else None
        if sent_at is not None and link is not None and link.sent_at is None:
            self._t.links[link.id] = replace(link, sent_at=sent_at)
        return True

    def quarantine(self, ref: str, objection: Objection, *, at: datetime, retry_at: datetime | None) -> bool:
        """See Books."""
        checkout = self.checkout_of(ProviderRef(ref))
        if checkout is not None and checkout.id in self._t.purchases:
            return False
        held = self._t.quarantined.get(ref)
        if held is None:
            first = not any(
                q.objection is objection and q.closed_at is None for q in self._t.quarantined.values()
            )
            self._t.quarantined[ref] = Quarantined(
                ref=ref, objection=objection, first_at=at, last_at=at, tries=1, retry_at=retry_at
            )
            return first
        if held.closed_at is None:
            self._t.quarantined[ref] = replace(
                held,
                objection=objection,
                last_at=max(held.last_at, at),
                tries=held.tries + 1,
                retry_at=retry_at,
            )
        return False

    def close_quarantine(self, ref: str, *, at: datetime) -> bool:
        """See Books."""
        held = self._t.quarantined.get(ref)
        if held is None or held.closed_at is not None:
            return False
        self._t.quarantined[ref] = replace(held, closed_at=at, retry_at=None)
        return True

    def log_event(self, event: EventRecord, *, outcome: str, at: datetime) -> bool:
        """See Books."""
        held = self._t.events.get(event.id)
        self._t.events[event.id] = (event, outcome, at) if held is None else (held[0], outcome, held[2])
        return held is None

    def set_cursor(self, name: str, *, to: datetime) -> None:
        """See Books."""
        self._t.cursors[name] = max(to, self._t.cursors.get(name, to))

    def prune(self, *, now: datetime) -> int:
        """See Books."""
        week_ago = now - _WEEK
        for move in list(self._t.moves.values()):
            if move.stands and move.asked_at < week_ago - UNDO_LIFETIME:
                self._forget_former(move)
                if move.kind is MoveKind.CORRECTION:
                    self._t.moves[move.id] = without_addresses(move)
        old_checkouts = [
            c.id
            for c in self._t.checkouts.values()
            if c.started_at < week_ago - timedelta(days=1)
            and (c.expires_at or c.started_at) < week_ago
            and c.id not in self._t.purchases
            and not self._awaits_bank(c)
        ]
        old_sessions = [s.id for s in self._t.sessions.values() if s.expires_at() < week_ago]
        old_links = [
            link.id
            for link in self._t.links.values()
            if link.made_at < week_ago
            and ((link.used_at is not None and link.used_at < week_ago) or link.expires_at() < week_ago)
        ]
        old_mails = [
            m.key
            for m in self._t.outbox.values()
            if m.kind in (MailKind.LOGIN, MailKind.ORDER)
            and m.queued_at < week_ago
            and m.state in (MailState.SENT, MailState.DROPPED)
        ]
        old_moves = [
            m.id
            for m in self._t.moves.values()
            if m.asked_at < week_ago - UNDO_LIFETIME and not (m.stands and m.kind is MoveKind.CORRECTION)
        ]
        old_limits = [place for place in self._t.limits if place[1] < now - timedelta(days=1)]
        old_events = [k for k, (_, _, at) in self._t.events.items() if at < now - timedelta(days=90)]
        return (
            _drop(self._t.checkouts, old_checkouts)
            + _drop(self._t.sessions, old_sessions)
            + _drop(self._t.links, old_links)
            + _drop(self._t.outbox, old_mails)
            + _drop(self._t.moves, old_moves)
            + _drop(self._t.limits, old_limits)
            + _drop(self._t.events, old_events)
        )

    def _awaits_bank(self, checkout: Checkout) -> bool:
        fact = self._t.facts.get(checkout.provider_ref or "")
        return fact is not None and fact.status == "unpaid"


Key = TypeVar("Key")


def _drop(table: dict[Key, Row], keys: Iterable[Key]) -> int:
    gone = list(keys)
    for key in gone:
        del table[key]
    return len(gone)
