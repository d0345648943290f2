"""Announce a new version of a product to its owners."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from domain import outbox_keys
from domain.access import Holding
from domain.audit import ENTROPY, AuditAction, ByHand
from domain.emails import NewRelease
from domain.frozen import frozen
from domain.keys import Keyring
from domain.mail import Delivery, MailKind
from domain.ports import Catalogue, Clock, Randomness, Store
from domain.product import Product
from domain.purchase import PurchaseState
from domain.records import User
from domain.rights import NotAllowed
from domain.staff import Actor
from domain.transaction import ReadTransaction, Transaction
from domain.usecases.authorise import refusal, write_down
from domain.usecases.send_email import send_email
from domain.values import ProductId, UserId

_AT_ONCE = 100


@dataclass(slots=True)
class Announced:
    """How many owners a new version was announced to."""

    queued: int = 0
    known: int = 0
    """This very version was announced to them before."""
    left_out: int = 0
    """Opted out, own nothing that opens, or cannot be mailed."""


@frozen
class Announce:
    """`coatcheck announce`. May be run again: the same files are announced to an owner once."""

    store: Store
    catalogue: Catalogue
    keyring: Keyring
    clock: Clock
    randomness: Randomness

    async def __call__(
        self,
        product: ProductId,
        *,
        actor: Actor,
        form: str,
        look: Callable[[Announced], None] = lambda found: None,
    ) -> Announced | NotAllowed | None:
        """None if the catalogue has no such product. `form`: as in `GrantProduct`. Raises StoreUnavailable.

        `look`: called after each transaction.
        """
        found = self.catalogue.current().products.get(product)
        if found is None or not found.present:
            return None
        entropy = self.randomness.token(ENTROPY)
        asked = ByHand.asked(actor, form=form, now=self.clock.now(), entropy=entropy)
        not_allowed = await self.store.transact(lambda tx: _begin(tx, product, asked))
        if not_allowed is not None:
            return not_allowed
        announced, after = Announced(), ""
        while True:
            part, after = await self._announce_to_some(found, after)
            announced.queued += part.queued
            announced.known += part.known
            announced.left_out += part.left_out
            look(announced)
            if not after:
                return announced

    async def _announce_to_some(self, product: Product, after: str) -> tuple[Announced, str]:
        """Queue the email for the next owners after a user id; the last of them, "" at the end."""
        now = self.clock.now()
        key_name = self.keyring.signing.name

        def work(tx: Transaction) -> tuple[Announced, str]:
            part = Announced()
            owners = tx.purchases.owners_after(product.id, after=after, limit=_AT_ONCE)
            for user, holdings in owners:
                if not hears_of_releases(tx, user, holdings):
                    part.left_out += 1
                elif _queue(tx, product, user, now=now, key_name=key_name):
                    part.queued += 1
                else:
                    part.known += 1
            return part, owners[-1][0].id if len(owners) == _AT_ONCE else ""

        return await self.store.transact(work)


def _begin(tx: Transaction, product: ProductId, asked: ByHand) -> NotAllowed | None:
    """The line is written first: a run that is broken off has emailed somebody. A form sent twice is one line."""
    not_allowed = refusal(tx, AuditAction.ANNOUNCE, product, asked=asked)
    done = tx.audit.by_form(asked.form)
    if not_allowed is None and (
        done is None or (done.action, done.object_id) != (AuditAction.ANNOUNCE, product)
    ):
        write_down(tx, asked.line(AuditAction.ANNOUNCE, product))
    return not_allowed


def version_of(product: Product) -> str:
    """A fingerprint of a version of a product's files."""
    listed = "\n".join(sorted(f"{file.name} {file.sha256}" for file in product.files))
    return hashlib.sha256(listed.encode()).hexdigest()[:12]


def release_email(product: Product, user: UserId) -> NewRelease:
    """The email about the files as they are now."""
    return NewRelease(
        product=product.id,
        product_name=product.name,
        files=tuple((file.title, file.name) for file in product.files),
        user=user,
    )


def hears_of_releases(tx: ReadTransaction, user: User, holdings: Sequence[Holding]) -> bool:
    """Whether an owner is emailed: they did not opt out, something of theirs opens, and their mailbox takes emails."""
    opens = any(held.standing.state is PurchaseState.LIVE for held in holdings)
    return user.wants_release_emails and opens and not _cannot_be_mailed(tx, user)


def _queue(tx: Transaction, product: Product, user: User, *, now: datetime, key_name: str) -> bool:
    email = release_email(product, user.id)
    key = outbox_keys.release(product.id, version_of(product), user.id)
    return send_email(tx, email, key=key, kind=MailKind.RELEASE, to=user.mailbox, now=now, key_name=key_name)


def _cannot_be_mailed(tx: ReadTransaction, user: User) -> bool:
    """Whether the last report about this mailbox says that our email bounced, or was called spam."""
    reported = [mail for mail in tx.outbox.to_address(user.mailbox) if mail.delivery is not None]
    return bool(reported) and reported[-1].delivery in (Delivery.BOUNCED, Delivery.COMPLAINED)
