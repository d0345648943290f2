"""The passkeys that tests use keep the same promises as real ones."""

from __future__ import annotations

from typing import Any

from contracts.passkeys import ORIGIN, CeremoniesContract

from adapters.memory.passkeys import MemoryAuthenticator, MemoryCeremonies
from domain.ports import Ceremonies


class TestMemoryCeremonies(CeremoniesContract):
    def ceremonies(self) -> Ceremonies:
        return MemoryCeremonies(origin=ORIGIN)

    def authenticator(self, *, origin: str = ORIGIN, synced: bool = False) -> Any:
        return MemoryAuthenticator(origin=origin, synced=synced)
