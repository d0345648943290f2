"""What was typed comes back after a passkey was asked for again.

It goes along in hidden fields of the page that asks: not in an address, which browsers and logs keep, and not in the
store, which would have to delete it again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_PREFIX: Final = "kept_"
CAME_BACK: Final = "came-back"
"""A field that no form has: the others are shown again before anything is done."""
MORE_FIELDS: Final = 4
"""What a page that asks for a passkey has beside the kept fields."""


def to_keep(fields: Mapping[str, str]) -> dict[str, str]:
    """The fields of a form, under the names that they have on the page that asks for a passkey."""
    return {_PREFIX + name: value for name, value in fields.items() if name != CAME_BACK}


def kept_in(fields: Mapping[str, str]) -> dict[str, str]:
    """Those of a page that asks for a passkey, to be carried on."""
    return {name: value for name, value in fields.items() if name.startswith(_PREFIX)}


def as_typed(fields: Mapping[str, str]) -> Mapping[str, str]:
    """The fields of a form, whether it came by itself or through the page that asks for a passkey (`CAME_BACK`)."""
    kept = {name.removeprefix(_PREFIX): value for name, value in kept_in(fields).items()}
    return {**kept, CAME_BACK: "yes"} if kept else fields
