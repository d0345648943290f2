"""How often a day a member of support may do what gives something away: free copies, bookings by hand, licence keys."""

from __future__ import annotations

from domain.audit import AuditAction, ByHand
from domain.keys import Keyring
from domain.limits import Limit
from domain.rights import NotAllowed, Verdict
from domain.staff import Role
from domain.transaction import Transaction
from domain.usecases.authorise import refuse


def over_limit(
    tx: Transaction, limit: Limit, action: AuditAction, object_id: str, *, asked: ByHand, keyring: Keyring
) -> NotAllowed | None:
    """None if the actor has not used up what the limit allows, of which this takes one. Owners have no limit.

    A refusal is written down. To be asked last, after `refusal`, in the transaction that acts: what fails otherwise
    must not count.
    """
    if asked.actor.role is Role.OWNER:
        return None
    bucket = keyring.bucket(limit.kind, asked.actor.name)
    if tx.limits.acquire(bucket, limit, now=asked.at, ref=asked.id) is None:
        return None
    return refuse(tx, Verdict.ABOVE_LIMIT, action, object_id, asked=asked)
