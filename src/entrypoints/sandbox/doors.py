"""Secret paths to the stand-in, for a demo that other machines can reach."""

from __future__ import annotations

from dataclasses import dataclass

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

_FOR_CUSTOMERS = ("/c/", "/invoices/")


@dataclass(frozen=True, slots=True)
class Doors:
    """Two paths: who pays learns that of the payment page, which must not open the mailbox. All else is 404."""

    app: ASGIApp
    owner: str
    customer: str

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, passed on without the secret part of its path."""
        if scope["type"] == ScopeType.HTTP:
            door, _, rest = scope["path"].removeprefix("/").partition("/")
            allowed = f"/{door}" == self.owner or (
                f"/{door}" == self.customer and f"/{rest}".startswith(_FOR_CUSTOMERS)
            )
            if not allowed:
                await send(
                    {"type": "http.response.start", "status": 404, "headers": [(b"content-length", b"0")]}
                )
                await send({"type": "http.response.body", "body": b"", "more_body": False})
                return
            scope["path"] = f"/{rest}"
            scope["raw_path"] = scope["path"].encode()
        await self.app(scope, receive, send)
