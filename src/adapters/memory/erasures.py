"""Erasures: taking a person out of the records, and remembering that it was done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from adapters.memory.checkouts import checkouts_of_address
from adapters.memory.forgetting import (
    drop_links,
    drop_requests,
    forget_former,
    forget_in_moves,
    forget_reasons,
    forget_uploads,
    forget_withdrawals,
    links_of_moves_away,
)
from adapters.memory.tables import Record, page
from domain.magic_link import LinkPurpose
from domain.records import ErasedAddress
from domain.values import CheckoutId, EmailAddress


class Erasures(Record):
    def erased_at(self, checkouts: Sequence[CheckoutId]) -> Mapping[CheckoutId, datetime]:
        return {one: self._t.erasures[one] for one in checkouts if one in self._t.erasures}

    def is_erased(self, checkout: CheckoutId) -> bool:
        return checkout in self._t.erasures

    def checkouts_after(self, checkout: str, *, limit: int) -> Sequence[CheckoutId]:
        return page(((erased, erased) for erased in self._t.erasures), checkout, limit)

    def address_erased_at(self, tag: str) -> datetime | None:
        held = self._t.erased_addresses.get(tag)
        return None if held is None else held.at

    def addresses_after(self, tag: str, *, limit: int) -> Sequence[ErasedAddress]:
        return page(self._t.erased_addresses.items(), tag, limit)

    def known_addresses_after(self, address: str, *, limit: int) -> Sequence[EmailAddress]:
        t = self._t
        found = {
            *(u.mailbox for u in t.users.values()),
            *(s.mailbox for s in t.sessions.values()),
            *(c.mailbox for c in t.checkouts.values()),
            *(c.verified for c in t.checkouts.values()),
            *(p.paid_email for p in t.purchases.values()),
            *(link.mailbox for link in t.links.values()),
            *(mail.to for mail in t.outbox.values()),
            *(m.old for m in t.moves.values()),
            *(m.new for m in t.moves.values()),
            *(one.email for one in t.withdrawals.values()),
        } - {None}
        return page(((one.canonical, one) for one in found if one is not None), address, limit)

    def erase(self, mailbox: EmailAddress, *, at: datetime) -> Sequence[CheckoutId]:
        theirs = [p.checkout for p in self._t.purchases.values() if p.mailbox == mailbox]
        for checkout in checkouts_of_address(self._t, mailbox):
            self.erase_order(checkout, at=at)
        for started in [c for c in self._t.checkouts.values() if c.mailbox == mailbox]:
            self._t.checkouts[started.id] = replace(started, mailbox=None)
        self.forget(mailbox)
        return theirs

    def erase_order(self, checkout: CheckoutId, *, at: datetime) -> bool:
        t = self._t
        noted = checkout not in t.erasures
        t.erasures.setdefault(checkout, at)
        started, sold = t.checkouts.get(checkout), t.purchases.get(checkout)
        if started is not None:
            t.checkouts[checkout] = replace(started, session=None, mailbox=None, change=None, verified=None)
        if sold is not None:
            t.purchases[checkout] = replace(
                sold, user=None, mailbox=None, paid_email=None, session=None, tax_number=""
            )
        t.downloads = {k: v for k, v in t.downloads.items() if k[0] != checkout}
        t.in_line = {k: v for k, v in t.in_line.items() if k[1] != checkout}
        forget_reasons(t, {checkout, *([started.provider_ref] if started and started.provider_ref else [])})
        t.sale_notes.pop(checkout, None)
        for asked in [one for one in t.refund_requests.values() if one.checkout == checkout]:
            t.refund_requests[asked.id] = replace(asked, reason="")
        forget_withdrawals(t, lambda one: one.checkout == checkout)
        access_email = t.outbox.pop(f"access:{checkout}", None)
        t.outbox.pop(f"failed:{checkout}", None)
        if access_email is not None and access_email.link is not None:
            t.links.pop(access_email.link, None)
        named = {
            k: v.mailbox
            for k, v in t.links.items()
            if v.checkout == checkout and v.purpose is LinkPurpose.OWNER
        }
        drop_links(t, named, to=set(named.values()))
        return noted or (sold is not None and sold.mailbox is not None)

    def note_address(self, erased: ErasedAddress) -> bool:
        held = self._t.erased_addresses.get(erased.tag)
        if held is not None and held.at >= erased.at:
            return False
        self._t.erased_addresses[erased.tag] = erased
        return True

    def forget(self, mailbox: EmailAddress) -> None:
        t = self._t
        former = [m for m in t.moves.values() if m.new == mailbox != m.old and m.stands]
        own = {m.id for m in t.moves.values() if (m.new if m.stands else m.old) == mailbox}
        kept = links_of_moves_away(t, mailbox)
        drop_requests(t, own, to={a for m in t.moves.values() if m.id in own for a in (m.old, m.new)})
        t.outbox = {k: v for k, v in t.outbox.items() if v.to != mailbox or v.link in kept}
        t.links = {k: v for k, v in t.links.items() if v.mailbox != mailbox or k in kept}
        t.sessions = {k: v for k, v in t.sessions.items() if v.mailbox != mailbox}
        forget_in_moves(t, mailbox)
        for paid in [p for p in t.purchases.values() if p.paid_email == mailbox != p.mailbox]:
            t.purchases[paid.checkout] = replace(paid, paid_email=None)
        verified = [c for c in t.checkouts.values() if c.verified == mailbox]
        forget_reasons(t, {c.provider_ref for c in verified if c.provider_ref})
        for begun in verified:
            t.checkouts[begun.id] = replace(begun, verified=None)
        t.users = {k: v for k, v in t.users.items() if v.mailbox != mailbox}
        forget_withdrawals(t, lambda one: one.email == mailbox)
        forget_uploads(t)
        for move in former:
            forget_former(t, move)
