"""Queue an email again, under a new key and with a new link."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from domain import outbox_keys
from domain.keys import Keyring
from domain.magic_link import LinkPurpose, MagicLink
from domain.mail import (
    Mail,
    MailKind,
    MailProblem,
    MailState,
)
from domain.transaction import Transaction
from domain.values import LinkId


def queue_anew(tx: Transaction, mail: Mail, spare: LinkId, *, keyring: Keyring, now: datetime) -> str:
    """Queue an email again, to be rendered anew, under a new key and with a new link where it had one; the new key."""
    new_key = outbox_keys.anew(mail.key)
    if mail.link is not None:
        held = tx.links.get(mail.link) or _link_of(mail)
        tx.links.add(
            replace(
                held,
                id=spare,
                key=keyring.signing.name,
                made_at=now,
                sent_at=None,
                used_at=None,
                code_tries=0,
            )
        )
    tx.outbox.settle(mail.key, state=MailState.DROPPED, at=now, problem=MailProblem.QUEUED_AGAIN.value)
    tx.outbox.queue(
        Mail(
            key=new_key,
            kind=mail.kind,
            to=mail.to,
            email=mail.email,
            language=mail.language,
            link=spare if mail.link is not None else None,
            key_name=keyring.signing.name if mail.key_name is not None else None,
            queued_at=now,
            due_at=now,
            urgency=mail.urgency,
        )
    )
    return new_key


def _link_of(mail: Mail) -> MagicLink:
    """A link like the one of a mail whose link was pruned while the mail waited."""
    return MagicLink(
        id=LinkId(""),
        key="",
        purpose=LinkPurpose.LOGIN if mail.kind is MailKind.LOGIN else LinkPurpose.ACCESS,
        mailbox=mail.to,
        asked_by=None,
        product=None,
        made_at=mail.queued_at,
    )
