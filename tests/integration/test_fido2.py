"""Passkeys checked by fido2, with an authenticator in software. Chromium's own is in test_admin_browser.py."""

from __future__ import annotations

from typing import Any

from contracts.passkeys import ORIGIN, CeremoniesContract

from adapters.fido2 import LazyCeremonies
from domain.ports import Ceremonies
from testkit.authenticator import SoftAuthenticator


class TestFido2(CeremoniesContract):
    def ceremonies(self) -> Ceremonies:
        return LazyCeremonies(origin=ORIGIN, name="The Cloakroom")

    def authenticator(self, *, origin: str = ORIGIN, synced: bool = False) -> Any:
        return SoftAuthenticator(origin=origin, synced=synced)
