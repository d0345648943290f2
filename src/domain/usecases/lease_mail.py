"""Lease what is due in the outbox, rendered, for one worker to send."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from domain.frozen import frozen
from domain.keys import Keyring
from domain.mail import Mail
from domain.ports import Catalogue, Clock, EmailTemplates, Randomness, Store
from domain.transaction import Transaction
from domain.usecases.render_mail import keep_letters, render
from domain.usecases.settle_unsent import still_wanted
from domain.values import LinkId

LEASE = timedelta(seconds=20)
"""How long after the death of its holder a mail stays leased; a holder that lives renews it long before."""
RENEW_EVERY = timedelta(seconds=5)
BATCH = 4
"""Few, because what becomes due meanwhile waits for them, however urgent it is."""


@frozen
class LeaseMail:
    """One round of the mail worker. Any number of workers may run at once, and any may die at any moment."""

    store: Store
    templates: EmailTemplates
    catalogue: Catalogue
    keyring: Keyring
    clock: Clock
    randomness: Randomness
    base_url: str

    async def __call__(self) -> Sequence[Mail]:
        """Take what is due, for us alone until its `due_at`; empty once nothing is. Raises StoreUnavailable.

        Each has its letter: it is rendered once, before the first attempt. Mails that are not to be sent after all are
        settled on the way and take no other mail's place.
        """
        wanted: Sequence[Mail] = ()
        leased = BATCH
        while leased and not wanted:
            leased, wanted = await self._lease()
            wanted = await self._with_letters(wanted)
        return wanted

    async def _lease(self) -> tuple[int, Sequence[Mail]]:
        """How many were due, and those of them that are to be sent.

        None while the database belongs to another address (`OwnAddress`): links in an email would lead there or here.
        """
        now = self.clock.now()
        until = now + LEASE
        shop = self.catalogue.current().shop
        spare = tuple(LinkId(self.randomness.token(16).hex()) for _ in range(BATCH))

        def work(tx: Transaction) -> tuple[int, Sequence[Mail]]:
            if tx.shop.base_url() not in (None, self.base_url):
                return 0, ()
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
