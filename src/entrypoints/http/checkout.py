"""From Buy to the payment page or, for free products, straight to the product."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never

from litestar import post, route
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from domain.ports import Clock
from domain.product import Product, Saleability
from domain.usecases.checkout_outcomes import (
    AddressNeeded,
    AlreadyYours,
    CodeNotTaken,
    ConfirmationEmailed,
    FreeOrderBooked,
    NoSuchProduct,
    NotForSale,
    NotFree,
    NothingToPay,
    RedirectToPayment,
    TooManyCheckouts,
    TooManyOrders,
    WaiverNeeded,
    WrongAmount,
)
from domain.usecases.order_free import OrderFree
from domain.usecases.start_checkout import StartCheckout
from domain.values import EmailProblem, ProductId
from domain.waiver import WaiverMissing
from entrypoints.http.dates import opening
from entrypoints.http.form_errors import email_error
from entrypoints.http.page import AnyRequest, PageFrame, in_words, seconds_until, see_other
from entrypoints.http.product_again import ProductAgain
from entrypoints.http.product_context import carried_by
from entrypoints.http.request_body import form_of
from entrypoints.http.responses import RawResponse
from entrypoints.http.sentences import _
from entrypoints.http.shop import PAGE, ShopPages
from entrypoints.http.speech import ROOT
from entrypoints.http.waiver_form import boxes_of, waiver_form

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from litestar.handlers import HTTPRouteHandler


@dataclass(frozen=True, slots=True)
class CheckoutPages:
    """POST /buy."""

    frame: PageFrame
    shop: ShopPages
    product_again: ProductAgain
    start_checkout: StartCheckout
    order_free: OrderFree
    clock: Clock

    def routes(self) -> list[HTTPRouteHandler]:
        """The handlers of this family."""
        return [
            post("/buy/{pid:str}", status_code=303)(self.buy),
            route("/buy/{pid:str}", http_method=PAGE, status_code=200)(self.offer),
        ]

    async def offer(self, request: AnyRequest, pid: FromPath[str]) -> RawResponse:
        """A GET shows the product and buys nothing."""
        return await self.shop.product_page(request, pid)

    async def buy(self, request: AnyRequest, pid: FromPath[str]) -> RawResponse:
        """Start a checkout and go to the payment page."""
        form = await form_of(request)
        started = await self.start_checkout(
            self.frame.visitor(request),
            ProductId(pid),
            again=form.get("again") == "yes",
            currency=form.get("currency", ""),
            amount=form.get("amount", ""),
            code=form.get("code", ""),
            boxes=boxes_of(form),
            language=self.frame.speech.spoken,
        )
        match started:
            case RedirectToPayment(url, new_token, checkout, proof):
                cookies = self.frame.cookies.checkout(request, checkout, proof)
                if new_token is not None:
                    cookies.append(self.frame.cookies.session(new_token))
                if self.frame.speech.spoken and not self.frame.cookies.language(request):
                    cookies.append(self.frame.cookies.in_language(self.frame.speech.spoken))
                return see_other(url, *cookies)
            case NoSuchProduct():
                raise NotFoundException
            case NothingToPay():
                return await self._take(request, pid, form)
            case WrongAmount() | CodeNotTaken() | WaiverNeeded() | AlreadyYours():
                return await self._ask_again(request, form, started)
            case NotForSale(product, why):
                return self._not_for_sale(request, product, why)
            case TooManyCheckouts(until):
                return self._too_many(request, pid, until)
            case _:
                assert_never(started)

    async def _ask_again(
        self,
        request: AnyRequest,
        form: Mapping[str, str],
        why: WrongAmount | CodeNotTaken | WaiverNeeded | AlreadyYours,
    ) -> RawResponse:
        match why:
            case WrongAmount(product, bad):
                return await self.product_again.wrong_amount(request, product, form, bad)
            case CodeNotTaken(product):
                return await self.product_again.code_not_taken(request, product, form)
            case WaiverNeeded(product, missing, again) if again is None:
                return await self.product_again.waiver_needed(request, product, form, missing)
            case WaiverNeeded(product, missing, again):
                pending = again is not None and again.pending
                return await self._buy_again(request, product, form, pending=pending, missing=missing)
            case AlreadyYours(product, pending):
                return await self._buy_again(request, product, form, pending=pending)
            case _:
                assert_never(why)

    async def _take(self, request: AnyRequest, pid: str, form: Mapping[str, str]) -> RawResponse:
        """Give a free product to a verified mailbox; without one, ask for an address first."""
        taken = await self.order_free(
            self.frame.visitor(request),
            ProductId(pid),
            currency=form.get("currency", ""),
            amount=form.get("amount", ""),
            email=form.get("email"),
            again=form.get("again") == "yes",
            language=self.frame.speech.spoken,
        )
        match taken:
            case FreeOrderBooked(product):
                return see_other(f"/view/{product.id}")
            case AddressNeeded(product, problem):
                return await self._ask_whose(request, product, form, problem)
            case ConfirmationEmailed(product, new_token):
                answer = self.frame.html(
                    request,
                    "check_mail.html",
                    noindex=True,
                    error=None,
                    ordered=product.name,
                    back=f"{ROOT.get()}/products/{product.id}",
                )
                if new_token is not None:
                    answer.add(*self.frame.cookies.session(new_token))
                return answer
            case AlreadyYours(product, pending):
                return await self._buy_again(request, product, form, pending=pending)
            case NotForSale(product, why):
                return self._not_for_sale(request, product, why)
            case TooManyOrders(until):
                return self._too_many(request, pid, until)
            case NoSuchProduct() | NotFree():  # its price was edited between the two
                raise NotFoundException
            case _:
                assert_never(taken)

    async def _ask_whose(
        self, request: AnyRequest, product: Product, form: Mapping[str, str], problem: EmailProblem | None
    ) -> RawResponse:
        return self.frame.html(
            request,
            "whose_is_it.html",
            viewer=await self.frame.viewer(request),
            status=200 if problem is None else 400,
            noindex=True,
            product=product,
            kept={name: form[name] for name in ("currency", "amount", "again") if name in form},
            email=form.get("email", "")[:254],
            error="" if problem is None else email_error(problem),
        )

    async def _buy_again(
        self,
        request: AnyRequest,
        product: Product,
        form: Mapping[str, str],
        *,
        pending: bool,
        missing: WaiverMissing | None = None,
    ) -> RawResponse:
        """Ask before it is bought a second time; `pending`: the first payment is still under way."""
        price = product.price_in(form.get("currency", ""))
        code_links = self.start_checkout.code_links
        carried = carried_by(form.get("code") or None, product, price.currency, code_links=code_links)
        shop, now = self.frame.catalogue.current().shop, self.clock.now()
        return self.frame.html(
            request,
            "buy_again.html",
            viewer=await self.frame.viewer(request),
            status=200 if missing is None else 422,
            noindex=True,
            product=product,
            pending=pending,
            price=price if carried.left is None else carried.left,
            waiver=waiver_form(shop, now, product, price, boxes_of(form), missing),
            kept={name: form[name] for name in ("currency", "amount", "code") if name in form},
        )

    def _not_for_sale(self, request: AnyRequest, product: Product, why: Saleability) -> RawResponse:
        match why:
            case Saleability.SOLD_OUT:
                status, title = 410, _("Sold out")
                message = _("Every copy of %(name)s has been sold. Nothing was charged.", name=product.name)
            case Saleability.RETIRED:
                status, title = 410, _("No longer sold")
                message = _("%(name)s is no longer sold. Nothing was charged.", name=product.name)
            case Saleability.NOT_YET if product.available_from is not None:
                when = opening(product.available_from, self.frame.zone)
                status, title = 409, _("On sale from %(moment)s", moment=when)
                message = _("%(name)s cannot be bought before then. Nothing was charged.", name=product.name)
            case Saleability.NOT_YET | Saleability.NOT_ON_SALE | Saleability.ON_SALE:
                status, title = 404, _("Not for sale at the moment")
                message = _("%(name)s cannot be bought right now. Nothing was charged.", name=product.name)
            case _:
                assert_never(why)
        return self.frame.problem(request, status, title, message)

    def _too_many(self, request: AnyRequest, pid: str, until: datetime) -> RawResponse:
        seconds = seconds_until(until, now=self.clock.now())
        message = _(
            "Many orders were started just now. Please try again in %(wait)s. Nothing was charged.",
            wait=in_words(seconds),
        )
        return self.frame.problem(
            request,
            429,
            _("A moment, please"),
            message,
            action_url=f"{ROOT.get()}/products/{pid}",
            action_label=_("Back to the product"),
            retry_after=seconds,
        )
