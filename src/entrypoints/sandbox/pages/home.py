"""The dashboard: sessions, their outcomes, and buttons for the possible next events."""

from __future__ import annotations

from itertools import islice
from typing import Any, Final

from litestar import Request, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from litestar.response.base import ASGIResponse

from entrypoints.sandbox.pages.rendering import SandboxPages, see_other
from entrypoints.sandbox.stripe.deliveries import Deliveries
from entrypoints.sandbox.stripe.disputes import OPEN, close_dispute, open_dispute
from entrypoints.sandbox.stripe.forms import fields_of
from entrypoints.sandbox.stripe.objects import Refusal
from entrypoints.sandbox.stripe.refunds import create_refund, left_of, settle_refund
from entrypoints.sandbox.stripe.sessions import bank_says, completed, expire_session
from entrypoints.sandbox.world import Json, Manners, World

AnyRequest = Request[Any, Any, Any]
_SHOWN: Final = 50
_FAILS_AFTER: Final = 15.0
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
            post("/refunds/{refund:str}", status_code=303)(self.settle),
            post("/disputes/{dispute:str}", status_code=303)(self.close),
        ]

    async def home(self) -> ASGIResponse:
        """All activity, newest first."""
        newest = list(islice(reversed(self._world.sessions.values()), _SHOWN))
        charges = {s["id"]: charge for s in newest if (charge := self._charge_of(s))}
        refunds, disputes = _by_charge(self._world.refunds), _by_charge(self._world.disputes)
        shown = []
        for session in newest:
            charge = charges.get(session["id"])
            of_it = charge["id"] if charge else ""
            shown.append(self._shown(session, charge, refunds.get(of_it, []), disputes.get(of_it, [])))
        attempts = list(reversed(self._world.attempts))[:_SHOWN]
        return self._pages.html(
            "home.html", sessions=shown, attempts=attempts, shop_url=self._world.shop_url, fails_after=_FAILS_AFTER
        )  # fmt: skip

    def _shown(self, session: Json, charge: Json | None, refunds: list[Json], disputes: list[Json]) -> Json:
        disputed = any(d["status"] in OPEN for d in disputes)
        invoice = self._world.invoices.get(session["invoice"])
        return {
            "id": session["id"], "status": session["status"], "paid": session["payment_status"],
            "amount": session["amount_total"], "currency": session["currency"], "created": session["created"],
            "name": self._world.lines[session["id"]][0]["name"], "url": session["url"],
            "who": (session["customer_details"] or {}).get("email") or "",
            "invoice": invoice["hosted_invoice_url"] if invoice else None,
            "debit": session["payment_status"] == "unpaid" and charge is not None and charge["status"] == "pending",
            "left": left_of(charge) if charge else 0,
            "disputable": charge is not None and charge["paid"] and not disputed, "refunds": refunds,
            "disputes": [{**d, "open": d["status"] in OPEN} for d in disputes],
        }  # fmt: skip

    def _charge_of(self, session: Json) -> Json | None:
        intent = self._world.intents.get(session["payment_intent"])
        return self._world.charges.get(intent["latest_charge"]) if intent else None

    async def act(self, request: AnyRequest, cs: FromPath[str]) -> ASGIResponse:
        """A button of a session."""
        session = self._world.sessions.get(cs)
        if session is not None:
            await self._do(self._wish, session, (await fields_of(request)).get("wish", ""))
        return see_other(f"{self._world.path}/#{cs}")

    async def _do(self, wish: Any, thing: Json, what: str) -> None:
        """Do it, and notify the shop. An action no longer possible (from a stale page) does nothing."""
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
            case "refund" if charge:
                return create_refund(world, charge)[1]
            case "refund-half" if charge:
                half = min(max(charge["amount"] // 2, 1), left_of(charge))
                return create_refund(world, charge, amount=half)[1]
            case "refund-fails" if charge:
                return self._refund_that_fails(charge)
            case "dispute" | "inquiry" if charge:
                status = "needs_response" if wish == "dispute" else "warning_needs_response"
                return open_dispute(world, charge, status=status)[1]
            case _:
                return []

    def _refund_that_fails(self, charge: Json) -> list[Json]:
        refund, events = create_refund(self._world, charge, status="pending")

        async def fail() -> None:
            await self._do(self._settled, refund, "failed")

        self._deliveries.later(_FAILS_AFTER, fail)
        return events

    async def settle(self, request: AnyRequest, refund: FromPath[str]) -> ASGIResponse:
        """A button of a refund."""
        found = self._world.refunds.get(refund)
        if found is not None:
            await self._do(self._settled, found, (await fields_of(request)).get("wish", ""))
        return see_other(f"{self._world.path}/")

    def _settled(self, refund: Json, status: str) -> list[Json]:
        return settle_refund(self._world, refund, status)[1]

    async def close(self, request: AnyRequest, dispute: FromPath[str]) -> ASGIResponse:
        """A button of a dispute."""
        found = self._world.disputes.get(dispute)
        if found is not None:
            await self._do(self._closed, found, (await fields_of(request)).get("wish", ""))
        return see_other(f"{self._world.path}/")

    def _closed(self, dispute: Json, status: str) -> list[Json]:
        return close_dispute(self._world, dispute, status)[1]


def _by_charge(things: dict[str, Json]) -> dict[str, list[Json]]:
    found: dict[str, list[Json]] = {}
    for thing in things.values():
        found.setdefault(thing["charge"], []).append(thing)
    return found
