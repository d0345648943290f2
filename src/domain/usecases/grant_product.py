"""Give somebody a product: a purchase without a payment, its licence keys, one access email and one audit line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from domain.audit import ENTROPY, AuditAction, ByHand, reason_of
from domain.claim import Sale, draft_of
from domain.frozen import frozen
from domain.going_live import STARTED_LIVE
from domain.keys import Keyring
from domain.limits import GRANTS_BY_SUPPORT
from domain.ports import Catalogue, Clock, Randomness, Store
from domain.product import CatalogueEdition, Product, Status
from domain.purchase import PurchaseState, Source
from domain.staff import Actor
from domain.transaction import Transaction
from domain.usecases.authorise import refusal, write_down
from domain.usecases.book_sale import BookSale
from domain.usecases.daily_limit import over_limit
from domain.usecases.grant_outcomes import (
    Granted,
    Granting,
    HasItAlready,
    NotGranted,
    WhyNotGranted,
)
from domain.usecases.request_login import NotAnAddress
from domain.values import CheckoutId, EmailAddress, InvalidEmail, Money, ProductId

_NOT_GIVEN: Final = {Status.DRAFT: WhyNotGranted.DRAFT, Status.RETIRED: WhyNotGranted.RETIRED}


@frozen
class GrantProduct:
    """`coatcheck grant`. A product that is sold out can be given all the same, and counts against its stock."""

    store: Store
    catalogue: Catalogue
    keyring: Keyring
    clock: Clock
    randomness: Randomness
    booking: BookSale

    async def __call__(
        self, product: ProductId, typed: str, *, actor: Actor, form: str, reason: str, again: bool = False
    ) -> Granting:
        """Raises StoreUnavailable.

        `typed`: the address. `form`: names this request, however often it is submitted. `again`: also to somebody who
        has the product already, by an order of its own with licence keys of its own.
        """
        try:
            mailbox = EmailAddress.parse(typed)
        except InvalidEmail as error:
            return NotAnAddress(error.problem)
        now, edition, why = self.clock.now(), self.catalogue.current(), reason_of(reason)
        found = edition.products.get(product)
        if found is None or not found.present:
            return NotGranted(WhyNotGranted.NO_SUCH_PRODUCT, product)
        if found.status in _NOT_GIVEN:
            return NotGranted(_NOT_GIVEN[found.status], product)
        if why is None:
            return NotGranted(WhyNotGranted.NO_REASON, product)
        free = Money(0, found.price.currency)
        draft = draft_of(found, free, livemode=None, entropy=self.randomness.token(10), now=now)
        sale = Sale(checkout=draft, owner=mailbox, paid_email=None, paid=free)
        asked = ByHand.asked(actor, form=form, now=now, entropy=self.randomness.token(ENTROPY))
        line = asked.line(AuditAction.GRANT, draft.id, reason=why)
        booking = self.booking.prepare(now=now)
        tags = [key.erasure_of(mailbox) for key in self.keyring.keys]

        def work(tx: Transaction) -> Granting:
            done = tx.audit.by_form(form)
            order = None if done is None else tx.purchases.get(CheckoutId(done.object_id))
            if order is not None:
                return Granted(order)
            had = None if again else _had(tx, found, mailbox)
            refused = had or _why_not(tx, found, mailbox, tags, edition)
            if refused is not None:
                return refused
            not_allowed = refusal(tx, AuditAction.GRANT, product, asked=asked) or over_limit(
                tx, GRANTS_BY_SUPPORT, AuditAction.GRANT, product, asked=asked, keyring=self.keyring
            )
            if not_allowed is not None:
                return not_allowed
            write_down(tx, line)
            tx.checkouts.add(replace(draft, mailbox=mailbox))
            known = tx.checkouts.for_claim(draft.id, ref=None, payment=None)
            return Granted(booking.book(tx, sale, known, source=Source.GRANT, ref=None, payment=None))

        return await self.store.transact(work)


def _had(tx: Transaction, product: Product, mailbox: EmailAddress) -> HasItAlready | None:
    for held in tx.purchases.of_address(mailbox):
        ended = held.purchase.livemode is False and tx.shop.cursor(STARTED_LIVE) is not None
        if product.id in held.purchase.products and held.standing.state is PurchaseState.LIVE and not ended:
            return HasItAlready(held.purchase)
    return None


def _why_not(
    tx: Transaction, product: Product, mailbox: EmailAddress, tags: Sequence[str], edition: CatalogueEdition
) -> NotGranted | None:
    # Whoever bought again since is a customer like any other.
    if not tx.users.exists(mailbox) and any(tx.erasures.address_erased_at(tag) for tag in tags):
        return NotGranted(WhyNotGranted.ERASED, product.id)
    for pid in (product.id, *product.contains):
        sold = edition.products.get(pid)
        listed = None if sold is None or sold.licences is None else sold.licences.listed
        if listed is not None and not tx.licences.any_free(pid):
            return NotGranted(WhyNotGranted.NO_KEYS, pid)
    return None
