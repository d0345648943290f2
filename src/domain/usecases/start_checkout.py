"""Start a checkout: our row first, then the provider's session, then its id into our row."""

from __future__ import annotations

from functools import partial

from domain.claim import draft_of, terms_of
from domain.frozen import frozen
from domain.keys import Keyring
from domain.ports import (
    Catalogue,
    CheckoutOffer,
    Clock,
    PaymentPage,
    Payments,
    PaymentsRefused,
    PaymentsUnreachable,
    PromotionRefused,
    Randomness,
    Store,
)
from domain.product import BadAmount, CatalogueEdition, Product, Saleability, ShopInfo, asked_price, offered
from domain.promotion import PromotionCode
from domain.purchase import Checkout
from domain.records import ProblemKind
from domain.session import Visitor
from domain.transaction import Transaction
from domain.usecases.checkout_outcomes import (
    CodeNotTaken,
    NoSuchProduct,
    NotForSale,
    NothingToPay,
    RedirectToPayment,
    Started,
    WrongAmount,
)
from domain.usecases.code_links import CodeLinks
from domain.usecases.identify_viewer import new_session
from domain.usecases.open_checkout import open_checkout
from domain.usecases.report_problem import report_problem
from domain.values import ProductId


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
    ) -> Started:
        """`currency`: the one the price was shown in; `amount`: what was typed where the buyer names the price;
        `code`: the promotion code that the price was shown with.

        Raises PaymentsUnreachable (nothing was charged), PaymentsRefused, StoreUnavailable.
        """
        edition = self.catalogue.current()
        wanted = edition.shown(product)
        if wanted is None:
            return NoSuchProduct()
        now = self.clock.now()
        if (why := offered(wanted, now=now)) is not Saleability.ON_SALE:
            return NotForSale(product=wanted, why=why)
        price = asked_price(wanted, currency=currency, amount=amount)
        if isinstance(price, BadAmount):
            return WrongAmount(product=wanted, why=price)
        if price.amount == 0:
            return NothingToPay(product=wanted)
        carried = self.code_links.reduced(code, wanted, price) if code else None
        if code and carried is None:
            return CodeNotTaken(product=wanted)
        promotion = None if carried is None else carried[0]
        fresh = new_session(self.randomness, now=now)
        draft = draft_of(
            wanted, price, livemode=self.payments.livemode, discounts=edition.shop.payment.promotion_codes,
            promotion=promotion.ref if promotion else "", entropy=self.randomness.token(10), now=now,
        )  # fmt: skip
        opened = await self.store.transact(
            lambda tx: open_checkout(tx, visitor, wanted, draft, fresh, keyring=self.keyring, again=again)
        )
        if not isinstance(opened, Checkout):
            return opened
        try:
            page = await self.payments.create_checkout(self._offer(opened, wanted, edition, promotion))
        except PaymentsUnreachable:
            await self.store.transact(lambda tx: tx.limits.release(opened.id))
            raise
        except PromotionRefused:
            self.code_links.read_soon()
            await self.store.transact(partial(_end, checkout=opened))
            return CodeNotTaken(product=wanted)
        except PaymentsRefused as refused:
            await self.store.transact(
                partial(_refused, checkout=opened, said=str(refused), shop=edition.shop)
            )
            raise
        await self.store.transact(partial(_bind, checkout=opened, page=page))
        return RedirectToPayment(
            url=page.url,
            new_token=fresh.token if opened.session == fresh.id else None,
            checkout=opened.id,
            proof=self.keyring.signing.checkout_cookie_of(opened.id),
        )

    def _offer(
        self, checkout: Checkout, product: Product, edition: CatalogueEdition, promotion: PromotionCode | None
    ) -> CheckoutOffer:
        carried = f"?code={promotion.code}" if promotion else ""
        return CheckoutOffer(
            checkout=checkout,
            shop=edition.shop.id,
            seal=self.keyring.seal(terms_of(checkout, shop=edition.shop.id)),
            summary=product.summary,
            terms=edition.shop.payment,
            tax_code=product.tax_code,
            success_url=f"{self.base_url}/view/{product.id}?session_id={{CHECKOUT_SESSION_ID}}",
            cancel_url=f"{self.base_url}/products/{product.id}{carried}",
        )


def _end(tx: Transaction, *, checkout: Checkout) -> None:
    """End the checkout, so that the next try gets another idempotency key."""
    tx.limits.release(checkout.id)
    tx.checkouts.bind(checkout.id, ref=None, expires_at=checkout.started_at)


def _refused(tx: Transaction, *, checkout: Checkout, said: str, shop: ShopInfo) -> None:
    """End the checkout, and notify the merchant."""
    _end(tx, checkout=checkout)
    kind, now = ProblemKind.CHECKOUT_REFUSED, checkout.started_at
    report_problem(tx, kind, subject=checkout.product, detail=said, shop=shop, now=now)


def _bind(tx: Transaction, *, checkout: Checkout, page: PaymentPage) -> None:
    tx.checkouts.bind(checkout.id, ref=page.ref, expires_at=page.expires_at)
    tx.problems.resolve(ProblemKind.CHECKOUT_REFUSED, checkout.product)
