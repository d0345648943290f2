"""Imports: the files of other shops, from the upload to what came of each row."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from litestar import post, route
from litestar.exceptions import HTTPException
from litestar.params import FromPath

from domain.audit import AuditAction
from domain.csv_rows import LARGEST_FILE, CsvProblem, UnreadableCsv
from domain.import_plan import PRESETS
from domain.imports import MissingColumns
from domain.ports import Catalogue, Clock
from domain.rights import NotAllowed, Verdict
from domain.staff import Actor
from domain.uploads import MOST_UPLOADS, Upload
from domain.usecases.manage_uploads import ManageUploads, Seen, UploadChange
from domain.usecases.receive_upload import ReceiveUpload, TooManyUploads, UploadGone
from domain.usecases.staff_access import SignedInStaff
from entrypoints.admin.arrival import Arrival, Arrived
from entrypoints.admin.frame import AdminFrame
from entrypoints.admin.import_forms import chosen_products, context_of, planned, problem_text
from entrypoints.admin.kept_form import CAME_BACK
from entrypoints.http.file_form import parts_of
from entrypoints.http.middleware import UPLOAD_PATH
from entrypoints.http.page import AnyRequest, see_other
from entrypoints.http.responses import RawResponse
from entrypoints.http.sentences import N_, _
from entrypoints.http.shop import PAGE
from entrypoints.import_sentences import PROBLEMS

if TYPE_CHECKING:
    from litestar.handlers import HTTPRouteHandler

_IMPORTS: Final = "/admin/imports"
_MOST_FIELDS: Final = 100
_LOOKS: Final = 16
_BETWEEN_LOOKS: Final = 0.25
_CHANGES: Final = {
    UploadChange.GONE: N_("This file was deleted. Please upload it again."),
    UploadChange.NOT_NOW: N_("That is not possible now: the file is being worked on, or was imported."),
}
"""Why something was not done."""


@dataclass(frozen=True, slots=True)
class ImportPages:
    """imports."""

    frame: AdminFrame
    receive: ReceiveUpload
    uploads: ManageUploads
    catalogue: Catalogue
    clock: Clock

    def routes(self) -> list[HTTPRouteHandler]:
        """The handlers of this family."""
        return [
            route(_IMPORTS, http_method=PAGE, status_code=200)(self.listed),
            route(UPLOAD_PATH, http_method=PAGE, status_code=200)(self.uploading),
            post(UPLOAD_PATH, status_code=303)(self.uploaded),
            route(f"{_IMPORTS}/{{upload:str}}", http_method=PAGE, status_code=200)(self.shown),
            post(f"{_IMPORTS}/{{upload:str}}", status_code=303)(self.change),
        ]

    async def listed(self, request: AnyRequest) -> RawResponse:
        """The files of the last month."""
        here = await self.frame.here(request)
        if isinstance(here, RawResponse):
            return here
        found = await self.uploads.newest(actor=self.frame.actor(here))
        if isinstance(found, NotAllowed):
            return self.frame.not_yours()
        return self.frame.html(request, "imports.html", here=here, uploads=found, now=self.clock.now())

    async def uploading(self, request: AnyRequest) -> RawResponse:
        """The form of an upload."""
        here = await self.frame.here(request)
        if isinstance(here, RawResponse):
            return here
        instead = self.frame.fresh(here, AuditAction.IMPORT, UPLOAD_PATH)
        return instead or self._upload_page(request, here)

    async def uploaded(self, request: AnyRequest) -> RawResponse:
        """Take a file in. Whether its sender may is known before any of it is read."""
        here = await self.frame.here(request)
        if isinstance(here, RawResponse):
            return here
        try:
            arrived = await self._arrived(request, self.frame.actor(here))
        except HTTPException as error:
            if error.status_code != 413:
                raise
            return self._upload_page(request, here, why=_(PROBLEMS[CsvProblem.TOO_LARGE]), status=413)
        return self._after_arrival(request, here, arrived)

    def _after_arrival(
        self, request: AnyRequest, here: SignedInStaff, arrived: Arrived | None
    ) -> RawResponse:
        match arrived:
            case Upload():
                return see_other(f"{_IMPORTS}/{arrived.id}")
            case NotAllowed(Verdict.PROVE_AGAIN):
                return self.frame.prove(UPLOAD_PATH)
            case NotAllowed():
                return self.frame.refused(request, here)
            case TooManyUploads():
                sentence = N_("%(number)d files are waiting already. Import or delete one first.")
                return self._upload_page(request, here, why=_(sentence, number=MOST_UPLOADS), status=409)
            case UnreadableCsv():
                return self._upload_page(
                    request, here, why=problem_text(arrived.problem, arrived.line), status=422
                )
            case UploadGone():
                return self._upload_page(request, here, why=_(_CHANGES[UploadChange.GONE]), status=409)
            case None:
                instead = self.frame.fresh(here, AuditAction.IMPORT, UPLOAD_PATH)
                return instead or self._upload_page(request, here, why=_("Please choose a file."), status=400)

    async def shown(self, request: AnyRequest, upload: FromPath[str]) -> RawResponse:
        """One file: its columns, what would come of its rows, or what came of them."""
        here = await self.frame.here(request)
        return here if isinstance(here, RawResponse) else await self._page(request, here, upload)

    async def change(self, request: AnyRequest, upload: FromPath[str]) -> RawResponse:
        """Say which column is what, name products, start the import, or delete the file (`do`)."""
        here = await self.frame.here(request)
        if isinstance(here, RawResponse):
            return here
        fields, form = await self.frame.submitted(request, most_fields=_MOST_FIELDS)
        if CAME_BACK in fields:
            return await self._page(request, here, upload, ticked="email" in fields)
        outcome = await self._done(here, upload, fields, form)
        if isinstance(outcome, str):
            return await self._page(request, here, upload, why=outcome, status=409)
        if isinstance(outcome, NotAllowed):
            if outcome.verdict is Verdict.PROVE_AGAIN:
                return await self.frame.prove_first(request, here, fields)
            return self.frame.refused(request, here)
        await self._soon(upload)
        return see_other(_IMPORTS if fields.get("do") == "drop" else f"{_IMPORTS}/{upload}")

    async def _done(
        self, here: SignedInStaff, upload: str, fields: Mapping[str, str], form: str
    ) -> UploadChange | NotAllowed | str:
        """What came of a form; a sentence if it was not done."""
        actor = self.frame.actor(here)
        outcome: UploadChange | MissingColumns | NotAllowed
        match fields.get("do", ""):
            case "drop":
                outcome = await self.uploads.drop(upload, actor=actor)
            case "start":
                email = fields.get("email") == "yes"
                outcome = await self.uploads.start(upload, email=email, actor=actor, form=form)
            case wish:
                seen = await self.uploads.look(upload, actor=actor)
                if not isinstance(seen, Seen):
                    return seen or _(_CHANGES[UploadChange.GONE])
                plan = chosen_products(seen, fields) if wish == "products" else planned(seen, fields)
                if isinstance(plan, str):
                    return plan
                outcome = await self.uploads.plan(upload, plan, actor=actor)
        if isinstance(outcome, MissingColumns):
            return _("The file has no column %(names)s.", names=", ".join(outcome.headings))
        return _(_CHANGES[outcome]) if outcome in _CHANGES else outcome

    async def _soon(self, upload: str) -> None:
        """Most files are worked through within a moment of the worker's next look (every three seconds): then the
        next page shows what came of it. That page looks again by itself, or with a link where no script runs."""
        for _look in range(_LOOKS):
            if not await self.uploads.is_worked_on(upload):
                return
            await asyncio.sleep(_BETWEEN_LOOKS)

    async def _arrived(self, request: AnyRequest, actor: Actor) -> Arrived | None:
        arrival = Arrival(self.receive, self.frame, actor)
        try:
            async for part in parts_of(request, most=LARGEST_FILE):
                if not await arrival.take(part):
                    break
            return await arrival.end()
        except BaseException:  # a browser that went away, above all
            await arrival.abandon()
            raise

    def _upload_page(
        self, request: AnyRequest, here: SignedInStaff, *, why: str = "", status: int = 200
    ) -> RawResponse:
        return self.frame.html(request, "import_new.html", here=here, status=status, why=why)

    async def _page(
        self, request: AnyRequest, here: SignedInStaff, upload: str, *, why: str = "", status: int = 200,
        ticked: bool = False,
    ) -> RawResponse:  # fmt: skip
        seen = await self.uploads.look(upload, actor=self.frame.actor(here))
        if isinstance(seen, NotAllowed):
            return self.frame.not_yours()
        if not isinstance(seen, Seen):
            gone, missing = _(_CHANGES[UploadChange.GONE]), 404 if status == 200 else status
            return self.frame.notice(request, here, _("Import"), gone, status=missing, back=_IMPORTS)
        wanted = request.query_params.get("preset", "")
        context = context_of(
            seen,
            edition=self.catalogue.current(),
            now=self.clock.now(),
            preset=wanted if wanted in PRESETS else "",
            columns="columns" in request.query_params or bool(wanted),
        )
        return self.frame.html(
            request, "import.html", here=here, status=status, why=why, ticked=ticked, **context
        )
