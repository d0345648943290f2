"""The pages that every guest may see, as routes; `test_guest_pages` compares them with those of the application."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from testkit.servers import BOOK

PREPARED: Final = ("/", "/products/{pid}", "/buy/{pid}", "/pages/{slug}")
"""Rendered once for all guests."""
PUBLIC: Final = (*PREPARED, "/login", "/request-login")


def paths(routes: Iterable[str], *, product: str = BOOK) -> tuple[str, ...]:
    return tuple(route.format(pid=product, slug="terms") for route in routes)
