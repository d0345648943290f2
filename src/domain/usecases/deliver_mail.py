"""Take mail out of the outbox and hand it over: at least once on the wire, once at the mailbox."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from domain.keys import Keyring
from domain.mail import TRIED_LONG_ENOUGH, Mail, MailState, fill, pause_before_retry
from domain.ports import (
    Catalogue,
    Clock,
    EmailTemplates,
    Mailer,
    MailNotSent,
    MailRefused,
    MailUnknown,
    Randomness,
    Store,
)
from domain.transaction import Transaction
from domain.usecases.render_mail import keep_letters, render
from domain.usecases.settle_unsent import stick, still_wanted
from domain.values import LinkId

LEASE = timedelta(seconds=20)
"""How long after the death of its holder a mail stays leased; a holder that lives renews it long before."""
RENEW_EVERY = timedelta(seconds=5)
BATCH = 4
"""Few, because what becomes due meanwhile waits for them, however urgent it is."""


@dataclass(frozen=True, slots=True)
class DeliverMail:
    """One round of the mail worker. Any number of them may run at once, and any may die at any moment."""

    store: Store
    mailer: Mailer
    templates: EmailTemplates
    catalogue: Catalogue
    keyring: Keyring
    clock: Clock
    randomness: Randomness
    base_url: str

    async def lease(self) -> Sequence[Mail]:
        """Take what is due, for us alone until its `due_at`; empty once nothing is. Raises StoreUnavailable.

        Each has its letter: it is rendered once, before the first attempt. Mails that are not to be sent after all are
        settled on the way and take no other mail's place.
        """
        wanted: Sequence[Mail] = ()
        leased = BATCH
        while leased and not wanted:
            leased, wanted = await self._lease_some()
            wanted = await self._with_letters(wanted)
        return wanted

    async def _lease_some(self) -> tuple[int, Sequence[Mail]]:
        """How many were due, and those of them that are to be sent."""
        now = self.clock.now()
        until = now + LEASE
        shop = self.catalogue.current().shop
        spare = tuple(LinkId(self.randomness.token(16).hex()) for _ in range(BATCH))

        def work(tx: Transaction) -> tuple[int, Sequence[Mail]]:
            leased = tx.outbox.lease(now=now, until=until, limit=BATCH)
            return len(leased), [
                replace(mail, due_at=until)
                for mail, link in zip(leased, spare, strict=False)
                if still_wanted(tx, mail, link, keyring=self.keyring, shop=shop, now=now)
            ]

        return await self.store.transact(work)

    async def _with_letters(self, mails: Sequence[Mail]) -> Sequence[Mail]:
        """Render those that were never rendered and store the result, so that every attempt sends the same bytes."""
        shop = self.catalogue.current().shop
        now = self.clock.now()
        letters = {
            mail.key: render(self.templates, mail, shop=shop, base_url=self.base_url)
            for mail in mails
            if mail.letter is None
        }
        if not letters:
            return mails
        return await self.store.transact(lambda tx: keep_letters(tx, mails, letters, shop=shop, now=now))

    async def renew(self, mails: Sequence[Mail]) -> Sequence[Mail]:
        """Hold leased mails for longer; those that are still ours. Raises StoreUnavailable."""
        until = self.clock.now() + LEASE

        def work(tx: Transaction) -> Sequence[Mail]:
            return [
                replace(mail, due_at=until)
                for mail in mails
                if tx.outbox.renew_lease(mail.key, held_until=mail.due_at, until=until)
            ]

        return await self.store.transact(work)

    async def take_back(self) -> int:
        """End the leases that a dead process left behind; how many mails are due again.

        Only for the one process of a shop, before it leases anything. Pauses before a retry that are no longer than a
        lease end, too. Raises StoreUnavailable.
        """
        now = self.clock.now()
        return await self.store.transact(lambda tx: tx.outbox.free_leases(now=now, until=now + LEASE))

    async def hand_over(self, mail: Mail) -> MailState:
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
        if not gives_up and now - mail.queued_at >= TRIED_LONG_ENOUGH:
            problem, gives_up = f"tried for three days: {problem}", True
        if gives_up:
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
