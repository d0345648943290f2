"""Start a checkout: our row first, then the provider's session, then its id into our row."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from domain.claim import terms_of
from domain.keys import Keyring
from domain.ports import (
    Catalogue,
    CheckoutOffer,
    Clock,
    Payments,
    PaymentsRefused,
    PaymentsUnreachable,
    Randomness,
    Store,
)
from domain.product import BadAmount, CatalogueEdition, Product, Saleability, asked_price, saleability
from domain.purchase import Checkout
from domain.session import NewSession, Visitor
from domain.transaction import Transaction
from domain.usecases.admit_checkout import admit
from domain.usecases.checkout_outcomes import (
    AlreadyYours,
    NoSuchProduct,
    NotForSale,
    NothingToPay,
    RedirectToPayment,
    Started,
    TooManyCheckouts,
    WrongAmount,
)
from domain.usecases.identify_viewer import Viewer, begin_session, held_by, live_session, new_session
from domain.values import CheckoutId, Money, ProductId, sortable_id


@dataclass(frozen=True, slots=True)
class StartCheckout:
    """From the click on Buy to the provider's page."""

    store: Store
    payments: Payments
    catalogue: Catalogue
    keyring: Keyring
    clock: Clock
    randomness: Randomness
    base_url: str

    async def __call__(
        self, visitor: Visitor, product: ProductId, *, again: bool, currency: str = "", amount: str = ""
    ) -> Started:
        """`currency`: the one the price was shown in; `amount`: what was typed where the buyer names the price.

        Raises PaymentsUnreachable (nothing was charged), PaymentsRefused, StoreUnavailable.
        """
        edition = self.catalogue.current()
        wanted = edition.products.get(product)
        if wanted is None:
            return NoSuchProduct()
        price = asked_price(wanted, currency=currency, amount=amount)
        if isinstance(price, BadAmount):
            return WrongAmount(product=wanted, why=price)
        if price.amount == 0:
            return NothingToPay(product=wanted)
        now = self.clock.now()
        fresh = new_session(self.randomness, now=now)
        draft = self._draft(wanted, price, edition, now)
        opened = await self.store.transact(
            lambda tx: _open(tx, visitor, wanted, draft, fresh, keyring=self.keyring, again=again)
        )
        if not isinstance(opened, Checkout):
            return opened
        try:
            page = await self.payments.create_checkout(self._offer(opened, wanted, edition))
        except (PaymentsUnreachable, PaymentsRefused):
            await self.store.transact(lambda tx: tx.limits.release(opened.id))
            raise
        await self.store.transact(
            lambda tx: tx.checkouts.bind(opened.id, ref=page.ref, expires_at=page.expires_at)
        )
        return RedirectToPayment(url=page.url, new_token=fresh.token if opened.session == fresh.id else None)

    def _draft(self, product: Product, price: Money, edition: CatalogueEdition, now: datetime) -> Checkout:
        entropy = self.randomness.token(10)
        draft = draft_of(product, price, livemode=self.payments.livemode, entropy=entropy, now=now)
        return replace(draft, discounts=edition.shop.payment.promotion_codes)

    def _offer(self, checkout: Checkout, product: Product, edition: CatalogueEdition) -> CheckoutOffer:
        return CheckoutOffer(
            checkout=checkout,
            shop=edition.shop.id,
            seal=self.keyring.seal(terms_of(checkout, shop=edition.shop.id)),
            summary=product.summary,
            terms=edition.shop.payment,
            tax_code=product.tax_code,
            success_url=f"{self.base_url}/view/{product.id}?session_id={{CHECKOUT_SESSION_ID}}",
            cancel_url=f"{self.base_url}/products/{product.id}",
        )


def draft_of(product: Product, price: Money, *, livemode: bool, entropy: bytes, now: datetime) -> Checkout:
    """The snapshot by which the claim will judge; whose it is is still to be said. `entropy`: ten random bytes."""
    return Checkout(
        id=CheckoutId(sortable_id(now=now, entropy=entropy)),
        product=product.id,
        product_name=product.name,
        price=price,
        session=None,
        mailbox=None,
        livemode=livemode,
        started_at=now,
        contents=product.contains,
    )


def _open(
    tx: Transaction,
    visitor: Visitor,
    product: Product,
    draft: Checkout,
    fresh: NewSession,
    *,
    keyring: Keyring,
    again: bool,
) -> Checkout | NotForSale | AlreadyYours | TooManyCheckouts:
    now = draft.started_at
    sold = tx.purchases.count_sold(product.id) if product.stock is not None else 0
    why = saleability(product, sold=sold)
    if why is not Saleability.ON_SALE:
        return NotForSale(product=product, why=why)
    session = live_session(tx, visitor, now=now)
    holdings = () if session is None else held_by(tx, session, now=now)
    if not again and product.id in Viewer(session=session, holdings=holdings).owned:
        return AlreadyYours(product=product)
    # An address alone is no sign of a customer: anybody can verify as many as they like by ordering something free.
    customer = session if any(held.purchase.paid.amount for held in holdings) else None
    until = admit(tx, customer, visitor, draft, keyring=keyring)
    if until is not None:
        tx.limits.release(draft.id)
        return TooManyCheckouts(until=until)
    if session is None:
        session = begin_session(tx, fresh, visitor, now=now)
    checkout = replace(draft, session=session.id, mailbox=session.mailbox)
    tx.checkouts.add(checkout)
    return checkout
