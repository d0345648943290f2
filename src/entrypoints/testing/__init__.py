"""A whole shop in memory, for tests: the real use cases on the fakes that ship, with a clock that tests move.

A customer's browser buys in three lines, in milliseconds:

    shop = Shop()
    anna = Browser(shop)
    anna.buy_and_pay("anna@example.com")

The use cases are wired by hand: building the container takes some ten milliseconds, and a property test builds
thousands of shops. A test checks this wiring against the container's. See docs/testing.md.
"""

from __future__ import annotations

from entrypoints.testing.browser import Browser
from entrypoints.testing.fakes import (
    BASE_URL,
    BOOK,
    CONTENT,
    PHOTOS,
    SECRET,
    CountedRandomness,
    HandClock,
    a_product,
    an_edition,
    run,
)
from entrypoints.testing.shop import EMAIL_TEMPLATES, Shop

__all__ = [
    "BASE_URL",
    "BOOK",
    "CONTENT",
    "EMAIL_TEMPLATES",
    "PHOTOS",
    "SECRET",
    "Browser",
    "CountedRandomness",
    "HandClock",
    "Shop",
    "a_product",
    "an_edition",
    "run",
]
