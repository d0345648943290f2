"""Lists with cursors and filters, and ids expanded to their objects."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice
from operator import itemgetter
from typing import Any, Final

from entrypoints.sandbox.stripe.objects import Call, Refusal, make_list, whole
from entrypoints.sandbox.world import Json, World

_LONGEST: Final = 100
_USUAL: Final = 10
Filters = dict[str, Callable[[Json, Any], bool]]
"""The filter parameters of a list, and the predicate of each."""


def same(field: str) -> Callable[[Json, Any], bool]:
    """A filter: the field has this value."""
    return lambda thing, value: bool(thing[field] == value)


def page(
    call: Call, url: str, things: dict[str, Json], filters: Filters, *, among: Iterable[Json] | None = None
) -> Json:
    """https://docs.stripe.com/api/pagination: newest first, after a cursor that need not pass the filters itself.

    `among` restricts the search to objects from an index; by default all are searched.
    """
    params = call.params
    call.only("limit", "starting_after", "created", *filters)
    limit = whole(params.get("limit", _USUAL), "limit", least=1)
    if limit > _LONGEST:
        raise Refusal(400, f"This value must be less than or equal to {_LONGEST}.", param="limit")
    after = params.get("starting_after")
    if after is not None and after not in things:
        raise Refusal(400, f"No such object: '{after}'", param="starting_after", code="resource_missing")
    wanted = [(test, params[name]) for name, test in filters.items() if name in params]
    since, until = _range(params.get("created") or {})
    found = list(things.values() if among is None else among)
    # Within one second, the newest comes first. The list is nearly sorted already, so the sort is one pass.
    found.reverse()
    found.sort(key=itemgetter("created"), reverse=True)
    start = next((at + 1 for at, thing in enumerate(found) if thing["id"] == after), 0) if after else 0
    fitting = (
        thing
        for thing in islice(found, start, None)
        if since <= thing["created"] <= until and all(test(thing, value) for test, value in wanted)
    )
    taken = list(islice(fitting, limit + 1))
    shown = [expanded(call.world, thing, _inner(params)) for thing in taken[:limit]]
    return make_list(url, shown, has_more=len(taken) > limit)


def _range(created: Any) -> tuple[float, float]:
    """The first and last second of a filter. A bare number selects one second."""
    if not isinstance(created, dict):
        second = whole(created, "created")
        return second, second
    since, until = 0.0, float("inf")
    for name, value in created.items():
        second = whole(value, f"created[{name}]")
        match name:
            case "gte":
                since = max(since, second)
            case "gt":
                since = max(since, second + 1)
            case "lte":
                until = min(until, second)
            case "lt":
                until = min(until, second - 1)
            case _:
                param = f"created[{name}]"
                raise Refusal(
                    400, f"Received unknown parameter: {param}", param=param, code="parameter_unknown"
                )
    return since, until


def _inner(params: Json) -> list[str]:
    """The fields to expand in each object of a list: their names begin with `data.`"""
    return [str(name).removeprefix("data.") for name in params.get("expand") or []]


def shown(call: Call, thing: Json) -> Json:
    """One object, with the fields that the call expands."""
    return expanded(call.world, thing, [str(name) for name in call.params.get("expand") or []])


def expanded(world: World, thing: Json, names: Iterable[str]) -> Json:
    """https://docs.stripe.com/api/expanding_objects"""
    for name in names:
        if name == "total_details.breakdown" and thing.get("object") == "checkout.session":
            thing = {
                **thing,
                "total_details": {**thing["total_details"], "breakdown": _breakdown(world, thing)},
            }
            continue
        thing = _expand(world, thing, name.split("."), name)
    return thing


def _breakdown(world: World, session: Json) -> Json:
    """The taxes are those of the customer's country."""
    address = (session["customer_details"] or {}).get("address") or {}
    taxes = [
        {**tax, "rate": {**tax["rate"], "country": address.get("country")}}
        for tax in world.taxes.get(session["id"], ())
    ]
    return {"discounts": [], "taxes": taxes}


def _expand(world: World, thing: Json, path: list[str], name: str) -> Json:
    first, rest = path[0], path[1:]
    shelf = world.shelf_of(first)
    if first == "applies_to" and thing.get("object") == "coupon":
        return thing  # a coupon that is for some products names them always
    if first not in thing or (shelf is None and not rest):
        raise Refusal(400, f"This property cannot be expanded ({name}).", param="expand[]")
    inner = thing[first]
    if isinstance(inner, str) and shelf is not None:
        inner = shelf.get(inner, inner)
    if rest and isinstance(inner, dict):
        inner = _expand(world, inner, rest, name)
    elif rest and isinstance(inner, list):
        inner = [_expand(world, item, rest, name) for item in inner]
    return {**thing, first: inner}
