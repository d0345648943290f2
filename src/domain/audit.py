"""The audit log: what was done to the shop and its customers by hand, by whom, and why."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import Enum
from typing import Final

from domain.frozen import frozen
from domain.redacting import redacted

LONGEST_REASON: Final = 500
KEPT_FOR: Final = timedelta(days=730)


class AuditAction(Enum):
    """What was done. The values are stored and exported."""

    GRANT = "grant"
    """The object is the purchase, by its checkout's id."""


class AuditResult(Enum):
    """What came of it. The values are stored and exported."""

    DONE = "done"


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
    """In the actor's words (`reason_of`); "" once the person of the object was erased."""


def reason_of(typed: str) -> str | None:
    """A reason as it is stored: one line, without addresses and keys; None if it is empty or too long."""
    reason = redacted(" ".join(typed.split()))
    return reason if 0 < len(reason) <= LONGEST_REASON else None
