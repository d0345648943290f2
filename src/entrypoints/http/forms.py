"""Form fields out of a request's body."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl

from litestar.exceptions import ClientException

if TYPE_CHECKING:
    from entrypoints.http.front import AnyRequest

_LARGEST_FORM: Final = 16_384
_MOST_FIELDS: Final = 20


async def form_of(request: AnyRequest) -> dict[str, str]:
    """The fields of an urlencoded form, as our pages send it; the first of a name. Raises ClientException (400)."""
    body = await request.body()
    if not body:
        return {}
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded" or len(body) > _LARGEST_FORM:
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
