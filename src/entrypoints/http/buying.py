"""From Buy to what was bought: start a checkout, come back from it, read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never
from urllib.parse import quote

from litestar import HttpMethod, post, route
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, FromQuery

from domain.access import Closed, NotYours, Opens, access
from domain.ports import Clock
from domain.product import Product, Saleability
from domain.usecases.greet import Greeting
from domain.usecases.return_from_payment import (
    Come,
    Elsewhere,
    HeldBack,
    NeverStarted,
    Returned,
    ReturnFromPayment,
    Settling,
    Unpaid,
    WaitForBank,
)
from domain.usecases.start_checkout import (
    AlreadyYours,
    NoSuchProduct,
    NotForSale,
    PayThere,
    StartCheckout,
    TooManyCheckouts,
)
from domain.values import ProductId
from entrypoints.http.answers import Answer
from entrypoints.http.forms import field_of
from entrypoints.http.front import AnyRequest, Front, in_words, seconds_until, see_other
from entrypoints.http.shop import PAGE, ShopPages

if TYPE_CHECKING:
    from litestar.handlers import HTTPRouteHandler


@dataclass(frozen=True, slots=True)
class BuyingPages:
    """POST /buy, GET /view."""

    front: Front
    shop: ShopPages
    start_checkout: StartCheckout
    return_from_payment: ReturnFromPayment
    clock: Clock

    def routes(self) -> list[HTTPRouteHandler]:
        """The handlers of this family."""
        return [
            post("/buy/{pid:str}", status_code=303)(self.buy),
            route("/buy/{pid:str}", http_method=PAGE, status_code=200)(self.offer),
            route("/view/{pid:str}", http_method=PAGE, status_code=200)(self.view),
        ]

    async def offer(self, request: AnyRequest, pid: FromPath[str]) -> Answer:
        """A GET buys nothing: it shows the product."""
        return await self.shop.product_page(request, pid)

    async def buy(self, request: AnyRequest, pid: FromPath[str]) -> Answer:
        """Start a checkout and go to the payment page."""
        again = await field_of(request, "again") == "yes"
        started = await self.start_checkout(self.front.visitor(request), ProductId(pid), again=again)
        match started:
            case PayThere(url, new_token):
                cookies = () if new_token is None else (self.front.cookies.session(new_token),)
                return see_other(url, *cookies)
            case NoSuchProduct():
                raise NotFoundException
            case AlreadyYours(product):
                greeting = await self.front.greeting(request)
                return self.front.html(
                    request, "buy_again.html", greeting=greeting, noindex=True, product=product
                )
            case NotForSale(product, why):
                return self._not_for_sale(request, product, why)
            case TooManyCheckouts(until):
                return self._too_many(request, pid, seconds_until(until, now=self.clock.now()))
            case _:
                assert_never(started)

    def _not_for_sale(self, request: AnyRequest, product: Product, why: Saleability) -> Answer:
        sold_out = why is Saleability.SOLD_OUT
        title = "Sold out" if sold_out else "Not for sale at the moment"
        message = (
            f"Every copy of {product.name} has been sold. Nothing was charged."
            if sold_out
            else f"{product.name} cannot be bought right now. Nothing was charged."
        )
        return self.front.problem(request, 410 if sold_out else 404, title, message)

    def _too_many(self, request: AnyRequest, pid: str, seconds: int) -> Answer:
        message = f"Many checkouts were started just now. Please try again in {in_words(seconds)}. Nothing was charged."
        return self.front.problem(
            request,
            429,
            "A moment, please",
            message,
            action_url=f"/products/{pid}",
            action_label="Back to the product",
            retry_after=seconds,
        )

    async def view(
        self, request: AnyRequest, pid: FromPath[str], session_id: FromQuery[str | None] = None
    ) -> Answer:
        """What was bought; with `session_id`, the way back from the payment page."""
        if session_id is not None:
            return await self._come_back(request, pid, session_id)
        greeting = await self.front.greeting(request)
        found = access(greeting.session, product=ProductId(pid), holdings=greeting.holdings)
        edition = self.front.catalogue.current()
        product = edition.products.get(ProductId(pid))
        match found:
            case NotYours():
                if product is None:
                    raise NotFoundException
                return self._not_yours(request, product, greeting)
            case Closed(purchase, reason):
                return self.front.html(
                    request, "closed.html", greeting=greeting, status=403, noindex=True,
                    product_name=purchase.product_name, reason=reason,
                )  # fmt: skip
            case Opens(purchase, by_checkout):
                if product is None:
                    return self._gone(request, purchase.product_name)
                return self.front.html(
                    request, "view.html", greeting=greeting, noindex=True,
                    product=product, purchase=purchase, by_checkout=by_checkout,
                )  # fmt: skip

    def _not_yours(self, request: AnyRequest, product: Product, greeting: Greeting) -> Answer:
        return self.front.html(
            request, "not_yours.html", greeting=greeting, status=403, noindex=True, product=product
        )

    def _gone(self, request: AnyRequest, name: str) -> Answer:
        message = f"You own {name}, but it is not in the shop's catalogue at the moment. Please write to us."
        return self.front.problem(request, 410, "Not here right now", message)

    async def _come_back(self, request: AnyRequest, pid: str, ref: str) -> Answer:
        product = ProductId(pid)
        if request.method == HttpMethod.HEAD:
            # HEAD claims nothing: previews and scanners get the page that says "being confirmed".
            return self._returned(request, product, ref, Settling())
        returned = await self.return_from_payment(self.front.visitor(request), product, ref)
        return self._returned(request, product, ref, returned)

    def _returned(self, request: AnyRequest, pid: ProductId, ref: str, returned: Returned) -> Answer:
        product = self.front.catalogue.current().products.get(pid)
        match returned:
            case Come():
                return see_other(f"/view/{pid}")
            case Elsewhere():
                return self.front.html(request, "elsewhere.html", noindex=True)
            case Settling():
                again = f"/view/{pid}?session_id={quote(ref)}"
                return self.front.html(
                    request, "settling.html", noindex=True, look_again_url=again, product=product
                )
            case WaitForBank():
                return self.front.html(request, "awaiting_bank.html", noindex=True, product=product)
            case Unpaid(status):
                return self.front.html(
                    request, "not_paid.html", noindex=True, product=product, outcome=status
                )
            case HeldBack():
                message = (
                    "The payment does not match what this shop asked for, so the merchant has to look at it first. "
                    "They have been told. If you hear nothing within a day, please write to them."
                )
                return self.front.problem(request, 409, "The merchant has to look at this payment", message)
            case NeverStarted():
                message = (
                    "This shop never started that checkout for this product, so there is nothing to show. "
                    "If you paid, your ticket is in your mail."
                )
                return self.front.problem(
                    request, 404, "We do not know this checkout", message,
                    action_url="/request-login", action_label="Come back with your e-mail address",
                )  # fmt: skip
            case _:
                assert_never(returned)
