"""Start a checkout: our row first, then the provider's session, then its id into our row."""

from __future__ import annotations

from dataclasses import dataclass, replace

from domain.claim import draft_of, terms_of
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
from domain.product import BadAmount, CatalogueEdition, Product, asked_price
from domain.purchase import Checkout
from domain.session import NewSession, Visitor
from domain.transaction import Transaction
from domain.usecases.admit_checkout import admit, why_not
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
from domain.usecases.identify_viewer import begin_session, new_session, recognise
from domain.values import ProductId


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
        livemode, discounts = self.payments.livemode, edition.shop.payment.promotion_codes
        entropy = self.randomness.token(10)
        draft = draft_of(wanted, price, livemode=livemode, discounts=discounts, entropy=entropy, now=now)
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
    viewer = recognise(tx, visitor, now=draft.started_at)
    refused = why_not(tx, product, viewer, again=again)
    if refused is not None:
        return refused
    until = admit(tx, viewer, visitor, draft, keyring=keyring)
    if until is not None:
        tx.limits.release(draft.id)
        return TooManyCheckouts(until=until)
    session = viewer.session or begin_session(tx, fresh, visitor, now=draft.started_at)
    checkout = replace(draft, session=session.id, mailbox=session.mailbox)
    tx.checkouts.add(checkout)
    return checkout
