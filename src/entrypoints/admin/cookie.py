"""The cookies of the back office: its session, which has nothing to do with a customer's, and what was just done."""

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
_DONE_SECONDS: Final = 60


class AdminCookie:
    """`__Host-admin` over https, `admin` on http://localhost; never sent along from another site.

    The same holds for `…-done`.
    """

    def __init__(self, *, https: bool) -> None:
        self._name = "__Host-admin" if https else "admin"
        self._done = f"{self._name}-done"
        self._secure = "; Secure" if https else ""

    def visitor(self, request: AnyRequest) -> StaffVisitor:
        """What a request brings along. A cookie that was sent twice was planted, and counts as none."""
        sent = _sent(request, self._name)
        token = sent if _TOKEN.fullmatch(sent) else None
        return StaffVisitor(
            token_hash=None if token is None else digest_of(token),
            network=network_of(request.scope["peer"]),  # type: ignore[typeddict-item]  # the middleware put it there
            label=label_of(request.headers.get("user-agent", "")[:400]),
        )

    def session(self, token: str) -> Header:
        """The header that signs a browser in."""
        return self._set(self._name, token, int(ABSOLUTE_LIFETIME.total_seconds()))

    def none(self) -> Header:
        """The header that signs it out."""
        return self._set(self._name, "", 0)

    def just_done(self, request: AnyRequest) -> str:
        """The word of what was done just before this page; "" for nothing, or if a page has said it."""
        return _sent(request, self._done).decode("latin-1")

    def done(self, word: str) -> Header:
        """The header that has the next page say what was done (`entrypoints.admin.notices`)."""
        return self._set(self._done, word, _DONE_SECONDS)

    def said(self) -> Header:
        """The header of the page that says so: no other will."""
        return self._set(self._done, "", 0)

    def _set(self, name: str, value: str, seconds: int) -> Header:
        kept = f"Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{self._secure}"
        return "set-cookie", f"{name}={value}; {kept}"


def _sent(request: AnyRequest, wanted: str) -> bytes:
    """The value of a cookie that was sent once; b"" for none."""
    name = wanted.encode()
    sent = [value for found, value in pairs_of(request.scope["headers"]) if found == name]
    return sent[0] if len(sent) == 1 else b""
