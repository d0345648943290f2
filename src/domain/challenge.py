"""Challenges for passkeys: made by this shop for one purpose, good for five minutes, answered once.

Showing a page changes nothing, so a challenge is stored only once it was answered. Until then, its MAC says that it is
the shop's, what it is for, and when it was made (WebAuthn §13.4.3 asks for randomness that the server made itself).
"""

from __future__ import annotations

import base64
import hmac
from datetime import datetime, timedelta
from typing import Final

from domain.keys import Keyring
from domain.limits import Limit
from domain.staff import CHALLENGE_LIFETIME
from domain.values import digest_of

RANDOM_BYTES: Final = 16
_TIME_BYTES: Final = 8
_MAC_BYTES: Final = 32
_LENGTH: Final = RANDOM_BYTES + _TIME_BYTES + _MAC_BYTES
ANSWERED: Final = Limit(kind="challenge", most=1, window=2 * CHALLENGE_LIFETIME)
"""No limit: for longer than a challenge is good, it is remembered that it was answered."""
SIGN_IN: Final = "sign-in"


def new_challenge(keyring: Keyring, purpose: str, *, now: datetime, entropy: bytes) -> bytes:
    """56 bytes. `purpose`: what it is for, and for whom. `entropy`: 16 bytes."""
    head = entropy + int(now.timestamp()).to_bytes(_TIME_BYTES, "big")
    return head + _mac(keyring.signing.challenge, head, purpose)


def is_ours(keyring: Keyring, challenge: bytes, purpose: str, *, now: datetime) -> bool:
    """Whether this shop made a challenge for this purpose in the last five minutes."""
    if len(challenge) != _LENGTH:
        return False
    head, mac = challenge[:-_MAC_BYTES], challenge[-_MAC_BYTES:]
    made_at = int.from_bytes(head[RANDOM_BYTES:], "big")
    if not 0 <= int(now.timestamp()) - made_at < CHALLENGE_LIFETIME // timedelta(seconds=1):
        return False
    return any(hmac.compare_digest(mac, _mac(key.challenge, head, purpose)) for key in keyring.keys)


def bucket_of(challenge: bytes) -> str:
    """The name under which the store remembers that it was answered."""
    return f"challenge:{digest_of(challenge)}"


def as_text(challenge: bytes) -> str:
    """Base64url without padding, as WebAuthn writes bytes in JSON."""
    return base64.urlsafe_b64encode(challenge).rstrip(b"=").decode()


def from_text(text: str) -> bytes:
    """The bytes of such a text; b"" if it is none."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except ValueError:
        return b""


def _mac(key: bytes, head: bytes, purpose: str) -> bytes:
    return hmac.digest(key, head + purpose.encode(), "sha256")
