"""Pictures of products for social networks, drawn by resvg in a process of its own."""

from __future__ import annotations

from typing import Final

SECONDS: Final = 5
"""Of CPU time that a picture may take."""
MEMORY: Final = 400 * 1024 * 1024
"""Bytes that it may take."""
