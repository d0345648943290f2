"""Announcing a new version of a product: who gets it, what it says, a test to oneself, and then to its owners."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from litestar import post, route
from litestar.params import FromPath

from domain.audit import AuditAction
from domain.rights import NotAllowed, Verdict
from domain.usecases.announce import Announce, Announced
from domain.usecases.look_at_release import LOOKED_AT, LookAtRelease, ReleaseSeen, TryAnnouncement
from domain.values import ProductId, is_product_id
from entrypoints.admin.desk import Desk, Done, Outcome, Sheet, Submitted
from entrypoints.admin.products import AT
from entrypoints.http.page import AnyRequest
from entrypoints.http.responses import RawResponse
from entrypoints.http.sentences import N_, _, ngettext
from entrypoints.http.shop import PAGE
from entrypoints.run.logs import log

if TYPE_CHECKING:
    from litestar.handlers import HTTPRouteHandler

    from domain.usecases.staff_access import SignedInStaff

_WAITS: Final = 10.0
"""Seconds that the answer waits for the emails to be queued, which goes on without it."""
_GONE: Final = N_("The catalogue has no such product.")
_Running = asyncio.Task[Announced | NotAllowed | None]


@dataclass(frozen=True, slots=True)
class AnnouncePages:
    """products/…/announce."""

    desk: Desk
    look: LookAtRelease
    announce: Announce
    attempt: TryAnnouncement
    running: set[_Running] = field(default_factory=set)
    """Announcements that took longer than their page waited for."""

    def routes(self) -> list[HTTPRouteHandler]:
        """The handlers of this family."""
        at = f"{AT}/{{pid:str}}/announce"
        return [
            route(at, http_method=PAGE, status_code=200)(self.page),
            post(at, status_code=303)(self.sent),
            post(f"{at}/test", status_code=303)(self.tried),
        ]

    async def page(self, request: AnyRequest, pid: FromPath[str]) -> RawResponse:
        """How many would get it, and what it says."""
        here = await self.desk.frame.here(request)
        if isinstance(here, RawResponse):
            return here
        turned = self.desk.frame.fresh(here, AuditAction.ANNOUNCE, _at(pid))
        if turned is not None:  # for nobody else are owners counted
            return turned
        seen = await self._seen(pid)
        return self._missing(request, here) if seen is None else self.desk.opened(request, here, _sheet(seen))

    async def sent(self, request: AnyRequest, pid: FromPath[str]) -> RawResponse:
        """The emails are queued, once for each owner and version."""
        here = await self.desk.frame.here(request)
        if isinstance(here, RawResponse):
            return here
        known = pid if ProductId(pid) in self.desk.frame.catalogue.current().products else ""
        came = await self.desk.submitted(request, here, AuditAction.ANNOUNCE, known)
        if isinstance(came, RawResponse):
            return came
        seen = await self._seen(pid, form=came.form)
        if seen is None:
            return self._missing(request, here)
        changed = not seen.done and came.fields.get("seen", "") != seen.version
        changes = [_("The files of the product changed.")] if changed else []
        return await self.desk.act(
            request, here, came, _sheet(seen), changes=changes, work=lambda form: self._announce(seen, form)
        )

    async def tried(self, request: AnyRequest, pid: FromPath[str]) -> RawResponse:
        """The email is sent to whoever asks, and nobody else."""
        here = await self.desk.frame.here(request)
        if isinstance(here, RawResponse):
            return here
        _fields, form = await self.desk.frame.submitted(request)
        actor = self.desk.frame.actor(here)
        product = ProductId(pid if is_product_id(pid) else "")
        match await self.attempt(product, here.member.email, actor=actor, form=form):
            case NotAllowed(Verdict.PROVE_AGAIN):
                return self.desk.frame.prove(_at(pid))
            case NotAllowed():
                return self.desk.frame.refused(request, here)
            case None:
                return self._missing(request, here)
            case _:
                return self.desk.frame.done(_at(pid), "tried")

    async def _announce(self, seen: ReleaseSeen, came: Submitted) -> Outcome:
        work = asyncio.create_task(self.announce(seen.product.id, actor=came.actor, form=came.form))
        await asyncio.wait([work], timeout=_WAITS)
        there = f"{AT}/{seen.product.id}"
        if not work.done():
            self.running.add(work)
            work.add_done_callback(self._ended)
            return Done(there, "announcing")
        match work.result():
            case Announced():
                return Done(there, "announced")
            case NotAllowed() as refused:
                return refused
            case None:
                return _(_GONE)

    def _ended(self, work: _Running) -> None:
        self.running.discard(work)
        if not work.cancelled() and (error := work.exception()) is not None:
            log.error("an announcement stopped", exc_info=error)

    async def _seen(self, pid: str, *, form: str = "") -> ReleaseSeen | None:
        return await self.look(ProductId(pid), form=form) if is_product_id(pid) else None

    def _missing(self, request: AnyRequest, here: SignedInStaff) -> RawResponse:
        return self.desk.missing(request, here, _(_GONE), back=AT)


def _at(pid: str) -> str:
    return f"{AT}/{pid}/announce" if is_product_id(pid) else AT


def _sheet(seen: ReleaseSeen) -> Sheet:
    product = seen.product
    cannot = _("Nobody is left to email: nobody owns it, or all who want such emails have this version's.")
    return Sheet(
        action=AuditAction.ANNOUNCE, object_id=product.id,
        title=_("Announce a new version of %(name)s", name=product.name), effects=_effects(seen),
        button=_("Announce it"), back=f"{AT}/{product.id}", seen=seen.version, reason=False, danger=True,
        cannot="" if seen.wanted or not seen.complete else cannot, template="announce.html",
        more={"letter": seen.letter, "try_at": f"{_at(product.id)}/test"},
    )  # fmt: skip


def _effects(seen: ReleaseSeen) -> list[str]:
    told = ngettext("%(number)d owner is emailed.", "%(number)d owners are emailed.", seen.wanted)
    if not seen.complete:
        told = _(
            "At least %(number)s owners are emailed. There are more: only the first %(most)s were looked at.",
            number=f"{seen.wanted:,}", most=f"{LOOKED_AT:,}",
        )  # fmt: skip
    effects = [told]
    if seen.known:
        effects.append(ngettext(
            "%(number)d owner was emailed about these files before, and is not emailed again.",
            "%(number)d owners were emailed about these files before, and are not emailed again.", seen.known,
        ))  # fmt: skip
    if seen.left_out:
        effects.append(ngettext(
            "%(number)d owner is left out: they opted out, have no access any more, or cannot be emailed.",
            "%(number)d owners are left out: they opted out, have no access any more, or cannot be emailed.",
            seen.left_out,
        ))  # fmt: skip
    effects.append(_("An email cannot be taken back. Send yourself a test first."))
    return effects
