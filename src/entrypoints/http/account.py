"""The buyer's account: email address, news consent, data export and erasure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec
from litestar import post, route
from litestar.params import FromPath

from domain.ports import Clock
from domain.usecases.change_address import ChangeAddress
from domain.usecases.email_preferences import EmailPreferences
from domain.usecases.erase_me import EraseMe
from domain.usecases.erase_refusal import Erased
from domain.usecases.identify_viewer import ANONYMOUS
from domain.usecases.own_data import OwnData, ShowOwnData
from entrypoints.http.orders import asked_to_move, verify_again
from entrypoints.http.page import PERSONAL, AnyRequest, PageFrame, see_other
from entrypoints.http.request_body import field_of
from entrypoints.http.responses import RawResponse
from entrypoints.http.said import Said
from entrypoints.http.sentences import _
from entrypoints.http.shop import PAGE
from entrypoints.maintenance.export_format import own_data_fields

if TYPE_CHECKING:
    from litestar.handlers import HTTPRouteHandler


@dataclass(frozen=True, slots=True)
class AccountPages:
    """/account, and /no-more for the unsubscribe links in emails."""

    frame: PageFrame
    own_data: ShowOwnData
    change_address: ChangeAddress
    email_preferences: EmailPreferences
    erase_me: EraseMe
    clock: Clock

    def routes(self) -> list[HTTPRouteHandler]:
        """The handlers of this family."""
        return [
            route("/account", http_method=PAGE, status_code=200)(self.show),
            post("/account/email", status_code=200)(self.change_email),
            post("/account/news", status_code=303)(self.news),
            route("/account/data", http_method=PAGE, status_code=200)(self.data),
            route("/account/erase", http_method=PAGE, status_code=200)(self.ask_erase),
            post("/account/erase", status_code=200)(self.erase),
            route("/no-more/{token:str}", http_method=PAGE, status_code=200)(self.ask_no_more),
            post("/no-more/{token:str}", status_code=200)(self.no_more),
        ]

    async def show(self, request: AnyRequest) -> RawResponse:
        """The account page; requires a verified mailbox."""
        own = await self.own_data(self.frame.visitor(request))
        if own is None:
            return see_other("/request-login")
        return self.frame.html(
            request,
            "account.html",
            viewer=await self.frame.viewer(request),
            noindex=True,
            mailbox=own.mailbox,
            wants_release_emails=own.user is not None and own.user.wants_release_emails,
            is_buyer=own.user is not None,
        )

    async def change_email(self, request: AnyRequest) -> RawResponse:
        """Request verification of a new address."""
        typed = await field_of(request, "email")
        asked = await self.change_address.change(self.frame.visitor(request), typed)
        back = ("/account", _("Back to your account"))
        return await asked_to_move(self.frame, request, asked, typed=typed, back=back, clock=self.clock)

    async def news(self, request: AnyRequest) -> RawResponse:
        """Switch emails about new versions on or off."""
        wanted = await field_of(request, "wanted") == "yes"
        if not await self.email_preferences.here(self.frame.visitor(request), wanted=wanted):
            return see_other("/account")
        said = Said.RELEASE_EMAILS_ON if wanted else Said.RELEASE_EMAILS_OFF
        return see_other("/account", self.frame.cookies.say(said))

    async def data(self, request: AnyRequest) -> RawResponse:
        """Export all data held about the buyer, as a file."""
        own = await self.own_data(self.frame.visitor(request))
        if own is None:
            return see_other("/request-login")
        body = msgspec.json.format(msgspec.json.encode(own_data_fields(own)), indent=2)
        headers = [PERSONAL, ("content-disposition", 'attachment; filename="my-data.json"')]
        return RawResponse(body, media_type="application/json", headers=headers)

    async def ask_erase(self, request: AnyRequest) -> RawResponse:
        """Explain erasure and ask for confirmation."""
        visitor = self.frame.visitor(request)
        own = await self.own_data(visitor)
        if own is None:
            return see_other("/request-login")
        refusal = await self.erase_me.refusal(visitor)
        return (
            await self._erase_form(request, own, error="")
            if refusal is None
            else await self._answer(request, refusal)
        )

    async def _erase_form(self, request: AnyRequest, own: OwnData, *, error: str) -> RawResponse:
        return self.frame.html(
            request,
            "erase.html",
            viewer=await self.frame.viewer(request),
            status=400 if error else 200,
            noindex=True,
            mailbox=own.mailbox,
            names=sorted({held.purchase.product_name for held in own.holdings}),
            error=error,
        )

    async def erase(self, request: AnyRequest) -> RawResponse:
        """Erase the person permanently."""
        visitor = self.frame.visitor(request)
        if await field_of(request, "sure") != "yes":
            own = await self.own_data(visitor)
            if own is None:
                return see_other("/request-login")
            return await self._erase_form(request, own, error=_("Please tick the box if you are sure."))
        return await self._answer(request, await self.erase_me(visitor))

    async def _answer(self, request: AnyRequest, erased: Erased) -> RawResponse:
        match erased:
            case Erased.NOT_SIGNED_IN:
                return see_other("/request-login")
            case Erased.PROVE_AGAIN:
                return verify_again(self.frame, request)
            case Erased.TOO_SOON:
                words = _(
                    "Your address was changed less than three days ago, and the old one may still undo that. "
                    "You can delete your account after that."
                )
                return self.frame.notice(
                    request,
                    _("Not just now"),
                    words,
                    status=409,
                    action_url="/account",
                    action_label=_("Your account"),
                )
            case Erased.PAYMENT_PENDING:
                return await self._not_while_pending(request)
            case Erased.DONE:
                return self._erased(request)

    async def _not_while_pending(self, request: AnyRequest) -> RawResponse:
        own = await self.own_data(self.frame.visitor(request))
        names = sorted({checkout.product_name for checkout in own.pending}) if own is not None else []
        words = _(
            "Your payment for %(names)s is pending. If the account were deleted now, nobody would get "
            "what it pays for. You can delete your account once the bank has answered, usually within a few days.",
            names=", ".join(names),
        )
        title = _("Your account cannot be deleted yet")
        return self.frame.notice(
            request, title, words, status=409, action_url="/account", action_label=_("Your account")
        )

    def _erased(self, request: AnyRequest) -> RawResponse:
        answer = self.frame.html(request, "erased.html", viewer=ANONYMOUS, noindex=True)
        answer.add(*self.frame.cookies.no_session())
        answer.add(*self.frame.cookies.no_device())
        answer.add(*self.frame.cookies.no_form())
        for cookie in self.frame.cookies.no_checkouts(request):
            answer.add(*cookie)
        return answer

    async def ask_no_more(self, request: AnyRequest, token: FromPath[str]) -> RawResponse:
        """The page of an unsubscribe link: a button, since scanners open links."""
        if not self.email_preferences.knows(token):
            return self._not_a_link(request)
        return self.frame.html(request, "no_more.html", noindex=True, token=token)

    async def no_more(self, request: AnyRequest, token: FromPath[str]) -> RawResponse:
        """Unsubscribe from news. Mail programs post here for their own unsubscribe button (RFC 8058)."""
        if not self.email_preferences.knows(token):
            return self._not_a_link(request)
        await self.email_preferences.no_more(token)
        words = _(
            "You get no more emails about new versions. "
            "Access links and sign-in emails still come when you ask for them."
        )
        return self.frame.notice(
            request, _("You are unsubscribed"), words, action_url="/", action_label=_("To the shop")
        )

    def _not_a_link(self, request: AnyRequest) -> RawResponse:
        words = _("It may be incomplete, or very old. You can also say so in your account.")
        return self.frame.problem(request, 404, _("This is not one of our links"), words)
