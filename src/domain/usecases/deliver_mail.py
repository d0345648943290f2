"""Hand a leased email over to the mailer: at least once on the wire, once at the mailbox."""

from __future__ import annotations

from dataclasses import dataclass

from domain.keys import Keyring
from domain.mail import TRIED_LONG_ENOUGH, Mail, MailState, fill, pause_before_retry
from domain.ports import (
    Catalogue,
    Clock,
    Mailer,
    MailNotSent,
    MailRefused,
    MailUnknown,
    Store,
)
from domain.usecases.settle_unsent import stick


@dataclass(frozen=True, slots=True)
class DeliverMail:
    """Hands over what `domain.usecases.lease_mail` leased, and stores how it went."""

    store: Store
    mailer: Mailer
    catalogue: Catalogue
    keyring: Keyring
    clock: Clock
    base_url: str

    async def __call__(self, mail: Mail) -> MailState:
        """Send one leased mail and store the outcome: the state it is in now. Raises StoreUnavailable."""
        if mail.letter is None:
            raise ValueError(f"{mail.key} was not leased: it has no letter")
        shop = self.catalogue.current().shop
        key = self.keyring.named(mail.key_name) if mail.key_name is not None else None
        envelope = fill(mail, mail.letter, key=key, base_url=self.base_url, shop=shop.id)
        gives_up, unknown_since = False, mail.unknown_since
        try:
            await self.mailer.send(envelope)
        except MailRefused as error:
            problem, gives_up = str(error), True
        except MailNotSent as error:
            problem = str(error)
        except MailUnknown as error:
            problem, unknown_since = str(error), mail.unknown_since or self.clock.now()
        else:
            at = self.clock.now()
            await self.store.transact(lambda tx: tx.outbox.settle(mail.key, state=MailState.SENT, at=at))
            return MailState.SENT
        now = self.clock.now()
        if gives_up or now - mail.queued_at >= TRIED_LONG_ENOUGH:
            await self.store.transact(lambda tx: stick(tx, mail, problem, shop=shop, now=now))
            return MailState.STUCK
        due_at = now + pause_before_retry(mail.attempts + 1)
        await self.store.transact(
            lambda tx: tx.outbox.settle(
                mail.key,
                state=MailState.QUEUED,
                at=now,
                due_at=due_at,
                problem=problem,
                unknown_since=unknown_since,
            )
        )
        return MailState.QUEUED
