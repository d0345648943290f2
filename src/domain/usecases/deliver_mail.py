"""Take mail out of the outbox and hand it over: at least once on the wire, once at the mailbox."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from domain import outbox_keys
from domain.keys import Keyring
from domain.magic_link import LinkPurpose, MagicLink
from domain.mail import (
    TRIED_LONG_ENOUGH,
    UNKNOWN_OUTCOME_LIMIT,
    Mail,
    MailKind,
    MailState,
    fill,
    pause_before_retry,
)
from domain.ports import Catalogue, Clock, Mailer, MailNotSent, MailRefused, MailUnknown, Randomness, Store
from domain.product import ShopInfo
from domain.transaction import Transaction
from domain.usecases.send_email import notify_merchant
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
    catalogue: Catalogue
    keyring: Keyring
    clock: Clock
    randomness: Randomness
    base_url: str

    async def lease(self) -> Sequence[Mail]:
        """Take what is due, for us alone until its `due_at`; empty once nothing is. Raises StoreUnavailable.

        What is not to be sent after all is settled on the way and takes nobody's place.
        """
        wanted: Sequence[Mail] = ()
        leased = BATCH
        while leased and not wanted:
            leased, wanted = await self._lease_some()
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
                if _still_wanted(tx, mail, link, keyring=self.keyring, shop=shop, now=now)
            ]

        return await self.store.transact(work)

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
        shop = self.catalogue.current().shop
        key = self.keyring.named(mail.key_name) if mail.key_name is not None else None
        envelope = fill(mail, key=key, base_url=self.base_url, shop=shop.id)
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


def _still_wanted(
    tx: Transaction, mail: Mail, spare: LinkId, *, keyring: Keyring, shop: ShopInfo, now: datetime
) -> bool:
    """Settle at once what is not to be sent: a stranger's login, an outcome too long unknown, a key taken out."""
    if mail.kind is MailKind.LOGIN and not tx.users.exists(mail.to):
        tx.outbox.settle(
            mail.key, state=MailState.DROPPED, at=now, problem="nobody of that address bought here"
        )
        return False
    if mail.kind is MailKind.RELEASE:
        user = tx.users.by_address(mail.to)
        if user is None or not user.wants_release_emails:
            tx.outbox.settle(mail.key, state=MailState.DROPPED, at=now, problem="its reader wants no news")
            return False
    if mail.unknown_since is not None and now - mail.unknown_since >= UNKNOWN_OUTCOME_LIMIT:
        problem = "it may have been sent, but nobody told us; the carrier has forgotten its key by now"
        stick(tx, mail, problem, shop=shop, now=now)
        return False
    if mail.key_name is not None and keyring.named(mail.key_name) is None:
        queue_anew(tx, mail, spare, keyring=keyring, now=now)
        return False
    return True


def stick(tx: Transaction, mail: Mail, problem: str, *, shop: ShopInfo, now: datetime) -> None:
    """Leave a mail to the merchant, and tell them of the first of its kind that day."""
    tx.outbox.settle(
        mail.key, state=MailState.STUCK, at=now, problem=problem, unknown_since=mail.unknown_since
    )
    if mail.kind is MailKind.NOTICE:
        return
    notify_merchant(
        tx,
        "A mail is stuck",
        f"A {mail.kind.value} mail could not be sent: {problem}.",
        "`coatcheck status` lists every mail that waits; `coatcheck status --send-again KEY` sends one again.",
        key=outbox_keys.stuck(mail.kind, now),
        shop=shop,
        now=now,
    )


def queue_anew(tx: Transaction, mail: Mail, spare: LinkId, *, keyring: Keyring, now: datetime) -> str:
    """Queue the same letter under a new outbox key, with a new link where it had one; the new key."""
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
    tx.outbox.settle(mail.key, state=MailState.DROPPED, at=now, problem=f"queued anew as {new_key}")
    tx.outbox.queue(
        Mail(
            key=new_key,
            kind=mail.kind,
            to=mail.to,
            letter=mail.letter,
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
        purpose=LinkPurpose.LOGIN if mail.kind is MailKind.LOGIN else LinkPurpose.TICKET,
        mailbox=mail.to,
        asked_by=None,
        product=None,
        made_at=mail.queued_at,
    )
