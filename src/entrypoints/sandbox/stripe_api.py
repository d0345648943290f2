"""Stripe's API, as far as a shop and the official Stripe CLI ask for it."""

from __future__ import annotations

import asyncio
import json
from typing import Any, Final

from litestar import HttpMethod, Request, route
from litestar.handlers import HTTPRouteHandler
from litestar.response.base import ASGIResponse

from entrypoints.sandbox.deliveries import Deliveries
from entrypoints.sandbox.forms import unfold
from entrypoints.sandbox.objects import Refusal, create_session, make_event, make_list, settle_session
from entrypoints.sandbox.world import Json, World, fresh_id, now

AnyRequest = Request[Any, Any, Any]
_HANG: Final = 60.0
_CALLS_KEPT: Final = 1000


class StripeApi:
    """Everything under /v1/."""

    def __init__(self, world: World, deliveries: Deliveries) -> None:
        self._world = world
        self._deliveries = deliveries

    def routes(self) -> list[HTTPRouteHandler]:
        """One handler for all of it: errors, keys and idempotency are the same for every path."""
        return [
            route("/v1/{rest:path}", http_method=[HttpMethod.GET, HttpMethod.POST], status_code=200)(
                self.call
            )
        ]

    async def call(self, request: AnyRequest) -> ASGIResponse:
        """One API call: key, idempotency, then the path's own work."""
        method, path = str(request.method), request.scope["path"].rstrip("/")
        self._world.calls.append(f"{method} {path}")
        del self._world.calls[:-_CALLS_KEPT]
        if self._world.stripe_fault == "hang":
            await asyncio.sleep(_HANG)
        if self._world.stripe_fault:
            return _answer(503, {"error": {"type": "api_error", "message": "Told to be down."}})
        key = request.headers.get("authorization", "").removeprefix("Bearer ")
        if not key.startswith(("sk_test_", "rk_test_", "pk_test_")):
            error = {"type": "invalid_request_error", "message": f"Invalid API Key provided: {key[:12]}***"}
            return _answer(401, {"error": error})
        body = (await request.body()).decode()
        params = unfold(body if method == "POST" else request.scope["query_string"].decode())
        try:
            return await self._once(request.headers.get("idempotency-key"), method, path, body, params)
        except Refusal as refusal:
            return _answer(refusal.status, refusal.body)

    async def _once(self, key: str | None, method: str, path: str, body: str, params: Json) -> ASGIResponse:
        """https://docs.stripe.com/api/idempotent_requests: the same key gives the same answer."""
        if key is None or method != "POST":
            return _answer(200, await self._do(method, path, params))
        held = self._world.answers.get((path, key))
        if held is not None:
            if held[0] != body:
                message = (
                    "Keys for idempotent requests can only be used with the same parameters as at first."
                )
                error = {"type": "idempotency_error", "message": message}
                return _answer(400, {"error": error})
            return _answer(held[1], held[2], replayed=True)
        answer = json.loads(json.dumps(await self._do(method, path, params)))
        self._world.answers[path, key] = (body, 200, answer)
        return _answer(200, answer)

    async def _do(self, method: str, path: str, params: Json) -> Json:
        parts = path.removeprefix("/v1/").split("/")
        match method, parts:
            case "POST", ["checkout", "sessions"]:
                return create_session(self._world, params)
            case "GET", ["checkout", "sessions"]:
                return self._list(params)
            case "GET", ["checkout", "sessions", cs]:
                return self._shown(self._session(cs), params.get("expand") or [])
            case "POST", ["checkout", "sessions", cs, "expire"]:
                return await self.expire(cs)
            case "GET", ["webhook_endpoints"]:
                return make_list("/v1/webhook_endpoints", [self._endpoint()], has_more=False)
            case "GET", ["events"]:
                return make_list(
                    "/v1/events", list(reversed(self._world.events.values()))[:100], has_more=False
                )
            case "GET", ["events", event] if event in self._world.events:
                return self._world.events[event]
            case "GET", ["payment_intents", intent] if intent in self._world.intents:
                return self._world.intents[intent]
            case _:
                return await self._for_the_cli(method, parts, params)

    async def _for_the_cli(self, method: str, parts: list[str], params: Json) -> Json:
        """What `stripe trigger` asks for besides: its fixtures pay a session without a browser."""
        match method, parts:
            case "POST", ["products"]:
                return self._product(params)
            case "POST", ["prices"]:
                return self._price(params)
            case "POST", ["payment_methods"]:
                return self._method(params)
            case "GET", ["payment_pages", cs]:
                return self._page(cs)
            case "POST", ["payment_pages", cs, "confirm"]:
                return await self._confirm(cs, params)
            case _:
                raise Refusal(404, f"Unrecognized request URL ({method}: /v1/{'/'.join(parts)}).")

    # ------------------------------------------------------------------ sessions

    def _session(self, cs: str) -> Json:
        found = self._world.sessions.get(cs)
        if found is None:
            raise Refusal(404, f"No such checkout.session: {cs}", param="session", code="resource_missing")
        return found

    def _shown(self, session: Json, expand: list[str]) -> Json:
        """https://docs.stripe.com/api/expanding_objects"""
        if "payment_intent" in expand and session["payment_intent"]:
            return {**session, "payment_intent": self._world.intents[session["payment_intent"]]}
        return session

    def _list(self, params: Json) -> Json:
        since = int((params.get("created") or {}).get("gte", 0))
        limit = int(params.get("limit", 10))
        expand = [name.removeprefix("data.") for name in params.get("expand") or []]
        newest = sorted(self._world.sessions.values(), key=lambda s: (-s["created"], s["id"]))
        found = [s for s in newest if s["created"] >= since and params.get("status") in (None, s["status"])]
        after = params.get("starting_after")
        if after is not None:
            ids = [s["id"] for s in found]
            found = found[ids.index(after) + 1 :] if after in ids else []
        page = [self._shown(s, expand) for s in found[:limit]]
        return make_list("/v1/checkout/sessions", page, has_more=len(found) > limit)

    async def expire(self, cs: str) -> Json:
        """https://docs.stripe.com/api/checkout/sessions/expire"""
        session = self._session(cs)
        if session["status"] != "open":
            raise Refusal(400, 'Only Checkout Sessions with a status in ["open"] can be expired.')
        session.update(status="expired", url=None)
        event = make_event(self._world, "checkout.session.expired", session)
        await self._deliveries.send([event], self._world.manners)
        return session

    def _endpoint(self) -> Json:
        return {
            "id": "we_sandbox", "object": "webhook_endpoint", "api_version": None, "application": None,
            "created": now(), "description": None, "enabled_events": ["*"], "livemode": False, "metadata": {},
            "status": "enabled", "url": self._world.webhook_url,
        }  # fmt: skip

    # ------------------------------------------------------------------ for the Stripe CLI

    def _product(self, params: Json) -> Json:
        product: Json = {
            "id": fresh_id("prod_", length=14), "object": "product", "active": True, "created": now(),
            "images": [], "livemode": False, "marketing_features": [], "metadata": {},
            "name": params.get("name", "A product"), "updated": now(), "description": params.get("description"),
        }  # fmt: skip
        self._world.products[product["id"]] = product
        return product

    def _price(self, params: Json) -> Json:
        price: Json = {
            "id": fresh_id("price_"), "object": "price", "active": True, "billing_scheme": "per_unit",
            "created": now(), "currency": params.get("currency", "usd"), "livemode": False, "metadata": {},
            "product": params.get("product", ""), "type": "one_time",
            "unit_amount": int(params.get("unit_amount", 1000)),
        }  # fmt: skip
        self._world.prices[price["id"]] = price
        return price

    def _method(self, params: Json) -> Json:
        kind = params.get("type", "card")
        billing = params.get("billing_details") or {}
        method: Json = {
            "id": fresh_id("pm_"), "object": "payment_method", "created": now(), "livemode": False, "type": kind,
            "metadata": {},
            "billing_details": {
                "address": None, "email": billing.get("email"), "name": billing.get("name"), "phone": None,
                "tax_id": None,
            },
        }  # fmt: skip
        self._world.methods[method["id"]] = method
        return method

    def _page(self, cs: str) -> Json:
        session = self._session(cs)
        return {"id": fresh_id("ppage_"), "object": "checkout.session", "session_id": cs,
                "line_item_group": {"total": session["amount_total"]}, "mode": session["mode"],
                "currency": session["currency"], "livemode": False}  # fmt: skip

    async def _confirm(self, cs: str, params: Json) -> Json:
        session = self._session(cs)
        if session["status"] != "open":
            raise Refusal(400, "This Checkout Session has already been completed.")
        method = self._world.methods.get(params.get("payment_method", ""), {})
        billing = method.get("billing_details") or {}
        delayed = method.get("type", "card") != "card"
        email = billing.get("email") or "stripe@example.com"
        settle_session(self._world, cs, email=email, name=billing.get("name") or "", delayed=delayed)
        await self.announce(cs, delayed=delayed, succeeds=delayed)
        return session

    async def announce(self, cs: str, *, delayed: bool, succeeds: bool) -> None:
        """Send the events of a finished session, and of the bank's yes that follows a debit at once."""
        session = self._world.sessions[cs]
        events = [make_event(self._world, "checkout.session.completed", session)]
        if delayed and succeeds:
            events.append(self.bank_says(cs, succeeds=True))
        await self._deliveries.send(events, self._world.manners)

    def bank_says(self, cs: str, *, succeeds: bool) -> Json:
        """The end of a bank debit, days later: its event."""
        session = self._world.sessions[cs]
        intent = self._world.intents[session["payment_intent"]]
        intent["status"] = "succeeded" if succeeds else "requires_payment_method"
        if succeeds:
            session["payment_status"] = "paid"
        kind = "checkout.session.async_payment_" + ("succeeded" if succeeds else "failed")
        return make_event(self._world, kind, session)


def _answer(status: int, body: Json, *, replayed: bool = False) -> ASGIResponse:
    headers = [("request-id", fresh_id("req_", length=14)), ("stripe-version", "2026-10-28.endive")]
    if replayed:
        headers.append(("idempotent-replayed", "true"))
    return ASGIResponse(
        body=json.dumps(body, indent=2).encode(),
        status_code=status,
        media_type="application/json",
        headers=headers,
    )
