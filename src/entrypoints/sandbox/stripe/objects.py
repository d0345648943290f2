"""Common parts of Stripe's objects: calls, refusals, parameters, events, lists (API version 2026-10-28)."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from entrypoints.sandbox.world import Json, World, fresh_id, now

API_VERSION: Final = "2026-10-28.endive"
Told = tuple[Json, list[Json]]
"""The object to answer with, and the events to send."""


class Refusal(Exception):
    """An error object of Stripe's. https://docs.stripe.com/api/errors"""

    def __init__(
        self, status: int, message: str, *, param: str | None = None, code: str | None = None,
        kind: str = "invalid_request_error", saved: bool = False,
    ) -> None:  # fmt: skip
        """`saved`: the endpoint had begun to execute, so its idempotency key repeats this answer."""
        super().__init__(message)
        self.status = status
        self.saved = saved
        self.body: Json = {"error": {"type": kind, "message": message}}
        if param:
            self.body["error"]["param"] = param
        if code:
            self.body["error"]["code"] = code
            self.body["error"]["doc_url"] = f"https://stripe.com/docs/error-codes/{code.replace('_', '-')}"


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the API: the world, the ids in its path, its parameters."""

    world: World
    params: Json = field(default_factory=dict)
    ids: tuple[str, ...] = ()
    version: str = API_VERSION
    """The API version that the caller speaks."""

    def only(self, *known: str) -> None:
        """Refuse all other parameters: one that the stand-in ignores must not seem to work."""
        for name in self.params:
            if name not in known and name != "expand":
                raise Refusal(
                    400, f"Received unknown parameter: {name}", param=name, code="parameter_unknown"
                )

    def need(self, *names: str) -> None:
        """Refuse a call without these."""
        for name in names:
            if name not in self.params:
                raise missing(name)

    def one_of(self, things: dict[str, Json], kind: str) -> Json:
        """The object that the path names."""
        if self.ids[0] not in things:
            raise Refusal(404, f"No such {kind}: '{self.ids[0]}'", param="id", code="resource_missing")
        return things[self.ids[0]]


Handler = Callable[[Call], Told]
Routes = dict[tuple[str, str], Handler]
"""Method and path below /v1/, with {} for an id."""


def missing(param: str) -> Refusal:
    """The refusal for a missing required parameter."""
    return Refusal(400, f"Missing required param: {param}.", param=param, code="parameter_missing")


def whole(value: Any, param: str, *, least: int = 0) -> int:
    """Parse a number from a form."""
    try:
        number = int(value)
    except (TypeError, ValueError):
        number = least - 1
    if number < least:
        raise Refusal(400, f"Invalid integer: {value}", param=param, code="parameter_invalid_integer")
    return number


def flag(value: Any) -> bool:
    """Parse a boolean from a form."""
    return str(value).lower() == "true"


def metadata_of(params: Json, held: Json | None = None) -> Json:
    """https://docs.stripe.com/api/metadata: keys are merged, and an empty value removes its key."""
    given = params.get("metadata")
    merged = {**(held or {}), **(given if isinstance(given, dict) else {})}
    return {key: value for key, value in merged.items() if value != ""}


def snapshot(thing: Json) -> Json:
    """A copy of the object, unaffected by later changes."""
    copied: Json = json.loads(json.dumps(thing))
    return copied


def make_event(world: World, kind: str, thing: Json, *, created: int | None = None) -> Json:
    """https://docs.stripe.com/api/events/object: a snapshot of the object's current state."""
    event: Json = {
        "id": fresh_id("evt_"),
        "object": "event",
        "api_version": API_VERSION,
        "created": now() if created is None else created,
        "data": {"object": snapshot(thing)},
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": kind,
    }
    world.events[event["id"]] = event
    return event


def make_list(url: str, items: list[Any], *, has_more: bool) -> Json:
    """https://docs.stripe.com/api/pagination"""
    return {"object": "list", "data": items, "has_more": has_more, "url": url}
