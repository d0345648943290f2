"""For whoever watches the shop: is it up, can it serve."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from litestar import route

from domain.ports import Store, StoreBusy, StoreUnavailable
from entrypoints.http.page import PERSONAL
from entrypoints.http.responses import RawResponse
from entrypoints.http.shop import PAGE

if TYPE_CHECKING:
    from litestar.handlers import HTTPRouteHandler

_OK: Final = 200
_NOT_NOW: Final = 503


@dataclass(slots=True)
class Leaving:
    """Whether we were told to stop: still serving, but nothing new should be sent here, on no connection."""

    told: bool = False


@dataclass(frozen=True, slots=True)
class HealthPages:
    """healthz, readyz. Ready means store and catalogue; Stripe and the mail service may be away."""

    store: Store
    leaving: Leaving = field(default_factory=Leaving)

    def routes(self) -> list[HTTPRouteHandler]:
        """The handlers of this family."""
        return [
            route("/healthz", http_method=PAGE, status_code=200)(self.up),
            route("/readyz", http_method=PAGE, status_code=200)(self.ready),
        ]

    async def up(self) -> RawResponse:
        """The process answers."""
        return _plain(_OK, b"up\n")

    async def ready(self) -> RawResponse:
        """Work may be sent here."""
        if self.leaving.told:
            return _plain(_NOT_NOW, b"stopping\n")
        try:
            await self.store.ready()
        except StoreBusy:  # others would be no less busy if this one were left alone
            return _plain(_OK, b"busy\n")
        except StoreUnavailable:
            return _plain(_NOT_NOW, b"the store cannot write\n")
        return _plain(_OK, b"ready\n")


def _plain(status: int, body: bytes) -> RawResponse:
    return RawResponse(body, status=status, media_type="text/plain", headers=[PERSONAL])
