"""The page of a purchase: the return from the payment page, and the product itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, assert_never
from urllib.parse import quote

from litestar import HttpMethod, route
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, FromQuery

from domain.access import Closed, NotYours, Opens, Waits
from domain.claim import AwaitingPayment, NotPaid, Rejected
from domain.product import Product
from domain.purchase import Purchase, Standing
from domain.typing_mistakes import likely_meant
from domain.usecases.identify_viewer import Viewer
from domain.usecases.open_purchase import Opened, OpenPurchase
from domain.usecases.return_from_payment import ReturnFromPayment
from domain.usecases.return_outcomes import Claimed, Confirming, Returned, UnknownCheckout
from domain.values import ProductId, mask
from entrypoints.http.page import AnyRequest, PageFrame, closing_reason, see_other
from entrypoints.http.prefetch import is_opening
from entrypoints.http.responses import RawResponse
from entrypoints.http.sentences import N_, _
from entrypoints.http.shop import PAGE

if TYPE_CHECKING:
    from datetime import datetime

    from litestar.handlers import HTTPRouteHandler


NOT_HERE: Final = N_("Not here right now")


def not_here_reason(product_name: str) -> str:
    """Why a purchase cannot be opened: the catalogue has its product in no form."""
    return _(
        "You own %(name)s, but it is not in the shop's catalogue at the moment. Please write to us.",
        name=product_name,
    )


@dataclass(frozen=True, slots=True)
class PurchasePages:
    """GET /view, with and without the payment page's session id."""

    frame: PageFrame
    return_from_payment: ReturnFromPayment
    open_purchase: OpenPurchase

    def routes(self) -> list[HTTPRouteHandler]:
        """The handlers of this family."""
        return [route("/view/{pid:str}", http_method=PAGE, status_code=200)(self.view)]

    async def view(
        self, request: AnyRequest, pid: FromPath[str], session_id: FromQuery[str | None] = None
    ) -> RawResponse:
        """The purchased product; with `session_id`, the return from the payment page."""
        if session_id is not None:
            return await self._come_back(request, pid, session_id)
        opened = await self.open_purchase(self.frame.visitor(request), ProductId(pid))
        edition = self.frame.catalogue.current()
        product = edition.products.get(ProductId(pid))
        match opened.access:
            case NotYours():
                unowned = [held.purchase for held in opened.viewer.without_owner]
                order = next((one.checkout for one in unowned if pid in one.products), None)
                if order is not None:
                    return see_other(f"/orders/{order}")
                shown = edition.shown(ProductId(pid))
                if shown is None:
                    raise NotFoundException
                return not_yours(self.frame, request, shown, opened.viewer)
            case Closed(purchase, standing):
                return closed(self.frame, request, purchase, standing, opened.viewer)
            case Waits(purchase) if product is not None:
                return self._show(request, product, purchase, opened, opens_at=purchase.opens_at)
            case Opens(purchase) | Waits(purchase):
                if product is None:
                    return self._gone(request, purchase)
                if is_opening(request):
                    await self.open_purchase.note(purchase)
                return self._show(request, product, purchase, opened)

    def _show(
        self,
        request: AnyRequest,
        product: Product,
        purchase: Purchase,
        opened: Opened,
        *,
        opens_at: datetime | None = None,
    ) -> RawResponse:
        """`opens_at`: of one that waits, whose content and files are not shown before."""
        edition = self.frame.catalogue.current()
        session = opened.viewer.session
        return self.frame.html(
            request,
            "view.html",
            viewer=opened.viewer,
            product=product,
            purchase=purchase,
            opens_at=opens_at,
            by_checkout=session is not None and session.mailbox is None,
            without_owner=opened.without_owner,
            access_email=opened.access_email,
            correctable=opened.correctable,
            sent_to=opened.sent_to,
            meant=None if opened.sent_to is None else likely_meant(opened.sent_to),
            contents=[edition.products[item] for item in purchase.contents if item in edition.products]
            if purchase.product == product.id
            else [],
            licences=[item.key for item in purchase.licences if item.product == product.id],
        )

    def _gone(self, request: AnyRequest, purchase: Purchase) -> RawResponse:
        return self.frame.problem(
            request,
            410,
            _(NOT_HERE),
            not_here_reason(purchase.product_name),
            action_url=f"/orders/{purchase.checkout}",
            action_label=_("See the receipt"),
        )

    async def _come_back(self, request: AnyRequest, pid: str, ref: str) -> RawResponse:
        product = ProductId(pid)
        if request.method == HttpMethod.HEAD:
            # HEAD claims nothing: previews and scanners get the page "being confirmed".
            return self._returned(request, product, ref, Confirming())
        returned = await self.return_from_payment(self.frame.visitor(request), product, ref)
        return self._returned(request, product, ref, returned)

    def _returned(self, request: AnyRequest, pid: ProductId, ref: str, returned: Returned) -> RawResponse:
        product = self.frame.catalogue.current().shown(pid)
        match returned:
            case Claimed(here=True):
                return see_other(f"/view/{pid}")
            case Claimed(_, sent_to, emailed, unowned):
                masked = None if sent_to is None else mask(sent_to)
                return self.frame.html(
                    request, "elsewhere.html", noindex=True, sent_to=masked, emailed=emailed, unowned=unowned
                )
            case Confirming():
                again = f"/view/{pid}?session_id={quote(ref)}"
                return self.frame.html(
                    request, "settling.html", noindex=True, look_again_url=again, product=product
                )
            case AwaitingPayment():
                return self.frame.html(request, "awaiting_bank.html", noindex=True, product=product)
            case NotPaid(status):
                return self.frame.html(
                    request, "not_paid.html", noindex=True, product=product, outcome=status
                )
            case Rejected():
                message = _(
                    "The payment does not match what this shop asked for, so the merchant has to look at it first. "
                    "If you hear nothing within a day, please write to them."
                )
                return self.frame.problem(
                    request, 409, _("The merchant has to look at this payment"), message
                )
            case UnknownCheckout():
                return self._unknown_checkout(request)
            case _:
                assert_never(returned)

    def _unknown_checkout(self, request: AnyRequest) -> RawResponse:
        message = _(
            "This shop has no such checkout for this product, so there is nothing to show. "
            "If you have paid here, sign in with the email address that you used."
        )
        return self.frame.problem(
            request,
            404,
            _("We do not know this checkout"),
            message,
            action_url="/request-login",
            action_label=_("Sign in with your email address"),
        )


def not_yours(frame: PageFrame, request: AnyRequest, product: Product, viewer: Viewer) -> RawResponse:
    """The page of a product for a browser without proof of a purchase."""
    return frame.html(request, "not_yours.html", viewer=viewer, status=403, noindex=True, product=product)


def waiting(frame: PageFrame, request: AnyRequest, purchase: Purchase) -> RawResponse:
    """A file of a purchase that does not open yet: when it does."""
    return frame.html(request, "waits.html", status=403, noindex=True, purchase=purchase)


def closed(
    frame: PageFrame,
    request: AnyRequest,
    purchase: Purchase,
    standing: Standing,
    viewer: Viewer | None = None,
) -> RawResponse:
    """The page of a closed purchase, with the reason."""
    return frame.html(
        request,
        "closed.html",
        viewer=viewer,
        status=403,
        noindex=True,
        product_name=purchase.product_name,
        order=purchase.checkout,
        reason=closing_reason(standing, frame.zone),
    )
