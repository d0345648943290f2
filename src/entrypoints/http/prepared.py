"""An answer that is the same for everybody: ready in every coding, with a tag, and 304 for those who have it."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from entrypoints.http.codings import CODINGS, IDENTITY, coding_for, encode
from entrypoints.http.ranges import names_tag
from entrypoints.http.responses import RawResponse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from litestar.types import Receive, Scope, Send

    from entrypoints.http.responses import Header

    RawHeaders = list[tuple[bytes, bytes]]

_SHRINKS: Final = ("text/", "image/svg+xml", "application/xml", "application/json", "application/javascript")
_TOO_SMALL: Final = 150
"""Bytes below which a coding would save less than its header costs."""


@dataclass(frozen=True, slots=True)
class _Edition:
    """The bytes in one coding. Each has a strong tag of its own, made from these very bytes (RFC 9110 §8.8.3.3)."""

    body: bytes
    etag: str
    headers: RawHeaders
    unchanged: RawHeaders


class Prepared(RawResponse):
    """Public bytes. Never for a page that knows who asks: see docs/decisions/0012.

    A coding is made when somebody first asks for it, once, in a thread.
    """

    def __init__(
        self,
        body: bytes,
        media_type: str,
        *,
        headers: Sequence[Header] = (),
        vary: Sequence[str] = (),
    ) -> None:
        super().__init__(body, media_type=media_type, headers=headers)
        shrinks = media_type.startswith(_SHRINKS) and len(body) >= _TOO_SMALL
        self._codings = CODINGS if shrinks else ()
        varies = [*vary, "Accept-Encoding"] if shrinks else [*vary]
        if varies:
            self.add("vary", ", ".join(varies))
        self._editions: dict[str, _Edition] = {IDENTITY: self._edition(body, IDENTITY)}
        self._being_made: dict[str, asyncio.Task[_Edition]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the edition that suits the client, or 304 if it has it already."""
        takes = has = None
        for name, value in scope["headers"]:
            if name == b"accept-encoding":
                takes = value if takes is None else takes + b"," + value
            elif name == b"if-none-match":
                has = value if has is None else has + b"," + value
        coding = coding_for(takes, self._codings)
        edition = self._editions.get(coding) or await self._make(coding)
        if has is not None and names_tag(has.decode("latin-1"), edition.etag):
            await send({"type": "http.response.start", "status": 304, "headers": edition.unchanged})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            return
        await send({"type": "http.response.start", "status": self.status, "headers": edition.headers})
        await send({"type": "http.response.body", "body": edition.body, "more_body": False})

    async def _make(self, coding: str) -> _Edition:
        """Make an edition, whoever else waits for it, and even if who asked goes away."""
        task = self._being_made.get(coding)
        if task is None:
            task = self._being_made[coding] = asyncio.create_task(self._made(coding))
        return await asyncio.shield(task)

    async def _made(self, coding: str) -> _Edition:
        try:
            body = await asyncio.to_thread(encode, self.body, coding)
            self._editions[coding] = edition = self._edition(body, coding)
            return edition
        finally:
            del self._being_made[coding]

    def _edition(self, body: bytes, coding: str) -> _Edition:
        etag = f'"{hashlib.sha256(body).hexdigest()[:24]}"'
        content_type, _, *others = self.raw_headers
        unchanged = [*others, (b"etag", etag.encode())]
        headers = [content_type, (b"content-length", str(len(body)).encode()), *unchanged]
        if coding != IDENTITY:
            headers.append((b"content-encoding", coding.encode()))
        return _Edition(body=body, etag=etag, headers=headers, unchanged=unchanged)
