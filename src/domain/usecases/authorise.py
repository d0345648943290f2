"""Ask whether somebody may do what they ask for by hand, inside the transaction that would do it, and write it down."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime
from typing import Final

from domain.audit import AuditAction, AuditLine, AuditResult, ByHand
from domain.rights import RIGHTS, NotAllowed, Verdict, verdict
from domain.staff import Actor
from domain.transaction import ReadTransaction, Transaction
from domain.values import CheckoutId

_ID: Final = re.compile(r"[A-Za-z0-9_.:#-]{1,200}")
"""What ids of the shop's objects and of the payment provider's look like, and no address does."""


def refusal(tx: Transaction, action: AuditAction, object_id: str, *, asked: ByHand) -> NotAllowed | None:
    """None if the actor may do it. Otherwise that is written down, once for each form.

    The form is not used up: it may come again once a passkey was used.
    """
    found = verdict(asked.actor, action)
    if found is Verdict.MAY and not _still_acts(tx, asked.actor):
        found = Verdict.WRONG_ROLE
    return None if found is Verdict.MAY else refuse(tx, found, action, object_id, asked=asked)


def refuse(
    tx: Transaction, found: Verdict, action: AuditAction, object_id: str, *, asked: ByHand
) -> NotAllowed:
    """Write down that somebody may not do it: once for each form, action and object."""
    about = object_id if _ID.fullmatch(object_id) else ""  # it may be what somebody typed into an address
    line = asked.line(action, about, result=AuditResult.REFUSED)
    tx.audit.append(replace(line, form=f"refused:{asked.form}:{action.value}:{about}"))
    return NotAllowed(found)


def write_down(tx: Transaction, line: AuditLine) -> None:
    """Add the line of something that is done. No act goes without one, also if its form named another one before.

    Whether a form was submitted before is for the use case to ask first (`by_form`). Of a reason that is given after
    the person was erased, only the hash is kept.
    """
    if line.reason and tx.erasures.is_erased(CheckoutId(line.object_id)):
        line = replace(line, reason="", salt="")
    if not tx.audit.append(line):
        tx.audit.append(replace(line, form=f"{line.form}:{line.id}"))


def may_go_on(tx: ReadTransaction, action: AuditAction, actor: Actor, *, now: datetime) -> bool:
    """Whether an actor may go on with a long action: their session is live, and their role still allows it.

    How long ago they used a passkey was asked when they began.
    """
    if actor.staff is None or actor.session is None:
        return True
    member = tx.staff.get(actor.staff)
    if member is None or not member.active or member.role not in RIGHTS[action].roles:
        return False
    own = tx.staff_sessions.of(actor.staff)
    return any(session.id == actor.session and session.is_live(now=now) for session in own)


def _still_acts(tx: ReadTransaction, actor: Actor) -> bool:
    """Whether the session in which somebody asked still stands, and their role with it: a request can arrive slowly."""
    if actor.staff is None or actor.session is None:
        return True
    member = tx.staff.get(actor.staff)
    if member is None or not member.active or member.role is not actor.role:
        return False
    return any(session.id == actor.session for session in tx.staff_sessions.of(actor.staff))
