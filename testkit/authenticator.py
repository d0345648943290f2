"""An authenticator in software, as WebAuthn has it: an ECDSA key for each passkey, and answers as browsers write them.

https://www.w3.org/TR/webauthn-3/#sctn-authenticator-data
"""

from __future__ import annotations

import hashlib
import json
import os
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from fido2 import cbor

from domain.challenge import as_text, from_text

_UP, _UV, _BE, _BS, _AT = 1, 4, 8, 16, 64


class SoftAuthenticator:
    """Somebody's device. It answers what a page asks, for the origin that the browser is at."""

    def __init__(self, *, origin: str, synced: bool = False) -> None:
        self._origin, self._synced = origin, synced
        self.keys: dict[str, ec.EllipticCurvePrivateKey] = {}
        self.counter = 0
        self.verifies = True
        self.framed = False
        """Whether the page is in a frame on another site."""
        self.user = ""
        """For whom the latest passkey was made."""

    def create(self, options: str) -> str:
        asked = json.loads(options)
        if self.keys.keys() & {held["id"] for held in asked["excludeCredentials"] or ()}:
            raise ValueError("there is one already")
        raw, key = os.urandom(16), ec.generate_private_key(ec.SECP256R1())
        self.keys[as_text(raw)] = key
        self.user = from_text(asked["user"]["id"]).decode()
        numbers = key.public_key().public_numbers()
        cose = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
        data = self._data(_AT) + bytes(16) + len(raw).to_bytes(2, "big") + raw + cbor.encode(cose)
        told = {
            "clientDataJSON": as_text(self._client_data("webauthn.create", asked["challenge"])),
            "attestationObject": as_text(cbor.encode({"fmt": "none", "attStmt": {}, "authData": data})),
        }
        return _credential(as_text(raw), told)

    def get(self, options: str) -> str:
        asked = json.loads(options)
        wanted = [held["id"] for held in asked.get("allowCredentials") or ()]
        fitting = [key for key in self.keys if not wanted or key in wanted]
        if not fitting:
            raise ValueError("there is none")
        client, data = self._client_data("webauthn.get", asked["challenge"]), self._data(0)
        signed = data + hashlib.sha256(client).digest()
        told = {
            "clientDataJSON": as_text(client),
            "authenticatorData": as_text(data),
            "signature": as_text(self.keys[fitting[-1]].sign(signed, ec.ECDSA(SHA256()))),
        }
        if self.user:
            told["userHandle"] = as_text(self.user.encode())
        return _credential(fitting[-1], told)

    def _client_data(self, kind: str, challenge: str) -> bytes:
        told = {"type": kind, "challenge": challenge, "origin": self._origin, "crossOrigin": self.framed}
        return json.dumps(told).encode()

    def _data(self, more: int) -> bytes:
        """Without the credential: hash of the relying party's id, flags, signature counter."""
        if not self._synced:
            self.counter += 1
        flags = more | _UP | (_UV if self.verifies else 0) | (_BE | _BS if self._synced else 0)
        host = urlsplit(self._origin).hostname or ""
        return hashlib.sha256(host.encode()).digest() + bytes([flags]) + self.counter.to_bytes(4, "big")


def _credential(made: str, told: dict[str, Any]) -> str:
    whole = {"id": made, "rawId": made, "type": "public-key", "response": told, "clientExtensionResults": {}}
    return json.dumps(whole)
