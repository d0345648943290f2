"""Coming in: the sign-in page, links for staff, and using a passkey again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from litestar import get, post, route
from litestar.params import FromPath

from domain.staff import StaffLinkKind
from domain.usecases.join_staff import JoinStaff
from domain.usecases.manage_staff import SignOutStaff
from domain.usecases.sign_in_staff import SignInStaff
from domain.usecases.staff_access import SignedIn, SignedInStaff, WhyNotIn
from entrypoints.admin.frame import HOME, AdminFrame, wanted_path
from entrypoints.admin.kept_form import MORE_FIELDS, kept_in
from entrypoints.http.caching import kept_as
from entrypoints.http.page import AnyRequest, same_form, see_other
from entrypoints.http.request_body import form_of
from entrypoints.http.responses import RawResponse
from entrypoints.http.sentences import N_, _
from entrypoints.http.shop import PAGE

if TYPE_CHECKING:
    from litestar.handlers import HTTPRouteHandler

_MOST_FIELDS: Final = 20 + MORE_FIELDS
_WHY: Final = {
    WhyNotIn.WRONG: N_("That passkey does not open this back office. Please try another one."),
    WhyNotIn.TOO_LATE: N_(
        "That took longer than five minutes, or the form was sent twice. Please try again."
    ),
    WhyNotIn.TOO_OFTEN: N_("There were too many tries. Please wait ten minutes and try again."),
    WhyNotIn.NO_LINK: N_("This link has been used or has expired. Ask for a new one."),
    WhyNotIn.TAKEN: N_("This passkey is registered already. Sign in with it."),
}
"""Unknown passkeys, disabled members and wrong answers get the same sentence."""


@dataclass(frozen=True, slots=True)
class SigningInPages:
    """sign-in, join, prove, sign-out, static files."""

    frame: AdminFrame
    sign_in: SignInStaff
    join: JoinStaff
    sign_out: SignOutStaff

    def routes(self) -> list[HTTPRouteHandler]:
        """The handlers of this family."""
        return [
            route("/admin/sign-in", http_method=PAGE, status_code=200)(self.page),
            post("/admin/sign-in", status_code=303)(self.enter),
            post("/admin/sign-out", status_code=303)(self.leave),
            route("/admin/join/{token:str}", http_method=PAGE, status_code=200)(self.link),
            post("/admin/join/{token:str}", status_code=303)(self.use_link),
            route("/admin/prove", http_method=PAGE, status_code=200)(self.again),
            post("/admin/prove", status_code=303)(self.proved),
            get("/admin/static/{name:str}")(self.static),
        ]

    async def page(self, request: AnyRequest) -> RawResponse:
        """The sign-in page; whoever is signed in goes on."""
        wanted = wanted_path(request.query_params.get("to", ""))
        if await self.frame.identify(self.frame.cookie.visitor(request)) is not None:
            return see_other(wanted)
        await self.frame.open()
        return self._sign_in_page(request, wanted)

    async def enter(self, request: AnyRequest) -> RawResponse:
        """A passkey was used."""
        await self.frame.open()
        fields, _form = await self.frame.submitted(request)
        wanted = wanted_path(fields.get("to", ""))
        outcome = await self.sign_in(
            fields.get("challenge", ""), fields.get("answer", ""), visitor=self.frame.cookie.visitor(request)
        )
        if isinstance(outcome, SignedIn):
            return see_other(wanted, self.frame.cookie.session(outcome.token))
        return self._sign_in_page(request, wanted, why=outcome)

    async def leave(self, request: AnyRequest) -> RawResponse:
        """Sign this browser out."""
        await self.sign_out(self.frame.cookie.visitor(request))
        return see_other("/admin/sign-in", self.frame.cookie.none())

    async def link(self, request: AnyRequest, token: FromPath[str]) -> RawResponse:
        """What a link for staff would do. Looking changes nothing. One that was used leads who is signed in on."""
        here = await self._at_the_door(request)
        found = await self.join.look(token)
        if found is None:
            return self._no_link(request) if here is None else see_other(HOME)
        template = "enter.html" if found.kind is StaffLinkKind.ENTRY else "join.html"
        return self.frame.html(request, template, here=None, link=found, why="")

    async def use_link(self, request: AnyRequest, token: FromPath[str]) -> RawResponse:
        """Use a link for staff up."""
        here = await self._at_the_door(request)
        fields, _form = await self.frame.submitted(request)
        outcome = await self.join(
            token,
            fields.get("challenge", ""),
            fields.get("answer", ""),
            visitor=self.frame.cookie.visitor(request),
        )
        if isinstance(outcome, SignedIn):
            return see_other(HOME, self.frame.cookie.session(outcome.token))
        found = await self.join.look(token)
        if found is None or outcome is WhyNotIn.NO_LINK:
            return self._no_link(request) if here is None else see_other(HOME)
        template = "enter.html" if found.kind is StaffLinkKind.ENTRY else "join.html"
        return self.frame.html(
            request, template, here=None, status=_status(outcome), link=found, why=_(_WHY[outcome])
        )

    async def _at_the_door(self, request: AnyRequest) -> SignedInStaff | None:
        """Who is signed in in a browser that opens a link. Raises NotFoundException if nobody is, nor is invited."""
        here = await self.frame.identify(self.frame.cookie.visitor(request))
        if here is None:
            await self.frame.open(invited=True)
        return here

    async def again(self, request: AnyRequest) -> RawResponse:
        """Ask for a passkey before what moves money or changes rights."""
        here = await self.frame.here(request)
        if isinstance(here, RawResponse):
            return here
        wanted = wanted_path(request.query_params.get("to", ""))
        if self.frame.actor(here).fresh:
            return see_other(wanted)
        return await self.frame.ask_passkey(request, here, wanted=wanted, kept={}, status=200)

    async def proved(self, request: AnyRequest) -> RawResponse:
        """A passkey was used again: the session goes on, under a new token, and a form that waited is shown again."""
        here = await self.frame.here(request)
        if isinstance(here, RawResponse):
            return here
        fields = await form_of(request, most_fields=_MOST_FIELDS)
        wanted, kept = wanted_path(fields.get("to", "")), kept_in(fields)
        outcome = await self.sign_in.again(
            here,
            fields.get("challenge", ""),
            fields.get("answer", ""),
            visitor=self.frame.cookie.visitor(request),
        )
        if isinstance(outcome, SignedIn):
            cookie = self.frame.cookie.session(outcome.token)
            return same_form(wanted, cookie) if kept else see_other(wanted, cookie)
        return await self.frame.ask_passkey(
            request, here, wanted=wanted, kept=kept, why=_(_WHY[outcome]), status=_status(outcome)
        )

    async def static(self, request: AnyRequest, name: FromPath[str]) -> RawResponse:
        """Style sheet and script of the back office."""
        if await self.frame.identify(self.frame.cookie.visitor(request), polls=True) is None:
            await self.frame.open(invited=True)
        version = self.frame.pages.versions.get(name)
        if version is None:
            return see_other(HOME)
        content, kind = self.frame.pages.assets[name]
        return RawResponse(content, media_type=kind, headers=[kept_as(request, version)])

    def _sign_in_page(self, request: AnyRequest, wanted: str, *, why: WhyNotIn | None = None) -> RawResponse:
        return self.frame.html(
            request, "sign_in.html", here=None, status=200 if why is None else _status(why),
            ask=self.sign_in.ask(), wanted=wanted, why="" if why is None else _(_WHY[why]),
        )  # fmt: skip

    def _no_link(self, request: AnyRequest) -> RawResponse:
        return self.frame.html(
            request, "notice.html", here=None, status=410, title=_("This link cannot be used"),
            message=_(_WHY[WhyNotIn.NO_LINK]), back="/admin/sign-in",
        )  # fmt: skip


def _status(why: WhyNotIn) -> int:
    return 429 if why is WhyNotIn.TOO_OFTEN else 403
