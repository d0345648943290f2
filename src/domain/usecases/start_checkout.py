"""Start a checkout: our row first, then the provider's session, then its id into our row."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from domain.claim import draft_of, terms_of
from domain.frozen import frozen
from domain.keys import Keyring
from domain.ports import (
    SOURCE,
    Catalogue,
    CheckoutOffer,
    Clock,
    Payments,
    PaymentsRefused,
    PaymentsUnreachable,
    PromotionRefused,
    Randomness,
    Store,
)
from domain.product import CatalogueEdition
from domain.purchase import Checkout
from domain.session import Visitor
from domain.translations import in_language, root_of
from domain.usecases.bind_checkout import bind_page, end_checkout, note_refused
from domain.usecases.checkout_outcomes import (
    CodeNotTaken,
    RedirectToPayment,
    Started,
)
from domain.usecases.code_links import CodeLinks
from domain.usecases.identify_viewer import new_session
from domain.usecases.open_checkout import open_checkout
from domain.usecases.price_order import PricedOrder, price_order
from domain.values import ProductId
from domain.waiver import NO_BOXES, Boxes, Waiver, WaiverMissing


@frozen
class StartCheckout:
    """From the click on Buy to the provider's page."""

    store: Store
    payments: Payments
    catalogue: Catalogue
    code_links: CodeLinks
    keyring: Keyring
    clock: Clock
    randomness: Randomness
    base_url: str

    async def __call__(
        self,
        visitor: Visitor,
        product: ProductId,
        *,
        again: bool,
        currency: str = "",
        amount: str = "",
        code: str = "",
        boxes: Boxes = NO_BOXES,
        language: str = "",
    ) -> Started:
        """`currency`: the one the price was shown in; `amount`: what was typed where the buyer names the price;
        `code`: the promotion code that the price was shown with; `boxes`: those of the waiver;
        `language`: that of the page, "" in a shop with one language.

        Raises PaymentsUnreachable (nothing was charged), PaymentsRefused, StoreUnavailable.
        """
        edition = in_language(self.catalogue.current(), language)
        now = self.clock.now()
        order = price_order(
            edition, product, self.code_links, currency=currency, amount=amount, code=code, now=now
        )
        if not isinstance(order, PricedOrder):
            return order
        fresh, law = new_session(self.randomness, now=now), edition.shop.law
        agreed = law.agreed(boxes, now=now, zone=edition.shop.zone)
        missing = agreed if isinstance(agreed, WaiverMissing) else None
        draft = draft_of(
            order.product, order.price, livemode=self.payments.livemode,
            discounts=edition.shop.payment.promotion_codes,
            promotion=order.promotion.ref if order.promotion else "", entropy=self.randomness.token(10), now=now,
            waiver=agreed if isinstance(agreed, Waiver) else None,
            opens_at=agreed if isinstance(agreed, datetime) else None,
            language=language,
        )  # fmt: skip
        opened = await self.store.transact(
            lambda tx: open_checkout(
                tx, visitor, order.product, draft, fresh, keyring=self.keyring, again=again, missing=missing
            )
        )
        if not isinstance(opened, Checkout):
            return opened
        try:
            page = await self.payments.create_checkout(self._offer(opened, order, edition))
        except PaymentsUnreachable:
            await self.store.transact(lambda tx: tx.limits.release(opened.id))
            raise
        except PromotionRefused:
            self.code_links.read_soon()
            await self.store.transact(partial(end_checkout, checkout=opened))
            return CodeNotTaken(product=order.product)
        except PaymentsRefused as refused:
            await self.store.transact(
                partial(note_refused, checkout=opened, said=str(refused), shop=edition.shop)
            )
            raise
        await self.store.transact(partial(bind_page, checkout=opened, page=page))
        return RedirectToPayment(
            url=page.url,
            new_token=fresh.token if opened.session == fresh.id else None,
            checkout=opened.id,
            proof=self.keyring.signing.checkout_cookie_of(opened.id),
        )

    def _offer(self, checkout: Checkout, order: PricedOrder, edition: CatalogueEdition) -> CheckoutOffer:
        product = order.product
        carried = f"?code={order.promotion.code}" if order.promotion else ""
        root = root_of(checkout.language or edition.shop.language, edition.shop.languages)
        return CheckoutOffer(
            checkout=checkout,
            shop=edition.shop.id,
            seal=self.keyring.seal(terms_of(checkout, shop=edition.shop.id)),
            summary=product.summary,
            terms=edition.shop.payment,
            tax_code=product.tax_code,
            language=checkout.language
            or ("" if edition.shop.languages == (SOURCE,) else edition.shop.language),
            success_url=f"{self.base_url}/view/{product.id}?session_id={{CHECKOUT_SESSION_ID}}",
            cancel_url=f"{self.base_url}{root}/products/{product.id}{carried}",
        )
