"""What the records say of the waiver of a purchase, and which waivers wait for an email that arrives."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from domain.access import Holding
from domain.address_change import ChangeKind
from domain.purchase import Purchase, PurchaseState
from domain.transaction import ReadTransaction
from domain.waiver_proof import WaiverProof, waiver_proof

_CLOSED: Final = (PurchaseState.REFUNDED, PurchaseState.CHARGED_BACK, PurchaseState.REVOKED)


def proof_of(tx: ReadTransaction, purchase: Purchase) -> WaiverProof | None:
    """The proof that a purchase has; None if nothing was waived. Whoever decides a withdrawal asks this."""
    if purchase.waiver is None:
        return None
    copies = tx.waivers.confirmations(purchase.checkout)
    return waiver_proof(purchase, copies, corrected_at=_corrected_at(tx, purchase))


def _corrected_at(tx: ReadTransaction, purchase: Purchase) -> datetime | None:
    """When its address was corrected last, of the corrections that stand."""
    changes = [tx.address_changes.correction_of(purchase.checkout)]
    if purchase.mailbox is not None:
        changes += tx.address_changes.of_address(purchase.mailbox)
    done = (
        one.done_at
        for one in changes
        if one is not None and one.kind is ChangeKind.CORRECTION and one.stands
        if purchase.checkout in one.checkouts
    )
    return max((at for at in done if at is not None), default=None)


def unconfirmed(tx: ReadTransaction, *, since: datetime) -> Iterator[Holding]:
    """Purchases that are not closed, of whose waiver no email arrived, and none is on its way any more.

    `since`: emails that were queued before are not looked at.
    """
    for checkout in tx.waivers.undelivered(since=since):
        held = tx.purchases.with_facts(checkout)
        if held is None or held.purchase.mailbox is None or held.standing.state in _CLOSED:
            continue
        proof = proof_of(tx, held.purchase)
        if proof is not None and proof.confirmed_at is None and not proof.under_way:
            yield held
