"""The part of Stripe's API that a shop and the official Stripe CLI use."""

from __future__ import annotations

import json
from fnmatch import fnmatchcase
from typing import Any, Final

from litestar import HttpMethod, Request, route
from litestar.handlers import HTTPRouteHandler
from litestar.response.base import ASGIResponse

from entrypoints.sandbox.faults import cut, hang_up, stumble
from entrypoints.sandbox.stripe import (
    cli,
    customers,
    disputes,
    endpoints,
    invoices,
    payments,
    promotions,
    refunds,
    sessions,
    warnings,
)
from entrypoints.sandbox.stripe.deliveries import Deliveries
from entrypoints.sandbox.stripe.forms import unfold
from entrypoints.sandbox.stripe.listing import Filters, page
from entrypoints.sandbox.stripe.objects import API_VERSION, Call, Handler, Refusal, Routes, Told, snapshot
from entrypoints.sandbox.stripe.permissions import check_permission
from entrypoints.sandbox.world import Json, World, fresh_id

AnyRequest = Request[Any, Any, Any]
_CALLS_KEPT: Final = 1000
_ACCOUNT_VERSION: Final = "2026-09-30.dahlia"
"""What a caller speaks that names no version, such as the Stripe CLI: the account's own, from before removals."""
_KINDS: Final = {"400": "invalid_request_error", "500": "api_error"}
_EVENTS: Final[Filters] = {
    "type": lambda event, wanted: fnmatchcase(event["type"], wanted),
    "types": lambda event, wanted: event["type"] in wanted,
}


def _list_events(call: Call) -> Told:
    return page(call, "/v1/events", call.world.events, _EVENTS), []


ROUTES: Final[Routes] = {
    ("GET", "events"): _list_events,
    ("GET", "events/{}"): lambda call: (call.one_of(call.world.events, "event"), []),
    **sessions.ROUTES,
    **payments.ROUTES,
    **refunds.ROUTES,
    **disputes.ROUTES,
    **warnings.ROUTES,
    **promotions.ROUTES,
    **invoices.ROUTES,
    **customers.ROUTES,
    **endpoints.ROUTES,
    **cli.ROUTES,
}


def _handler_for(method: str, path: str) -> tuple[Handler, tuple[str, ...]]:
    """The handler of a path, and the ids in it."""
    parts = path.removeprefix("/v1/").split("/")
    for (its_method, pattern), handler in ROUTES.items():
        wanted = pattern.split("/")
        if its_method == method and len(wanted) == len(parts):
            pairs = list(zip(wanted, parts, strict=True))
            if all(want in ("{}", part) for want, part in pairs):
                return handler, tuple(part for want, part in pairs if want == "{}")
    raise Refusal(404, f"Unrecognized request URL ({method}: {path}).")


class StripeApi:
    """Everything under /v1/."""

    def __init__(self, world: World, deliveries: Deliveries) -> None:
        self._world = world
        self._deliveries = deliveries

    def routes(self) -> list[HTTPRouteHandler]:
        """One handler for all of it: errors, keys and idempotency are the same for every path."""
        methods = [HttpMethod.GET, HttpMethod.POST, HttpMethod.DELETE]
        return [route("/v1/{rest:path}", http_method=methods, status_code=200)(self.call)]

    async def call(self, request: AnyRequest) -> ASGIResponse:
        """One API call: key, idempotency, then the path's own work."""
        method, path = str(request.method), request.scope["path"].rstrip("/")
        self._world.calls.append(f"{method} {path}")
        del self._world.calls[:-_CALLS_KEPT]
        fault = self._world.stripe_fault
        status = await stumble(fault, request.scope["client"])
        if status is not None:
            return _answer(status, _broken(status))
        key = request.headers.get("authorization", "").removeprefix("Bearer ")
        if not key.startswith(("sk_test_", "rk_test_", "pk_test_")):
            error = {"type": "invalid_request_error", "message": f"Invalid API Key provided: {key[:12]}***"}
            return _answer(401, {"error": error}, fault=fault)
        body = (await request.body()).decode()
        params = unfold(body if method == "POST" else request.scope["query_string"].decode())
        version = request.headers.get("stripe-version", _ACCOUNT_VERSION)
        refunding = self._world.refund_fault if (method, path) == ("POST", "/v1/refunds") else ""
        if refunding == "lost-before":
            hang_up(request.scope["client"])
            return _answer(503, _broken(503))
        try:
            expand = params.get("expand") or []
            check_permission(self._world.permissions, method, path, expand, key=key)
            status, answer, replayed = await self._once(
                request.headers.get("idempotency-key"), method, path, body, params, version, fault=refunding
            )
        except Refusal as refusal:
            status, answer, replayed = refusal.status, refusal.body, False
        if refunding == "lost":
            hang_up(request.scope["client"])
        return _answer(status, answer, replayed=replayed, fault=fault)

    async def _once(
        self, key: str | None, method: str, path: str, body: str, params: Json, version: str, *, fault: str
    ) -> tuple[int, Json, bool]:
        """https://docs.stripe.com/api/idempotent_requests: the same key gives the same answer, failures included."""
        handler, ids = _handler_for(method, path)
        held = self._world.answers.get(f"{path} {key}") if key and method == "POST" else None
        if held is not None:
            if held[0] != body:
                words = "Keys for idempotent requests can only be used with the same parameters as at first."
                raise Refusal(400, words, kind="idempotency_error")
            return held[1], held[2], True
        try:
            if fault in ("400", "500"):
                raise Refusal(int(fault), "Told to fail.", kind=_KINDS[fault], saved=True)
            thing, events = handler(Call(self._world, params, ids, version))
        except Refusal as refusal:
            if key and method == "POST" and refusal.saved:
                self._world.answers[f"{path} {key}"] = (body, refusal.status, refusal.body)
            raise
        status, answer = 200, thing if method == "GET" else snapshot(thing)
        if fault == "500-done":
            status, answer = 500, _broken(500)
        if key and method == "POST":
            # Stored before any event is sent: a client that times out meanwhile and retries gets this answer.
            self._world.answers[f"{path} {key}"] = (body, status, answer)
        await self._deliveries.send(events, self._world.manners)
        return status, answer, False


def _broken(status: int) -> Json:
    """https://docs.stripe.com/api/errors, https://docs.stripe.com/rate-limits"""
    if status == 429:
        words = "Request rate limit exceeded."
        return {"error": {"type": "invalid_request_error", "code": "rate_limit", "message": words}}
    if status < 500:
        return {"error": {"type": "invalid_request_error", "message": "Told to refuse."}}
    return {"error": {"type": "api_error", "message": "Told to be down."}}


def _answer(status: int, body: Json, *, replayed: bool = False, fault: str = "") -> ASGIResponse:
    headers = [("request-id", fresh_id("req_", length=14)), ("stripe-version", API_VERSION)]
    if replayed:
        headers.append(("idempotent-replayed", "true"))
    return ASGIResponse(
        body=cut(json.dumps(body, indent=2).encode(), fault),
        status_code=status,
        media_type="application/json",
        headers=headers,
    )
