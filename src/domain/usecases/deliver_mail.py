"""Take mail out of the outbox and hand it over: at least once on the wire, once at the mailbox."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from domain.keys import Keyring
from domain.mail import (
    TRIED_LONG_ENOUGH,
    Letter,
    Mail,
    MailState,
    fill,
    pause_before_retry,
)
from domain.ports import (
    Catalogue,
    Clock,
    EmailNotRendered,
    EmailTemplates,
    Mailer,
    MailNotSent,
    MailRefused,
    MailUnknown,
    Randomness,
    Store,
)
from domain.product import ShopInfo
from domain.transaction import Transaction
from domain.usecases.settle_unsent import stick, still_wanted
from domain.values import LinkId

LEASE = timedelta(seconds=20)
"""How long after the death of its holder a mail stays leased; a holder that lives renews it long before."""
RENEW_EVERY = timedelta(seconds=5)
BATCH = 4
"""Few: what becomes due meanwhile waits for them, however urgent it is."""


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

        Each has its letter: it is rendered once, before the first attempt. What is not to be sent after all is settled
        on the way and takes nobody's place.
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
        rendered = {mail.key: self._render(mail, shop) for mail in mails if mail.letter is None}
        if not rendered:
            return mails

        def work(tx: Transaction) -> Sequence[Mail]:
            kept = []
            for mail in mails:
                letter = rendered.get(mail.key, mail.letter)
                if isinstance(letter, str):
                    stick(tx, mail, letter, shop=shop, now=now)
                elif letter is not None and (stored := tx.outbox.keep_letter(mail.key, letter)) is not None:
                    kept.append(replace(mail, letter=stored, body_sha256=stored.body_sha256))
            return kept

        return await self.store.transact(work)

    def _render(self, mail: Mail, shop: ShopInfo) -> Letter | str:
        """The letter, or why there is none."""
        try:
            return self.templates.render(
                mail.email, language=mail.language, shop=shop, base_url=self.base_url
            )
        except EmailNotRendered as error:
            return str(error)

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
        """Send one leased mail and write down how it went: what it is now. Raises StoreUnavailable."""
        if mail.letter is None:
            raise ValueError(f"{mail.key} was not leased: it has no letter")
        shop = self.catalogue.current().shop
        key = self.keyring.named(mail.key_name) if mail.key_name is not None else None
        envelope = fill(mail, mail.letter, key=key, base_url=self.base_url, shop=shop.id)
        try:
            await self.mailer.send(envelope)
        except MailRefused as error:
            return await self._stick(mail, str(error), shop)
        except MailNotSent as error:
            return await self._try_again(mail, str(error), shop, unknown_since=mail.unknown_since)
        except MailUnknown as error:
            since = mail.unknown_since or self.clock.now()
            return await self._try_again(mail, str(error), shop, unknown_since=since)
        at = self.clock.now()
        await self.store.transact(lambda tx: tx.outbox.settle(mail.key, state=MailState.SENT, at=at))
        return MailState.SENT

    async def _try_again(
        self, mail: Mail, problem: str, shop: ShopInfo, *, unknown_since: datetime | None
    ) -> MailState:
        now = self.clock.now()
        if now - mail.queued_at >= TRIED_LONG_ENOUGH:
            return await self._stick(mail, f"tried for three days: {problem}", shop)
        await self.store.transact(
            lambda tx: tx.outbox.settle(
                mail.key,
                state=MailState.QUEUED,
                at=now,
                due_at=now + pause_before_retry(mail.attempts + 1),
                problem=problem,
                unknown_since=unknown_since,
            )
        )
        return MailState.QUEUED

    async def _stick(self, mail: Mail, problem: str, shop: ShopInfo) -> MailState:
        now = self.clock.now()
        await self.store.transact(lambda tx: stick(tx, mail, problem, shop=shop, now=now))
        return MailState.STUCK
