"""Whose a checkout is that was open in a session of an account when its address was changed."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from domain.address_change import AddressChange, ChangeKind
from domain.purchase import Checkout
from domain.transaction import ReadTransaction
from domain.values import ChangeId, EmailAddress


def with_owner(tx: ReadTransaction, checkout: Checkout, paid_as: EmailAddress | None) -> Checkout:
    """A checkout that follows a change of address, with its owner when it is paid with this address.

    A session that began it as a guest verified an address later, which was changed since: then that address leads to
    the new one, and on from there. Any other address is its payer's own, and leads nowhere.
    """
    if checkout.change is None or checkout.mailbox is not None or paid_as is None:
        return checkout
    owner, at, seen = paid_as, checkout.started_at, set[ChangeId]()
    while onward := next(
        (c for c in tx.address_changes.done_from(owner) if _leads_on(c, checkout, at, seen)), None
    ):
        owner, at = onward.new, onward.done_at or at
        seen.add(onward.id)
    return checkout if owner == paid_as else replace(checkout, mailbox=owner)


def _leads_on(change: AddressChange, checkout: Checkout, since: datetime, seen: set[ChangeId]) -> bool:
    is_later = change.id not in seen and change.done_at is not None and change.done_at >= since
    return is_later and change.kind is ChangeKind.CHANGE and checkout.id in change.checkouts
