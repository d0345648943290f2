"""The page of a product again, whose form was submitted in vain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from domain.amounts import AmountProblem
from domain.ports import Clock
from domain.product import BadAmount, Product
from domain.usecases.check_stock import CheckStock
from domain.usecases.code_links import CodeLinks
from domain.waiver import WaiverMissing
from entrypoints.http.form_errors import amount_error
from entrypoints.http.page import AnyRequest, PageFrame
from entrypoints.http.product_context import NO_CODE, Carried, carried_by, product_context
from entrypoints.http.responses import RawResponse
from entrypoints.http.sentences import _
from entrypoints.http.waiver_form import boxes_of


@dataclass(frozen=True, slots=True)
class ProductAgain:
    """What was entered is kept. Nothing was charged."""

    frame: PageFrame
    sold_out: CheckStock
    code_links: CodeLinks
    clock: Clock

    async def wrong_amount(
        self, request: AnyRequest, product: Product, form: Mapping[str, str], why: BadAmount
    ) -> RawResponse:
        """The product's page again, with the price entered and why it cannot be charged.

        What was typed stays in the field only while it still means the same: in the currency it was typed for.
        """
        error = amount_error(why)
        if why.problem is AmountProblem.NOT_OFFERED:
            return await self._again(request, product, form, 400, error=error)
        typed, currency = form.get("amount", "")[:20], why.least.currency
        return await self._again(request, product, form, 400, currency, error=error, typed=typed)

    async def code_not_taken(
        self, request: AnyRequest, product: Product, form: Mapping[str, str]
    ) -> RawResponse:
        """The product's page again, at the usual price."""
        error = _(
            "This promotion code cannot be used any more. Nothing was charged. Below is the usual price."
        )
        return await self._again(request, product, form, 409, form.get("currency", ""), error=error)

    async def waiver_needed(
        self, request: AnyRequest, product: Product, form: Mapping[str, str], missing: WaiverMissing
    ) -> RawResponse:
        """The product's page again, as it was filled in."""
        currency = form.get("currency", "") or self.frame.currency(request, self.frame.catalogue.current())
        carried = carried_by(form.get("code") or None, product, currency, code_links=self.code_links)
        typed = {"typed": form["amount"][:20]} if "amount" in form else {}
        return await self._again(request, product, form, 422, currency, carried, missing, **typed)

    async def _again(
        self,
        request: AnyRequest,
        product: Product,
        form: Mapping[str, str],
        status: int,
        currency: str = "",
        carried: Carried = NO_CODE,
        missing: WaiverMissing | None = None,
        **told: str,
    ) -> RawResponse:
        """The product's page, whose form was submitted in vain. `currency`: of its price; "" for the visitor's."""
        edition, now = self.frame.catalogue.current(), self.clock.now()
        context = product_context(
            product, edition, currency or self.frame.currency(request, edition),
            now=now,
            waiting=edition.waiting(now=now), carried=carried, boxes=boxes_of(form), missing=missing,
        )  # fmt: skip
        return self.frame.html(
            request,
            "product.html",
            viewer=await self.frame.viewer(request),
            status=status,
            noindex=True,
            owned=False,
            sold_out=product.id in await self.sold_out((product,)),
            **{**context, **told},
        )
