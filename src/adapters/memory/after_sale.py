"""The books in dicts, for what happens after a sale: payments to ask about, licence keys, downloads, whose it is."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from adapters.memory.view import MemoryView
from domain.magic_link import LinkPurpose
from domain.mail import Delivery, Mail, MailKind
from domain.moves import Before, Move, MoveKind
from domain.purchase import LicenceKey, Purchase
from domain.records import Download, ErasedAddress, PaymentDue
from domain.values import CheckoutId, EmailAddress, LinkId, MoveId, ProductId, SessionId, UserId

_OF_SALES: Final = frozenset({MailKind.TICKET, MailKind.UPDATE, MailKind.NEWS})
_NOBODY: Final = EmailAddress("")


def without_addresses(move: Move) -> Move:
    """What stays of a correction for good."""
    return replace(move, old=_NOBODY, new=_NOBODY, asked_by=SessionId(""))


class AfterSaleBooks(MemoryView):
    """The part of Books that is about purchases that were booked."""

    def mark_payment(self, payment: str, *, at: datetime, due_at: datetime) -> None:
        """See Books."""
        held = self._t.due.get(payment)
        entry = PaymentDue(payment=payment, since=at, tries=0) if held is None else held[1]
        self._t.due[payment] = (due_at if held is None else min(held[0], due_at), entry)

    def postpone_payment(self, payment: str, *, due_at: datetime) -> None:
        """See Books."""
        held = self._t.due.get(payment)
        if held is not None:
            self._t.due[payment] = (due_at, replace(held[1], tries=held[1].tries + 1))

    def unmark_payment(self, payment: str) -> None:
        """See Books."""
        self._t.due.pop(payment, None)

    def stock_licences(self, product: ProductId, keys: Sequence[str]) -> None:
        """See Books."""
        given = {key for pid, key in self._t.given_licences if pid == product}
        self._t.free_licences[product] = tuple(key for key in dict.fromkeys(keys) if key not in given)

    def take_licence(self, product: ProductId, *, checkout: CheckoutId) -> str | None:
        """See Books."""
        free = self._t.free_licences.get(product, ())
        if not free:
            self._t.in_line[product, checkout] = None
            return None
        self._t.free_licences[product] = free[1:]
        self._t.given_licences[product, free[0]] = checkout
        return free[0]

    def serve_next_in_line(self, product: ProductId) -> tuple[Purchase, LicenceKey] | None:
        """See Books."""
        waiting = [checkout for pid, checkout in self._t.in_line if pid == product]
        if not waiting or not self._t.free_licences.get(product):
            return None
        first = min(waiting)
        purchase = self._t.purchases.get(first)
        key = None if purchase is None else self.take_licence(product, checkout=first)
        if purchase is None or key is None:
            return None
        del self._t.in_line[product, first]
        licence = LicenceKey(product=product, key=key)
        self._t.purchases[first] = replace(purchase, licences=(*purchase.licences, licence))
        return self._t.purchases[first], licence

    def count_download(
        self, checkout: CheckoutId, product: ProductId, name: str, *, now: datetime, window: timedelta
    ) -> bool:
        """See Books."""
        held = self._t.downloads.get((checkout, product, name))
        if held is not None and held.last_at > now - window:
            return False
        times = 1 if held is None else held.times + 1
        self._t.downloads[checkout, product, name] = Download(
            checkout=checkout, product=product, name=name, last_at=now, times=times
        )
        return True

    def report_delivery(self, key: str, delivery: Delivery) -> Mail | None:
        """See Books."""
        held = self._t.outbox.get(key)
        if held is None or not delivery.outweighs(held.delivery):
            return None
        self._t.outbox[key] = replace(held, delivery=delivery)
        return held

    # ------------------------------------------------------------------ whose it is

    def note_proof(self, mailbox: EmailAddress, *, at: datetime) -> None:
        """See Books."""
        user = self.user(mailbox)
        if user is not None and user.proved_at is None:
            self._t.users[user.id] = replace(user, proved_at=at)

    def set_news(self, user: UserId, *, wanted: bool) -> bool:
        """See Books."""
        held = self._t.users.get(user)
        if held is None:
            return False
        self._t.users[user] = replace(held, wants_news=wanted)
        return True

    def begin_move(self, move: Move) -> None:
        """See Books."""
        self._t.moves[move.id] = move

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
        held = self._t.moves.get(move)
        if held is None or held.undone_at is not None or (done_at is not None and held.done_at is not None):
            return False
        self._t.moves[move] = replace(
            held,
            done_at=done_at or held.done_at,
            undone_at=undone_at,
            checkouts=held.checkouts if checkouts is None else tuple(checkouts),
            before=before or held.before,
        )
        return True

    def cancel_moves(self, old: EmailAddress, *, at: datetime, kind: MoveKind | None = None) -> int:
        """See Books."""
        waiting = [
            m for m in self._t.moves.values() if m.old == old and m.is_pending and kind in (None, m.kind)
        ]
        for move in waiting:
            self._t.moves[move.id] = replace(move, undone_at=at)
        return len(waiting)

    def hand_over(
        self, checkouts: Sequence[CheckoutId], *, old: EmailAddress, mailbox: EmailAddress, user: UserId
    ) -> None:
        """See Books."""
        for checkout in checkouts:
            held = self._t.purchases.get(checkout)
            if held is not None and held.mailbox == old:
                self._t.purchases[checkout] = replace(held, mailbox=mailbox, user=user)
            started = self._t.checkouts.get(checkout)
            if started is not None and started.mailbox == old:
                self._t.checkouts[checkout] = replace(started, mailbox=mailbox)

    def drop_user_without_purchases(self, mailbox: EmailAddress) -> bool:
        """See Books."""
        user = self.user(mailbox)
        if user is None or any(p.user == user.id for p in self._t.purchases.values()):
            return False
        del self._t.users[user.id]
        return True

    def turn_sessions(self, old: EmailAddress, *, to: EmailAddress, keep: SessionId, change: MoveId) -> None:
        """See Books."""
        for session in [s for s in self._t.sessions.values() if s.mailbox == old]:
            if session.id == keep:
                self._t.sessions[session.id] = replace(session, mailbox=to, change=change)
            else:
                del self._t.sessions[session.id]

    def erase(self, mailbox: EmailAddress, *, at: datetime) -> Sequence[CheckoutId]:
        """See Books."""
        theirs = [p.checkout for p in self._t.purchases.values() if p.mailbox == mailbox]
        for checkout in self.checkouts_of(mailbox):
            self.erase_order(checkout, at=at)
        for started in [c for c in self._t.checkouts.values() if c.mailbox == mailbox]:
            self._t.checkouts[started.id] = replace(started, mailbox=None)
        self.forget(mailbox)
        return theirs

    def erase_order(self, checkout: CheckoutId, *, at: datetime) -> bool:
        """See Books."""
        t = self._t
        noted = checkout not in t.erasures
        t.erasures.setdefault(checkout, at)
        started, sold = t.checkouts.get(checkout), t.purchases.get(checkout)
        if started is not None:
            t.checkouts[checkout] = replace(started, session=None, mailbox=None)
        if sold is not None:
            t.purchases[checkout] = replace(sold, user=None, mailbox=None, paid_email=None, session=None)
        t.downloads = {k: v for k, v in t.downloads.items() if k[0] != checkout}
        t.in_line = {k: v for k, v in t.in_line.items() if k[1] != checkout}
        ticket = t.outbox.pop(f"ticket:{checkout}", None)
        t.outbox.pop(f"failed:{checkout}", None)
        if ticket is not None and ticket.link is not None:
            t.links.pop(ticket.link, None)
        return noted or (sold is not None and sold.mailbox is not None)

    def note_erased_address(self, erased: ErasedAddress) -> bool:
        """See Books."""
        held = self._t.erased_addresses.get(erased.tag)
        if held is not None and held.at >= erased.at:
            return False
        self._t.erased_addresses[erased.tag] = erased
        return True

    def forget(self, mailbox: EmailAddress) -> None:
        """See Books."""
        t = self._t
        former = [m for m in t.moves.values() if m.new == mailbox != m.old and m.stands]
        own = {m.id for m in t.moves.values() if (m.new if m.stands else m.old) == mailbox}
        kept = self._links_of_moves_away(mailbox)
        self._drop_requests(own, to={a for m in t.moves.values() if m.id in own for a in (m.old, m.new)})
        t.outbox = {k: v for k, v in t.outbox.items() if v.to != mailbox or v.link in kept}
        t.links = {k: v for k, v in t.links.items() if v.mailbox != mailbox or k in kept}
        t.sessions = {k: v for k, v in t.sessions.items() if v.mailbox != mailbox}
        for move in [m for m in t.moves.values() if m.new == mailbox != m.old]:
            if move.is_pending:
                t.moves[move.id] = replace(move, new=_NOBODY)
            elif move.kind is MoveKind.CORRECTION:
                t.moves[move.id] = without_addresses(move)
        t.moves = {k: v for k, v in t.moves.items() if v.new != mailbox and (v.old != mailbox or v.stands)}
        for paid in [p for p in t.purchases.values() if p.paid_email == mailbox != p.mailbox]:
            t.purchases[paid.checkout] = replace(paid, paid_email=None)
        t.users = {k: v for k, v in t.users.items() if v.mailbox != mailbox}
        for move in former:
            self._forget_former(move)

    def _forget_former(self, move: Move) -> None:
        """Take out what was of the person who left an address by a move that was done."""
        t, old, until = self._t, move.old, move.done_at
        links = {k for k, v in t.links.items() if v.move == move.id}
        t.outbox = {k: v for k, v in t.outbox.items() if v.to != old or v.link not in links}
        t.links = {k: v for k, v in t.links.items() if k not in links}
        if self.user(old) is not None or until is None:
            return
        kept = self._links_of_moves_away(old)
        everything = move.kind is MoveKind.CHANGE
        if everything:
            asked = {m.id for m in t.moves.values() if m.old == old and not m.stands and m.asked_at <= until}
            self._drop_requests(asked, to={m.new for m in t.moves.values() if m.id in asked})
            t.moves = {k: v for k, v in t.moves.items() if k not in asked}
        t.outbox = {
            k: v
            for k, v in t.outbox.items()
            if v.to != old
            or v.queued_at > until
            or not (v.kind in _OF_SALES or (everything and v.link not in kept))
        }
        t.links = {
            k: v
            for k, v in t.links.items()
            if v.mailbox != old
            or v.made_at > until
            or not (v.purpose is LinkPurpose.TICKET or (everything and k not in kept))
        }

    def _links_of_moves_away(self, mailbox: EmailAddress) -> set[LinkId]:
        """They are the business of the addresses to which something was moved."""
        away = {m.id for m in self._t.moves.values() if m.old == mailbox != m.new and m.stands}
        return {k for k, v in self._t.links.items() if v.move in away}

    def _drop_requests(self, moves: Collection[MoveId], *, to: Collection[EmailAddress]) -> None:
        """The links of moves, and the mails to these addresses that carry them."""
        t = self._t
        links = {k for k, v in t.links.items() if v.move in moves}
        t.outbox = {k: v for k, v in t.outbox.items() if v.link not in links or v.to not in to}
        t.links = {k: v for k, v in t.links.items() if k not in links}
