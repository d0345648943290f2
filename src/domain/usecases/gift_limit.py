"""How often a day support may give access that was not paid for as offered: free copies, payments booked by hand."""

from __future__ import annotations

from domain.audit import AuditAction, ByHand
from domain.keys import Keyring
from domain.limits import GRANTS_BY_SUPPORT
from domain.rights import NotAllowed, Verdict
from domain.staff import Role
from domain.transaction import Transaction
from domain.usecases.authorise import refusal, refuse


def gift_refusal(
    tx: Transaction, action: AuditAction, object_id: str, *, asked: ByHand, keyring: Keyring
) -> NotAllowed | None:
    """None if the actor may, and has not used up today's allowance, of which this takes one. Owners have no limit.

    A refusal is written down. To be asked last, in the transaction that acts: what fails otherwise must not count.
    """
    not_allowed = refusal(tx, action, object_id, asked=asked)
    if not_allowed is not None or asked.actor.role is Role.OWNER:
        return not_allowed
    bucket = keyring.bucket(GRANTS_BY_SUPPORT.kind, asked.actor.name)
    if tx.limits.acquire(bucket, GRANTS_BY_SUPPORT, now=asked.at, ref=asked.id) is None:
        return None
    return refuse(tx, Verdict.ABOVE_LIMIT, action, object_id, asked=asked)
