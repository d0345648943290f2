"""Ask whether somebody may do what they ask for by hand, inside the transaction that would do it."""

from __future__ import annotations

from dataclasses import replace

from domain.audit import AuditAction, AuditResult, ByHand
from domain.rights import NotAllowed, Verdict, verdict
from domain.transaction import Transaction


def refusal(tx: Transaction, action: AuditAction, object_id: str, *, asked: ByHand) -> NotAllowed | None:
    """None if the actor may do it. Otherwise that is written down, once for each form.

    The form is not used up: it may come again once a passkey was used.
    """
    found = verdict(asked.actor, action)
    return None if found is Verdict.MAY else refuse(tx, found, action, object_id, asked=asked)


def refuse(
    tx: Transaction, found: Verdict, action: AuditAction, object_id: str, *, asked: ByHand
) -> NotAllowed:
    """Write down that somebody may not do it."""
    line = asked.line(action, object_id, result=AuditResult.REFUSED)
    tx.audit.append(replace(line, form=f"refused:{asked.form}"))
    return NotAllowed(found)
