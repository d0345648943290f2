"""Coming in without a password: ask for a link, press its button, or type its code; and sign out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, assert_never

from litestar import HttpMethod, post, route
from litestar.params import FromPath

from domain.address_change import MoveKind
from domain.ports import Clock, Randomness
from domain.usecases.redeem_link import CameIn, Moving, Ready, RedeemLogin, Trouble, Turned
from domain.usecases.request_login import (
    LookInYourMail,
    NotAnAddress,
    NothingToRenew,
    RequestLogin,
    TooManyRequests,
)
from domain.usecases.sign_out import SignOut
from domain.values import mask
from entrypoints.http.forms import field_of, form_of
from entrypoints.http.page import AnyRequest, Front, in_words, seconds_until, see_other
from entrypoints.http.responses import Answer
from entrypoints.http.shop import PAGE

if TYPE_CHECKING:
    from litestar.handlers import HTTPRouteHandler

_STATUS: Final = {
    Trouble.TRUNCATED: 404,
    Trouble.FORGED: 404,
    Trouble.USED: 410,
    Trouble.SUPERSEDED: 410,
    Trouble.EXPIRED: 410,
    Trouble.WRONG_CODE: 400,
    Trouble.CODE_DEAD: 410,
    Trouble.NO_CODE_HERE: 400,
    Trouble.WITHDRAWN: 410,
    Trouble.ELSEWHERE: 409,
    Trouble.SOLD_OUT: 410,
}
_CODE_FORM: Final = frozenset({Trouble.WRONG_CODE})


@dataclass(frozen=True, slots=True)
class DoorPages:
    """request-login, login, logout."""

    front: Front
    request_login: RequestLogin
    redeem: RedeemLogin
    sign_out: SignOut
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

    async def ask(self, request: AnyRequest) -> Answer:
        """The form for an address."""
        greeting = await self.front.greeting(request)
        return self.front.html(
            request, "request_login.html", greeting=greeting, noindex=True, email="", error=None
        )

    async def send(self, request: AnyRequest) -> Answer:
        """Queue a login mail, perhaps; the answer is the same for every address."""
        typed = await field_of(request, "email")
        answer = await self.request_login(self.front.visitor(request), typed)
        match answer:
            case LookInYourMail(new_token):
                return self._look_in_your_mail(request, new_token)
            case NotAnAddress(sentence):
                return self.front.html(
                    request, "request_login.html", status=400, noindex=True, email=typed[:254], error=sentence
                )
            case TooManyRequests(until):
                return self._too_many(request, seconds_until(until, now=self.clock.now()))
            case _:
                assert_never(answer)

    def _look_in_your_mail(self, request: AnyRequest, new_token: str | None) -> Answer:
        response = self.front.html(request, "check_mail.html", noindex=True, error=None)
        if new_token is not None:
            response.add(*self.front.cookies.session(new_token))
        return response

    def _too_many(self, request: AnyRequest, seconds: int) -> Answer:
        message = f"Your network asked for many sign-in mails. Please try again in {in_words(seconds)}."
        return self.front.problem(request, 429, "A moment, please", message, retry_after=seconds)

    async def confirm(self, request: AnyRequest, token: FromPath[str]) -> Answer:
        """What a link's GET shows: a button. Scanners and previews use nothing up."""
        look = await self.redeem.look(self.front.visitor(request), token)
        match look:
            case Ready():
                answer = self._confirm(request, look, token)
                if request.method != HttpMethod.HEAD:
                    answer.add(*self.front.cookies.form(self.randomness.token(32).hex()))
                return answer
            case Turned():
                return self._turned(request, look, token=token)

    def _confirm(self, request: AnyRequest, ready: Ready, token: str, *, status: int = 200) -> Answer:
        return self.front.html(
            request,
            "login_confirm.html",
            status=status,
            noindex=True,
            token=token,
            purpose=ready.purpose.value,
            account=mask(ready.mailbox),
            known_here=ready.known_here,
            moving=_moving_context(ready.moving),
        )

    async def use(self, request: AnyRequest, token: FromPath[str]) -> Answer:
        """Press the button: the link is used up; or, of a link that is over, ask for a new one."""
        if (await form_of(request)).get("renew"):
            return await self._renew(request, token)
        visitor = self.front.visitor(request)
        came = await self.redeem.by_link(visitor, token)
        if isinstance(came, Turned) and came.trouble is Trouble.ELSEWHERE:
            look = await self.redeem.look(visitor, token)
            if isinstance(look, Ready):
                return self._confirm(request, look, token, status=_STATUS[Trouble.ELSEWHERE])
        return self._entered(request, came, token=token)

    async def _renew(self, request: AnyRequest, token: str) -> Answer:
        answer = await self.request_login.renew(self.front.visitor(request), token)
        match answer:
            case LookInYourMail(new_token):
                return self._look_in_your_mail(request, new_token)
            case NothingToRenew():
                return self._turned(request, Turned(trouble=Trouble.FORGED), token=token)
            case TooManyRequests(until):
                return self._too_many(request, seconds_until(until, now=self.clock.now()))
            case _:
                assert_never(answer)

    async def enter_code(self, request: AnyRequest) -> Answer:
        """Type the code of a login mail, in the browser that asked for it."""
        typed = await field_of(request, "code")
        return self._entered(
            request, await self.redeem.by_code(self.front.visitor(request), typed), token=None
        )

    def _entered(self, request: AnyRequest, came: CameIn | Turned, *, token: str | None) -> Answer:
        match came:
            case CameIn(session, device, _, product):
                cookies = self.front.cookies
                url = "/library" if product is None else f"/view/{product}"
                return see_other(url, cookies.session(session), cookies.device(device))
            case Turned():
                return self._turned(request, came, token=token)

    def _turned(self, request: AnyRequest, turned: Turned, *, token: str | None) -> Answer:
        status = _STATUS[turned.trouble]
        if turned.trouble in _CODE_FORM:
            tries = f"{turned.tries_left} {'try' if turned.tries_left == 1 else 'tries'} left"
            error = f"That is not the code we mailed: {tries}."
            return self.front.html(request, "check_mail.html", status=status, noindex=True, error=error)
        return self.front.html(
            request,
            "link_problem.html",
            status=status,
            noindex=True,
            kind=turned.trouble.name.lower(),
            can_renew=token if turned.renewable else None,
        )

    async def leave(self, request: AnyRequest) -> Answer:
        """Sign out: the session ends on the server, and the cookie goes."""
        await self.sign_out.here(self.front.visitor(request))
        return see_other("/", self.front.cookies.no_session(), self.front.cookies.no_form())


def _moving_context(moving: Moving | None) -> dict[str, object] | None:
    """What the page of a link about a change of address says; addresses masked."""
    if moving is None:
        return None
    return {
        "whole_account": moving.kind is MoveKind.CHANGE,
        "old": mask(moving.old),
        "new": mask(moving.new),
        "names": moving.names,
        "merges": moving.merges,
        "asked_here": moving.asked_here,
        "code": f"{moving.code[:4]}-{moving.code[4:]}" if moving.code else "",
    }
