"""One order: receipt, invoice, resent access link, and correction of its email address."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, assert_never

from litestar import post, route
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from domain.access import waits
from domain.address_change import ChangeKind, MayNotCorrect
from domain.local_time import day_of
from domain.ports import Clock, PaymentDetails, PaymentsRefused, PaymentsUnreachable
from domain.product import CatalogueEdition
from domain.purchase import Purchase, PurchaseState, Source, began_at, order_number
from domain.usecases.change_address import ChangeAddress
from domain.usecases.change_outcomes import (
    Asked,
    CheckYourNewEmail,
    ConfirmOwner,
    NotSignedIn,
    SameAddress,
    VerifyAgain,
)
from domain.usecases.request_login import NotAnAddress, TooManyRequests
from domain.usecases.resend_access_link import ResendAccessLink, Resent
from domain.usecases.show_receipt import Receipt, ShowReceipt, WithoutOwner
from domain.values import CheckoutId, Money
from entrypoints.http.form_errors import email_error
from entrypoints.http.page import AnyRequest, PageFrame, closing_reason, in_words, seconds_until, see_other
from entrypoints.http.payment_details import KnownDetails, method_words, tax_words
from entrypoints.http.request_body import field_of
from entrypoints.http.responses import RawResponse
from entrypoints.http.sentences import N_, _
from entrypoints.http.shop import PAGE
from entrypoints.run.logs import log_exception

if TYPE_CHECKING:
    from datetime import datetime

    from litestar.handlers import HTTPRouteHandler

_CONFLICT: Final = 409

_MAY_NOT_CORRECT: Final = {
    MayNotCorrect.NOT_HERE: N_(
        "Only the browser that started the checkout can correct the address, until an address is verified in it."
    ),
    MayNotCorrect.ANOTHER_SIGNED_IN: N_(
        "You are signed in with another address. Only the one that you are signed in with can be added here."
    ),
    MayNotCorrect.TOO_LATE: N_("An address can be corrected within half an hour of the payment."),
    MayNotCorrect.ONCE: N_(
        "The address was corrected once already. Please write to us if it is still wrong."
    ),
    MayNotCorrect.CLOSED: N_("This purchase is closed or in dispute, so it needs no address."),
    MayNotCorrect.ENOUGH: N_(
        "You have tried three addresses for this purchase. Please write to us, with your order number."
    ),
}


@dataclass(frozen=True, slots=True)
class OrderPages:
    """Everything under /orders/{order}."""

    frame: PageFrame
    show_receipt: ShowReceipt
    resend_access_link: ResendAccessLink
    change_address: ChangeAddress
    details: KnownDetails
    clock: Clock

    def routes(self) -> list[HTTPRouteHandler]:
        """The handlers of this family."""
        return [
            route("/orders/{order:str}", http_method=PAGE, status_code=200)(self.receipt),
            route("/orders/{order:str}/invoice", http_method=PAGE, status_code=303)(self.invoice),
            post("/orders/{order:str}/access-link", status_code=200)(self.access_link),
            post("/orders/{order:str}/address", status_code=200)(self.address),
        ]

    async def receipt(self, request: AnyRequest, order: FromPath[str]) -> RawResponse:
        """A printable receipt."""
        receipt = await self.show_receipt(self.frame.visitor(request), CheckoutId(order))
        if receipt is None:
            raise NotFoundException
        if isinstance(receipt, WithoutOwner):
            return await self._without_owner(request, receipt)
        return self.frame.html(
            request,
            "receipt.html",
            viewer=await self.frame.viewer(request),
            noindex=True,
            **_receipt_context(receipt, self.frame.catalogue.current(), self.clock.now()),
            **_details_context(await self.details.of(receipt)),
        )

    async def _without_owner(self, request: AnyRequest, order: WithoutOwner) -> RawResponse:
        """Only the form: what was bought and the licence keys show once the purchase has its address."""
        found = order.holding.standing
        return self.frame.html(
            request,
            "name_owner.html",
            viewer=await self.frame.viewer(request),
            noindex=True,
            purchase=order.holding.purchase,
            mailbox=str(order.session.mailbox or ""),
            reason=None if found.state is PurchaseState.LIVE else closing_reason(found, self.frame.zone),
        )

    async def invoice(self, request: AnyRequest, order: FromPath[str]) -> RawResponse:
        """Redirect to the payment provider's invoice."""
        try:
            url = await self.show_receipt.invoice(self.frame.visitor(request), CheckoutId(order))
        except (PaymentsRefused, PaymentsUnreachable) as error:
            log_exception(request, error)
            return self.frame.problem(
                request,
                503,
                _("The invoice cannot be fetched right now"),
                _(
                    "It is kept by the payment service. Your purchase is not affected. Please try again later."
                ),
                action_url=f"/orders/{order}",
                action_label=_("Back to the order"),
                retry_after=60,
            )
        if url is None:
            raise NotFoundException
        return see_other(url)

    async def access_link(self, request: AnyRequest, order: FromPath[str]) -> RawResponse:
        """Email the access link again, to the address that the purchase belongs to."""
        resent = await self.resend_access_link(self.frame.visitor(request), CheckoutId(order))
        match resent:
            case Resent.QUEUED:
                title = _("Your access link is on its way")
                words = _("It goes to the address that this order belongs to.")
            case Resent.ENOUGH:
                title = _("It was sent a moment ago")
                words = _(
                    "Please check your email first, and the spam folder, too. You can ask again in a while."
                )
            case Resent.NOT_YOURS:
                raise NotFoundException
            case _:
                assert_never(resent)
        return self.frame.notice(
            request,
            title,
            words,
            status=429 if resent is Resent.ENOUGH else 200,
            action_url="/library",
            action_label=_("Your library"),
        )

    async def address(self, request: AnyRequest, order: FromPath[str]) -> RawResponse:
        """Correct a wrong address given at the payment, or name one where that could not be emailed."""
        typed = await field_of(request, "email")
        asked = await self.change_address.correct(self.frame.visitor(request), CheckoutId(order), typed)
        back = (f"/orders/{order}", _("Back to the order"))
        return await asked_to_move(self.frame, request, asked, typed=typed, back=back, clock=self.clock)


def _receipt_context(receipt: Receipt, edition: CatalogueEdition, now: datetime) -> dict[str, Any]:
    held = receipt.holding
    purchase = held.purchase
    state = held.standing.state
    noted = purchase.paid_email if purchase.paid_email != purchase.mailbox else None
    began, zone = began_at(order_number(purchase.checkout)), edition.shop.zone
    return {
        "purchase": purchase,
        "ordered": began
        if began is not None and day_of(began, zone) != day_of(purchase.booked_at, zone)
        else None,
        "granted": purchase.source is Source.GRANT,
        "without_owner": purchase.mailbox is None,
        "licences": held.usable_keys(now),
        "opens_at": purchase.opens_at if waits(purchase, now=now) and state is PurchaseState.LIVE else None,
        "names": {item: edition.name_of(item) for item in purchase.contents},
        "has_invoice": receipt.by_payer
        and edition.shop.payment.invoices
        and purchase.provider_ref is not None,
        **_breakdown_context(purchase),
        "refunded": Money(held.refunded, purchase.paid.currency) if held.refunded else None,
        "charged_back": Money(held.charged_back, purchase.paid.currency) if held.charged_back else None,
        "left": Money(purchase.paid.amount - held.refunded - held.charged_back, purchase.paid.currency),
        "reason": None if state is PurchaseState.LIVE else closing_reason(held.standing, edition.shop.zone),
        # Who owns it now is for a browser that verified the address. The one that paid is shown what was typed there.
        "owner": purchase.mailbox if receipt.by_owner else None,
        "paid_with": noted if receipt.by_payer else receipt.paid_here_with,
    }


def _breakdown_context(purchase: Purchase) -> dict[str, Any]:
    found, currency = purchase.breakdown, purchase.paid.currency
    return {
        "discount": Money(found.discount, currency) if found.discount else None,
        "tax": Money(found.tax, currency) if found.tax else None,
        "tax_on_top": found.tax_on_top,
    }


def _details_context(details: PaymentDetails | None) -> dict[str, Any]:
    return {
        "method": "" if details is None else method_words(details),
        "taxes": [] if details is None else [tax_words(line) for line in details.taxes],
    }


def verify_again(frame: PageFrame, request: AnyRequest) -> RawResponse:
    """Irreversible actions require a verification within the last hour."""
    return frame.notice(
        request,
        _("Please sign in again first"),
        _(
            "This affects everything you bought, so it needs a sign-in of the last hour in this browser. "
            "Ask for a sign-in link, use it here, and come back."
        ),
        status=403,
        action_url="/request-login",
        action_label=_("Email me a sign-in link"),
    )


async def asked_to_move(
    frame: PageFrame, request: AnyRequest, asked: Asked, *, typed: str, back: tuple[str, str], clock: Clock
) -> RawResponse:
    """The answer to a change of address; `back` is the URL and label of the link to continue.

    What was typed is in the field again if it is no email address.
    """
    url, label = back
    match asked:
        case CheckYourNewEmail(kind):
            moving = "account" if kind is ChangeKind.CHANGE else "order"
            return frame.html(request, "check_mail.html", noindex=True, error=None, moving=moving, back=url)
        case ConfirmOwner():
            return frame.html(request, "check_mail.html", noindex=True, error=None, moving="owner", back=url)
        case VerifyAgain():
            return verify_again(frame, request)
        case SameAddress():
            title, words, status = _("That is the address already"), _("There is nothing to change."), 200
        case NotAnAddress(problem):
            return frame.html(
                request, "address_again.html", status=400, noindex=True, action=request.url.path, email=typed,
                error=email_error(problem), back=url, back_label=label,
            )  # fmt: skip
        case MayNotCorrect():
            title, words, status = _("The address stays"), _(_MAY_NOT_CORRECT[asked]), _CONFLICT
        case NotSignedIn():
            return see_other("/request-login")
        case TooManyRequests(until):
            seconds = seconds_until(until, now=clock.now())
            words = _(
                "Your network asked for many emails. Please try again in %(wait)s.", wait=in_words(seconds)
            )
            return frame.problem(request, 429, _("A moment, please"), words, retry_after=seconds)
        case _:
            assert_never(asked)
    return frame.notice(request, title, words, status=status, action_url=url, action_label=label)
