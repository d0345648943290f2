"""Whether a delivery was signed by Stripe, with one of our secrets, about now.

https://docs.stripe.com/webhooks#verify-manually; the SDK does the cryptography, the time is judged here, on both
sides: the SDK lets a timestamp from the future pass.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from stripe import SignatureVerificationError, WebhookSignature

TOLERANCE: Final = 300
"""Seconds that a delivery may be old, or ahead of our clock (Stripe's own default for its age)."""
_TIMESTAMP: Final = re.compile(r"(?:^|,)t=(\d{1,12})(?:,|$)")
_LONGEST: Final = 1000


def objection(body: bytes, header: str, *, secrets: Sequence[str], now: datetime) -> str | None:
    """Why a delivery is not to be believed; None if it is Stripe's."""
    if not header:
        return "it has no Stripe-Signature"
    found = _TIMESTAMP.search(header) if header.isascii() and len(header) <= _LONGEST else None
    if found is None:
        return "its Stripe-Signature cannot be read"
    age = now.timestamp() - int(found[1])
    if age > TOLERANCE:
        return "its signature is too old"
    if age < -TOLERANCE:
        return "its signature is from the future"
    if any(_verifies(body, header, secret) for secret in secrets):
        return None
    return "its signature does not match: is STRIPE_WEBHOOK_SECRET this endpoint's?"


def _verifies(body: bytes, header: str, secret: str) -> bool:
    try:
        return bool(WebhookSignature.verify_header(body, header, secret))
    except (SignatureVerificationError, TypeError, ValueError):
        return False
