"""Hand a file out in chunks, as an attachment that no browser will run."""

from __future__ import annotations

import asyncio
import base64
import mimetypes
import re
import unicodedata
from contextlib import aclosing
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from domain.ports import GoodsUnavailable
from entrypoints.http.downloads import MadeRoom
from entrypoints.http.responses import RawResponse
from entrypoints.run.logs import log

if TYPE_CHECKING:
    from litestar.types import Receive, Scope, Send

    from domain.ports import OpenFile
    from domain.product import GoodsFile
    from entrypoints.http.downloads import Download
    from entrypoints.http.ranges import Part
    from entrypoints.http.responses import Header

# Browsers resume from the part on their own disk and the tag they noted, not from their cache; so nothing is
# gained by leaving goods in the cache of a computer that others use, too.
UNKEPT: Final[Header] = ("cache-control", "private, no-store")
# What could lead an old browser astray in the plain name; some read %41 as A there (RFC 6266, appendix D).
_UNSAFE: Final = re.compile(r'[^ -~]|["\\%/]')


class FileAnswer(RawResponse):
    """The head of a file, and nothing else: for HEAD."""

    def __init__(self, file: GoodsFile, *, part: Part | None = None) -> None:
        media_type = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        headers = [
            ("content-disposition", disposition(file.name)),
            ("etag", etag_of(file)),
            ("accept-ranges", "bytes"),
            ("repr-digest", f"sha-256=:{base64.b64encode(bytes.fromhex(file.sha256)).decode()}:"),
            UNKEPT,
            ("content-security-policy", "default-src 'none'; sandbox"),
        ]
        if part is not None:
            headers.append(("content-range", f"bytes {part.start}-{part.stop - 1}/{file.size}"))
        super().__init__(status=200 if part is None else 206, media_type=media_type, headers=headers)
        size = file.size if part is None else part.stop - part.start
        self.raw_headers[1] = (b"content-length", str(size).encode())


class FileResponse(FileAnswer):
    """A file, or a part of it; memory stays constant whatever its size."""

    def __init__(self, file: GoodsFile, opened: OpenFile, *, part: Part | None, download: Download) -> None:
        super().__init__(file, part=part)
        self._opened = opened
        self._download = download

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the head, then the chunks as they are read.

        The server goes on swallowing what is sent to nobody, so we watch for that ourselves. If the bytes break
        off, the answer stays unfinished and the server closes the connection: the client sees that it is short.
        The connection of a client that reads nothing is closed, too (entrypoints.run.connections).
        """
        gone = asyncio.create_task(_gone(receive))
        try:
            await send({"type": "http.response.start", "status": self.status, "headers": self.raw_headers})
            async with aclosing(self._opened.chunks) as chunks:
                async for chunk in chunks:
                    await self._download.hand_over(chunk, send)
                    if gone.done():
                        return
        except GoodsUnavailable as error:
            fields = {"request_id": scope.get("request_id", ""), "error": str(error)}
            log.error("a download was cut short", extra={"fields": fields})
            return
        except MadeRoom:
            return
        finally:
            gone.cancel()
            self._download.leave()
        await send({"type": "http.response.body", "body": b"", "more_body": False})


class Unchanged(RawResponse):
    """304: no content, and no word on its size or type (RFC 9110 §15.4.5)."""

    def __init__(self, file: GoodsFile) -> None:
        super().__init__(status=304, headers=[("etag", etag_of(file)), UNKEPT])
        del self.raw_headers[:2]


def etag_of(file: GoodsFile) -> str:
    """A strong entity tag: the same tag, the same bytes, whatever the file is called."""
    return f'"{file.sha256}"'


def disposition(name: str) -> str:
    """RFC 6266: an ASCII name for old browsers, the real one beside it, in any browser of today's."""
    bare = "".join(char for char in unicodedata.normalize("NFD", name) if not unicodedata.combining(char))
    return f"attachment; filename=\"{_UNSAFE.sub('_', bare)}\"; filename*=UTF-8''{quote(name, safe='')}"


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
