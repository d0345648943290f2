"""The queue of what waits for the merchant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from litestar import post, route
from litestar.params import FromPath

from domain.audit import AuditAction
from domain.rights import NotAllowed, Verdict, verdict
from domain.usecases.list_todo import Task
from domain.usecases.report_status import ReportStatus
from entrypoints.admin.frame import AdminFrame
from entrypoints.admin.tasks import NAMES, TODO, row_of
from entrypoints.http.page import AnyRequest
from entrypoints.http.responses import RawResponse
from entrypoints.http.sentences import _
from entrypoints.http.shop import PAGE

if TYPE_CHECKING:
    from litestar.handlers import HTTPRouteHandler


@dataclass(frozen=True, slots=True)
class TodoPages:
    """todo."""

    frame: AdminFrame
    report_status: ReportStatus
    dashboard: str

    def routes(self) -> list[HTTPRouteHandler]:
        """The handlers of this family."""
        at = f"{TODO}/refunds/{{request_id:str}}/dismiss"
        return [
            route(TODO, http_method=PAGE, status_code=200)(self.todo),
            route(at, http_method=PAGE, status_code=200)(self.dismissing),
            post(at, status_code=303)(self.dismissed),
        ]

    async def todo(self, request: AnyRequest) -> RawResponse:
        """What waits, oldest first; `only`: of one task."""
        here = await self.frame.here(request, counts=True)
        if isinstance(here, RawResponse):
            return here
        found, wanted = await self.frame.waiting(), request.query_params.get("only", "")
        chosen = next((task for task in Task if task.value == wanted), None)
        zone, now = self.frame.catalogue.current().shop.zone, self.frame.clock.now()
        rows = [
            row_of(todo, dashboard=self.dashboard, zone=zone, now=now)
            for todo in found.rows
            if chosen in (None, todo.task)
        ]
        present = {row.task for row in found.rows}
        kinds = [("", _("Everything")), *((task.value, _(NAMES[task])) for task in Task if task in present)]
        acts = verdict(self.frame.actor(here), AuditAction.SEND_AGAIN) is Verdict.MAY
        more = bool(found.more) if chosen is None else chosen in found.more
        return self.frame.html(
            request, "todo.html", here=here, rows=rows, kinds=kinds, chosen=wanted if chosen else "", acts=acts,
            others=more,
        )  # fmt: skip

    async def dismissing(self, request: AnyRequest, request_id: FromPath[str]) -> RawResponse:
        """Take a refund that came to nothing off the list."""
        here = await self.frame.here(request)
        if isinstance(here, RawResponse):
            return here
        return self.frame.fresh(here, AuditAction.DISMISS_REFUND, TODO) or self.frame.action(
            request, here, title=_("Dismiss this refund"), button=_("Dismiss"), back=TODO, reason=False,
            effects=[_("The refund came to nothing, and no money moves: it only leaves this list. Nobody is emailed.")],
        )  # fmt: skip

    async def dismissed(self, request: AnyRequest, request_id: FromPath[str]) -> RawResponse:
        """The same, done."""
        here = await self.frame.here(request)
        if isinstance(here, RawResponse):
            return here
        _fields, form = await self.frame.submitted(request)
        done = await self.report_status.dismiss(request_id, actor=self.frame.actor(here), form=form)
        if isinstance(done, NotAllowed):
            return self.frame.refused(request, here)
        return self.frame.done(TODO, "dismissed" if done is True else "gone")
