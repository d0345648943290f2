"""Send again every email that was refused: once the email provider's account, key or address is mended."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from domain import outbox_keys
from domain.audit import ENTROPY, AuditAction, ByHand
from domain.frozen import frozen
from domain.keys import Keyring
from domain.mail import Mail, MailState
from domain.ports import Clock, Randomness, Store
from domain.rights import NotAllowed
from domain.staff import Actor
from domain.transaction import Transaction
from domain.usecases.authorise import refusal
from domain.usecases.list_todo import LATE
from domain.usecases.queue_anew import queue_by_hand
from domain.values import LinkId

_AT_ONCE: Final = 100


@frozen
class Resent:
    """What became of the emails that had been refused."""

    queued: int = 0
    dropped: int = 0
    """They are of no use any more: see `domain.usecases.queue_anew`."""


@frozen
class SendRefused:
    """`coatcheck status --send-refused`. Emails that may have been sent are left to `ReportStatus.send_again`."""

    store: Store
    keyring: Keyring
    clock: Clock
    randomness: Randomness

    async def __call__(self, *, actor: Actor, form: str) -> Resent | NotAllowed:
        """Queue each anew, under a new key and with a new link, or drop it: once for each form.

        Raises StoreUnavailable.
        """
        now = self.clock.now()
        all_of_them = ByHand.asked(actor, form=form, now=now, entropy=self.randomness.token(ENTROPY))
        not_allowed = await self.store.transact(
            lambda tx: refusal(tx, AuditAction.SEND_AGAIN, "", asked=all_of_them)
        )
        if not_allowed is not None:
            return not_allowed
        waiting = await self.store.survey(lambda tx: tx.outbox.waiting(now, late=LATE, bounced_since=now))
        keys = [mail.key for mail in waiting if _refused(mail)]
        queued = dropped = 0
        for start in range(0, len(keys), _AT_ONCE):
            some = await self._queue(keys[start : start + _AT_ONCE], actor, form)
            queued, dropped = queued + some.queued, dropped + some.dropped
        return Resent(queued, dropped)

    async def _queue(self, keys: Sequence[str], actor: Actor, form: str) -> Resent:
        now = self.clock.now()
        spare = [LinkId(self.randomness.token(16).hex()) for _ in keys]
        asked = [
            ByHand.asked(actor, form=_form_of(form, key), now=now, entropy=self.randomness.token(ENTROPY))
            for key in keys
        ]

        def work(tx: Transaction) -> Resent:
            done: list[bool] = []
            for key, link, one in zip(keys, spare, asked, strict=True):
                mail = tx.outbox.get(key)
                if mail is None or not _refused(mail):  # another command may have been faster
                    continue
                if tx.audit.by_form(one.form) is None:
                    done.append(queue_by_hand(tx, mail, link, one, keyring=self.keyring))
            return Resent(queued=done.count(True), dropped=done.count(False))

        return await self.store.transact(work)


def _form_of(form: str, key: str) -> str:
    """The form for one email. It is the same for every key of one cause, so an email refused anew is not sent again."""
    return f"{form}:{outbox_keys.cause(key)}"


def _refused(mail: Mail) -> bool:
    return mail.state is MailState.STUCK and not mail.may_have_been_sent
