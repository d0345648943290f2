"""The page of somebody who watches: what was bought, what became of it, and buttons for what may happen next."""

from __future__ import annotations

from itertools import islice
from typing import Any, Final

from litestar import Request, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from litestar.response.base import ASGIResponse

from entrypoints.sandbox.deliveries import Deliveries
from entrypoints.sandbox.forms import fields_of
from entrypoints.sandbox.objects import Refusal
from entrypoints.sandbox.pages import SandboxPages, see_other
from entrypoints.sandbox.sessions import bank_says, completed, expire_session
from entrypoints.sandbox.world import Json, Manners, World

AnyRequest = Request[Any, Any, Any]
_SHOWN: Final = 50
_AT_ONCE: Final = Manners(before_redirect=True)


class HomePage:
    """GET /, and its buttons."""

    def __init__(self, world: World, deliveries: Deliveries, pages: SandboxPages) -> None:
        self._world = world
        self._deliveries = deliveries
        self._pages = pages

    def routes(self) -> list[HTTPRouteHandler]:
        """The handlers."""
        return [
            get("/", status_code=200)(self.home),
            post("/sessions/{cs:str}", status_code=303)(self.act),
        ]

    async def home(self) -> ASGIResponse:
        """What is going on, newest first."""
        newest = islice(reversed(self._world.sessions.values()), _SHOWN)
        shown = [self._shown(session, self._charge_of(session)) for session in newest]
        attempts = list(reversed(self._world.attempts))[:_SHOWN]
        return self._pages.html(
            "home.html", sessions=shown, attempts=attempts, shop_url=self._world.shop_url
        )  # fmt: skip

    def _shown(self, session: Json, charge: Json | None) -> Json:
        invoice = self._world.invoices.get(session["invoice"])
        return {
            "id": session["id"], "status": session["status"], "paid": session["payment_status"],
            "amount": session["amount_total"], "currency": session["currency"], "created": session["created"],
            "name": self._world.lines[session["id"]][0]["name"], "url": session["url"],
            "invoice": invoice["hosted_invoice_url"] if invoice else None,
            "debit": session["payment_status"] == "unpaid" and charge is not None and charge["status"] == "pending",
        }  # fmt: skip

    def _charge_of(self, session: Json) -> Json | None:
        intent = self._world.intents.get(session["payment_intent"])
        return self._world.charges.get(intent["latest_charge"]) if intent else None

    async def act(self, request: AnyRequest, cs: FromPath[str]) -> ASGIResponse:
        """A button of a session."""
        session = self._world.sessions.get(cs)
        if session is not None:
            await self._do(self._wish, session, (await fields_of(request)).get("wish", ""))
        return see_other(f"/#{cs}")

    async def _do(self, wish: Any, thing: Json, what: str) -> None:
        """Grant it, and tell the shop. What is impossible by now (a page that was left open) does nothing."""
        try:
            events = wish(thing, what)
        except Refusal:
            return
        await self._deliveries.send(events, _AT_ONCE)

    def _wish(self, session: Json, wish: str) -> list[Json]:
        world, charge = self._world, self._charge_of(session)
        match wish:
            case "expire":
                return [expire_session(world, session)]
            case "again" if session["status"] == "complete":
                return [completed(world, session)]
            case "succeed" | "bounce" if charge and charge["status"] == "pending":
                return [bank_says(world, session["id"], succeeds=wish == "succeed")]
            case _:
                return []
