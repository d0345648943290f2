"""Passwordless sign-in: request a link, press its button or type its code; and sign out."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, assert_never

from litestar import HttpMethod, post, route
from litestar.params import FromPath

from domain.address_change import ChangeKind
from domain.magic_link import LinkPurpose
from domain.ports import Clock, Randomness
from domain.usecases.choose_language import ChooseLanguage
from domain.usecases.link_outcomes import (
    ChangePreview,
    LinkError,
    LinkRejected,
    LinkValid,
    SignedIn,
    SignedInAlready,
)
from domain.usecases.redeem_link import RedeemLink
from domain.usecases.request_login import (
    CheckYourEmail,
    NotAnAddress,
    NothingToRenew,
    RequestLogin,
    TooManyRequests,
)
from domain.usecases.sign_out import SignOut
from domain.values import ProductId, mask
from entrypoints.http.form_errors import email_error
from entrypoints.http.page import AnyRequest, PageFrame, in_words, seconds_until, see_other
from entrypoints.http.request_body import field_of, form_of
from entrypoints.http.responses import RawResponse
from entrypoints.http.said import Said
from entrypoints.http.sentences import _, ngettext
from entrypoints.http.shop import PAGE

if TYPE_CHECKING:
    from litestar.handlers import HTTPRouteHandler

_STATUS: Final = {
    LinkError.TRUNCATED: 404,
    LinkError.FORGED: 404,
    LinkError.USED: 410,
    LinkError.SUPERSEDED: 410,
    LinkError.EXPIRED: 410,
    LinkError.WRONG_CODE: 400,
    LinkError.CODE_DEAD: 410,
    LinkError.NO_CODE_HERE: 400,
    LinkError.WITHDRAWN: 410,
    LinkError.ELSEWHERE: 409,
    LinkError.HAS_OWNER: 410,
    LinkError.SOLD_OUT: 410,
    LinkError.NO_LONGER_SOLD: 410,
}
_SAID: Final = {
    LinkPurpose.MOVE: Said.ADDRESS_CONFIRMED,
    LinkPurpose.OWNER: Said.ADDRESS_CONFIRMED,
    LinkPurpose.UNDO: Said.CHANGE_UNDONE,
    LinkPurpose.WITHDRAWAL: Said.WITHDRAWAL_CONFIRMED,
}
"""What a link confirms that does more than sign in."""
_OWN_PAGE: Final = re.compile(r"/(?:products|orders)/[a-z0-9-]+|/account")


@dataclass(frozen=True, slots=True)
class SigninPages:
    """request-login, login, logout."""

    frame: PageFrame
    request_login: RequestLogin
    redeem: RedeemLink
    sign_out: SignOut
    languages: ChooseLanguage
    clock: Clock
    randomness: Randomness

    def routes(self) -> list[HTTPRouteHandler]:
        """The handlers of this family."""
        return [
            route("/request-login", http_method=PAGE, status_code=200)(self.ask),
            post("/request-login", status_code=200)(self.send),
            route("/login", http_method=PAGE, status_code=200)(self.ask),
            post("/login", status_code=303)(self.enter_code),
            route("/login/{token:str}", http_method=PAGE, status_code=200)(self.confirm),
            post("/login/{token:str}", status_code=303)(self.use),
            post("/logout", status_code=303)(self.leave),
        ]

    async def ask(self, request: AnyRequest) -> RawResponse:
        """The form for an address."""
        viewer = await self.frame.viewer(request)
        return self.frame.html(
            request, "request_login.html", viewer=viewer, noindex=True, email="", error=None
        )

    async def send(self, request: AnyRequest) -> RawResponse:
        """Queue a login mail if allowed; the answer is the same for every address."""
        typed = await field_of(request, "email")
        answer = await self.request_login(self.frame.visitor(request), typed)
        match answer:
            case CheckYourEmail(new_token):
                return self._look_in_your_mail(request, new_token)
            case NotAnAddress(problem):
                error = email_error(problem)
                return self.frame.html(
                    request, "request_login.html", status=400, noindex=True, email=typed[:254], error=error
                )
            case TooManyRequests(until):
                return self._too_many(request, seconds_until(until, now=self.clock.now()))
            case _:
                assert_never(answer)

    def _look_in_your_mail(self, request: AnyRequest, new_token: str | None) -> RawResponse:
        response = self.frame.html(request, "check_mail.html", noindex=True, error=None)
        if new_token is not None:
            response.add(*self.frame.cookies.session(new_token))
        return response

    def _too_many(self, request: AnyRequest, seconds: int) -> RawResponse:
        message = _(
            "Your network asked for many sign-in emails. Please try again in %(wait)s.",
            wait=in_words(seconds),
        )
        return self.frame.problem(request, 429, _("A moment, please"), message, retry_after=seconds)

    async def confirm(self, request: AnyRequest, token: FromPath[str]) -> RawResponse:
        """Show the button of a link. Scanners and previews do not use the link up."""
        look = await self.redeem.look(self.frame.visitor(request), token)
        match look:
            case LinkValid():
                answer = self._confirm(request, look, token)
                if request.method != HttpMethod.HEAD:
                    answer.add(*self.frame.cookies.form(self.randomness.token(32).hex()))
                return answer
            case SignedInAlready(product):
                return see_other(_next_page(product))
            case LinkRejected():
                return self._turned(request, look, token=token)

    def _confirm(
        self, request: AnyRequest, ready: LinkValid, token: str, *, status: int = 200
    ) -> RawResponse:
        return self.frame.html(
            request,
            "login_confirm.html",
            status=status,
            noindex=True,
            token=token,
            purpose=ready.purpose.value,
            account=mask(ready.mailbox),
            known_here=ready.known_here,
            moving=_moving_context(ready.moving),
            naming=ready.naming,
        )

    async def use(self, request: AnyRequest, token: FromPath[str]) -> RawResponse:
        """Use the link after its button was pressed or, if it is no longer valid, request a new one."""
        if (await form_of(request)).get("renew"):
            return await self._renew(request, token)
        visitor = self.frame.visitor(request)
        came = await self.redeem.by_link(visitor, token)
        if isinstance(came, LinkRejected) and came.error is LinkError.ELSEWHERE:
            look = await self.redeem.look(visitor, token)
            if isinstance(look, LinkValid):
                return self._confirm(request, look, token, status=_STATUS[LinkError.ELSEWHERE])
        return await self._entered(request, came, token=token)

    async def _renew(self, request: AnyRequest, token: str) -> RawResponse:
        answer = await self.request_login.renew(self.frame.visitor(request), token)
        match answer:
            case CheckYourEmail(new_token):
                return self._look_in_your_mail(request, new_token)
            case NothingToRenew():
                return self._turned(request, LinkRejected(error=LinkError.FORGED), token=token)
            case TooManyRequests(until):
                return self._too_many(request, seconds_until(until, now=self.clock.now()))
            case _:
                assert_never(answer)

    async def enter_code(self, request: AnyRequest) -> RawResponse:
        """Accept the code of a login mail, in the browser that requested it."""
        form = await form_of(request)
        came = await self.redeem.by_code(self.frame.visitor(request), form.get("code", ""))
        if isinstance(came, LinkRejected) and came.error is LinkError.WRONG_CODE:
            return self._wrong_code(request, came, back=form.get("back", ""))
        return await self._entered(request, came, token=None)

    async def _entered(
        self, request: AnyRequest, came: SignedIn | SignedInAlready | LinkRejected, *, token: str | None
    ) -> RawResponse:
        cookies = self.frame.cookies
        match came:
            case SignedIn(session, device, mailbox, product, purpose):
                set_here = [
                    cookies.session(session),
                    cookies.device(device),
                    cookies.say(_SAID.get(purpose, Said.SIGNED_IN)),
                ]
                if self.frame.speech.spoken and not cookies.language(request):
                    theirs = await self.languages.of(mailbox)
                    set_here += [cookies.in_language(theirs)] if theirs else []
                return see_other(_next_page(product), *set_here)
            case SignedInAlready(product):
                return see_other(_next_page(product), cookies.say(Said.SIGNED_IN))
            case LinkRejected():
                return self._turned(request, came, token=token)

    def _turned(self, request: AnyRequest, turned: LinkRejected, *, token: str | None) -> RawResponse:
        return self.frame.html(
            request,
            "link_problem.html",
            status=_STATUS[turned.error],
            noindex=True,
            kind=turned.error.name.lower(),
            can_renew=token if turned.renewable else None,
            unowned=turned.unowned,
        )

    def _wrong_code(self, request: AnyRequest, turned: LinkRejected, *, back: str) -> RawResponse:
        """The form once more; `back`, which the form brought along, is where the address can be changed."""
        error = ngettext(
            "That is not the code we emailed: %(number)d try left.",
            "That is not the code we emailed: %(number)d tries left.",
            turned.tries_left,
        )
        return self.frame.html(
            request,
            "check_mail.html",
            status=_STATUS[turned.error],
            noindex=True,
            error=error,
            back=back if _OWN_PAGE.fullmatch(back) else "/request-login",
        )

    async def leave(self, request: AnyRequest) -> RawResponse:
        """Sign out: end the session on the server and expire its cookie."""
        await self.sign_out.here(self.frame.visitor(request))
        cookies = self.frame.cookies
        ended = (cookies.no_session(), cookies.no_form(), *cookies.no_checkouts(request))
        return see_other("/", *ended, cookies.say(Said.SIGNED_OUT))


def _next_page(product: ProductId | None) -> str:
    """Where a link leads that signs in."""
    return "/library" if product is None else f"/view/{product}"


def _moving_context(moving: ChangePreview | None) -> dict[str, object] | None:
    """The context for the page of a change-of-address link; addresses masked."""
    if moving is None:
        return None
    return {
        "whole_account": moving.kind is ChangeKind.CHANGE,
        "old": mask(moving.old),
        "new": mask(moving.new),
        "names": moving.names,
        "merges": moving.merges,
        "works_here": moving.works_here,
        "by_staff": moving.by_staff,
        "code": f"{moving.code[:4]}-{moving.code[4:]}" if moving.code else "",
    }
