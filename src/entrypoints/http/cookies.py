"""The cookies: the session, the tag of a browser that once proved a mailbox, and the value of a link's page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from domain.limits import network_of
from domain.session import ABSOLUTE_LIFETIME, Visitor, label_of
from domain.values import digest_of

if TYPE_CHECKING:
    from litestar import Request

_DEVICE_DAYS: Final = 365
_FORM_SECONDS: Final = 86400
_TOKEN_LENGTH: Final = 64
_SESSION: Final = b"session"
_SECURE_SESSION: Final = b"__Host-session"
_CURRENCY: Final = "currency"
_CURRENCY_PAIR: Final = b"currency="
_CURRENCY_DAYS: Final = 365


@dataclass(frozen=True, slots=True)
class Cookies:
    """Reads and writes them. `__Host-` and Secure over https; plain names on http://localhost only.

    RFC 6265bis §4.1.3.2: a `__Host-` cookie cannot be planted by another host or path.
    """

    https: bool

    @property
    def session_name(self) -> str:
        """The name of the session's cookie."""
        return (_SECURE_SESSION if self.https else _SESSION).decode()

    @property
    def device_name(self) -> str:
        """The name of the device tag's cookie."""
        return "__Host-device" if self.https else "device"

    @property
    def form_name(self) -> str:
        """The name of the cookie that a link's page sets: it tells a repeated submit from a second person."""
        return "__Host-form" if self.https else "form"

    def visitor(self, request: Request[Any, Any, Any]) -> Visitor:
        """What came along with a request."""
        held = self._held(request)
        token, form = held.get(self.session_name, ""), held.get(self.form_name, "")
        return Visitor(
            token_hash=digest_of(token.encode()) if _is_token(token) else None,
            network=network_of(request.scope["peer"]),  # type: ignore[typeddict-item]  # the gate put it there
            label=label_of(_agent_of(request)[:400]),
            device=held.get(self.device_name),
            form=digest_of(form.encode()) if _is_token(form) else None,
        )

    def has_session(self, request: Request[Any, Any, Any]) -> bool:
        """Whether a session's cookie came along at all: without one, everybody sees the same page."""
        wanted = _SECURE_SESSION if self.https else _SESSION
        for name, value in request.scope["headers"]:  # noqa: SIM110 - a generator costs more than the request's route
            if name == b"cookie" and wanted in value:
                return True
        return False

    def currency(self, request: Request[Any, Any, Any]) -> str:
        """The currency that was chosen in this browser, as it came; "" if none was."""
        for name, value in request.scope["headers"]:
            if name == b"cookie" and _CURRENCY_PAIR in value:
                return self._held(request).get(_CURRENCY, "")
        return ""

    def in_currency(self, currency: str) -> tuple[str, str]:
        """The header that remembers a chosen currency. It is no secret and says nothing of anybody."""
        return self._set(_CURRENCY, currency, _CURRENCY_DAYS * 86400)

    def _held(self, request: Request[Any, Any, Any]) -> dict[str, str]:
        held: dict[str, str] = {}
        for name, value in request.scope["headers"]:
            if name == b"cookie":
                for pair in value.decode("latin-1").split(";"):
                    key, equals, text = pair.strip().partition("=")
                    if equals:
                        # The first of a name wins: browsers send the most specific path first (RFC 6265 §5.4).
                        held.setdefault(key, text)
        return held

    def session(self, token: str) -> tuple[str, str]:
        """The header that gives a browser its session."""
        return self._set(self.session_name, token, int(ABSOLUTE_LIFETIME.total_seconds()))

    def device(self, tag: str) -> tuple[str, str]:
        """The header that marks a browser as one that proved a mailbox."""
        return self._set(self.device_name, tag, _DEVICE_DAYS * 86400)

    def form(self, token: str) -> tuple[str, str]:
        """The header that gives a link's page its random value. It is stored nowhere and opens nothing."""
        return self._set(self.form_name, token, _FORM_SECONDS)

    def no_session(self) -> tuple[str, str]:
        """The header that takes the session's cookie back."""
        return self._set(self.session_name, "", 0)

    def no_form(self) -> tuple[str, str]:
        """The header that takes the cookie of a link's page back."""
        return self._set(self.form_name, "", 0)

    def no_device(self) -> tuple[str, str]:
        """The header that takes the tag back."""
        return self._set(self.device_name, "", 0)

    def _set(self, name: str, value: str, seconds: int) -> tuple[str, str]:
        secure = "; Secure" if self.https else ""
        return "set-cookie", f"{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}"


def _agent_of(request: Request[Any, Any, Any]) -> str:
    """Its User-Agent, from the raw headers: reading all of them into a mapping costs as much as the rest of a visit."""
    for name, value in request.scope["headers"]:
        if name == b"user-agent":
            return value.decode("latin-1")
    return ""


def _is_token(text: str) -> bool:
    return len(text) == _TOKEN_LENGTH and text.isascii() and text.isalnum()
