"""A shop sells with a test key first, and goes live at its first start with a live one."""

from __future__ import annotations

from typing import Final

STARTED_LIVE: Final = "started with a live key"
"""The cursor that says when the shop last started so. Once it is there, test purchases count nowhere."""
