"""Addresses and keys in other people's words: providers name them in error messages, which we show, store and log."""

from __future__ import annotations

import re
from typing import Final

_ADDRESS: Final = re.compile(
    r"[^\s<>\"'`(),;:=\[\]{}/\\]+(?:@|%40)[^\s<>\"'`(),;:=\[\]{}/\\&?#]*", re.IGNORECASE
)
# Keys of Stripe and Resend, secrets of webhooks, ids of Checkout sessions (each opens its page), keys of AWS, and
# whatever follows `Bearer`.
_SECRET: Final = re.compile(
    r"(?<![A-Za-z0-9])(?:"
    r"(sk|rk|pk|cs)_(?:test|live)_[\w*]+|(whsec|re)_[\w*+/=]+|(AKIA|ASIA)[A-Z0-9*]{8,}|(Bearer) +[^\s,;\"']+)"
)


def redacted(text: str) -> str:
    """`text` without addresses and keys: `[address]`, `[sk]`, `[whsec]`. What else it says stays as it is."""
    if "_" in text or "AKIA" in text or "ASIA" in text or "Bearer" in text:
        text = _SECRET.sub(lambda found: f"[{found[found.lastindex or 0]}]", text)
    return _ADDRESS.sub("[address]", text) if "@" in text or "%40" in text else text
