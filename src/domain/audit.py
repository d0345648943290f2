"""The audit log: what was done to the shop and its customers by hand, by whom, and why."""

from __future__ import annotations

import hashlib
from dataclasses import field
from datetime import datetime, timedelta
from enum import Enum
from typing import Final

from domain.frozen import frozen
from domain.redacting import redacted
from domain.staff import Actor
from domain.values import sortable_id

LONGEST_REASON: Final = 500
KEPT_FOR: Final = timedelta(days=730)
ENTROPY: Final = 26
"""Random bytes for one action: ten for its id, sixteen for the salt of its reason."""


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
    IMPORT = "import"
    """The object is the file, by the id of its upload."""
    ANNOUNCE = "announce"
    """The object is the product."""
    TRY_ANNOUNCEMENT = "try-announcement"
    """The object is the product. Whoever asked was sent the email."""
    RECONCILE = "reconcile"
    """This and the following three are about the shop, by its id."""
    MOVE = "move"
    """All records were moved here from another database."""
    CONFIRM_ADDRESS = "confirm-address"
    ERASE_AGAIN = "erase-again"
    """Erasures were applied again after a restore."""
    EXPORT = "export"
    """The object is what was exported (`domain.export.ExportKind`), without addresses."""
    EXPORT_WITH_ADDRESSES = "export-with-addresses"
    CORRECT_ADDRESS = "correct-address"
    """This and the following are about a purchase, by its checkout's id: where they concern a whole customer, about the
    oldest one that they had."""
    MERGE_CUSTOMERS = "merge-customers"
    REPLACE_KEY = "replace-key"
    WRITE_NOTE = "write-note"
    SIGN_OUT_CUSTOMER = "sign-out-customer"
    ERASE_CUSTOMER = "erase-customer"
    HAND_OVER_DATA = "hand-over-data"
    ACCEPT_WITHDRAWAL = "accept-withdrawal"
    """Its refund request, if there is one, has the line's id."""
    REFUSE_WITHDRAWAL = "refuse-withdrawal"
    """Where it matches no purchase, the object is the withdrawal, by its id."""
    BOOK_PAYMENT = "book-payment"
    """The object is the purchase that came of it; of a refused one, the entry of the quarantine."""
    READ_AGAIN = "read-again"
    """The object is the payment provider's, by its id."""
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
    UNKNOWN = "unknown"
    """Stored is none of these: the line was changed past the shop, which shows in its chain."""


class AuditResult(Enum):
    """What came of it. The values are stored and exported."""

    DONE = "done"
    REFUSED = "refused"
    """The actor may not do it."""
    ENDED = "ended"
    """The passkey that was used seems to have been copied, so it was removed."""
    DROPPED = "dropped"
    """The email that was to be sent again is of no use any more, so it was dropped."""
    UNKNOWN = "unknown"
    """As `AuditAction.UNKNOWN`."""


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
    salt: str = field(default="", repr=False)
    """Goes with the reason: without it, nobody can find out whether a guess has the hash that stays."""
    reason_hash: str = ""
    """Of salt and reason (`hash_of_reason`), so that the chain of lines stays whole when the reason goes."""
    times: int = 1
    """How often; more than once only where refused sign-ins of an hour are counted."""

    @property
    def reason_holds(self) -> bool:
        """Whether the reason is the one that was given, or is not there any more."""
        return not self.reason or self.reason_hash == hash_of_reason(self.salt, self.reason)


ASKS_REASON: Final = frozenset(
    {
        AuditAction.GRANT, AuditAction.REVOKE, AuditAction.RESTORE, AuditAction.REFUND, AuditAction.CORRECT_ADDRESS,
        AuditAction.MERGE_CUSTOMERS, AuditAction.REPLACE_KEY, AuditAction.ERASE_CUSTOMER, AuditAction.BOOK_PAYMENT,
        AuditAction.DISMISS_PAYMENT, AuditAction.REFUSE_WITHDRAWAL,
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
    salt: str = field(default="", repr=False)

    @classmethod
    def asked(cls, actor: Actor, *, form: str, now: datetime, entropy: bytes) -> ByHand:
        """`form`: names this request, however often it is submitted. `entropy`: `ENTROPY` bytes."""
        row = sortable_id(now=now, entropy=entropy)
        return cls(id=row, form=form, at=now, actor=actor, salt=entropy[10:].hex())

    def line(
        self,
        action: AuditAction,
        object_id: str,
        *,
        result: AuditResult = AuditResult.DONE,
        reason: str = "",
    ) -> AuditLine:
        """What was done to what. Raises ValueError for a reason without a salt: its hash could be guessed."""
        if reason and not self.salt:
            raise ValueError(f"a reason needs a salt: draw {ENTROPY} bytes")
        return AuditLine(
            id=self.id, form=self.form, at=self.at, actor=self.actor.name, action=action, object_id=object_id,
            result=result, reason=reason, salt=self.salt if reason else "",
            reason_hash=hash_of_reason(self.salt, reason) if reason else "",
        )  # fmt: skip


def hash_of_reason(salt: str, reason: str) -> str:
    """SHA-256 in hex. The salt is random, so a deleted reason cannot be guessed from what stays."""
    return hashlib.sha256(f"{salt}\x1f{reason}".encode()).hexdigest()


def reason_of(typed: str) -> str | None:
    """A reason as it is stored: one line, without addresses and keys; None if it is empty or too long."""
    reason = redacted(" ".join(typed.split()))
    return reason if 0 < len(reason) <= LONGEST_REASON else None
