"""Webhook endpoints: the initial one, and those created over the API.

https://docs.stripe.com/api/webhook_endpoints
"""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from entrypoints.sandbox.stripe.listing import page
from entrypoints.sandbox.stripe.objects import Call, Refusal, Routes, Told, flag, metadata_of
from entrypoints.sandbox.world import Json, World, fresh_id, now

BUILT_IN: Final = "we_sandbox"
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


def stock(world: World) -> None:
    """Add the initial endpoint of every world: the shop's."""
    world.endpoints[BUILT_IN] = _endpoint(BUILT_IN, world.webhook_url, ["*"])
    world.endpoint_secrets[BUILT_IN] = world.webhook_secret


def _endpoint(name: str, url: str, events: list[str]) -> Json:
    return {
        "id": name, "object": "webhook_endpoint", "api_version": None, "application": None, "created": now(),
        "description": None, "enabled_events": events, "livemode": False, "metadata": {}, "status": "enabled",
        "url": url,
    }  # fmt: skip


def listeners(world: World, kind: str) -> list[str]:
    """The endpoints subscribed to this kind of event. One created over the API must be on this machine."""
    return [
        name
        for name, endpoint in world.endpoints.items()
        if endpoint["status"] == "enabled"
        and not {"*", kind}.isdisjoint(endpoint["enabled_events"])
        and (name == BUILT_IN or urlsplit(endpoint["url"]).hostname in _LOOPBACK)
    ]


def url_of(world: World, name: str) -> str:
    """The current URL of an endpoint."""
    return world.webhook_url if name == BUILT_IN else str(world.endpoints[name]["url"])


def _shown(world: World, endpoint: Json) -> Json:
    return {**endpoint, "url": url_of(world, endpoint["id"])}


def _checked_url(params: Json) -> str:
    parts = urlsplit(str(params["url"]))
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Refusal(400, "Invalid URL: An explicit scheme (such as https) must be provided.", param="url")
    return str(params["url"])


def _checked_events(params: Json) -> list[str]:
    events = params["enabled_events"]
    if not isinstance(events, list) or not events:
        raise Refusal(400, "Invalid array", param="enabled_events")
    return [str(event) for event in events]


def _create(call: Call) -> Told:
    world, params = call.world, call.params
    call.only("url", "enabled_events", "api_version", "description", "metadata")
    call.need("url", "enabled_events")
    endpoint = _endpoint(fresh_id("we_"), _checked_url(params), _checked_events(params))
    endpoint.update(
        api_version=params.get("api_version"), description=params.get("description"), metadata=metadata_of(params)
    )  # fmt: skip
    world.endpoints[endpoint["id"]] = endpoint
    secret = world.endpoint_secrets[endpoint["id"]] = fresh_id("whsec_", length=32)
    # Only this answer contains the secret.
    return {**endpoint, "secret": secret}, []


def _update(call: Call) -> Told:
    world, params = call.world, call.params
    endpoint = call.one_of(world.endpoints, "webhook endpoint")
    call.only("url", "enabled_events", "description", "disabled", "metadata")
    if "url" in params:
        endpoint["url"] = _checked_url(params)
        if endpoint["id"] == BUILT_IN:
            world.webhook_url = endpoint["url"]
    if "enabled_events" in params:
        endpoint["enabled_events"] = _checked_events(params)
    if "disabled" in params:
        endpoint["status"] = "disabled" if flag(params["disabled"]) else "enabled"
    endpoint["description"] = params.get("description", endpoint["description"])
    endpoint["metadata"] = metadata_of(params, endpoint["metadata"])
    return _shown(world, endpoint), []


def _delete(call: Call) -> Told:
    endpoint = call.one_of(call.world.endpoints, "webhook endpoint")
    if endpoint["id"] == BUILT_IN:
        raise Refusal(400, "The sandbox's own endpoint stays; it can be disabled.", param="id")
    del call.world.endpoints[endpoint["id"]]
    return {"id": endpoint["id"], "object": "webhook_endpoint", "deleted": True}, []


def _list(call: Call) -> Told:
    world = call.world
    everything = {name: _shown(world, endpoint) for name, endpoint in world.endpoints.items()}
    return page(call, "/v1/webhook_endpoints", everything, {}), []


ROUTES: Final[Routes] = {
    ("POST", "webhook_endpoints"): _create,
    ("GET", "webhook_endpoints"): _list,
    ("GET", "webhook_endpoints/{}"): lambda call: (
        _shown(call.world, call.one_of(call.world.endpoints, "webhook endpoint")),
        [],
    ),
    ("POST", "webhook_endpoints/{}"): _update,
    ("DELETE", "webhook_endpoints/{}"): _delete,
}
