"""Who may do what by hand: which roles, and what must be proved just before."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Final

from domain.audit import AuditAction
from domain.frozen import frozen
from domain.staff import Actor, Role

_OWNER: Final = frozenset({Role.OWNER})
_WORKING: Final = frozenset({Role.OWNER, Role.SUPPORT})


@frozen
class Right:
    """What an action asks of whoever does it."""

    roles: frozenset[Role]
    fresh: bool = False
    """Whether a passkey must have been used just before (`domain.staff.FRESH`)."""


class Verdict(Enum):
    """Whether somebody may do something."""

    MAY = "may"
    WRONG_ROLE = "wrong-role"
    PROVE_AGAIN = "prove-again"
    """Their role may, once they have used a passkey again."""
    ABOVE_LIMIT = "above-limit"
    """Their role may, but not for so much money (`support_refunds`), or not so often a day."""


@frozen
class NotAllowed:
    """The actor may not do this. There is a line about it in the audit log."""

    verdict: Verdict


RIGHTS: Final[Mapping[AuditAction, Right]] = {
    AuditAction.GRANT: Right(_WORKING, fresh=True),
    AuditAction.REVOKE: Right(_WORKING, fresh=True),
    AuditAction.RESTORE: Right(_WORKING, fresh=True),
    AuditAction.REFUND: Right(_WORKING, fresh=True),
    AuditAction.DISMISS_REFUND: Right(_WORKING),
    AuditAction.RESEND: Right(_WORKING),
    AuditAction.SEND_LINK: Right(_WORKING),
    AuditAction.SEND_AGAIN: Right(_WORKING),
    AuditAction.DISMISS_PAYMENT: Right(_WORKING),
    AuditAction.DISMISS_BOUNCE: Right(_WORKING),
    AuditAction.IMPORT: Right(_OWNER, fresh=True),
    AuditAction.ANNOUNCE: Right(_OWNER, fresh=True),
    AuditAction.TRY_ANNOUNCEMENT: Right(_OWNER, fresh=True),
    AuditAction.RECONCILE: Right(_WORKING),
    AuditAction.EXPORT: Right(frozenset(Role)),
    AuditAction.EXPORT_WITH_ADDRESSES: Right(_OWNER, fresh=True),
    AuditAction.CORRECT_ADDRESS: Right(_WORKING, fresh=True),
    AuditAction.MERGE_CUSTOMERS: Right(_OWNER, fresh=True),
    AuditAction.REPLACE_KEY: Right(_WORKING, fresh=True),
    AuditAction.WRITE_NOTE: Right(_WORKING),
    AuditAction.SIGN_OUT_CUSTOMER: Right(_WORKING),
    AuditAction.ERASE_CUSTOMER: Right(_OWNER, fresh=True),
    AuditAction.HAND_OVER_DATA: Right(_OWNER, fresh=True),
    AuditAction.ACCEPT_WITHDRAWAL: Right(_WORKING, fresh=True),
    AuditAction.REFUSE_WITHDRAWAL: Right(_WORKING),
    AuditAction.BOOK_PAYMENT: Right(_WORKING, fresh=True),
    AuditAction.READ_AGAIN: Right(_WORKING),
    AuditAction.INVITE_STAFF: Right(_OWNER, fresh=True),
    AuditAction.LINK_STAFF: Right(_OWNER, fresh=True),
    AuditAction.CHANGE_ROLE: Right(_OWNER, fresh=True),
    AuditAction.DISABLE_STAFF: Right(_OWNER, fresh=True),
    AuditAction.ENABLE_STAFF: Right(_OWNER, fresh=True),
    AuditAction.ADD_PASSKEY: Right(frozenset(Role), fresh=True),
    AuditAction.REMOVE_PASSKEY: Right(frozenset(Role), fresh=True),
    AuditAction.END_STAFF_SESSIONS: Right(frozenset(Role)),
}
"""Of every action, but for those that let somebody in, and those that are done on the shop's machine alone.

The last three are about the actor's own passkeys and sessions; those of others are an owner's.
"""


def verdict(actor: Actor, action: AuditAction) -> Verdict:
    """Whether somebody may do something, and if not, why."""
    right = RIGHTS[action]
    if actor.role not in right.roles:
        return Verdict.WRONG_ROLE
    return Verdict.PROVE_AGAIN if right.fresh and not actor.fresh else Verdict.MAY
