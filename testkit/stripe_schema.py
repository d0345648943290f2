"""Stripe's published schema, to hold answers against; and Stripe's API asked without an SDK."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import httpx
import jsonschema

from testkit.servers import Sandbox
from testkit.tools import stripe_schema


@cache
def document() -> dict[str, Any]:
    return dict(json.loads(stripe_schema().read_text()))


def strict(node: Any) -> Any:
    """OpenAPI 3.0 to JSON Schema: nullable becomes a choice, expandable references stay ids or objects."""
    if isinstance(node, list):
        return [strict(item) for item in node]
    if not isinstance(node, dict):
        return node
    inner = {
        key: strict(value) for key, value in node.items() if key not in ("nullable", "x-expansionResources")
    }
    return {"anyOf": [inner, {"type": "null"}]} if node.get("nullable") else inner


@cache
def _validator(name: str) -> Any:
    schemas = strict(document()["components"]["schemas"])
    schema = {"$ref": f"#/components/schemas/{name}", "components": {"schemas": schemas}}
    return jsonschema.Draft202012Validator(schema)


def holds(name: str, thing: Any) -> None:
    """The thing is what Stripe's document says of objects of that name, and names no field that it does not know."""
    errors = [f"{list(e.absolute_path)}: {e.message[:200]}" for e in _validator(name).iter_errors(thing)]
    assert not errors, errors
    unknown = set(thing) - set(document()["components"]["schemas"][name]["properties"])
    assert not unknown, f"a {name} has no {unknown}"


def form(params: Any, prefix: str = "") -> dict[str, str]:
    """Nested parameters as Stripe's libraries encode them."""
    flat: dict[str, str] = {}
    items = params.items() if isinstance(params, dict) else enumerate(params)
    for key, value in items:
        name = f"{prefix}[{key}]" if prefix else str(key)
        flat |= form(value, name) if isinstance(value, (dict, list)) else {name: str(value)}
    return flat


def ask_raw(
    sandbox: Sandbox, method: str, path: str, data: dict[str, str] | None = None, **headers: str
) -> Any:
    headers = {"authorization": "Bearer sk_test_abcdefgh", **headers}
    return httpx.request(method, f"{sandbox.url}{path}", data=data, headers=headers, timeout=60).json()
