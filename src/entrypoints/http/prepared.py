"""Pages that are the same for all visitors: rendered and compressed once for each edition."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from entrypoints.http.file_response import names_tag
from entrypoints.http.responses import RawResponse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from litestar.types import Receive, Scope, Send

    from entrypoints.http.responses import Header

    RawHeaders = list[tuple[bytes, bytes]]


IDENTITY: Final = "identity"
CODINGS: Final = ("br", "gzip")
"""The supported codings, smallest output first: this order breaks ties between a client's weights."""
_MEMBER: Final = re.compile(
    r"([!#$%&'*+.^_`|~0-9a-z-]+)(?:[ \t]*;[ \t]*q=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?))?", re.ASCII
)
# RFC 9110 §8.4.1.3: an old name of the same coding.
_OTHER_NAMES: Final = {"x-gzip": "gzip"}
_LONGEST_KEPT: Final = 200


def coding_for(field: bytes | None, ready: Sequence[str] = CODINGS) -> str:
    """The coding of an answer to a request with this Accept-Encoding, of those that are `ready`, or `identity`.

    Without the field a client accepts anything in theory, but gets the plain bytes. A client that accepts
    no available coding, not even identity, gets the plain bytes too, as the RFC advises: they beat an error.
    """
    if not field:
        return IDENTITY
    return _kept(field, tuple(ready)) if len(field) <= _LONGEST_KEPT else _chosen(field, tuple(ready))


def _chosen(field: bytes, ready: tuple[str, ...]) -> str:
    weights = weights_of(field.decode("latin-1").lower())
    rest = weights.get("*", 0)
    best, found = 0, IDENTITY
    for coding in ready:
        weight = weights.get(coding, rest)
        if weight > best:
            best, found = weight, coding
    # Unless the field names it, identity is the fallback when no other coding is accepted.
    return IDENTITY if weights.get(IDENTITY, 0) > best else found


_kept: Final = lru_cache(maxsize=256)(_chosen)
"""All browsers of a kind send the same field."""


def weights_of(field: str) -> dict[str, int]:
    """The weight of each member of such a field, in thousandths. The first mention counts."""
    weights: dict[str, int] = {}
    for text in field.split(","):
        member = _MEMBER.fullmatch(text.strip(" \t"))
        if member is not None:
            name, weight = member[1], member[2]
            weights.setdefault(
                _OTHER_NAMES.get(name, name), 1000 if weight is None else round(float(weight) * 1000)
            )
    return weights


# ---------------------------------------------------------------------------------------------- the bytes

# Up to this size, a coding's best compression takes some milliseconds; beyond it, seconds.
_SMALL: Final = 128_000


def encode(body: bytes, coding: str) -> bytes:
    """The body in a coding of CODINGS. Takes milliseconds: call it once, outside the event loop."""
    return _ENCODERS[coding](body)


# The libraries are imported when first needed: the first answer after a start needs none of them.
def _br(body: bytes) -> bytes:
    import brotli  # noqa: PLC0415 - see above

    return bytes(brotli.compress(body, quality=11 if len(body) <= _SMALL else 5))


def _gzip(body: bytes) -> bytes:
    import gzip  # noqa: PLC0415 - see above

    return gzip.compress(body, compresslevel=9, mtime=0)


_ENCODERS: Final[Mapping[str, Callable[[bytes], bytes]]] = {"br": _br, "gzip": _gzip}


_SHRINKS: Final = (
    "text/", "image/svg+xml", "application/xml", "application/atom+xml", "application/json", "application/javascript"
)  # fmt: skip
_TOO_SMALL: Final = 150
"""Bytes below which a coding would save less than its header costs."""


@dataclass(frozen=True, slots=True)
class _Edition:
    """The bytes in one coding. Each has a strong tag of its own, computed from these bytes (RFC 9110 §8.8.3.3)."""

    body: bytes
    etag: str
    headers: RawHeaders
    unchanged: RawHeaders


class Prepared(RawResponse):
    """Public bytes. Never for a page that depends on the visitor: see docs/decisions/0012.

    A coding is made on the first request for it, once, in a thread.
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
        """Send the edition in the client's preferred coding, or 304 if it has it already."""
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
        """Make an edition once for all waiting requests, even if the first client disconnects."""
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
