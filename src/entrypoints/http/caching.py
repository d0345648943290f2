"""How long an answer may be kept, and by whom."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from entrypoints.http.page import AnyRequest
from entrypoints.http.prepared import Prepared
from entrypoints.http.responses import Header

if TYPE_CHECKING:
    from collections.abc import Sequence

PUBLIC: Final = ("cache-control", "public, max-age=0, must-revalidate")
FOREVER: Final = ("cache-control", "public, max-age=31536000, immutable")


def kept_as(request: AnyRequest, version: str) -> Header:
    """How long an answer may be kept: for ever only under the URL of this very version.

    A node that has not read an edit yet would otherwise leave the old content under the new URL.
    """
    return FOREVER if request.query_params.get("v") == version else PUBLIC


def public(
    body: bytes, media_type: str, *, vary: Sequence[str] = (), more: Sequence[Header] = ()
) -> Prepared:
    """Public, but revalidated on every use: a client with a current copy gets a short 304."""
    return Prepared(body, media_type=media_type, headers=[PUBLIC, *more], vary=vary)
