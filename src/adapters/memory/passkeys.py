"""Passkeys for tests: the refusals of WebAuthn with an HMAC for a signature, and an authenticator to go with them."""

from __future__ import annotations

import hmac
import json
import os
from collections.abc import Sequence
from typing import Any

from domain.challenge import as_text, from_text
from domain.ports import NewCredential, PasskeyRefused, PasskeyUse
from domain.staff import Passkey, StaffMember


class MemoryCeremonies:
    """For the back office at one origin."""

    def __init__(self, *, origin: str) -> None:
        self._origin = origin

    def registration(self, member: StaffMember, held: Sequence[Passkey], challenge: bytes) -> str:
        """See the port."""
        return json.dumps(
            {"challenge": as_text(challenge), "user": member.id, "held": [key.id for key in held]}
        )

    def assertion(self, challenge: bytes, held: Sequence[Passkey] = ()) -> str:
        """See the port."""
        return json.dumps({"challenge": as_text(challenge), "held": [passkey.id for passkey in held]})

    def register(self, challenge: bytes, answer: str) -> NewCredential:
        """See the port."""
        told = self._told(answer, "create", challenge)
        return NewCredential(told["id"], from_text(told["key"]), told["counter"], synced=told["synced"])

    def credential_of(self, answer: str) -> str:
        """See the port."""
        try:
            return str(json.loads(answer)["id"])
        except (ValueError, KeyError, TypeError):
            return ""

    def verify(self, challenge: bytes, answer: str, passkey: Passkey) -> PasskeyUse:
        """See the port."""
        told = self._told(answer, "get", challenge)
        signature = told.pop("signature", "")
        if told["id"] != passkey.id or not hmac.compare_digest(signature, _sign(passkey.public_key, told)):
            raise PasskeyRefused("another passkey, or not its signature")
        if told["user"] not in ("", passkey.staff):
            raise PasskeyRefused("another user's")
        return PasskeyUse(told["counter"], synced=told["synced"])

    def _told(self, answer: str, kind: str, challenge: bytes) -> dict[str, Any]:
        try:
            told: dict[str, Any] = json.loads(answer)
            right = (told["type"], told["origin"], told["challenge"], told["verified"], told["framed"])
        except (ValueError, KeyError, TypeError) as error:
            raise PasskeyRefused("not an answer") from error
        if right != (kind, self._origin, as_text(challenge), True, False):
            raise PasskeyRefused(f"{right} is not what was asked for")
        return told


class MemoryAuthenticator:
    """Somebody's device. It answers what a page asks, for the origin that the browser is at."""

    def __init__(self, *, origin: str, synced: bool = False) -> None:
        self._origin, self._synced = origin, synced
        self.keys: dict[str, bytes] = {}
        self.counter = 0
        self.verifies = True
        """Whether it verifies its user."""
        self.framed = False
        """Whether the page is in a frame on another site."""
        self.user = ""
        """For whom the latest passkey was made."""

    def create(self, options: str) -> str:
        """The answer to `Ceremonies.registration`. Raises ValueError if it holds one of the passkeys that are held."""
        asked = json.loads(options)
        if self.keys.keys() & set(asked["held"]):
            raise ValueError("there is one already")
        made, secret = as_text(os.urandom(16)), os.urandom(16)
        self.keys[made] = secret
        self.user = asked["user"]
        return json.dumps(self._answer("create", asked["challenge"], made) | {"key": as_text(secret)})

    def get(self, options: str) -> str:
        """The answer to `Ceremonies.assertion`. Raises ValueError if it holds no such passkey."""
        asked = json.loads(options)
        fitting = [key for key in self.keys if not asked["held"] or key in asked["held"]]
        if not fitting:
            raise ValueError("there is none")
        answer = self._answer("get", asked["challenge"], fitting[-1])
        return json.dumps(answer | {"signature": _sign(self.keys[fitting[-1]], answer)})

    def _answer(self, kind: str, challenge: str, passkey: str) -> dict[str, Any]:
        if not self._synced:
            self.counter += 1
        return {
            "type": kind, "origin": self._origin, "challenge": challenge, "id": passkey, "counter": self.counter,
            "synced": self._synced, "verified": self.verifies, "framed": self.framed, "user": self.user,
        }  # fmt: skip


def _sign(key: bytes, told: dict[str, Any]) -> str:
    return hmac.digest(key, json.dumps(told, sort_keys=True).encode(), "sha256").hex()
