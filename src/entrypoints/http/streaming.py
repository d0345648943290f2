"""Hand a file out in chunks, as an attachment that no browser will run."""

from __future__ import annotations

import mimetypes
from typing import TYPE_CHECKING
from urllib.parse import quote

from entrypoints.http.answers import Answer

if TYPE_CHECKING:
    from litestar.types import Receive, Scope, Send

    from domain.ports import OpenFile


class FileResponse(Answer):
    """A whole file; memory stays constant whatever its size."""

    def __init__(self, file: OpenFile, *, head: bool) -> None:
        media_type = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        super().__init__(
            media_type=media_type,
            headers=[
                ("content-disposition", disposition(file.name)),
                ("cache-control", "private, no-store"),
                ("content-security-policy", "default-src 'none'; sandbox"),
            ],
        )
        self.raw_headers[1] = (b"content-length", str(file.size).encode())
        self._file = file
        self._head = head

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the head, then the chunks as they are read."""
        await send({"type": "http.response.start", "status": self.status, "headers": self.raw_headers})
        if not self._head:
            async for chunk in self._file.chunks:
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


def disposition(name: str) -> str:
    """RFC 6266: an ASCII name for old browsers, the real one beside it."""
    plain = "".join(char if char.isascii() and char not in '"\\' else "_" for char in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
