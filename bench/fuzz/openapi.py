"""An OpenAPI document of the application's own route table. It is not served: people use the pages, not an API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from bench.fuzz.grammar import FIELDS
from bench.fuzz.shop import Route

_PAGES: Final = (200, 303, 400, 403, 404, 405, 409, 410, 414, 429)
_OF_FILES: Final = (206, 302, 304, 412, 416)
_OF_BODIES: Final = (413,)
_EVENT: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["id", "object", "type", "created", "data"],
    "properties": {
        "id": {"type": "string"},
        "object": {"enum": ["event", "v2.core.event"]},
        "type": {
            "enum": [
                "checkout.session.completed", "checkout.session.expired", "checkout.session.async_payment_failed",
                "refund.updated", "charge.refunded", "charge.dispute.created", "charge.dispute.closed", "other",
            ]
        },
        "created": {"type": "integer"},
        "data": {
            "type": "object",
            "required": ["object"],
            "properties": {
                "object": {
                    "type": "object",
                    "required": ["id", "amount", "created", "livemode"],
                    "properties": {
                        "id": {"type": "string", "pattern": "^(cs_test|re|dp|ch)_[a-z0-9]{1,20}$"},
                        "amount": {"type": "integer"},
                        "created": {"type": "integer"},
                        "livemode": {"type": "boolean"},
                        "mode": {"type": "string"},
                        "status": {"type": "string"},
                        "payment_status": {"type": "string"},
                        "currency": {"type": "string"},
                        "amount_subtotal": {"type": "integer"},
                        "amount_total": {"type": "integer"},
                        "customer_details": {"type": "object", "properties": {"email": {"type": "string"}}},
                        "payment_intent": {"type": "string"},
                        "client_reference_id": {"type": "string"},
                        "metadata": {"type": "object", "additionalProperties": {"type": "string"}},
                    },
                }
            },
        },
    },
}  # fmt: skip


def document(routes: Sequence[Route], known: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Every route with its methods. `known`: values that exist, by the name of the parameter they are for."""
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths[route.template] = {
            method.lower(): _operation(route, method, known)
            for method in route.methods
            if method != "OPTIONS"
        }
    return {"openapi": "3.1.0", "info": {"title": "The shop", "version": "1"}, "paths": paths}


def _operation(route: Route, method: str, known: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    names = [part[1:-1] for part in route.parts if part.startswith("{")]
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": _text(known.get(name, ()), least=1)}
        for name in names
    ]
    parameters += [
        {"name": "session", "in": "cookie", "schema": _text(known["session"])},
        {"name": "accept-encoding", "in": "header", "schema": _text(("gzip", "br", "zstd;q=0.5, *;q=0"))},
    ]
    statuses = [*_PAGES]
    if route.template.startswith("/view/"):
        parameters.append({"name": "session_id", "in": "query", "schema": _text(known["session_id"])})
    if route.template.startswith("/files/"):
        statuses += _OF_FILES
        spans = ("bytes=0-", "bytes=5-9", "bytes=-1", "bytes=99999999-", "bytes=0-1,3-4")
        parameters += [
            {"name": "range", "in": "header", "schema": _text(spans)},
            {"name": "if-none-match", "in": "header", "schema": _text(("*", '"a"'))},
        ]
    told: dict[str, Any] = {"parameters": parameters}
    if method == "POST":
        statuses += _OF_BODIES
        told["requestBody"] = {"content": _body(route, known)}
    told["responses"] = {str(status): {"description": "", "content": {"*/*": {}}} for status in statuses}
    return told


def _body(route: Route, known: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    if route.template in ("/webhook", "/mail-events"):
        return {"application/json": {"schema": _EVENT}}
    fields = {name: _text(known.get(name, ("yes",))) for name in FIELDS}
    return {"application/x-www-form-urlencoded": {"schema": {"type": "object", "properties": fields}}}


def _text(values: Sequence[str], *, least: int = 0) -> dict[str, Any]:
    """A text; often one that exists."""
    anything = {"type": "string", "minLength": least, "maxLength": 300}
    return {"anyOf": [{"enum": list(values)}, anything]} if values else anything
