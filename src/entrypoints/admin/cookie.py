"""The back office's one cookie. A customer's session means nothing here, nor this one there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from domain.limits import network_of
from domain.session import label_of
from domain.staff import ABSOLUTE_LIFETIME, StaffVisitor
from domain.values import digest_of
from entrypoints.http.cookies import pairs_of

if TYPE_CHECKING:
    from entrypoints.http.page import AnyRequest
    from entrypoints.http.responses import Header

_TOKEN: Final = re.compile(rb"[0-9a-f]{64}")


class AdminCookie:
    """`__Host-admin` over https, `admin` on http://localhost; never sent along from another site."""

    def __init__(self, *, https: bool) -> None:
        self._name = "__Host-admin" if https else "admin"
        self._secure = "; Secure" if https else ""

    def visitor(self, request: AnyRequest) -> StaffVisitor:
        """What a request brings along. A cookie that was sent twice was planted, and counts as none."""
        name = self._name.encode()
        sent = [value for found, value in pairs_of(request.scope["headers"]) if found == name]
        token = sent[0] if len(sent) == 1 and _TOKEN.fullmatch(sent[0]) else None
        return StaffVisitor(
            token_hash=None if token is None else digest_of(token),
            network=network_of(request.scope["peer"]),  # type: ignore[typeddict-item]  # the middleware put it there
            label=label_of(request.headers.get("user-agent", "")[:400]),
        )

    def session(self, token: str) -> Header:
        """The header that signs a browser in."""
        return self._set(token, int(ABSOLUTE_LIFETIME.total_seconds()))

    def none(self) -> Header:
        """The header that signs it out."""
        return self._set("", 0)

    def _set(self, value: str, seconds: int) -> Header:
        kept = f"Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{self._secure}"
        return "set-cookie", f"{self._name}={value}; {kept}"
