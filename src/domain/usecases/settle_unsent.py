"""Settle at once what is not to be sent, or cannot be."""

from __future__ import annotations

from datetime import datetime

from domain import outbox_keys
from domain.emails import EmailStuck
from domain.keys import Keyring
from domain.mail import (
    UNKNOWN_OUTCOME_LIMIT,
    Mail,
    MailKind,
    MailProblem,
    MailState,
)
from domain.product import ShopInfo
from domain.transaction import Transaction
from domain.usecases.queue_anew import link_is_too_late, queue_anew
from domain.usecases.send_email import notify_merchant
from domain.values import LinkId


def still_wanted(
    tx: Transaction, mail: Mail, spare: LinkId, *, keyring: Keyring, shop: ShopInfo, now: datetime
) -> bool:
    """Settle at once what is not to be sent: a stranger's login, an outcome too long unknown, a key taken out.

    An email that confirms or undoes something is not sent after a week, because its link could undo an old change.
    The merchant gets a notice instead, because nobody at that address knows of the change.
    """
    if mail.kind is MailKind.LOGIN and not tx.users.exists(mail.to):
        tx.outbox.settle(mail.key, state=MailState.DROPPED, at=now, problem=MailProblem.NO_CUSTOMER.value)
        return False
    if mail.kind is MailKind.RELEASE:
        user = tx.users.by_address(mail.to)
        if user is None or not user.wants_release_emails:
            tx.outbox.settle(
                mail.key, state=MailState.DROPPED, at=now, problem=MailProblem.UNSUBSCRIBED.value
            )
            return False
    if mail.unknown_since is not None and now - mail.unknown_since >= UNKNOWN_OUTCOME_LIMIT:
        stick(tx, mail, mail.problem or MailProblem.OUTCOME_UNKNOWN.value, shop=shop, now=now)
        return False
    if link_is_too_late(tx, mail, now=now):
        # An earlier attempt may have got through: then that is what the merchant has to know.
        known = mail.problem if mail.unknown_since is not None else ""
        stick(tx, mail, known or MailProblem.TOO_LATE.value, shop=shop, now=now)
        return False
    if mail.key_name is not None and keyring.named(mail.key_name) is None:
        queue_anew(tx, mail, spare, keyring=keyring, now=now)
        return False
    return True


def stick(tx: Transaction, mail: Mail, problem: str, *, shop: ShopInfo, now: datetime) -> None:
    """Leave an email to the merchant, and notify them of the first of its kind that day."""
    tx.outbox.settle(
        mail.key, state=MailState.STUCK, at=now, problem=problem, unknown_since=mail.unknown_since
    )
    if mail.kind is MailKind.NOTICE:
        return
    notify_merchant(
        tx,
        EmailStuck(
            kind=mail.kind.value,
            problem=problem.rstrip("."),
            may_have_been_sent=mail.unknown_since is not None,
        ),
        key=outbox_keys.stuck(mail.kind, now),
        shop=shop,
        now=now,
    )
