"""Addresses and keys in other people's words: providers name them in error messages, which we show, store and log."""

from __future__ import annotations

import re
import traceback
from typing import Final

LONGEST: Final = 2_000
"""Characters of a provider's message that are kept."""
_ENDS: Final = "<>\"'`(),;:=[]{}/\\"
_BREAK: Final = r"\s" + re.escape(_ENDS)
# A match begins where a run of such characters does, and nowhere inside it: the time grows with the length, not with
# its square.
_ADDRESS: Final = re.compile(f"(?<![^{_BREAK}])[^{_BREAK}]+(?:@|%40)[^{_BREAK}&?#]*")
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


def redacted_start(text: str) -> str:
    """The first `LONGEST` characters, redacted. A word that the cut would split is left out whole.

    What no database stores (NUL, and halves of surrogate pairs, which stand for bytes that are not UTF-8) is replaced.
    """
    text = text.encode("utf-8", "replace").decode().replace("\0", "?")
    if len(text) > LONGEST:
        start = text[:LONGEST]
        text = start[: 1 + max(start.rfind(end) for end in f" \n\t{_ENDS}")] + "…"
    return redacted(text)


def words_of(error: BaseException) -> str:
    """The message and origin of an error, on one line without keys and addresses."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" ({frames[-1].filename.rpartition('/')[2]}, line {frames[-1].lineno})" if frames else ""
    words = redacted_start(" ".join(str(error).split()))
    return f"{type(error).__name__}{where}" + (f": {words.rstrip('.')}" if words else "")
