"""Queue an email again, under a new key and with a new link."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Final

from domain import outbox_keys
from domain.audit import AuditAction, AuditResult, ByHand
from domain.keys import Keyring
from domain.magic_link import UNSENT_LIFETIME, LinkPurpose, MagicLink
from domain.mail import (
    Mail,
    MailKind,
    MailProblem,
    MailState,
)
from domain.transaction import Transaction
from domain.usecases.authorise import write_down
from domain.values import LinkId

_PURPOSE_OF: Final = {MailKind.ACCESS: LinkPurpose.ACCESS, MailKind.LOGIN: LinkPurpose.LOGIN}


def queue_anew(tx: Transaction, mail: Mail, spare: LinkId, *, keyring: Keyring, now: datetime) -> bool:
    """Queue an email again, to be rendered anew, under a new key and with a new link where it had one.

    False, and the email is dropped, if the purchase that it is about belongs to another address by now; or if its link
    is of no use any more: one that confirms or undoes something ages from when it was first made, so that no email sent
    late can undo a change of long ago.
    """
    link = None if mail.link is None else _renewed(tx, mail, spare, keyring=keyring, now=now)
    if (mail.link is not None and link is None) or _went_elsewhere(tx, mail):
        tx.outbox.settle(mail.key, state=MailState.DROPPED, at=now, problem=MailProblem.TOO_LATE.value)
        return False
    new_key = outbox_keys.anew(mail.key)
    while tx.outbox.get(new_key) is not None:
        new_key = outbox_keys.anew(new_key)
    if link is not None:
        tx.links.add(link)
    tx.outbox.settle(mail.key, state=MailState.DROPPED, at=now, problem=MailProblem.QUEUED_AGAIN.value)
    tx.outbox.queue(
        Mail(
            key=new_key,
            kind=mail.kind,
            to=mail.to,
            email=mail.email,
            language=mail.language,
            link=None if link is None else link.id,
            key_name=keyring.signing.name if mail.key_name is not None else None,
            queued_at=now,
            due_at=now,
            urgency=mail.urgency,
        )
    )
    return True


def queue_by_hand(tx: Transaction, mail: Mail, spare: LinkId, asked: ByHand, *, keyring: Keyring) -> bool:
    """`queue_anew` for the merchant, with its audit line; without one if nothing changed, as after a first time."""
    queued = queue_anew(tx, mail, spare, keyring=keyring, now=asked.at)
    if queued or mail.state is MailState.STUCK:
        result = AuditResult.DONE if queued else AuditResult.DROPPED
        write_down(tx, asked.line(AuditAction.SEND_AGAIN, mail.key, result=result))
    return queued


def link_is_too_late(tx: Transaction, mail: Mail, *, now: datetime) -> bool:
    """Whether an email's link was to confirm or undo something, and more than a week has passed since."""
    if mail.link is None or mail.kind in _PURPOSE_OF:
        return False
    held = tx.links.get(mail.link)
    return held is None or (not held.renewable and now - held.made_at >= UNSENT_LIFETIME)


def _went_elsewhere(tx: Transaction, mail: Mail) -> bool:
    order = outbox_keys.sale_of(mail.key)
    purchase = None if order is None else tx.purchases.get(order)
    return purchase is not None and purchase.mailbox != mail.to


def _renewed(
    tx: Transaction, mail: Mail, spare: LinkId, *, keyring: Keyring, now: datetime
) -> MagicLink | None:
    """The link for an email that is sent again; None if it is too late for it."""
    held = (None if mail.link is None else tx.links.get(mail.link)) or _pruned(mail)
    if held is None or link_is_too_late(tx, mail, now=now):
        return None
    return replace(
        held,
        id=spare,
        key=keyring.signing.name,
        made_at=now if held.renewable else held.made_at,
        sent_at=None,
        used_at=None,
        code_tries=0,
    )


def _pruned(mail: Mail) -> MagicLink | None:
    """A link like the one of an email whose link was pruned while it waited; None if its row alone told what it did."""
    purpose = _PURPOSE_OF.get(mail.kind)
    return purpose and MagicLink(
        id=LinkId(""),
        key="",
        purpose=purpose,
        mailbox=mail.to,
        asked_by=None,
        product=None,
        made_at=mail.queued_at,
    )
