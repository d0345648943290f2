"""Form fields out of a request's body."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl

from litestar.exceptions import ClientException, HTTPException

if TYPE_CHECKING:
    from entrypoints.http.page import AnyRequest

_LARGEST_FORM: Final = 16_384
_MOST_FIELDS: Final = 20
_MOST_DIGITS: Final = 18


async def body_of(request: AnyRequest, *, most: int) -> bytes:
    """The body, as it comes from the server: nearly always in one piece. Raises HTTPException (413, 400).

    Read here and not by Litestar, whose own reader takes a client that went away for a fault of the shop's.
    """
    if _announced(request) > most:
        raise HTTPException(status_code=413)
    receive = request.receive
    message = await receive()
    first: bytes = message.get("body", b"")  # type: ignore[assignment]  # a request's message has bytes
    if message["type"] == "http.request" and not message.get("more_body") and len(first) <= most:
        return first
    body = bytearray(first)
    while message.get("more_body") and len(body) <= most:
        message = await receive()
        body += message.get("body", b"")  # type: ignore[arg-type]  # as above
    if message["type"] == "http.disconnect":
        raise ClientException("the client went away")
    if len(body) > most:
        raise HTTPException(status_code=413)
    return bytes(body)


def _announced(request: AnyRequest) -> int:
    """The length that the request says it has; 0 if it says none. The server counts what comes in any case."""
    for name, value in request.scope["headers"]:
        if name == b"content-length":
            return int(value) if value.isdigit() and len(value) <= _MOST_DIGITS else 0
    return 0


async def form_of(request: AnyRequest) -> dict[str, str]:
    """The fields of an urlencoded form, as our pages send it; the first of a name. Raises HTTPException (413, 400)."""
    body = await body_of(request, most=_LARGEST_FORM)
    if not body:
        return {}
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise ClientException("not a form of ours")
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="strict")
    except ValueError as error:
        raise ClientException("not a form of ours") from error
    fields: dict[str, str] = {}
    for name, value in pairs:
        fields.setdefault(name, value)
    return fields


async def field_of(request: AnyRequest, name: str) -> str:
    """One field; "" if it is not there."""
    return (await form_of(request)).get(name, "")
