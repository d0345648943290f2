"""Which paths belong to the back office."""

from __future__ import annotations

from typing import Final

OFFICE: Final = "/admin"


def is_office(path: str) -> bool:
    """Whether a path belongs to the back office."""
    return path.startswith(OFFICE) and (len(path) == len(OFFICE) or path[len(OFFICE)] == "/")
