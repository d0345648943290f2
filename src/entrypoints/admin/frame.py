"""What all pages of the back office have in common: who is there, the frame around a page, and forms."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlencode

from litestar.exceptions import NotFoundException

from domain.audit import AuditAction
from domain.ports import Catalogue, Clock, Randomness, StoreUnavailable
from domain.rights import RIGHTS, Verdict, verdict
from domain.staff import Actor
from domain.usecases.identify_staff import Door, IdentifyStaff
from domain.usecases.sign_in_staff import SignInStaff
from domain.usecases.staff_access import SignedInStaff
from entrypoints.admin.cookie import AdminCookie
from entrypoints.admin.kept_form import CAME_BACK, MORE_FIELDS, as_typed, to_keep
from entrypoints.admin.notices import NOTICES
from entrypoints.admin.waiting import Waiting
from entrypoints.http.page import PERSONAL, Pages, see_other
from entrypoints.http.request_body import form_of
from entrypoints.http.responses import RawResponse
from entrypoints.http.sentences import N_, _

if TYPE_CHECKING:
    from entrypoints.http.page import AnyRequest
    from entrypoints.http.responses import Header

HOME: Final = "/admin"
NAVIGATION: Final = (
    (HOME, N_("Home")),
    ("/admin/todo", N_("To do")),
    ("/admin/sales", N_("Sales")),
    ("/admin/customers", N_("Customers")),
    ("/admin/products", N_("Products")),
)
MORE: Final = (
    ("/admin/withdrawals", N_("Withdrawals")),
    ("/admin/emails", N_("Emails")),
    ("/admin/stripe", N_("Stripe")),
    ("/admin/exports", N_("Exports")),
    ("/admin/imports", N_("Imports")),
    ("/admin/staff", N_("Staff")),
    ("/admin/audit", N_("Audit log")),
    ("/admin/doctor", N_("Doctor")),
    ("/admin/settings", N_("Settings")),
    ("/admin/account", N_("Your account")),
)
_FORM: Final = re.compile(r"[0-9a-f]{32}")
_WANTED: Final = re.compile(r"/admin(?:/[A-Za-z0-9/_.~%-]*)?(?:\?[^\s#\\]*)?")
"""A path of the back office, and nothing that a browser could take for another host."""


def admin_pages() -> Pages:
    """The templates and static files of the back office."""
    return Pages(Path(__file__).parent, at="/admin/static/")


def wanted_path(typed: str) -> str:
    """Where somebody wants to go on: a path of the back office, else its first page."""
    return typed if len(typed) <= 1000 and _WANTED.fullmatch(typed) else HOME


def address_of(request: AnyRequest) -> str:
    """The path that was asked for, with its query."""
    path, query = request.scope["path"], request.scope["query_string"].decode("latin-1")
    return f"{path}?{query}" if query else path


@dataclass(frozen=True, slots=True)
class AdminFrame:
    """Every handler asks it first who is there."""

    pages: Pages
    cookie: AdminCookie
    identify: IdentifyStaff
    sign_in: SignInStaff
    catalogue: Catalogue
    clock: Clock
    randomness: Randomness
    url: str
    """The address of the back office, without a path."""
    waiting: Waiting

    async def here(
        self, request: AnyRequest, *, polls: bool = False, counts: bool = False
    ) -> SignedInStaff | RawResponse:
        """Who works in this browser; otherwise the way to the sign-in page.

        `counts`: the page counts what waits itself, so the number beside "To do" is not counted for it.

        `polls`: a script asks, and not a person, who alone stays signed in by it. What a page's script fetches is
        marked by browsers (https://www.w3.org/TR/fetch-metadata/#sec-fetch-dest-header).

        Raises NotFoundException while nobody works here at all: then there is nothing to sign in to.
        """
        polls = polls or request.headers.get("sec-fetch-dest") == "empty"
        here = await self.identify(self.cookie.visitor(request), polls=polls)
        if here is not None:
            if not (polls or counts):
                await self.waiting.refresh()
            return here
        await self.open()
        wanted = wanted_path(address_of(request))
        asked = "" if wanted == HOME or request.method == "POST" else "?" + urlencode({"to": wanted})
        return see_other(f"/admin/sign-in{asked}")

    async def lost(self, request: AnyRequest) -> RawResponse | None:
        """The page at an address that the back office does not have; None for a browser that is not signed in.

        Such a browser must not learn from it which addresses there are.
        """
        with suppress(StoreUnavailable):
            here = await self.identify(self.cookie.visitor(request), polls=True)
            if here is not None:
                await self.waiting.refresh()
                words = _("This page does not exist, or no longer exists.")
                return self.notice(request, here, _("There is nothing here"), words, status=404)
        return None

    async def open(self, *, invited: bool = False) -> None:
        """Raises NotFoundException unless somebody works here. `invited`: an open link is enough."""
        door = await self.identify.door()
        if door is Door.CLOSED or (door is Door.INVITED and not invited):
            raise NotFoundException

    def fresh(self, here: SignedInStaff, action: AuditAction, path: str) -> RawResponse | None:
        """None if this member may open the page of an action; otherwise what they see instead."""
        match verdict(self.actor(here), action):
            case Verdict.MAY:
                return None
            case Verdict.PROVE_AGAIN:
                return self.prove(path)
            case Verdict.WRONG_ROLE | Verdict.ABOVE_LIMIT:
                return self.not_yours()

    def not_yours(self) -> RawResponse:
        """The way to the first page, from a page that their role does not allow."""
        return self.done(HOME, "not-yours")

    def done(self, at: str, word: str) -> RawResponse:
        """The way to a page that says once what was done: `word` is of `entrypoints.admin.notices`.

        The address names it, so that no other page that is open says it; the cookie has the page say it only once.
        """
        return see_other(f"{at}?done={word}", self.cookie.done(word))

    def prove(self, path: str) -> RawResponse:
        """The way to the page that asks for a passkey again, and back."""
        return see_other("/admin/prove?" + urlencode({"to": wanted_path(path)}))

    async def prove_first(
        self, request: AnyRequest, here: SignedInStaff, fields: Mapping[str, str]
    ) -> RawResponse:
        """The page that asks for a passkey again, and then gives the form that came too late back, filled in."""
        return await self.ask_passkey(
            request, here, wanted=wanted_path(address_of(request)), kept=to_keep(fields)
        )

    async def ask_passkey(
        self, request: AnyRequest, here: SignedInStaff, *, wanted: str, kept: Mapping[str, str], why: str = "",
        status: int = 403,
    ) -> RawResponse:  # fmt: skip
        """The page itself. `kept`: hidden fields (`entrypoints.admin.kept_form`)."""
        ask = None if here.session.by_link else await self.sign_in.ask_again(here)
        return self.html(
            request, "prove.html", here=here, status=status, ask=ask, wanted=wanted, kept=dict(kept), why=why
        )

    def actor(self, here: SignedInStaff) -> Actor:
        """Who acts."""
        return here.actor(now=self.clock.now())

    def html(
        self,
        request: AnyRequest,
        template: str,
        *,
        here: SignedInStaff | None,
        status: int = 200,
        headers: Sequence[Header] = (),
        notice: str = "",
        **context: object,
    ) -> RawResponse:
        """A page that no cache may store and no crawler may index. `form` names the forms on it.

        `notice` stands on top, or else what was just done (`done`).
        """
        word = request.query_params.get("done", "")
        done = NOTICES.get(word, "") if word == self.cookie.just_done(request) else ""
        body = self.pages.render(
            template,
            shop=self.catalogue.current().shop,
            here=here,
            form=self._new_form(),
            path=quote(request.scope["path"]),
            navigation=_named(NAVIGATION),
            waits=self._waits(),
            more=_named(link for link in MORE if here is None or _may_see(link[0], here)),
            searched=request.query_params.get("q", ""),
            done=notice or (_(done) if done else ""),
            admin_url=self.url,
            **context,
        )
        kept = [PERSONAL, ("x-robots-tag", "noindex"), *headers, *([self.cookie.said()] if done else [])]
        return RawResponse(body, status=status, headers=kept, media_type="text/html")

    def action(
        self, request: AnyRequest, here: SignedInStaff, *, title: str, effects: Sequence[str], button: str, back: str,
        typed: Mapping[str, str] | None = None, why: str = "", status: int = 200, reason: bool = True,
        danger: bool = False, seen: str = "", template: str = "action.html", **context: Any,
    ) -> RawResponse:  # fmt: skip
        """The page of an action: what will happen, to whom and what is emailed (`effects`), and one button.

        `typed`: the fields of a form that comes back with `why` it was not done; it keeps its id. `seen`: what the
        object looked like, to notice that it has changed. `template`: one that extends action.html with fields.
        """
        kept = {"form": "", "reason": "", **(typed or {})}
        return self.html(
            request, template, here=here, status=status, title=title, effects=effects, button=button, back=back,
            typed=kept, why=why, reason_asked=reason, danger=danger, seen=seen, **context,
        )  # fmt: skip

    def refused(
        self, request: AnyRequest, here: SignedInStaff, why: Verdict = Verdict.WRONG_ROLE
    ) -> RawResponse:
        """The page of somebody whose role does not allow what they tried, or not so much of it."""
        if why is Verdict.ABOVE_LIMIT:
            words = _("It is more than your role allows: for this amount, or today. An owner can do it.")
        else:
            words = _("Your role does not allow it. An owner can do it, or give you another role.")
        return self.notice(request, here, _("You may not do that"), words, status=403)

    async def submitted(self, request: AnyRequest, *, most_fields: int = 20) -> tuple[Mapping[str, str], str]:
        """The fields of a form and its id, which is unique in the audit log; without one, a request of its own.

        Those that were kept while a passkey was asked for again come with `CAME_BACK`.
        """
        fields = as_typed(await form_of(request, most_fields=most_fields + MORE_FIELDS))
        request.state.typed = fields
        self.waiting.forget()
        return fields, self.form_id(fields)

    def given_back(self, request: AnyRequest) -> RawResponse | None:
        """The page with what was typed, while the store is busy; None for a request without a form."""
        typed = getattr(request.state, "typed", None)
        if not typed:
            return None
        kept = {name: value for name, value in typed.items() if name != CAME_BACK}
        return self.html(
            request, "busy.html", here=None, status=503, headers=[("retry-after", "10")], kept=kept,
            at=address_of(request),
        )  # fmt: skip

    def form_id(self, fields: Mapping[str, str]) -> str:
        """The id among the fields of a form, or a new one."""
        form = fields.get("form", "")
        return form if _FORM.fullmatch(form) else self._new_form()

    def _waits(self) -> str:
        """How much waits, for the navigation; "" for nothing."""
        number = self.waiting.number
        return f"({number}{'+' if self.waiting.more else ''})" if number else ""

    def _new_form(self) -> str:
        return self.randomness.token(16).hex()

    def notice(
        self, request: AnyRequest, here: SignedInStaff | None, title: str, message: str, *, status: int = 200,
        back: str = HOME,
    ) -> RawResponse:  # fmt: skip
        """A page with one message and the way back."""
        return self.html(
            request, "notice.html", here=here, status=status, title=title, message=message, back=back
        )


def _may_see(path: str, here: SignedInStaff) -> bool:
    """Pages that some roles cannot open are not offered to them."""
    return path != "/admin/imports" or here.member.role in RIGHTS[AuditAction.IMPORT].roles


def _named(links: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(path, _(name)) for path, name in links]
