"""Actions on one sale: refund, close, restore, resend, correct its address, replace its key, note."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import tzinfo
from typing import TYPE_CHECKING, Final

from litestar import post, route
from litestar.params import FromPath

from domain.audit import AuditAction
from domain.fact import MerchantStatus
from domain.refund import RefundCause
from domain.rights import NotAllowed
from domain.usecases.correct_address import CorrectAddress
from domain.usecases.decision_outcomes import Decided, Deciding, Unchanged
from domain.usecases.look_at_decision import DecisionSeen, LookAtDecision
from domain.usecases.look_at_sale import LookAtSale, SaleSeen
from domain.usecases.refund_outcomes import NotAnAmount, NotRefunded, RefundAsked
from domain.usecases.replace_key import KeyReplaced, NotReplaced, ReplaceKey
from domain.usecases.request_login import NotAnAddress
from domain.usecases.request_refund import RequestRefund
from domain.usecases.resend_outcomes import AccessQueued, NotSent
from domain.usecases.resend_to_customer import ResendToCustomer
from domain.usecases.restore_purchase import RestorePurchase
from domain.usecases.revoke_purchase import RevokePurchase
from domain.usecases.staff_change import ChangeAsked, NotChanged
from domain.usecases.write_note import Noted, NotNoted, WriteNote
from domain.values import CheckoutId, ProductId
from entrypoints.admin import act_words, notices, sale_sheets
from entrypoints.admin.desk import Desk, Done, Outcome, Sheet, Submitted
from entrypoints.admin.refund_right import RefundRight
from entrypoints.http.form_errors import email_error
from entrypoints.http.page import AnyRequest
from entrypoints.http.responses import RawResponse
from entrypoints.http.sentences import N_, _
from entrypoints.http.shop import PAGE

if TYPE_CHECKING:
    from litestar.handlers import HTTPRouteHandler

_SALE: Final = "/admin/sales/{order:str}"
_SEVERAL: Final = N_("There is no such order any more.")
Working = Callable[[CheckoutId, Submitted], Awaitable[Outcome]]
MakeSheet = Callable[[SaleSeen], Sheet | Awaitable[Sheet]]


@dataclass(frozen=True, slots=True)
class SaleActionPages:
    """Each is a page and its form, at the address of the sale."""

    desk: Desk
    look: LookAtSale
    look_at_decision: LookAtDecision
    may_refund: RefundRight
    request_refund: RequestRefund
    revoke: RevokePurchase
    restore: RestorePurchase
    resend: ResendToCustomer
    correct: CorrectAddress
    replace: ReplaceKey
    note: WriteNote

    def routes(self) -> list[HTTPRouteHandler]:
        """The handlers of this family."""
        pages = (
            ("refund", self.refund_page, self.refund_sent),
            ("revoke", self.revoke_page, self.revoke_sent),
            ("restore", self.restore_page, self.restore_sent),
            ("resend", self.resend_page, self.resend_sent),
            ("address", self.address_page, self.address_sent),
            ("key", self.key_page, self.key_sent),
            ("note", self.note_page, self.note_sent),
        )
        return [
            handler
            for name, page, sent in pages
            for handler in (
                route(f"{_SALE}/{name}", http_method=PAGE, status_code=200)(page),
                post(f"{_SALE}/{name}", status_code=303)(sent),
            )
        ]

    # ------------------------------------------------------------------ money and access

    async def refund_page(self, request: AnyRequest, order: FromPath[str]) -> RawResponse:
        """How much, and whether access ends."""
        may, fraud = (
            await self.may_refund(),
            request.query_params.get("cause") == RefundCause.FRAUDULENT.value,
        )
        return await self._opened(
            request, order, lambda sale: sale_sheets.refund_sheet(sale, may_refund=may, fraudulent=fraud)
        )

    async def refund_sent(self, request: AnyRequest, order: FromPath[str]) -> RawResponse:
        """Ask for a refund; Stripe is asked after the answer."""
        return await self._sent(
            request, order, AuditAction.REFUND, lambda sale: sale_sheets.refund_sheet(sale, may_refund=True),
            self._refund,
        )  # fmt: skip

    async def _refund(self, order: CheckoutId, came: Submitted) -> Outcome:
        typed = came.fields.get("amount", "").strip()
        if not typed:
            return _("Please write the amount.")
        found = await self.request_refund(
            order, typed, actor=came.actor, form=came.form, reason=came.reason, close=came.has("close"),
            tell=came.has("tell"), cause=RefundCause.FRAUDULENT if came.has("fraudulent") else RefundCause.REQUESTED,
        )  # fmt: skip
        match found:
            case RefundAsked():
                return _done(order, notices.after_refund(found))
            case NotAllowed():
                return found
            case NotRefunded() | NotAnAmount():
                return act_words.not_refunded(found)
            case _:
                return _(_SEVERAL)

    async def revoke_page(self, request: AnyRequest, order: FromPath[str]) -> RawResponse:
        """Close a sale."""
        return await self._opened(request, order, self._revoke_sheet)

    async def revoke_sent(self, request: AnyRequest, order: FromPath[str]) -> RawResponse:
        """It is closed."""

        async def work(order: CheckoutId, came: Submitted) -> Outcome:
            found = await self.revoke(
                order, actor=came.actor, form=came.form, reason=came.reason, tell=came.has("tell")
            )
            return _decided(found, order, lambda _closed: "revoked")

        return await self._sent(request, order, AuditAction.REVOKE, self._revoke_sheet, work)

    async def restore_page(self, request: AnyRequest, order: FromPath[str]) -> RawResponse:
        """Take that back."""
        return await self._opened(request, order, self._restore_sheet)

    async def restore_sent(self, request: AnyRequest, order: FromPath[str]) -> RawResponse:
        """It is not closed by hand any more."""

        async def work(order: CheckoutId, came: Submitted) -> Outcome:
            found = await self.restore(
                order, actor=came.actor, form=came.form, reason=came.reason, tell=came.has("tell")
            )
            return _decided(found, order, notices.after_restoring)

        return await self._sent(request, order, AuditAction.RESTORE, self._restore_sheet, work)

    async def _revoke_sheet(self, sale: SaleSeen) -> Sheet:
        after = await self._after(sale, MerchantStatus.REVOKED)
        return sale_sheets.revoke_sheet(sale, after, self._zone)

    async def _restore_sheet(self, sale: SaleSeen) -> Sheet:
        after = await self._after(sale, MerchantStatus.RESTORED)
        return sale_sheets.restore_sheet(sale, after, self._zone)

    async def _after(self, sale: SaleSeen, status: MerchantStatus) -> DecisionSeen:
        found = await self.look_at_decision(sale.held.purchase.checkout, status)
        return found or DecisionSeen(standing=sale.held.standing, to=None, letter=None)

    @property
    def _zone(self) -> tzinfo:
        return self.desk.frame.catalogue.current().shop.zone

    # ------------------------------------------------------------------ the customer

    async def resend_page(self, request: AnyRequest, order: FromPath[str]) -> RawResponse:
        """To whom the link goes."""
        return await self._opened(request, order, sale_sheets.resend_sheet)

    async def resend_sent(self, request: AnyRequest, order: FromPath[str]) -> RawResponse:
        """It is on its way."""

        async def work(order: CheckoutId, came: Submitted) -> Outcome:
            found = await self.resend(order, actor=came.actor, form=came.form)
            match found:
                case AccessQueued():
                    return _done(order, "resent")
                case NotSent():
                    return act_words.not_sent(found)
                case NotAllowed():
                    return found
                case _:
                    return _(_SEVERAL)

        return await self._sent(request, order, AuditAction.RESEND, sale_sheets.resend_sheet, work)

    async def address_page(self, request: AnyRequest, order: FromPath[str]) -> RawResponse:
        """Which address is the right one of this order."""
        return await self._opened(request, order, sale_sheets.address_sheet)

    async def address_sent(self, request: AnyRequest, order: FromPath[str]) -> RawResponse:
        """Both addresses are emailed."""

        async def work(order: CheckoutId, came: Submitted) -> Outcome:
            found = await self.correct.order(
                order, came.fields.get("email", ""), actor=came.actor, form=came.form, reason=came.reason
            )
            match found:
                case ChangeAsked():
                    return _done(order, "address")
                case NotAllowed():
                    return found
                case NotAnAddress(problem):
                    return email_error(problem)
                case NotChanged():
                    return act_words.not_changed(found)
                case _:
                    return _(_SEVERAL)

        return await self._sent(request, order, AuditAction.CORRECT_ADDRESS, sale_sheets.address_sheet, work)

    async def key_page(self, request: AnyRequest, order: FromPath[str]) -> RawResponse:
        """Which key is replaced."""
        return await self._opened(request, order, sale_sheets.key_sheet)

    async def key_sent(self, request: AnyRequest, order: FromPath[str]) -> RawResponse:
        """The order has another key."""

        async def work(order: CheckoutId, came: Submitted) -> Outcome:
            product = came.fields.get("product", "")
            found = await self.replace(
                order, ProductId(product) if product else None, actor=came.actor, form=came.form,
                reason=came.reason,
            )  # fmt: skip
            match found:
                case KeyReplaced():
                    return _done(order, notices.after_replacing(found))
                case NotAllowed():
                    return found
                case NotReplaced():
                    return act_words.not_replaced(found)
                case _:
                    return _(_SEVERAL)

        return await self._sent(request, order, AuditAction.REPLACE_KEY, sale_sheets.key_sheet, work)

    async def note_page(self, request: AnyRequest, order: FromPath[str]) -> RawResponse:
        """The note of the sale."""
        return await self._opened(request, order, sale_sheets.note_sheet)

    async def note_sent(self, request: AnyRequest, order: FromPath[str]) -> RawResponse:
        """It is saved."""

        async def work(order: CheckoutId, came: Submitted) -> Outcome:
            found = await self.note(order, came.fields.get("text", ""), actor=came.actor, form=came.form)
            match found:
                case Noted():
                    return _done(order, "note")
                case NotAllowed():
                    return found
                case NotNoted():
                    return act_words.not_noted(found)
                case _:
                    return _(_SEVERAL)

        return await self._sent(request, order, AuditAction.WRITE_NOTE, sale_sheets.note_sheet, work)

    # ------------------------------------------------------------------ what they share

    async def _opened(self, request: AnyRequest, order: str, sheet_of: MakeSheet) -> RawResponse:
        here = await self.desk.frame.here(request)
        if isinstance(here, RawResponse):
            return here
        sale = await self.look(CheckoutId(order))
        if sale is None:
            return self.desk.missing(request, here, _("There is no such order."), back="/admin/sales")
        return self.desk.opened(request, here, await _made(sheet_of, sale))

    async def _sent(
        self,
        request: AnyRequest,
        order: str,
        action: AuditAction,
        sheet_of: MakeSheet,
        work: Working,
    ) -> RawResponse:
        here = await self.desk.frame.here(request)
        if isinstance(here, RawResponse):
            return here
        came = await self.desk.submitted(request, here, action, order)
        if isinstance(came, RawResponse):
            return came
        sale = await self.look(CheckoutId(order), form=came.form)
        if sale is None:
            return self.desk.missing(request, here, _("There is no such order."), back="/admin/sales")
        changes = sale_sheets.changes(came.fields.get("seen", ""), sale)
        found = sale.held.purchase.checkout
        return await self.desk.act(
            request,
            here,
            came,
            await _made(sheet_of, sale),
            changes=changes,
            work=lambda form: work(found, form),
        )


async def _made(sheet_of: MakeSheet, sale: SaleSeen) -> Sheet:
    made = sheet_of(sale)
    return made if isinstance(made, Sheet) else await made


def _done(order: CheckoutId, word: str) -> Done:
    return Done(f"/admin/sales/{order}", word)


def _decided(found: Deciding, order: CheckoutId, word: Callable[[Decided], str]) -> Outcome:
    match found:
        case Decided():
            return _done(order, word(found))
        case NotAllowed():
            return found
        case Unchanged():
            return act_words.not_decided(found)
        case _:
            return _(_SEVERAL)
