"""Forms with a file (multipart/form-data, RFC 7578), read as they arrive: nothing is held but the chunk at hand."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Final, NamedTuple

from litestar.exceptions import ClientException, HTTPException
from multipart import (  # type: ignore[import-untyped]  # it is annotated, but has no py.typed
    MultipartError,
    MultipartSegment,
    PushMultipartParser,
    parse_options_header,
)

if TYPE_CHECKING:
    from entrypoints.http.page import AnyRequest

_LONGEST_FIELD: Final = 4_096
_MOST_PARTS: Final = 8
_AROUND_FILE: Final = 65_536
"""Bytes of a form beside its file."""


class FormField(NamedTuple):
    """A field that is no file."""

    name: str
    value: str


class FileBegins(NamedTuple):
    """A file; its bytes follow."""

    name: str


async def parts_of(request: AnyRequest, *, most: int) -> AsyncIterator[FormField | FileBegins | bytes]:
    """The fields of a form in their order, a file as its beginning and then its bytes. `most`: bytes of the file.

    Raises HTTPException (413, 400).
    """
    boundary = _boundary(request.headers.get("content-type", ""))
    parser = PushMultipartParser(boundary, max_segment_count=_MOST_PARTS, max_header_count=_MOST_PARTS)
    segment: MultipartSegment | None = None
    value = bytearray()
    try:
        async for chunk in _chunks(request, most=most + _AROUND_FILE):
            for event in parser.parse(chunk):
                if isinstance(event, MultipartSegment):
                    segment, value = event, bytearray()
                    if event.filename is not None:
                        yield FileBegins(event.filename)
                elif segment is None or segment.filename is not None:
                    if event:
                        yield bytes(event)
                elif event:
                    value += event
                    if len(value) > _LONGEST_FIELD:
                        raise HTTPException(status_code=413)
                else:
                    yield FormField(segment.name, value.decode())
        parser.close()
    except (MultipartError, UnicodeDecodeError) as error:
        raise ClientException("not a form of ours") from error


def _boundary(content_type: str) -> str:
    kind, options = parse_options_header(content_type)
    if kind != "multipart/form-data" or not options.get("boundary"):
        raise ClientException("not a form of ours")
    return str(options["boundary"])


async def _chunks(request: AnyRequest, *, most: int) -> AsyncIterator[bytes]:
    """The body as it arrives. The announced length is believed only where it is too much."""
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and len(announced) < 19 and int(announced) > most:
        raise HTTPException(status_code=413)
    size, more = 0, True
    while more:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientException("the client went away")
        chunk: bytes = message.get("body", b"")  # type: ignore[assignment]  # a request's message has bytes
        size += len(chunk)
        if size > most:
            raise HTTPException(status_code=413)
        more = bool(message.get("more_body"))
        if chunk:
            yield chunk
