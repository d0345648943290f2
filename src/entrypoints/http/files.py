"""Downloads: access check, byte range and source of the bytes."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, assert_never

from litestar import HttpMethod, route
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from domain.access import Closed, NotYours, Waits
from domain.ports import FileAt, OpenFile
from domain.usecases.fetch_file import FetchFile, NoSuchFile, Offered
from domain.values import ProductId
from entrypoints.http.downloads import IN_ALL, PER_SESSION, Download, Downloads, Full
from entrypoints.http.file_response import (
    UNKEPT,
    Changed,
    FileAnswer,
    FileResponse,
    HasIt,
    Part,
    PastTheEnd,
    Unchanged,
    Whole,
    etag_of,
    wish,
)
from entrypoints.http.page import AnyRequest, PageFrame
from entrypoints.http.prefetch import is_opening
from entrypoints.http.purchase_page import closed, not_yours, waiting
from entrypoints.http.responses import RawResponse
from entrypoints.http.sentences import _, ngettext
from entrypoints.http.shop import PAGE
from entrypoints.run.logs import log

if TYPE_CHECKING:
    from litestar.handlers import HTTPRouteHandler

_RETRY_AFTER: Final = 30


@dataclass(frozen=True, slots=True)
class FilePages:
    """GET and HEAD of /files, and of /media: what the content of a product shows."""

    frame: PageFrame
    fetch_file: FetchFile
    downloads: Downloads = field(default_factory=Downloads)

    def routes(self) -> list[HTTPRouteHandler]:
        """The handlers of this family."""
        return [
            route("/files/{pid:str}/{name:str}", http_method=PAGE, status_code=200)(self.file),
            route("/media/{pid:str}/{name:str}", http_method=PAGE, status_code=200)(self.medium),
        ]

    async def file(self, request: AnyRequest, pid: FromPath[str], name: FromPath[str]) -> RawResponse:
        """Send a file to an owner of its product, and a sample to anybody."""
        return await self._fetched(request, pid, name, shown=False)

    async def medium(self, request: AnyRequest, pid: FromPath[str], name: FromPath[str]) -> RawResponse:
        """Send a picture, a sound or a video of the content to an owner of its product."""
        return await self._fetched(request, pid, name, shown=True)

    async def _fetched(self, request: AnyRequest, pid: str, name: str, *, shown: bool) -> RawResponse:
        fetched = await self.fetch_file(self.frame.visitor(request), ProductId(pid), name, shown=shown)
        match fetched:
            case Offered():
                return await self._hand_out(request, fetched)
            case NoSuchFile():
                raise NotFoundException
            case Waits(purchase):
                return waiting(self.frame, request, purchase)
            case Closed(purchase, standing):
                return closed(self.frame, request, purchase, standing)
            case NotYours():
                product = self.frame.catalogue.current().shown(ProductId(pid))
                if product is None or (product.medium(name) if shown else product.file(name)) is None:
                    raise NotFoundException
                return not_yours(self.frame, request, product, await self.frame.viewer(request))
            case _:
                assert_never(fetched)

    async def _hand_out(self, request: AnyRequest, offered: Offered) -> RawResponse:
        file, head = offered.file, request.method == HttpMethod.HEAD
        wanted = wish(request.scope["headers"], etag=etag_of(file), size=file.size, ranged=not head)
        match wanted:
            case Whole() if head:
                return FileAnswer(file)
            case Whole():
                return await self._opened(request, offered, None)
            case Part():
                return await self._opened(request, offered, wanted)
            case HasIt():
                return Unchanged(file)
            case Changed():
                message = _(
                    "It is not the version any more that your program knows. Please download it again."
                )
                return self.frame.problem(request, 412, _("This file has changed"), message)
            case PastTheEnd():
                message = _(
                    "Your program asked for a part of the file that does not exist. Please download it again."
                )
                page = self.frame.problem(request, 416, _("There is no such part"), message)
                page.add("content-range", f"bytes */{file.size}")
                return page
            case _:
                assert_never(wanted)

    async def _opened(self, request: AnyRequest, offered: Offered, part: Part | None) -> RawResponse:
        visitor = self.frame.visitor(request)
        session = None if offered.purchase is None else visitor.token_hash
        if offered.counted:
            now = asyncio.get_running_loop().time()
            download = self.downloads.begin(session=session, network=visitor.network, now=now)
        else:
            download = await self.downloads.wait(session=session, network=visitor.network)
        if isinstance(download, Full):
            status = 503 if download is Full.ALL else 429
            return self.frame.problem(
                request, status, _("A moment, please"), _full_words(download), retry_after=_RETRY_AFTER
            )
        answer: RawResponse | None = None
        try:
            answer = await self._begun(request, offered, part, download)
        finally:
            if not isinstance(answer, FileResponse):  # which leaves when its last chunk is sent
                download.leave()
        return answer

    async def _begun(
        self, request: AnyRequest, offered: Offered, part: Part | None, download: Download
    ) -> RawResponse:
        file = offered.file
        start, stop = (0, file.size) if part is None else (part.start, part.stop)
        opened = await self.fetch_file.open(offered, start=start, stop=stop, noted=is_opening(request))
        match opened:
            case OpenFile():
                return FileResponse(file, opened, part=part, download=download)
            case FileAt(url):
                # 302 has the right meaning: the same file, temporarily elsewhere. Every download program knows
                # it, unlike 303 and 307, and a GET stays a GET.
                return RawResponse(status=302, media_type="text/plain", headers=[("location", url), UNKEPT])
            case NoSuchFile():
                fields = {"product": offered.product, "file": file.name, "sha256": file.sha256}
                log.error("a file that is for sale is not there", extra={"fields": fields})
                if offered.purchase is None:
                    raise NotFoundException
                message = _(
                    "You own it, but %(name)s cannot be found at the moment. We have been told; "
                    "if it is not back soon, please write to us.",
                    name=file.name,
                )
                return self.frame.problem(request, 404, _("This file is not here right now"), message)
            case _:
                assert_never(opened)


def _full_words(full: Full) -> str:
    match full:
        case Full.SESSION:
            return ngettext(
                "This browser has %(number)d download under way, which is the most at once. "
                "Please start this one again when it is finished.",
                "This browser has %(number)d downloads under way, which is the most at once. "
                "Please start this one again when one of them is finished.",
                PER_SESSION,
            )
        case Full.NETWORK:
            return _(
                "Your network has as many downloads under way as it can have at once. "
                "Please try again when some of them are finished."
            )
        case Full.ALL:
            return ngettext(
                "The shop is busy with %(number)d download, which is the most at once. Please try again in a minute.",
                "The shop is busy with %(number)d downloads, which is the most at once. Please try again in a minute.",
                IN_ALL,
            )
