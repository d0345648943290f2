"""Actions on one customer: correct the address, merge, sign out, delete; a free copy; and booking a payment."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from litestar import post, route
from litestar.params import FromPath

from domain.audit import AuditAction
from domain.ports import PaymentsRefused, PaymentsUnreachable
from domain.rights import NotAllowed
from domain.staff import Role
from domain.usecases.book_payment import Bookable, BookPayment, NotBooked, PaymentBooked
from domain.usecases.correct_address import CorrectAddress
from domain.usecases.erase_customer import CustomerErased, EraseCustomer, NotErased
from domain.usecases.grant_outcomes import Granted, HasItAlready
from domain.usecases.grant_product import GrantProduct
from domain.usecases.look_at_sale import CustomerSeen, LookAtCustomer
from domain.usecases.merge_customers import MergeCustomers
from domain.usecases.request_login import NotAnAddress
from domain.usecases.sign_out_customer import SignedOutByHand, SignOutCustomer
from domain.usecases.staff_change import ChangeAsked, Changing, NotChanged
from domain.values import ProductId
from entrypoints.admin import act_words, customer_sheets, notices
from entrypoints.admin.desk import AskAgain, Desk, Done, Outcome, Sheet, Submitted
from entrypoints.http.form_errors import email_error
from entrypoints.http.page import AnyRequest
from entrypoints.http.responses import RawResponse
from entrypoints.http.sentences import N_, _
from entrypoints.http.shop import PAGE

if TYPE_CHECKING:
    from litestar.handlers import HTTPRouteHandler

    from domain.usecases.staff_access import SignedInStaff

_CUSTOMER: Final = "/admin/customers/{user:str}"
_CUSTOMERS: Final = "/admin/customers"
_GONE: Final = N_(
    "There is no such customer. They may have another address by now, or had their data deleted."
)
_AWAY: Final = N_("Stripe does not answer right now, so nothing was booked. It stays in quarantine.")
Working = Callable[[CustomerSeen, Submitted], Awaitable[Outcome]]


@dataclass(frozen=True, slots=True)
class CustomerActionPages:
    """Each is a page and its form, at the address of the customer."""

    desk: Desk
    look: LookAtCustomer
    correct: CorrectAddress
    merge: MergeCustomers
    sign_out: SignOutCustomer
    erase: EraseCustomer
    grant: GrantProduct
    book: BookPayment

    def routes(self) -> list[HTTPRouteHandler]:
        """The handlers of this family."""
        pages = (
            (f"{_CUSTOMER}/address", self.address_page, self.address_sent),
            (f"{_CUSTOMER}/merge", self.merge_page, self.merge_sent),
            (f"{_CUSTOMER}/sign-out", self.sign_out_page, self.sign_out_sent),
            (f"{_CUSTOMER}/erase", self.erase_page, self.erase_sent),
            (customer_sheets.GRANT, self.grant_page, self.grant_sent),
            ("/admin/payments/{ref:str}/book", self.book_page, self.book_sent),
        )
        return [
            handler
            for path, page, sent in pages
            for handler in (
                route(path, http_method=PAGE, status_code=200)(page),
                post(path, status_code=303)(sent),
            )
        ]

    # ------------------------------------------------------------------ addresses

    async def address_page(self, request: AnyRequest, user: FromPath[str]) -> RawResponse:
        """Which address is the right one."""
        return await self._opened(request, user, customer_sheets.address_sheet)

    async def address_sent(self, request: AnyRequest, user: FromPath[str]) -> RawResponse:
        """Both addresses are emailed."""

        async def work(seen: CustomerSeen, came: Submitted) -> Outcome:
            found = await self.correct.customer(
                seen.user.id,
                came.fields.get("email", ""),
                actor=came.actor,
                form=came.form,
                reason=came.reason,
            )
            return _changing(found, seen)

        return await self._sent(
            request, user, AuditAction.CORRECT_ADDRESS, customer_sheets.address_sheet, work
        )

    async def merge_page(self, request: AnyRequest, user: FromPath[str]) -> RawResponse:
        """Into whom."""
        return await self._opened(request, user, customer_sheets.merge_sheet)

    async def merge_sent(self, request: AnyRequest, user: FromPath[str]) -> RawResponse:
        """Both addresses are emailed."""

        async def work(seen: CustomerSeen, came: Submitted) -> Outcome:
            into = came.fields.get("email", "")
            found = await self.merge(seen.user.id, into, actor=came.actor, form=came.form, reason=came.reason)
            return _changing(found, seen)

        return await self._sent(request, user, AuditAction.MERGE_CUSTOMERS, customer_sheets.merge_sheet, work)

    # ------------------------------------------------------------------ the account

    async def sign_out_page(self, request: AnyRequest, user: FromPath[str]) -> RawResponse:
        """What ends."""
        return await self._opened(request, user, customer_sheets.sign_out_sheet)

    async def sign_out_sent(self, request: AnyRequest, user: FromPath[str]) -> RawResponse:
        """They are signed out."""

        async def work(seen: CustomerSeen, came: Submitted) -> Outcome:
            found = await self.sign_out(seen.user.id, actor=came.actor, form=came.form)
            match found:
                case SignedOutByHand():
                    return Done(customer_sheets.at_customer(seen), "signed-out")
                case NotAllowed():
                    return found
                case _:
                    return _(_GONE)

        return await self._sent(
            request, user, AuditAction.SIGN_OUT_CUSTOMER, customer_sheets.sign_out_sheet, work
        )

    async def erase_page(self, request: AnyRequest, user: FromPath[str]) -> RawResponse:
        """What is deleted, and what stays."""
        return await self._opened(request, user, customer_sheets.erase_sheet)

    async def erase_sent(self, request: AnyRequest, user: FromPath[str]) -> RawResponse:
        """It is deleted."""

        async def work(seen: CustomerSeen, came: Submitted) -> Outcome:
            found = await self.erase(seen.user.id, actor=came.actor, form=came.form, reason=came.reason)
            match found:
                case CustomerErased():
                    return Done(_CUSTOMERS, "erased")
                case NotAllowed():
                    return found
                case NotErased():
                    return act_words.not_erased(found)

        return await self._sent(request, user, AuditAction.ERASE_CUSTOMER, customer_sheets.erase_sheet, work)

    # ------------------------------------------------------------------ a free copy

    async def grant_page(self, request: AnyRequest) -> RawResponse:
        """What, and to whom; both can be in the address of the page."""
        here = await self.desk.frame.here(request)
        if isinstance(here, RawResponse):
            return here
        return self.desk.opened(request, here, self._grant(request, here))

    async def grant_sent(self, request: AnyRequest) -> RawResponse:
        """It is theirs."""
        here = await self.desk.frame.here(request)
        if isinstance(here, RawResponse):
            return here
        came = await self.desk.submitted(request, here, AuditAction.GRANT, "")
        if isinstance(came, RawResponse):
            return came

        async def work(came: Submitted) -> Outcome:
            product, typed = ProductId(came.fields.get("product", "")), came.fields.get("email", "")
            found = await self.grant(
                product, typed, actor=came.actor, form=came.form, reason=came.reason, again=came.has("again")
            )
            match found:
                case Granted(order):
                    return Done(f"/admin/sales/{order.checkout}", "granted")
                case NotAllowed():
                    return found
                case NotAnAddress(problem):
                    return email_error(problem)
                case HasItAlready():
                    return AskAgain(act_words.not_granted(found), customer_sheets.again_box())
                case _:
                    return act_words.not_granted(found)

        sheet = self._grant(request, here, again=came.has("again"))
        return await self.desk.act(request, here, came, sheet, changes=(), work=work)

    def _grant(self, request: AnyRequest, here: SignedInStaff, *, again: bool = False) -> Sheet:
        asked = request.query_params
        return customer_sheets.grant_sheet(
            self.desk.frame.catalogue.current(), product=asked.get("product", ""), address=asked.get("address", ""),
            counted=_counted(here), again=again,
        )  # fmt: skip

    # ------------------------------------------------------------------ a quarantined payment

    async def book_page(self, request: AnyRequest, ref: FromPath[str]) -> RawResponse:
        """What was asked and what was paid."""
        here = await self.desk.frame.here(request)
        if isinstance(here, RawResponse):
            return here
        turned = self.desk.frame.fresh(here, AuditAction.BOOK_PAYMENT, request.scope["path"])
        if turned is not None:  # nobody else has Stripe asked
            return turned
        return self.desk.opened(request, here, await self._payment(ref, here))

    async def book_sent(self, request: AnyRequest, ref: FromPath[str]) -> RawResponse:
        """It is a sale."""
        here = await self.desk.frame.here(request)
        if isinstance(here, RawResponse):
            return here
        came = await self.desk.submitted(request, here, AuditAction.BOOK_PAYMENT, ref)
        if isinstance(came, RawResponse):
            return came
        done = await self.look.done(came.form)
        sheet = await self._payment(ref, here)
        changed = not done and not sheet.cannot and came.fields.get("seen", "") != sheet.seen

        async def work(came: Submitted) -> Outcome:
            try:
                found = await self.book(ref, actor=came.actor, form=came.form, reason=came.reason)
            except (PaymentsUnreachable, PaymentsRefused):
                return _(_AWAY)
            match found:
                case PaymentBooked(order):
                    return Done(f"/admin/sales/{order.checkout}", notices.after_booking(found))
                case NotAllowed():
                    return found
                case NotBooked():
                    return act_words.not_booked(found)

        changes = [_("Something else was paid than you saw.")] if changed else []
        return await self.desk.act(request, here, came, sheet, changes=changes, work=work)

    async def _payment(self, ref: str, here: SignedInStaff) -> Sheet:
        try:
            found = await self.book.look(ref)
        except (PaymentsUnreachable, PaymentsRefused):
            return _no_payment(ref, _(_AWAY))
        if isinstance(found, Bookable):
            return customer_sheets.book_sheet(found, counted=_counted(here))
        return _no_payment(ref, act_words.not_booked(found))

    # ------------------------------------------------------------------ what they share

    async def _opened(
        self, request: AnyRequest, user: str, sheet_of: Callable[[CustomerSeen], Sheet]
    ) -> RawResponse:
        here = await self.desk.frame.here(request)
        if isinstance(here, RawResponse):
            return here
        seen = await self.look(user)
        if seen is None:
            return self.desk.missing(request, here, _(_GONE), back=_CUSTOMERS)
        return self.desk.opened(request, here, sheet_of(seen))

    async def _sent(
        self,
        request: AnyRequest,
        user: str,
        action: AuditAction,
        sheet_of: Callable[[CustomerSeen], Sheet],
        work: Working,
    ) -> RawResponse:
        here = await self.desk.frame.here(request)
        if isinstance(here, RawResponse):
            return here
        seen = await self.look(user)
        came = await self.desk.submitted(
            request, here, action, "" if seen is None else customer_sheets.oldest(seen)
        )
        if isinstance(came, RawResponse):
            return came
        done = await self.look.done(came.form)
        if seen is None:
            return self._gone(request, here, erased=done and action is AuditAction.ERASE_CUSTOMER)
        changed = not done and came.fields.get("seen", "") != seen.digest
        changes = [_("The purchases or the address of this customer changed.")] if changed else []
        return await self.desk.act(
            request, here, came, sheet_of(seen), changes=changes, work=lambda form: work(seen, form)
        )

    def _gone(self, request: AnyRequest, here: SignedInStaff, *, erased: bool) -> RawResponse:
        """Nobody is there; the second submit of a deletion gets the answer of the first."""
        if erased:
            return self.desk.done(Done(_CUSTOMERS, "erased"))
        return self.desk.missing(request, here, _(_GONE), back=_CUSTOMERS)


def _changing(found: Changing, seen: CustomerSeen) -> Outcome:
    match found:
        case ChangeAsked():
            return Done(customer_sheets.at_customer(seen), "address")
        case NotAllowed():
            return found
        case NotAnAddress(problem):
            return email_error(problem)
        case NotChanged():
            return act_words.not_changed(found)
        case _:
            return _(_GONE)


def _counted(here: SignedInStaff) -> bool:
    return here.member.role is not Role.OWNER


def _no_payment(ref: str, why: str) -> Sheet:
    return Sheet(
        action=AuditAction.BOOK_PAYMENT, object_id=ref, title=_("Book this payment"), effects=(), button="",
        back="/admin/stripe", cannot=why,
    )  # fmt: skip
