"""The audit log: what was done to the shop and its customers by hand, by whom, and why."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import Enum
from typing import Final

from domain.frozen import frozen
from domain.redacting import redacted
from domain.staff import Actor
from domain.values import sortable_id

LONGEST_REASON: Final = 500
KEPT_FOR: Final = timedelta(days=730)


class AuditAction(Enum):
    """What was done. The values are stored and exported."""

    GRANT = "grant"
    """The object is the purchase, by its checkout's id."""
    REVOKE = "revoke"
    """The object is the purchase, by its checkout's id."""
    RESTORE = "restore"
    """The object is the purchase, by its checkout's id."""
    REFUND = "refund"
    """The object is the purchase, by its checkout's id; the refund request has the line's id."""
    DISMISS_REFUND = "dismiss-refund"
    """The object is the purchase, by its checkout's id."""
    RESEND = "resend"
    """The object is the purchase, by its checkout's id."""
    SEND_LINK = "send-link"
    """The object is the purchase, by its checkout's id."""
    SEND_AGAIN = "send-again"
    """The object is the email, by its key in the outbox: a line for each, also if all that were refused are sent."""
    DISMISS_PAYMENT = "dismiss-payment"
    """The object is the entry of the quarantine, by its id."""
    DISMISS_BOUNCE = "dismiss-bounce"
    """The object is the email, by its key in the outbox."""
    CORRECT_ADDRESS = "correct-address"
    """This and the following are about a purchase, by its checkout's id: where they concern a whole customer, about the
    oldest one that they had."""
    MERGE_CUSTOMERS = "merge-customers"
    REPLACE_KEY = "replace-key"
    WRITE_NOTE = "write-note"
    SIGN_OUT_CUSTOMER = "sign-out-customer"
    ERASE_CUSTOMER = "erase-customer"
    HAND_OVER_DATA = "hand-over-data"
    BOOK_PAYMENT = "book-payment"
    """The object is the purchase that came of it; of a refused one, the entry of the quarantine."""
    INVITE_STAFF = "invite-staff"
    """This and the following are about a member of staff, by their id."""
    LINK_STAFF = "link-staff"
    CHANGE_ROLE = "change-role"
    DISABLE_STAFF = "disable-staff"
    ENABLE_STAFF = "enable-staff"
    JOIN = "join"
    """An invitation was used."""
    SIGN_IN = "sign-in"
    ENTER_BY_LINK = "enter-by-link"
    ADD_PASSKEY = "add-passkey"
    REMOVE_PASSKEY = "remove-passkey"
    END_STAFF_SESSIONS = "end-staff-sessions"


class AuditResult(Enum):
    """What came of it. The values are stored and exported."""

    DONE = "done"
    REFUSED = "refused"
    """The actor may not do it."""
    ENDED = "ended"
    """The passkey that was used seems to have been copied, so it was removed."""
    DROPPED = "dropped"
    """The email that was to be sent again is of no use any more, so it was dropped."""


@frozen
class AuditLine:
    """One action, written by the transaction that did it. It names its object by id, and nobody by address."""

    id: str
    """Ids sort by the time of the action."""
    form: str
    """The form or command that asked for it: unique, so that an action happens once however often it is submitted."""
    at: datetime
    actor: str
    """See `domain.staff.Actor`."""
    action: AuditAction
    object_id: str
    result: AuditResult
    reason: str
    """In the actor's words (`reason_of`); "" if none is asked for, or once the person of the object was erased."""


ASKS_REASON: Final = frozenset(
    {
        AuditAction.GRANT, AuditAction.REVOKE, AuditAction.RESTORE, AuditAction.REFUND, AuditAction.CORRECT_ADDRESS,
        AuditAction.MERGE_CUSTOMERS, AuditAction.REPLACE_KEY, AuditAction.ERASE_CUSTOMER, AuditAction.BOOK_PAYMENT,
    }
)  # fmt: skip
"""What needs a reason. The other actions cost nobody anything."""


@frozen
class ByHand:
    """Something that the merchant does by hand. The transaction that does it also writes its audit line."""

    id: str
    form: str
    at: datetime
    actor: Actor

    @classmethod
    def asked(cls, actor: Actor, *, form: str, now: datetime, entropy: bytes) -> ByHand:
        """`form`: names this request, however often it is submitted. `entropy`: 10 bytes."""
        return cls(id=sortable_id(now=now, entropy=entropy), form=form, at=now, actor=actor)

    def line(
        self,
        action: AuditAction,
        object_id: str,
        *,
        result: AuditResult = AuditResult.DONE,
        reason: str = "",
    ) -> AuditLine:
        """What was done to what."""
        return AuditLine(
            id=self.id, form=self.form, at=self.at, actor=self.actor.name, action=action, object_id=object_id,
            result=result, reason=reason,
        )  # fmt: skip


def reason_of(typed: str) -> str | None:
    """A reason as it is stored: one line, without addresses and keys; None if it is empty or too long."""
    reason = redacted(" ".join(typed.split()))
    return reason if 0 < len(reason) <= LONGEST_REASON else None
