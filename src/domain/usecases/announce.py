"""Tell the owners of a product that there is a new version of it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from domain import outbox_keys
from domain.emails import NewRelease
from domain.keys import Keyring
from domain.mail import Delivery, MailKind
from domain.ports import Catalogue, Clock, Store
from domain.product import Product
from domain.purchase import PurchaseState
from domain.records import User
from domain.transaction import Transaction
from domain.usecases.send_email import send_email
from domain.values import ProductId

_AT_ONCE = 100


@dataclass(slots=True)
class Announced:
    """Whom a new version was announced to."""

    queued: int = 0
    known: int = 0
    """Were told of this very version before."""
    left_out: int = 0
    """Opted out, own nothing that opens, or cannot be mailed."""


def _nobody_looks(found: Announced) -> None:
    """Called after each lot; a command line shows it."""


@dataclass(frozen=True, slots=True)
class Announce:
    """`coatcheck announce`. May be run again: nobody hears of the same files twice."""

    store: Store
    catalogue: Catalogue
    keyring: Keyring
    clock: Clock

    async def __call__(
        self, product: ProductId, *, look: Callable[[Announced], None] = _nobody_looks
    ) -> Announced | None:
        """None if the catalogue has no such product. Raises StoreUnavailable."""
        found = self.catalogue.current().products.get(product)
        if found is None:
            return None
        told, after, more = Announced(), "", True
        while more:
            after, more = await self._lot(found, after, told)
            look(told)
        return told

    async def _lot(self, product: Product, after: str, told: Announced) -> tuple[str, bool]:
        """Tell the next owners after a user id; the last of them, and whether there may be more."""
        lot = _Lot(product=product, keyring=self.keyring, now=self.clock.now())
        found = await self.store.transact(lambda tx: lot.tell(tx, after))
        told.queued += found.queued
        told.known += found.known
        told.left_out += found.left_out
        return found.last, bool(found.last)


def version_of(product: Product) -> str:
    """What tells one version of a product's files from another."""
    listed = "\n".join(sorted(f"{file.name} {file.sha256}" for file in product.files))
    return hashlib.sha256(listed.encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class _Told:
    last: str
    """The last user of a full lot; "" at the end."""
    queued: int
    known: int
    left_out: int


@dataclass(frozen=True, slots=True)
class _Lot:
    product: Product
    keyring: Keyring
    now: datetime

    def tell(self, tx: Transaction, after: str) -> _Told:
        """Queue for the owners after a user id."""
        owners = tx.purchases.owners_after(self.product.id, after=after, limit=_AT_ONCE)
        queued = known = left_out = 0
        for user, holdings in owners:
            opens = any(held.standing.state is PurchaseState.LIVE for held in holdings)
            if not user.wants_release_emails or not opens or _cannot_be_mailed(tx, user):
                left_out += 1
            elif self._queue(tx, user):
                queued += 1
            else:
                known += 1
        last = owners[-1][0].id if len(owners) == _AT_ONCE else ""
        return _Told(last=last, queued=queued, known=known, left_out=left_out)

    def _queue(self, tx: Transaction, user: User) -> bool:
        email = NewRelease(
            product=self.product.id,
            product_name=self.product.name,
            files=tuple((file.title, file.name) for file in self.product.files),
            user=user.id,
        )
        key = outbox_keys.release(self.product.id, version_of(self.product), user.id)
        return send_email(
            tx,
            email,
            key=key,
            kind=MailKind.RELEASE,
            to=user.mailbox,
            now=self.now,
            key_name=self.keyring.signing.name,
        )


def _cannot_be_mailed(tx: Transaction, user: User) -> bool:
    """Whether the last thing we heard of this mailbox is that our mail comes back, or is called spam."""
    reported = [mail for mail in tx.outbox.to_address(user.mailbox) if mail.delivery is not None]
    return bool(reported) and reported[-1].delivery in (Delivery.BOUNCED, Delivery.COMPLAINED)
