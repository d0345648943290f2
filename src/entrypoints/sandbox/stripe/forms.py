"""Forms: a page's fields, and Stripe's nesting: `line_items[0][price_data][currency]=usd` to dicts and lists."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl

from litestar import Request

_PART = re.compile(r"\[([^\]]*)\]")


def unfold(body: str) -> dict[str, Any]:
    """https://docs.stripe.com/api/metadata and every request of Stripe's own libraries."""
    root: dict[str, Any] = {}
    for name, value in parse_qsl(body, keep_blank_values=True):
        first = name.partition("[")[0]
        keys = [first, *_PART.findall(name)]
        node: dict[str, Any] = root
        for key in keys[:-1]:
            node = node.setdefault(key or str(len(node)), {})
        node[keys[-1] or str(len(node))] = value
    return {name: _lists(value) for name, value in root.items()}


def _lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    inner = {name: _lists(item) for name, item in value.items()}
    if inner and all(name.isdigit() for name in inner):
        return [inner[name] for name in sorted(inner, key=int)]
    return inner


async def fields_of(request: Request[Any, Any, Any]) -> dict[str, str]:
    """The fields of a page's form."""
    return dict(parse_qsl((await request.body()).decode(), keep_blank_values=True))
