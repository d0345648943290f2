"""Write the internal note of a sale: for staff alone, and erased with the person."""

from __future__ import annotations

from enum import Enum, auto

from domain.audit import ENTROPY, AuditAction, ByHand
from domain.frozen import frozen
from domain.note import Note, note_text
from domain.ports import Clock, Randomness, Store
from domain.purchase import Purchase
from domain.rights import NotAllowed
from domain.staff import Actor
from domain.transaction import Transaction
from domain.usecases.authorise import refusal, write_down
from domain.usecases.find_order import SeveralOrders, find_order
from domain.values import CheckoutId


class WhyNoNote(Enum):
    """Why no note was written."""

    NO_SUCH_ORDER = auto()
    TOO_LONG = auto()
    """See `domain.note.LONGEST_NOTE`."""
    ERASED = auto()
    """The person was erased, and with them what was noted: nothing about them is written down again."""


@frozen
class NotNoted:
    """Nothing was written."""

    why: WhyNoNote


@frozen
class Noted:
    """The note of the sale, now or since the same form was submitted before; None if it has none."""

    order: Purchase
    note: Note | None


Noting = Noted | NotNoted | NotAllowed | SeveralOrders


@frozen
class WriteNote:
    """`coatcheck note`. An empty text deletes the note."""

    store: Store
    clock: Clock
    randomness: Randomness

    async def __call__(self, order: str, typed: str, *, actor: Actor, form: str) -> Noting:
        """`order`: see `find_order`. `form`: names this request. Raises StoreUnavailable."""
        now, text = self.clock.now(), note_text(typed)
        asked = ByHand.asked(actor, form=form, now=now, entropy=self.randomness.token(ENTROPY))

        def work(tx: Transaction) -> Noting:
            done = tx.audit.by_form(form)
            noted = None if done is None else tx.purchases.get(CheckoutId(done.object_id))
            if noted is not None:
                return Noted(noted, tx.notes.get(noted.checkout))
            held = find_order(tx, order)
            if held is None or isinstance(held, SeveralOrders):
                return held or NotNoted(WhyNoNote.NO_SUCH_ORDER)
            purchase = held.purchase
            if text is None:
                return NotNoted(WhyNoNote.TOO_LONG)
            if tx.erasures.is_erased(purchase.checkout):
                return NotNoted(WhyNoNote.ERASED)
            not_allowed = refusal(tx, AuditAction.WRITE_NOTE, purchase.checkout, asked=asked)
            if not_allowed is not None:
                return not_allowed
            tx.notes.write(Note(purchase.checkout, text=text, written_at=now, written_by=actor.name))
            write_down(tx, asked.line(AuditAction.WRITE_NOTE, purchase.checkout))
            return Noted(purchase, tx.notes.get(purchase.checkout))

        return await self.store.transact(work)
